def find_order(number: str) -> str:
    """Find one."""
    return number
