"""Memo classes that are made from their fields: for the process that rewrites a store, and for no other.

`patch` has to run before any module with memo classes is imported, ours or the application's: from then on the
decorator replaces each class's constructor by one that takes a mapping of fields and sets them. So an object can be
made again exactly as it is stored, whatever its constructor would do, check, or hang into the store. The store looks at
constructors for the fields it lays out together, so the new one sets the same fields by name.
"""

import dis
import types
from collections.abc import Iterator
from typing import Any

import dbzero as db0

_decorate = db0.memo


def patch() -> None:
    """Let `dbzero.memo` make classes with bare constructors in this process."""
    db0.memo = _memo


def _memo(cls: type | None = None, **options: Any) -> Any:
    def wrap(found: type) -> Any:
        _lay_bare(found)
        return _decorate(**options)(found) if options else _decorate(found)

    return wrap if cls is None else wrap(cls)


def _lay_bare(cls: type) -> None:
    names = [name for name in dict.fromkeys(_set_in_constructors(cls)) if name.isidentifier()]
    lines = ["def __init__(self, fields):", "    rest = dict(fields)"]
    lines += [f"    if {name!r} in rest: self.{name} = rest.pop({name!r})" for name in names]
    lines += ["    for name, value in rest.items():", "        setattr(self, name, value)"]
    made: dict[str, Any] = {}
    exec("\n".join(lines), made)  # noqa: S102 - names of attributes, checked to be identifiers
    cls.__init__ = made["__init__"]  # type: ignore[misc]


def _set_in_constructors(cls: type) -> Iterator[str]:
    """Names that the constructors of a class and its bases set on `self`, as the store itself finds them."""
    for base in cls.__mro__:
        constructor = base.__dict__.get("__init__")
        if not isinstance(constructor, types.FunctionType):
            continue
        before = None
        for instruction in dis.get_instructions(constructor):
            if instruction.opname == "STORE_ATTR" and before is not None and _loads_self(before):
                yield str(instruction.argval)
            before = instruction


def _loads_self(instruction: dis.Instruction) -> bool:
    return instruction.opname == "LOAD_FAST" and instruction.arg == 0
