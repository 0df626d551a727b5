"""Tools."""


def call() -> None:
    """Call."""


async def later() -> None:
    """Call and wait."""


def look() -> None:
    """Look."""
