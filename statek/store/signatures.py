"""What `inspect.signature` says of the kit's classes: the documented parameters, with their documented defaults.

A status can be made only while a store is open, so a constructor cannot have one as its default; and some parameters
are given by the kit alone. Nothing here changes how a class is called.
"""

import inspect
from collections.abc import Callable, Collection
from typing import Any


class Documented:
    """A class's `__signature__`, made anew at each look, because a status does not outlive the store it was made in."""

    def __init__(self, hidden: Collection[str], **defaults: Callable[[], Any]) -> None:
        """Leave out the parameters `hidden`; `defaults` make the defaults that the constructor puts in by itself."""
        self._hidden = hidden
        self._defaults = defaults

    def __set_name__(self, owner: type, name: str) -> None:
        """Remember whose constructor it speaks of: a derived class with its own has a signature of its own."""
        self._constructor = owner.__init__  # type: ignore[misc]

    def __get__(self, instance: Any, owner: type) -> inspect.Signature:
        """The signature of `owner`. Raises AttributeError for a class with another constructor."""
        if instance is not None or inspect.unwrap(owner.__init__) is not inspect.unwrap(self._constructor):  # type: ignore[misc]
            raise AttributeError("__signature__")
        full = inspect.signature(self._constructor)
        shown = [p for p in list(full.parameters.values())[1:] if p.name not in self._hidden]
        return full.replace(parameters=[self._as_documented(p) for p in shown])

    def _as_documented(self, parameter: inspect.Parameter) -> inspect.Parameter:
        default = self._defaults.get(parameter.name)
        return parameter if default is None else parameter.replace(default=default())
