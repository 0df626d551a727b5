"""Makers of classes made in a job, and of what stands in class bodies.

A class is made empty (`make_class`), its attributes come with `fill_class` and are set when the whole load is there
(`finish`): so instances can be hashed by identity on the way and nothing that the job wrote runs. Dataclasses get their
generated methods by applying `dataclass` again, enums their members while they are made. A class that is alive in the
job already is found by its number and left as it is.
"""

import abc
import collections
import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Callable
from typing import Any, Final

from statek.sandbox import keep_shapes, kinds, names
from statek.sandbox.keep_loading import Loading, MadeClass, Maker, exactly, text, wrong

# --- classes ----------------------------------------------------------------------------------------------------------


@Maker
def make_class(
    loading: Loading, number: int, sort: str, name: str, qualname: str, bases: tuple[Any, ...], more: tuple[Any, ...]
) -> type:
    """Make a class without its attributes, or give the one of that number which is alive."""
    live = loading.live_class(exactly(number, int))
    if live is not None and (live.__qualname__, keep_shapes.sort_of(live)) == (qualname, sort):
        loading.classes[id(live)] = MadeClass(live, True, keep_shapes.layout_of(live))
        return live
    kind = _SORTS[text(sort)](text(name), tuple(_base(loading, base) for base in bases), *more)
    type.__setattr__(kind, "__module__", kinds.JOB_MODULE)
    type.__setattr__(kind, "__qualname__", text(qualname))
    loading.classes[id(kind)] = MadeClass(kind, False, keep_shapes.layout_of(kind))
    if number and live is None:  # a class of another job may come with a number that is taken here
        loading.numbers[number] = kind
    return kind


@Maker
def make_class_count(loading: Loading, last: int) -> None:
    """Note how many classes the job has had."""
    loading.last = exactly(last, int)


def _base(loading: Loading, base: Any) -> type:
    return keep_shapes.BASES[base] if type(base) is str else loading.class_made(base).kind


def _plain_class(
    name: str, bases: tuple[type, ...], slots: Any, generic: tuple[Any, ...] | None, hashed: tuple[str, ...] | None
) -> type:
    """Make an ordinary class; one that says how it is hashed is hashed by identity (or `hashed` fields) meanwhile."""
    body: dict[str, Any] = {"__module__": kinds.JOB_MODULE}
    if slots is not None:
        body["__slots__"] = _checked_slots(slots)
    if generic is not None:
        body["__orig_bases__"] = generic
    if hashed is not None:
        body |= {"__hash__": _meanwhile(hashed), "__eq__": object.__eq__}
    return types.new_class(name, bases, {}, lambda space: space.update(body))


def _checked_slots(slots: Any) -> Any:
    for slot in (slots,) if type(slots) is str else slots:
        if text(slot).startswith("__") and slot.endswith("__") and slot != "__weakref__":
            raise ValueError(f"a slot {slot!r}")
    return slots


def _meanwhile(fields: tuple[str, ...]) -> Callable[[Any], int]:
    """Give the hash of the time of loading: what `dataclass` will write where it can be told already."""

    def hash_now(instance: Any) -> int:
        if not fields:
            return object.__hash__(instance)
        try:
            return hash(tuple([object.__getattribute__(instance, name) for name in fields]))
        except (AttributeError, TypeError):
            return object.__hash__(instance)

    return hash_now


def _enum_class(name: str, bases: tuple[type, ...], members: tuple[tuple[str, Any], ...]) -> type:
    def body(space: Any) -> None:
        space["__module__"] = kinds.JOB_MODULE
        for member, value in members:
            if not keep_shapes.may_be_member(text(member)) or isinstance(value, types.FunctionType | property):
                raise ValueError(f"a member {member!r}")
            space[member] = value

    return types.new_class(name, bases, {}, body)


def _named_tuple(name: str, _: tuple[type, ...], fields: tuple[str, ...], defaults: tuple[Any, ...]) -> type:
    renamed = any(text(field).startswith("_") for field in fields)
    return collections.namedtuple(name, fields, rename=renamed, defaults=defaults)


def _typed_dict(name: str, _: tuple[type, ...], total: bool) -> type:
    body = {"__module__": kinds.JOB_MODULE, "__annotations__": {}}
    return types.new_class(name, (typing.TypedDict,), {"total": total}, lambda space: space.update(body))


_SORTS: Final[dict[str, Callable[..., type]]] = {
    "class": _plain_class,
    "enum": _enum_class,
    "namedtuple": _named_tuple,
    "typeddict": _typed_dict,
}


