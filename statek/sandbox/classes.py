"""Classes made by a job: what they may derive from, and what class patterns of `match` may look into.

Called by `guards.py`; the magic methods a class may define are checked on its source (`names.py`).
"""

import builtins
import types
import typing
from collections.abc import Callable
from typing import Any

from statek.exceptions import Refused
from statek.sandbox import kinds, names

_SELF_MATCHING = frozenset({bool, bytearray, bytes, dict, float, frozenset, int, list, set, str, tuple})


def named_tuple(typename: str, fields: Any = (), /) -> Any:
    """`typing.NamedTuple`, a base in class statements and a function; the class counts as made by the job."""
    pairs = [(str(name), kind) for name, kind in fields]
    return _as_own(typing.NamedTuple(str(typename), pairs))


def typed_dict(typename: str, fields: Any = (), /, *, total: bool = True) -> Any:
    """`typing.TypedDict`, a base in class statements and a function; the class counts as made by the job."""
    given = {str(name): kind for name, kind in dict(fields).items()}
    return _as_own(typing.TypedDict(str(typename), given, total=bool(total)))  # type: ignore[operator]


def _as_own(made: Any) -> Any:
    made.__module__ = kinds.JOB_MODULE
    return made


def _stand_for(function: Any, original: Any) -> None:
    """Let `function` be what `original` is as a base in a class statement."""
    bases = original.__mro_entries__((original,))
    function.__name__ = function.__qualname__ = original.__name__
    function.__mro_entries__ = lambda _: bases


_stand_for(named_tuple, typing.NamedTuple)
_stand_for(typed_dict, typing.TypedDict)
_CALLED_BASES = (named_tuple, typed_dict)


def build_class(body: Callable[..., Any], name: str, *bases: Any, **keywords: Any) -> Any:
    """Serve the class statement.

    Raises:
        Refused: it derives from a class that is not the job's nor offered for that.
    """
    for base in bases:
        if not _may_derive(base):
            raise Refused(f"a class here cannot derive from {getattr(base, '__name__', type(base).__name__)}")
    return builtins.__build_class__(body, name, *bases, **keywords)


def _may_derive(base: Any) -> bool:
    if isinstance(base, type):
        return base in kinds.BASES or kinds.is_job_class(base) or _is_plain_error(base)
    if any(base is function for function in _CALLED_BASES):
        return True
    origin = typing.get_origin(base)
    return origin is not None and _may_derive(origin)


def _is_plain_error(base: type) -> bool:
    return kinds.is_error_class(base) and kinds.is_shown_class(base)


class Cases:
    """What the patterns of a `match` compare with: read through the guards right before it."""

    def __init__(self, shown: set[int]) -> None:
        """Keep the ids of offered classes."""
        self.values = types.SimpleNamespace()
        self._shown = shown

    def prepare(self, subject: Any, **values: Any) -> Any:
        """Put the values where the patterns read them; give the subject."""
        self.values.__dict__.update(values)
        return subject

    def clear(self) -> None:
        """Forget them, at the end of a statement."""
        self.values.__dict__.clear()

    def checked_class(self, kind: Any, positional: int, named: int) -> Any:
        """Check the class of a pattern, which reads attributes past the guards.

        Raises:
            Refused: the pattern looks into something that is not the job's own.
        """
        if not isinstance(kind, type):
            raise TypeError("a class is expected in this pattern")
        if kinds.is_job_class(kind):
            self._check_positions(kind, positional)
            return kind
        if not (kinds.is_shown_class(kind) or id(kind) in self._shown):
            raise Refused(f"the class {kind.__name__} is not offered to code here")
        if named or positional > 1 or (positional and kind not in _SELF_MATCHING):
            raise Refused(f"a pattern cannot look into a {kind.__name__}; compare its attributes in an `if`")
        return kind

    @staticmethod
    def _check_positions(kind: Any, positional: int) -> None:
        given = getattr(kind, "__match_args__", ())
        if not isinstance(given, tuple):
            raise TypeError("__match_args__ must be a tuple")
        for name in given[:positional]:
            if (problem := names.pattern_problem(str(name))) is not None:
                raise Refused(problem)
