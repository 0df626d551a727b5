def find_order(id: str) -> str:
    return id


def pay(id: str) -> None:
    print(id)