@Maker
def fill_class(loading: Loading, kind: Any, state: dict[str, Any]) -> None:
    """Take the attributes of a class; they are set by `finish`."""
    made = loading.class_made(kind)
    if made.state is not None:
        wrong(kind)
    made.state = exactly(state, dict)


def finish(loading: Loading) -> None:
    """Give the classes of a load their attributes, bases first."""
    for made in loading.classes.values():
        if not made.live:
            _finish_class(made.kind, made.state or {})


def _finish_class(kind: Any, state: dict[str, Any]) -> None:
    for name in ("__hash__", "__eq__"):
        if isinstance(kind, enum.EnumType) or name not in vars(kind):
            continue
        type.__delattr__(kind, name)
    attributes: dict[str, Any] = exactly(state.get("attributes", {}), dict)
    sort = keep_shapes.sort_of(kind) or "class"
    for name, value in attributes.items():
        if not keep_shapes.may_be_attribute(sort, text(name), value):
            raise TypeError(f"an attribute {name!r} of a class")
        type.__setattr__(kind, name, value)
    if "dataclass" in state:
        _apply_dataclass(kind, attributes, *state["dataclass"])
    for name, more in state.get("members", {}).items():
        vars(kind[name]).update(exactly(more, dict))
    if isinstance(kind, abc.ABCMeta):
        abc.update_abstractmethods(kind)  # type: ignore[arg-type] # the empty class is what a narrowed Any becomes


# --- dataclasses ------------------------------------------------------------------------------------------------------

_OPTIONS: Final = ("init", "repr", "eq", "order", "unsafe_hash", "frozen")


def _apply_dataclass(kind: Any, attributes: dict[str, Any], options: tuple[bool, ...], fields: tuple[Any, ...]) -> None:
    """Apply `dataclass` as it was applied, to fields as they were; then put back what it changed on the way."""
    slots = keep_shapes.slots_of(kind)
    shown: dict[str, Any] = {}
    for name, annotation, *settings in fields:
        if not text(name).isidentifier() or names.is_dunder(name):  # `dataclass` writes code with these names
            raise ValueError(f"a field {name!r}")
        shown[name] = annotation
        if settings:
            type.__setattr__(kind, name, _field(*settings))
    type.__setattr__(kind, "__annotations__", shown)
    if attributes.get("__hash__", kind) is None:
        type.__delattr__(kind, "__hash__")  # as `dataclass` found it
    kind.__doc__ = kind.__doc__ or "?"  # without one it would write the defaults out, in words of the job's own
    dataclasses.dataclass(**dict(zip(_OPTIONS, options, strict=True)), match_args=False)(kind)
    own = vars(kind)
    kind.__doc__ = attributes.get("__doc__")
    for name in ["__annotations__", "__hash__", *shown]:
        if name in attributes:
            type.__setattr__(kind, name, attributes[name])
        elif name in slots:
            type.__setattr__(kind, name, slots[name])
        elif name in own and name != "__hash__":
            type.__delattr__(kind, name)


def _field(flags: tuple[Any, ...], metadata: dict[Any, Any] | None, *default: Any) -> Any:
    init, show, hashed, compared, by_name = flags
    given = dict([default]) if default else {}
    if set(given) - {"default", "default_factory"}:
        raise TypeError(f"a default of sort {default[0]!r}")
    return dataclasses.field(
        **given, init=init, repr=show, hash=hashed, compare=compared, kw_only=by_name, metadata=metadata
    )


# --- what stands in class bodies --------------------------------------------------------------------------------------


@Maker
def make_property(_: Loading, get: Any, set_: Any, delete: Any, doc: str | None) -> object:
    """Make a property."""
    return property(get, set_, delete, doc)


@Maker
def make_staticmethod(_: Loading, function: Any) -> object:
    """Make a static method."""
    return staticmethod(function)


@Maker
def make_classmethod(_: Loading, function: Any) -> object:
    """Make a class method."""
    return classmethod(function)


@Maker
def make_cached_property(_: Loading, function: Any, name: str | None) -> object:
    """Make a property that is computed once; `name` is where instances keep its value."""
    made: Any = functools.cached_property(function)
    made.attrname = name
    return made


@Maker
def make_known_method(_: Loading, name: str) -> object:
    """Give a method that a decorator of the standard library put into a class."""
    return keep_shapes.KNOWN_METHODS[text(name)]
