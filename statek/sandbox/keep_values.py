"""Values that are rebuilt from their parts: Decimal, datetime, Fraction, regular expressions and their like.

A closed table read by three: the writer takes `parts`, the reader calls `build` with them, the digest looks at the
parts. Nothing outside this table is ever rebuilt that way. Names of kinds and the order of their parts are a stored
format: they may be added to, never changed.
"""

import collections
import dataclasses
import functools
import operator
import re
import types
import typing
import uuid
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Final
from zoneinfo import ZoneInfo

from statek.exceptions import CannotKeep
from statek.sandbox.keep_errors import EXCEPTIONS
from statek.sandbox.kinds import is_job_class

Parts = tuple[Any, ...]
_SpecialForm: Final[Any] = type(typing.Optional)
_Generic: Final[Any] = type(typing.List[int])  # noqa: UP006 - the old spelling is the one that has this type
_Annotated: Final[Any] = type(typing.Annotated[int, 0])
_TYPING: Final = frozenset(
    {
        *("Any", "Callable", "Collection", "Container", "Counter", "DefaultDict", "Deque", "Dict", "FrozenSet"),
        *("Generator", "Hashable", "Iterable", "Iterator", "List", "Literal", "Mapping", "MutableMapping"),
        *("MutableSequence", "MutableSet", "NoReturn", "Optional", "OrderedDict", "Reversible", "Sequence", "Set"),
        *("Sized", "Tuple", "Type", "Union", "ClassVar", "Final", "Generic", "Protocol", "Self", "Never"),
        *("TypeAlias", "Required", "NotRequired"),
    }
)
_SINGLE: Final = frozenset({"ClassVar", "Final", "Required", "NotRequired"})  # which take no tuple of one
_ZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")
_PATTERN_FLAGS = re.ASCII | re.IGNORECASE | re.LOCALE | re.MULTILINE | re.DOTALL | re.UNICODE | re.VERBOSE


@dataclass(frozen=True)
class Kind:
    """One row: `build(*parts(value))` equals `value` and has its type."""

    name: str
    type: type
    parts: Callable[[Any], Parts]
    build: Callable[..., Any]


def _zone_parts(zone: ZoneInfo) -> Parts:
    if zone.key is None:
        raise CannotKeep("a time zone read from a file has no name; use ZoneInfo('Area/City')")
    key_and_cached: Parts = zone.__reduce__()[1]  # type: ignore[assignment]
    return key_and_cached


def _zone(key: str, cached: bool) -> ZoneInfo:
    if not _ZONE.fullmatch(key):
        raise ValueError(f"{key!r} is no name of a time zone")
    return ZoneInfo(key) if cached else ZoneInfo.no_cache(key)


def _timezone_parts(zone: timezone) -> Parts:
    initial: Parts = zone.__getinitargs__()  # type: ignore[attr-defined]
    return initial


def _time(hour: int, minute: int, second: int, micro: int, fold: int, zone: tzinfo | None = None) -> time:
    return time(hour, minute, second, micro, zone, fold=fold)


def _datetime_parts(moment: datetime) -> Parts:
    clock = moment.timetz()
    return (moment.year, moment.month, moment.day, *_time_parts(clock))


def _time_parts(clock: time) -> Parts:
    parts = (clock.hour, clock.minute, clock.second, clock.microsecond, clock.fold)
    return parts if clock.tzinfo is None else (*parts, clock.tzinfo)


def _datetime(year: int, month: int, day: int, *clock: Any) -> datetime:
    return datetime.combine(date(year, month, day), _time(*clock))


def _decimal(text: str) -> Decimal:
    return Decimal(_exactly(text, str))


def _pattern_parts(pattern: re.Pattern[Any]) -> Parts:
    if pattern.flags & ~_PATTERN_FLAGS:
        raise CannotKeep("a regular expression with re.DEBUG or re.TEMPLATE is not kept; compile it without")
    return pattern.pattern, int(pattern.flags)


def _pattern(text: str | bytes, flags: int) -> re.Pattern[Any]:
    if flags & ~_PATTERN_FLAGS:
        raise ValueError(f"flags {flags} of a regular expression")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it was said when the job compiled it
        return re.compile(text, flags)


def _alias_parts(alias: types.GenericAlias) -> Parts:
    if alias.__unpacked__:
        raise CannotKeep("an unpacked type such as *tuple[int] is not kept; write it where it is used")
    return alias.__origin__, *alias.__args__


def _alias(origin: type, *arguments: Any) -> types.GenericAlias:
    return types.GenericAlias(_exactly(origin, type), arguments)


def _typing_parts(form: Any) -> Parts:
    """Give (name, arguments, None without brackets); typing tells its own names in private attributes only.

    For a generic class of the job the class stands in place of the name.
    """
    origin = getattr(form, "__origin__", None)
    if isinstance(origin, type) and is_job_class(origin):
        return origin, form.__args__
    if origin in (typing.Generic, typing.Protocol):
        return origin.__name__, form.__args__
    name = origin._name if isinstance(origin, _SpecialForm) else form._name  # noqa: SLF001 - see above
    if name not in _TYPING:
        raise CannotKeep(f"the type {form!r} is not kept; write it where it is used")
    return name, getattr(form, "__args__", None)


