"""How classes made in a job look to the kit: their bases by name, which attributes are theirs, what instances hold.

Read by the writer and the makers, which must agree; nothing here reads or writes. Names are a stored format.
"""

import abc
import collections
import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Callable, Iterator
from typing import Any, Final

from statek.sandbox import keep_errors, kinds, names

BASES: Final[dict[str, type]] = {kind.__name__: kind for kind in kinds.BASES} | {
    name: kind for name, kind in keep_errors.EXCEPTIONS.items() if "." not in name
}
BASE_NAMES: Final[dict[type, str]] = {kind: name for name, kind in BASES.items()}
METACLASSES: Final = (type, abc.ABCMeta, enum.EnumType, type(typing.Protocol))
TYPED_DICT: Final = type(types.new_class("_Shape", (typing.TypedDict,)))

FROZEN: Final[dict[type, Callable[[Any], Any]]] = {  # values that are complete when they are made -> their plain copy
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
    bytes: lambda value: bytes.__getitem__(value, slice(None)),
    tuple: lambda value: tuple.__getitem__(value, slice(None)),
    frozenset: lambda value: frozenset(frozenset.__iter__(value)),
}
FILLED: Final[dict[type, Callable[[Any], Any]]] = {  # containers that are filled later -> their plain content
    list: lambda value: list.__getitem__(value, slice(None)),
    set: lambda value: set(set.__iter__(value)),
    dict: lambda value: dict(dict.items(value)),
    collections.Counter: lambda value: dict(dict.items(value)),
    collections.OrderedDict: lambda value: dict(collections.OrderedDict.items(value)),
    collections.defaultdict: lambda value: (dict(dict.items(value)), value.default_factory),
    collections.deque: lambda value: (list(collections.deque.__iter__(value)), value.maxlen),
}
GENERATED: Final = frozenset(
    f"__{name}__"
    for name in (
        *("init", "repr", "eq", "lt", "le", "gt", "ge", "hash"),
        *("setattr", "delattr", "getstate", "setstate", "replace"),
    )
)
"""Methods that `dataclass` writes."""
_OF_PYTHON: Final = frozenset(
    {
        *("__module__", "__qualname__", "__dict__", "__weakref__", "__slots__", "__orig_bases__", "__parameters__"),
        *("__abstractmethods__", "_abc_impl", "__dataclass_fields__", "__dataclass_params__", "_is_protocol"),
        *("__static_attributes__", "__firstlineno__", "__protocol_attrs__", "__non_callable_proto_members__"),
    }
)
_OF_NAMED_TUPLES: Final = frozenset(
    {*("_fields", "_field_defaults", "__new__", "_make", "_replace", "_asdict", "__getnewargs__", "__match_args__")}
)
_SLOT_METHODS: Final = (types.WrapperDescriptorType, types.MethodDescriptorType, types.BuiltinMethodType)
_MORE_DUNDERS: Final = frozenset({"__doc__", "__annotations__", "__match_args__"})
_OF_TYPED_DICTS: Final = frozenset({"__required_keys__", "__optional_keys__", "__total__"})


def _known_methods() -> Iterator[tuple[str, Callable[..., Any]]]:
    for root, pairs in functools._convert.items():  # type: ignore[attr-defined]  # noqa: SLF001 - of total_ordering
        for name, function in pairs:
            yield f"{name} from {root}", function

    @dataclasses.dataclass(frozen=True, slots=True)
    class Slotted:
        pass

    yield "getstate", Slotted.__getstate__
    yield "setstate", Slotted.__setstate__  # type: ignore[attr-defined]


KNOWN_METHODS: Final[dict[str, Callable[..., Any]]] = dict(_known_methods())
KNOWN_NAMES: Final[dict[Callable[..., Any], str]] = {method: name for name, method in KNOWN_METHODS.items()}
"""Methods of the standard library that decorators put into a class of the job."""


def sort_of(kind: type) -> str | None:
    """Say how a class of a job is made again: class, enum, namedtuple or typeddict; None when it cannot be."""
    if isinstance(kind, enum.EnumType):
        return "enum"
    if type(kind) is TYPED_DICT:
        return "typeddict"
    if type(kind) not in METACLASSES:
        return None
    held = vars(kind)
    is_named = isinstance(held.get("_fields"), tuple) and isinstance(held.get("_make"), classmethod)
    return "namedtuple" if is_named and kind.__bases__ == (tuple,) else "class"


