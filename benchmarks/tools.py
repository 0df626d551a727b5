"""What the jobs of the benchmarks call."""

from statek.exceptions import FutureError
from statek.future import FutureResult, temporal


def look(n: int) -> int:
    """Give a number back.

    Args:
        n: Any number.

    Returns:
        The number after it.
    """
    return n + 1


def _nothing(future: FutureResult) -> int:
    raise FutureError(future)


def _not_yet(_future: FutureResult) -> bool:
    return False


@temporal(complement=_nothing, condition=_not_yet)
def never() -> int:
    """Give a number that never comes.

    Returns:
        The number.
    """
    return FutureResult(deps=None, state_num=0)  # type: ignore[return-value]
