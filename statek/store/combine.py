"""`get_any` and `get_all`: the tools by which a job's code waits for several futures at once.

They give a future and wait for nothing; its first use does. A name whose value has come holds the value itself, so they
take values among the futures, as futures that are ready.
"""

from collections.abc import Iterable
from typing import Any, ClassVar

import dbzero as db0

from statek.sandbox import keep
from statek.store.future import CombinedFutureResult, FutureResult, get_all_future, get_any_future
from statek.store.layout import lay_out_first
from statek.store.workspace import OUTSIDE
from statek.tools.registry import tool


@db0.memo(id="statek/ReadyFuture")
class ReadyFuture(FutureResult):
    """A future whose value was there from the beginning."""

    knows_readiness: ClassVar[bool] = True
    _late_fields = ("_refs", "_handler", "_handler_job")

    def __init__(self, value: Any) -> None:
        """Keep `value`. Raises CannotKeep when it cannot be stored."""
        self._data, refs = keep.dumps_value(value, OUTSIDE)
        self._refs = list(refs) or None
        self.state_num = None
        self._handler: str | None = None
        self._handler_job: Any = None
        lay_out_first(self)

    @property
    def deps(self) -> Any:
        """Nothing."""
        return None

    def check_condition(self) -> bool:
        """It is ready."""
        return True

    def _find_value(self) -> Any:
        return keep.loads_value(self._data, list(self._refs or ()), OUTSIDE)

    def _length(self) -> int | None:
        return None


@tool(effect="write")
def get_any(*futures: FutureResult, **_kwargs: Any) -> CombinedFutureResult:
    """The value of the first of several temporal calls that is ready.

    Args:
        *futures: what temporal functions gave, or values.

    Returns:
        The first ready value, in the order of the arguments; its first use waits until there is one.
    """
    return get_any_future(*_as_futures(futures))


@tool(effect="write")
def get_all(*futures: FutureResult, **_kwargs: Any) -> CombinedFutureResult:
    """The values of several temporal calls.

    Args:
        *futures: what temporal functions gave, or values.

    Returns:
        A tuple of all values, in the order of the arguments; its first use waits until the last one is ready.
    """
    return get_all_future(*_as_futures(futures))


def _as_futures(given: Iterable[Any]) -> list[FutureResult]:
    return [one if isinstance(one, FutureResult) else ReadyFuture(one) for one in given]
