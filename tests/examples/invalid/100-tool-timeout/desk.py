"""Tools."""


def call() -> None:
    """Call."""


async def later() -> None:
    """Call and wait."""


async def look() -> None:
    """Look."""
