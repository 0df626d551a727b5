def lookup(id: str) -> str:
    return id


def close(id: str) -> None:
    print(id)
