def lookup(id: str -> str:
    return id
