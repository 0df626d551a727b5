def lookup(number: str) -> str:
    return number
