"""Exceptions as values: kept by the name of their type, their arguments and their own attributes.

Closed: built-in exceptions, those of the modules a job may import, and the kit's. Traceback, context and cause are
dropped, and so is `obj` of AttributeError and NameError: model code can read none of them, and they would keep frames
and strangers alive. Names are a stored format. `keep_values`, the makers and the writer read this table.
"""

import builtins
import decimal
import json
import re
import statistics
import types
import zoneinfo
from typing import Any

from statek import exceptions
from statek.exceptions import CannotKeep

State = tuple[dict[str, Any], dict[str, Any]]  # the instance's __dict__, members of built-in types
_DROPPED = frozenset({"obj", "exceptions", "message"})  # the last two are an ExceptionGroup's arguments
_MEMBERS = (types.MemberDescriptorType, types.GetSetDescriptorType)


def _catchable(module: types.ModuleType, prefix: str) -> dict[str, type[Exception]]:
    found = {}
    for name, value in vars(module).items():
        if isinstance(value, type) and issubclass(value, Exception) and value.__name__ == name:
            found[prefix + name] = value
    return found


_BUILTIN = _catchable(builtins, "")
_KIT = _catchable(exceptions, "statek.")
del _KIT["statek.FutureError"]  # never reaches a handler of the job

EXCEPTIONS: dict[str, type[Exception]] = {
    **_BUILTIN,
    **_catchable(decimal, "decimal."),
    "json.JSONDecodeError": json.JSONDecodeError,
    "re.error": re.error,
    "statistics.StatisticsError": statistics.StatisticsError,
    "zoneinfo.ZoneInfoNotFoundError": zoneinfo.ZoneInfoNotFoundError,
    **_KIT,
}
NAMES: dict[type, str] = {kind: name for name, kind in EXCEPTIONS.items()}


def build(name: str, args: tuple[Any, ...], kind: type[Any] | None = None) -> Exception:
    """Make the exception called `name`, or a job's own `kind` of it.

    Constructors written in Python are not run: `fill` sets what they had set.

    Raises:
        KeyError: no such exception.
        TypeError: arguments that a built-in constructor does not take.
    """
    base = EXCEPTIONS[name]
    made: type[Exception] = base if kind is None else kind
    error = base(*args) if name in _BUILTIN and made is base else base.__new__(made, *args)
    if made is not base:
        base.__init__(error, *args)
    if type(error) is not made:
        raise TypeError(f"{name}{args!r} makes {type(error).__name__}")
    return error


def fill(error: Exception, state: State) -> None:
    """Set the attributes that `state_of` found."""
    own, members = state
    for name, value in members.items():
        if name not in _member_names(_known(type(error))):
            raise TypeError(f"{type(error).__name__} has no member {name!r}")
        setattr(error, name, value)
    error.__dict__.update(own)


def state_of(error: Exception) -> State | None:
    """Give what rebuilding from `args` alone would lose, or None when nothing is.

    Raises:
        CannotKeep: its arguments no longer make such an exception.
    """
    known = _known(type(error))
    try:
        plain = build(NAMES[known], error.args)
    except (TypeError, ValueError) as cause:
        raise CannotKeep(f"its arguments no longer make a {known.__name__}; keep str(error)") from cause
    members = {}
    for name in _member_names(known):
        value = getattr(error, name, None)
        if not _same(value, getattr(plain, name, None)):
            members[name] = value
    return (dict(vars(error)), members) if vars(error) or members else None


def _known(kind: type[Exception]) -> type[Exception]:
    """Give the exception of this table that a class is or derives from."""
    return next(base for base in kind.__mro__ if base in NAMES)


def _same(one: object, other: object) -> bool:
    if one is other:
        return True
    return type(one) is type(other) and isinstance(one, str | int | bytes) and one == other


def _member_names(kind: type) -> list[str]:
    """Names of the attributes that C code gives a built-in exception, `errno` and `filename` for example."""
    names = []
    for base in kind.__mro__[: kind.__mro__.index(BaseException)]:
        for name, value in vars(base).items():
            if isinstance(value, _MEMBERS) and not name.startswith("__") and name not in _DROPPED:
                names.append(name)
    return names
