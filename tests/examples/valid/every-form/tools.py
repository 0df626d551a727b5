import functools


async def lookup(id: str) -> str:
    return id


if True:
    async def find_all() -> None: ...

made = functools.partial(lookup, "a")


def slow(id: str) -> str:
    return id
