"""How the writer takes classes of the job, their instances and what stands in class bodies apart.

Each rule gives a reduction made of makers (`keep_class_makers`); the writer calls them and pickles what they give.
"""

import dataclasses
import enum
import functools
import types
from collections.abc import Callable
from typing import Any, Final, Protocol

from statek.exceptions import CannotKeep
from statek.sandbox import (
    keep_applications,
    keep_class_makers,
    keep_errors,
    keep_instance_makers,
    keep_shapes,
    kinds,
    sources,
)
from statek.sandbox.keep_format import Surroundings
from statek.sandbox.keep_reasons import reason_for

Reduced = tuple[Any, ...]
Plan = Callable[[Any], Reduced]


class Unkept(CannotKeep):
    """Says why, and which object it is."""

    def __init__(self, reason: str, culprit: object) -> None:
        """Keep the object, so that the caller can tell a name's own value from a part of it; None: the whole."""
        super().__init__(reason)
        self.culprit = culprit


class Writing(Protocol):
    """What the rules need of the writer."""

    around: Surroundings
    hashes_itself: bool
    plans: dict[type, Plan]

    def number_of(self, kind: type) -> int:
        """Give the number of a class in its job."""
        ...


# --- classes ----------------------------------------------------------------------------------------------------------


def job_class(writer: Writing, kind: Any) -> Reduced:
    """Write a class of the job: what it is made of, then its attributes as state."""
    sort = keep_shapes.sort_of(kind)
    if sort is None:
        raise Unkept(f"class {kind.__name__} has a metaclass that is not kept", kind)
    bases = tuple(_base(kind, base) for base in kind.__bases__)
    made = (writer.number_of(kind), sort, kind.__name__, kind.__qualname__, bases, _more(kind, sort))
    state = _class_state(kind, sort)
    return keep_class_makers.make_class, made, state, None, None, keep_class_makers.fill_class


def _base(kind: type, base: type) -> Any:
    if kinds.is_job_class(base):
        return base
    if base not in keep_shapes.BASE_NAMES:
        raise Unkept(f"class {kind.__name__} derives from {base.__name__}, which is not kept", kind)
    return keep_shapes.BASE_NAMES[base]


def _more(kind: Any, sort: str) -> tuple[Any, ...]:
    """Give what a class is made with, besides name and bases."""
    held = vars(kind)
    if sort == "enum":
        return (tuple((name, _plain_value(kind, member)) for name, member in kind.__members__.items()),)
    if sort == "namedtuple":
        return kind._fields, tuple(kind._field_defaults.values())
    if sort == "typeddict":
        return (held["__total__"],)
    hashed = None
    if keep_shapes.has_own_hash(kind):
        hashed = keep_shapes.hashed_fields(kind) or ()
    return held.get("__slots__"), held.get("__orig_bases__"), hashed


def _plain_value(kind: type, member: Any) -> Any:
    value = member._value_
    if kinds.is_job_class(kind._member_type_):  # type: ignore[attr-defined]
        raise Unkept(
            f"enum {kind.__name__} with data of class {type(value).__name__} is not kept; use plain data", kind
        )
    return value


def _class_state(kind: Any, sort: str) -> dict[str, Any]:
    attributes = keep_shapes.own_attributes(kind, sort, _is_job_function)
    for name, value in attributes.items():
        if not keep_shapes.may_be_attribute(sort, name, value):
            raise Unkept(f"class {kind.__name__} has an attribute {name!r} that is not kept", kind)
    state: dict[str, Any] = {"attributes": attributes}
    if "__dataclass_params__" in vars(kind):
        state["dataclass"] = _dataclass_state(kind)
    if sort == "enum":
        more = {name: _member_state(member) for name, member in kind._member_map_.items() if _member_state(member)}
        if more:
            state["members"] = more
    return state


def _is_job_function(function: types.FunctionType) -> bool:
    return sources.key_of(function.__code__) is not None


_OF_MEMBERS: Final = frozenset({"_value_", "_name_", "__objclass__", "_sort_order_", "_inverted_"})


def _member_state(member: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(member).items() if name not in _OF_MEMBERS}


def _dataclass_state(kind: Any) -> tuple[Any, ...]:
    params, fields = kind.__dataclass_params__, kind.__dataclass_fields__
    options = (params.init, params.repr, params.eq, params.order, params.unsafe_hash, params.frozen)
    own = [fields[name] for name in vars(kind).get("__annotations__", {}) if name in fields]
    return options, tuple(_field_state(field) for field in own)


def _field_state(field: Any) -> tuple[Any, ...]:
    if field._field_type is dataclasses._FIELD_CLASSVAR:  # type: ignore[attr-defined]  # noqa: SLF001 - not told otherwise
        return field.name, field.type
    flags = (field.init, field.repr, field.hash, field.compare, field.kw_only)
    metadata = dict(field.metadata) or None
    if field.default is not dataclasses.MISSING:
        return field.name, field.type, flags, metadata, "default", field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.name, field.type, flags, metadata, "default_factory", field.default_factory
    return field.name, field.type, flags, metadata


