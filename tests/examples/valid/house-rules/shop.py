async def find(number: str) -> str:
    return number


async def pay(number: str) -> None:
    pass
