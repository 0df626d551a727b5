def lookup(id: str) -> dict:
    return {}


async def assign(id: str, to: str) -> None: ...


def close(id: str) -> None: ...
