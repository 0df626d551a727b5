"""Guards of code that may hold placeholders: first uses and calls. Written into code by `lazy.py`, bound to a border.

This file is declared pure: it stands between a call in job source and what is called, and may be left anywhere.
"""

from collections.abc import Callable, Iterator
from typing import Any

from statek.sandbox.border import Border
from statek.sandbox.bounds import declare_pure
from statek.sandbox.unpacking import Iterate, Spec, unpack_sequence

declare_pure(__file__)
_SCALARS = frozenset({str, int, float, bool, type(None)})


class Calls:
    """First uses in the code of one namespace."""

    def __init__(self, border: Border, looks_inside: set[int]) -> None:
        """Ask `border`; `looks_inside` are ids of builtins that use the members of what they are given."""
        self._border = border
        self._looks_inside = looks_inside

    def names(self) -> dict[str, object]:
        """The guards under the names the transform writes."""
        return {
            "_use_": self.use, "_within_": self.within, "_use_place_": self.use_place, "_call_": self.call,
            "_take_apart_": self.take_apart,
        }  # fmt: skip

    def use(self, value: Any) -> Any:
        """Give the value of what is used here."""
        if type(value) in _SCALARS or not self._border.is_placeholder(value):
            return value
        return self._border.resolve(value)

    def within(self, value: Any) -> Any:
        """Give the value of what is used with all it holds."""
        return value if type(value) in _SCALARS else self._border.resolve_within(value)

    def use_place(self, place: tuple[Any, ...]) -> tuple[Any, ...]:
        """Give a place, as `_load_attr_` and `_load_item_` read it, with the value that stands there."""
        return (*place[:-1], self.use(place[-1]))

    def call(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Call with values, except where the function takes placeholders."""
        is_placeholder = self._border.is_placeholder
        for value in (*args, *kwargs.values()):
            if type(value) not in _SCALARS and is_placeholder(value):
                args, kwargs = self._border.resolve_arguments(function, args, kwargs)
                break
        if id(function) in self._looks_inside:
            args = tuple(map(self._all_of, args))
        return function(*args, **kwargs)

    def _all_of(self, value: Any) -> Any:
        return map(self.use, value) if isinstance(value, Iterator) else self.within(value)

    def take_apart(self, values: Any, spec: Spec, iterate: Iterate) -> Any:
        """Serve `a, b = f()`: the placeholders of the elements where it is known how many there are."""
        if self._border.is_placeholder(values):
            values = self._border.elements(values)
        return unpack_sequence(values, spec, iterate)