def _typing(name: Any, arguments: Parts | None) -> Any:
    if isinstance(name, type) and is_job_class(name):
        return _Generic(name, _exactly(arguments, tuple))
    if type(name) is not str or name not in _TYPING:
        raise ValueError(f"{name!r} of typing")
    form = getattr(typing, name)
    if arguments is None:
        return form
    if name in _SINGLE:
        (arguments,) = arguments
    if name != "Callable":
        return form[arguments]
    return form[arguments if arguments[0] is ... else (list(arguments[:-1]), arguments[-1])]


def _annotated(kind: Any, *metadata: Any) -> Any:
    return typing.Annotated[(kind, *metadata)]


def _type_variable_parts(variable: typing.TypeVar) -> Parts:
    v = variable
    return v.__name__, v.__constraints__, v.__bound__, v.__covariant__, v.__contravariant__


def _type_variable(name: str, constraints: Parts, bound: Any, covariant: bool, contravariant: bool) -> Any:
    return typing.TypeVar(name, *constraints, bound=bound, covariant=covariant, contravariant=contravariant)


def _union(*members: Any) -> types.UnionType:
    for member in members:
        if not isinstance(member, type | types.GenericAlias):
            raise TypeError(f"{type(member).__name__} in a union of types")
    union: types.UnionType = _exactly(functools.reduce(operator.or_, members), types.UnionType)
    return union


def _partial_parts(call: "functools.partial[Any]") -> Parts:
    if vars(call):
        raise CannotKeep("a functools.partial with attributes of its own is not kept; write a lambda")
    return call.func, call.args, call.keywords


def _partial(function: Any, arguments: Parts, keywords: dict[str, Any]) -> "functools.partial[Any]":
    return functools.partial(function, *arguments, **keywords)


def _exactly(value: Any, wanted: type) -> Any:
    if type(value) is not wanted:
        raise TypeError(f"expected {wanted.__name__}, found {type(value).__name__}")
    return value


_TYPING_TYPES: Final = {  # the old spellings are the ones that have these types
    type(form)
    for form in (
        *(typing.Optional, typing.Optional[int], typing.List, typing.List[int], typing.Tuple, typing.Callable),  # noqa: UP006, UP045
        *(typing.Callable[[int], int], typing.Literal[1]),
    )
}
_KINDS = (
    Kind("timedelta", timedelta, lambda v: (v.days, v.seconds, v.microseconds), timedelta),
    Kind("date", date, lambda v: (v.year, v.month, v.day), date),
    Kind("time", time, _time_parts, _time),
    Kind("datetime", datetime, _datetime_parts, _datetime),
    Kind("timezone", timezone, _timezone_parts, timezone),
    Kind("zone", ZoneInfo, _zone_parts, _zone),
    Kind("decimal", Decimal, lambda v: (str(v),), _decimal),
    Kind("fraction", Fraction, lambda v: (v.numerator, v.denominator), Fraction),
    Kind("complex", complex, lambda v: (v.real, v.imag), complex),
    Kind(
        "uuid", uuid.UUID, lambda v: (v.int, v.is_safe.value), lambda n, s: uuid.UUID(int=n, is_safe=uuid.SafeUUID(s))
    ),
    Kind("pattern", re.Pattern, _pattern_parts, _pattern),
    Kind("posixpath", PurePosixPath, lambda v: (str(v),), lambda text: PurePosixPath(_exactly(text, str))),
    Kind("windowspath", PureWindowsPath, lambda v: (str(v),), lambda text: PureWindowsPath(_exactly(text, str))),
    Kind("range", range, lambda v: (v.start, v.stop, v.step), range),
    Kind("slice", slice, lambda v: (v.start, v.stop, v.step), slice),
    Kind("ellipsis", type(...), lambda _: (), lambda: ...),
    Kind("notimplemented", type(NotImplemented), lambda _: (), lambda: NotImplemented),
    Kind("alias", types.GenericAlias, _alias_parts, _alias),
    Kind("union", types.UnionType, lambda v: v.__args__, _union),
    *(Kind("typing", kind, _typing_parts, _typing) for kind in _TYPING_TYPES),
    Kind("annotated", _Annotated, lambda v: (v.__origin__, *v.__metadata__), _annotated),
    Kind("typevar", typing.TypeVar, _type_variable_parts, _type_variable),
    Kind("initvar", dataclasses.InitVar, lambda v: (v.type,), dataclasses.InitVar),
    Kind("forward", typing.ForwardRef, lambda v: (v.__forward_arg__,), typing.ForwardRef),
    Kind("partial", functools.partial, _partial_parts, _partial),
    Kind("itemgetter", operator.itemgetter, lambda v: v.__reduce__()[1], operator.itemgetter),
)
BY_TYPE: dict[type, Kind] = {kind.type: kind for kind in _KINDS}
BY_NAME: dict[str, Kind] = {kind.name: kind for kind in _KINDS}

_PLAIN_TYPES: tuple[type, ...] = (
    *(type(None), bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, range, slice),
    *(object, date, datetime, time, timedelta, timezone, tzinfo, ZoneInfo, Decimal, Fraction, uuid.UUID),
    *(collections.Counter, collections.OrderedDict, collections.defaultdict, collections.deque),
)


def _named_types() -> Iterator[tuple[str, type]]:
    for plain in _PLAIN_TYPES:
        yield plain.__name__, plain
    yield "typing.Any", typing.Any
    yield from EXCEPTIONS.items()


TYPES: dict[str, type] = dict(_named_types())  # types that may be values themselves: `convert = int`
TYPE_NAMES: dict[type, str] = {kind: name for name, kind in TYPES.items()}
