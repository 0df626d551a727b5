def find(name: str) -> str:
    return name


def drop(name: str) -> str:
    return name