def own_attributes(kind: type, sort: str, is_job_function: Callable[[Any], bool]) -> dict[str, Any]:
    """Give the attributes of a class that the job wrote, without what Python and decorators make again."""
    held = vars(kind)
    found = {"__doc__": held["__doc__"]} if held.get("__doc__") is not None else {}
    for name, value in held.items():
        if name in found or name in _OF_PYTHON or (name == "__doc__" and value is None):
            continue
        if isinstance(value, types.MemberDescriptorType | types.GetSetDescriptorType):
            continue
        foreign = type(value) is types.FunctionType and not is_job_function(value)
        if not _is_made_again(kind, sort, name, value, foreign=foreign):
            found[name] = value
    return found


def _is_made_again(kind: type, sort: str, name: str, value: Any, *, foreign: bool) -> bool:
    if sort == "enum":
        own = kind.__members__  # type: ignore[attr-defined]
        return name in own or _is_sunder(name) or foreign or isinstance(value, _SLOT_METHODS)
    if sort == "namedtuple":
        is_field = type(value).__name__ == "_tuplegetter"
        return name in _OF_NAMED_TUPLES or is_field or (name == "__repr__" and foreign)
    if foreign and value in KNOWN_NAMES:
        return False
    if foreign and name in ("__init__", "__subclasshook__") and getattr(kind, "_is_protocol", False):
        return True
    return foreign and name in GENERATED and "__dataclass_params__" in vars(kind)


def may_be_member(name: str) -> bool:
    """Whether a member of an enum may have that name."""
    return not _is_sunder(name) and not names.is_dunder(name)


def _is_sunder(name: str) -> bool:
    return name[:1] == "_" and name[-1:] == "_" and not names.is_dunder(name)


def may_be_attribute(sort: str, name: str, value: Any) -> bool:
    """Whether a class of a job may have such an attribute: what its source could write, and what decorators add."""
    if not names.is_dunder(name):
        return not _is_sunder(name)
    if name in ("__getstate__", "__setstate__"):
        return value is KNOWN_METHODS[name.strip("_")]
    more = _OF_TYPED_DICTS if sort == "typeddict" else frozenset()
    return name in names.MAGIC_METHODS or name in _MORE_DUNDERS or name in more


def is_protocol_machinery(name: str) -> bool:
    """Whether Python gives the name to protocols by itself."""
    return name in _OF_PYTHON


def layout_of(kind: type) -> type:
    """Give the class of Python's that an instance's content belongs to: `dict`, `Exception`, ...; `object` for none."""
    for base in kind.__mro__:
        if base in FROZEN or base in FILLED or base in keep_errors.NAMES:
            return base
    return object


def slots_of(kind: type) -> dict[str, types.MemberDescriptorType]:
    """Give the slots of an instance, by name."""
    found: dict[str, types.MemberDescriptorType] = {}
    for base in reversed(kind.__mro__):
        if kinds.is_job_class(base):
            found |= {n: v for n, v in vars(base).items() if type(v) is types.MemberDescriptorType}
    return found


def has_own_hash(kind: type) -> bool:
    """Whether the class itself says how its instances are hashed."""
    return vars(kind).get("__hash__") is not None


def is_hashed_by_job(value: object) -> bool:
    """Whether the hash of a value is, in the end, what code of the job says."""
    kind: Any = type(value)
    if isinstance(value, tuple | frozenset) and any(map(is_hashed_by_job, kind.__iter__(value))):
        return True
    if not kinds.is_job_class(kind):
        return False
    if any(has_own_hash(base) and hashed_fields(base) is None for base in kind.__mro__ if kinds.is_job_class(base)):
        return True
    fields = (
        name
        for base in kind.__mro__
        if kinds.is_job_class(base) and has_own_hash(base)
        for name in hashed_fields(base) or ()
    )
    return any(is_hashed_by_job(getattr(value, name, None)) for name in fields)


def hashed_fields(kind: type) -> tuple[str, ...] | None:
    """Give the fields that the hash written by `dataclass` looks at; None when the job wrote the hash itself."""
    written = vars(kind)["__hash__"]
    if type(written) is not types.FunctionType or written.__code__.co_filename != "<string>":
        return None
    fields = dataclasses.fields(kind)
    return tuple(f.name for f in fields if (f.compare if f.hash is None else f.hash))
