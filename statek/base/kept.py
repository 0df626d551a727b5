"""Results of pure functions, kept from one run to the next. A run forgets what the one before did not ask for."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

_A = TypeVar("_A", bound=Hashable)
_T = TypeVar("_T")


class Kept:
    """Results by function and by what they are about, which must be all that a result depends on."""

    def __init__(self) -> None:
        """Nothing is kept yet."""
        self._before: dict[Hashable, dict[Hashable, Any]] = {}
        self._now: dict[Hashable, dict[Hashable, Any]] = {}

    def begin(self) -> None:
        """A run begins: what the one before asked for is at hand, all else is forgotten."""
        self._before, self._now = self._now, {}

    def each(self, function: Callable[[_A], _T], many: Sequence[_A]) -> list[_T]:
        """What `function` returns for each of many, found only when neither this run nor the one before has."""
        before, now = self._before.get(function, {}), self._now.setdefault(function, {})
        for one in many:
            if one not in now:
                now[one] = before[one] if one in before else function(one)
        return [now[one] for one in many]