# --- instances --------------------------------------------------------------------------------------------------------


def plan_for(writer: Writing, kind: type) -> Plan:
    """Give the way instances of a class of the job are taken apart."""
    if keep_shapes.sort_of(kind) is None:
        raise Unkept(f"class {kind.__name__} has a metaclass that is not kept", kind)
    if isinstance(kind, enum.EnumType):
        return member
    layout = keep_shapes.layout_of(kind)
    slots = keep_shapes.slots_of(kind)
    hashed = [
        keep_shapes.hashed_fields(c) for c in kind.__mro__ if kinds.is_job_class(c) and keep_shapes.has_own_hash(c)
    ]
    writer.hashes_itself |= any(names is None for names in hashed)
    if layout in keep_errors.NAMES:
        return functools.partial(_error, slots)
    if layout in keep_shapes.FROZEN:
        return functools.partial(_frozen, keep_shapes.FROZEN[layout], slots)
    return functools.partial(_filled, keep_shapes.FILLED.get(layout), slots)


def _frozen(plain: Callable[[Any], Any], slots: Any, value: Any) -> Reduced:
    made = (keep_instance_makers.make_instance, (type(value), plain(value)))
    return _with_state(made, value, slots, None)


def _filled(plain: Callable[[Any], Any] | None, slots: Any, value: Any) -> Reduced:
    made = (keep_instance_makers.make_instance, (type(value),))
    return _with_state(made, value, slots, None if plain is None else plain(value))


def _error(slots: Any, error: Exception) -> Reduced:
    try:
        state = keep_errors.state_of(error)
    except CannotKeep as reason:
        raise Unkept(str(reason), error) from reason
    made = (keep_instance_makers.make_instance, (type(error), error.args))
    return _with_state(made, error, slots, None, *(() if state is None or not state[1] else (state[1],)))


def _with_state(made: Reduced, value: Any, slots: Any, content: Any, *members: Any) -> Reduced:
    own = getattr(value, "__dict__", None) or None
    held = _held(value, slots) if slots else None
    if members or content is not None:
        state: tuple[Any, ...] = (own, held, content, *members)
    elif held:
        state = (own, held)
    elif own is not None:
        state = (own,)
    else:
        return made
    return (*made, state, None, None, keep_instance_makers.fill_instance)


_NOTHING: Final = object()


def _held(value: Any, slots: dict[str, types.MemberDescriptorType]) -> dict[str, Any]:
    found = {}
    for name, place in slots.items():
        try:
            found[name] = place.__get__(value)
        except AttributeError:  # not set: that is its state
            continue
    return found


def member(value: Any) -> Reduced:
    """Write a member of an enum, or a combination of flags, by name or value."""
    kind = type(value)
    name = value._name_
    if kind._member_map_.get(name) is value:
        return keep_instance_makers.make_member, (kind, name, None)
    if not issubclass(kind, enum.Flag):
        raise Unkept(f"{value!r} is no member of its class any more; keep its value", value)
    return keep_instance_makers.make_member, (kind, None, value._value_)


def application_value(writer: Writing, value: Any) -> Reduced | None:
    """Write a value of an application's class that is offered to the job; None when it is not one."""
    kind = type(value)
    if not keep_applications.is_offered(writer.around, kind):
        return None
    sort = keep_applications.sort_of(kind)
    if sort == "enum":
        return member(value)
    if sort is None:
        return None
    state = keep_applications.state_of(value)
    return keep_instance_makers.make_record, (kind,), state, None, None, keep_instance_makers.fill_record


# --- what stands in class bodies --------------------------------------------------------------------------------------


def property_(_: Writing, value: property) -> Reduced:
    """Write a property by its functions."""
    return keep_class_makers.make_property, (value.fget, value.fset, value.fdel, value.__doc__)


def static_method(_: Writing, value: Any) -> Reduced:
    """Write a static method."""
    return keep_class_makers.make_staticmethod, (value.__func__,)


def class_method(_: Writing, value: Any) -> Reduced:
    """Write a class method."""
    return keep_class_makers.make_classmethod, (value.__func__,)


def cached_property(_: Writing, value: Any) -> Reduced:
    """Write a property that is computed once."""
    return keep_class_makers.make_cached_property, (value.func, value.attrname)


def known_method(value: types.FunctionType) -> Reduced | None:
    """Write a method that a decorator of the standard library made; None for others."""
    name = keep_shapes.KNOWN_NAMES.get(value)
    return None if name is None else (keep_class_makers.make_known_method, (name,))


def refused(value: object) -> Unkept:
    """Give the error for a value that no rule knows."""
    return Unkept(reason_for(value), value)
