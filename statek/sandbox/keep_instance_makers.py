"""Makers of instances: of classes made in the job, of enums, and of the application's classes that are offered.

What is fixed when an instance is made (a text, a number, an error's arguments) comes with `make_*`, the rest with
`fill_*`, past every constructor: nothing of the job or the application is run but defaults of new fields.
"""

import collections
import enum
import functools
import types
from typing import Any, Final

from statek.sandbox import keep_applications, keep_errors, keep_shapes
from statek.sandbox.keep_loading import Loading, Maker, Stub, exactly, text, wrong

_FUNCTIONS: Final = (types.FunctionType, type(functools.lru_cache(text)), Stub)


@Maker
def make_instance(loading: Loading, kind: Any, *content: Any) -> object:
    """Make an instance; `content` is what is fixed when it is made: the text, the number, an error's arguments."""
    layout = loading.class_made(kind).layout
    if layout is object and not content and type(kind) is type:
        return loading.own(object.__new__(kind))
    if isinstance(kind, enum.EnumType):
        return wrong(kind)
    if layout in keep_errors.NAMES:
        (arguments,) = content
        return loading.own(keep_errors.build(keep_errors.NAMES[layout], exactly(arguments, tuple), kind))
    if layout in keep_shapes.FROZEN:
        (plain,) = content
        return loading.own(layout.__new__(kind, exactly(plain, layout)))
    return loading.own(layout.__new__(kind))


@Maker
def fill_instance(loading: Loading, instance: Any, state: tuple[Any, ...]) -> None:
    """Set what an instance holds: its `__dict__`, its slots, its content and members, as far as there are any."""
    kind: Any = type(instance)
    if loading.class_made(kind) is None or loading.made.get(id(instance)) is not instance:
        wrong(instance)
    own, slots, content, *members = (*state, None, None, None)[: max(3, len(state))]
    if own is not None:
        object.__getattribute__(instance, "__dict__").update(exactly(own, dict))
    if slots:
        places = keep_shapes.slots_of(kind)
        for name, value in slots.items():
            places[name].__set__(instance, value)
    if content is not None:
        _fill_content(instance, keep_shapes.layout_of(kind), content)
    if members and members[0] is not None:
        exception: Any = instance if isinstance(instance, Exception) else wrong(instance)
        keep_errors.fill(exception, ({}, members[0]))


def _fill_content(instance: Any, layout: Any, content: Any) -> None:
    if layout is collections.deque:
        items, bound = content
        collections.deque.__init__(instance, exactly(items, list), bound)
    elif layout is collections.defaultdict:
        items, factory = content
        collections.defaultdict.__init__(instance, factory)
        dict.update(instance, exactly(items, dict))
    elif layout is collections.OrderedDict:
        for key, value in exactly(content, dict).items():
            collections.OrderedDict.__setitem__(instance, key, value)
    elif layout is list:
        list.extend(instance, exactly(content, list))
    elif layout is set:
        set.update(instance, exactly(content, set))
    else:
        dict.update(instance, exactly(content, dict))


@Maker
def make_member(loading: Loading, kind: Any, name: str | None, value: Any) -> object:
    """Give a member of an enum of the job or of the application; without a name it is a combination of flags."""
    if type(kind) is Stub:
        return Stub(kind_name(kind), "", make_member, kind, name, value)
    if not keep_applications.is_offered(loading.around, kind):
        loading.class_made(kind)
    if not isinstance(kind, enum.EnumType):
        wrong(kind)
    if name is None:
        return kind(exactly(value, int)) if issubclass(kind, enum.Flag) else wrong(kind)
    if text(name) not in kind.__members__:
        why = f": {kind.__name__} has no member {name!r} any more"
        return Stub(f"{kind.__name__}.{name}", why, make_member, kind, name, value)
    return kind.__members__[name]


@Maker
def make_method(_: Loading, function: Any, owner: Any) -> object:
    """Bind a function of the job."""
    return types.MethodType(function, owner) if type(function) in _FUNCTIONS else wrong(function)


@Maker
def make_record(loading: Loading, kind: Any) -> object:
    """Make an empty instance of an offered class of the application, or a stub."""
    if type(kind) is Stub:
        return loading.own(Stub(kind_name(kind), "", make_record, kind))
    if not keep_applications.is_offered(loading.around, kind) or keep_applications.sort_of(kind) is None:
        wrong(kind)
    return loading.own(object.__new__(kind))


@Maker
def fill_record(loading: Loading, record: Any, state: tuple[dict[str, Any], ...]) -> None:
    """Set the fields of an instance of an application's class, past its constructor."""
    if loading.made.get(id(record)) is not record:
        wrong(record)
    if type(record) is Stub:
        record.__setstate__((fill_record, state))
        return
    keep_applications.fill(record, state)


def kind_name(stub: Stub) -> str:
    """Give the name of a class that is no longer there."""
    recipe, _, _ = stub.__getstate__()
    return str(recipe[-1])
