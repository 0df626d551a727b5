"""Results of pure functions, kept from one run to the next. A run forgets what the one before did not ask for."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Kept(Generic[_T]):
    """Results by what they were made from. A key must say all that the result depends on."""

    def __init__(self) -> None:
        """Nothing is kept yet."""
        self._before: dict[Hashable, _T] = {}
        self._now: dict[Hashable, _T] = {}

    def begin(self) -> None:
        """A run begins: what the one before asked for is at hand, all else is forgotten."""
        self._before, self._now = self._now, {}

    def of(self, key: Hashable, make: Callable[[], _T]) -> _T:
        """The result for `key`, made only when neither this run nor the one before has."""
        if key not in self._now:
            self._now[key] = self._before[key] if key in self._before else make()
        return self._now[key]
