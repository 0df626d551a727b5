"""What the jobs of the benchmarks call."""


def look(n: int) -> int:
    """Give a number back.

    Args:
        n: Any number.

    Returns:
        The number after it.
    """
    return n + 1
