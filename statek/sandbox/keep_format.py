"""What the writing and the reading of workspaces agree on: surroundings, limits, format number, error texts.

Nothing here reads or writes. `keep` is the door; `keep_write` and `keep_read` stand behind it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from statek.exceptions import CannotKeep
from statek.sandbox.sources import Compiler

FORMAT: Final = 1  # the first byte of every stream
LIMIT: Final = 20 << 20  # bytes of one workspace, unless the caller says otherwise
MODULE: Final = "statek.sandbox.keep_makers"  # part of the stored format: never changes


class TooLarge(CannotKeep):
    """The workspace would take more bytes than its limit."""


def _no_function(_: object) -> str | None:
    return None


def _no_method(_: object) -> tuple[object, str] | None:
    return None


def _unknown_method(_: object, name: str) -> object:
    raise LookupError(f"nothing here gives methods of stored objects, {name!r} included")


def _unknown_function(name: str) -> object:
    raise LookupError(f"nothing here knows functions of the application by name, {name!r} included")


@dataclass(frozen=True)
class Surroundings:
    """What a workspace can lean on without holding it itself.

    Attributes:
        host: what the environment offers by name (tools, module proxies, exposed classes). Such an object is written
            as its name and read back by it. The mapping is indexed once, so it must not change afterwards. Plain
            values (a list, a Decimal) found in it are still written as values.
        is_durable: says whether an object lives in the store; such objects travel beside the bytes.
        compile_source: compiles a source under the rules of the sandbox and registers it with `sources`.
        function_name: gives the lasting name ("module:qualname") of a function of the application that a job may
            hold without being offered it by name; None for everything else.
        function: gives the function back by that name, LookupError with the reason when it is gone. Names come from
            bytes that may be crafted, so it alone decides which names are served.
        method_of: gives the durable object and the name of a method that is bound to it; None for everything else.
        method: gives that method of a durable object back, LookupError with the reason when there is none. Here too
            the names come from bytes.
    """

    host: Mapping[str, object]
    is_durable: Callable[[object], bool]
    compile_source: Compiler
    function_name: Callable[[object], str | None] = _no_function
    function: Callable[[str], object] = _unknown_function
    method_of: Callable[[object], tuple[object, str] | None] = _no_method
    method: Callable[[object, str], object] = _unknown_method
    _names: dict[int, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names: dict[int, str] = {}
        for name, value in self.host.items():
            names.setdefault(id(value), name)
        object.__setattr__(self, "_names", names)

    def name_of(self, value: object) -> str | None:
        """Give the name under which the environment offers this very object, or None."""
        name = self._names.get(id(value))
        return name if name is not None and self.host.get(name) is value else None


def is_machinery(name: str) -> bool:
    """Say whether a top-level name belongs to the kit: `__x` and `_x_`, which model code cannot write."""
    return name[:1] == "_" and (name[:2] == "__" or (len(name) > 2 and name[-1] == "_"))
