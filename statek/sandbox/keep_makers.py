"""The closed set of functions that a stored workspace may call while it is read.

A stream names makers and nothing else; the reader binds each to the one load that is going on (`Loading`). A `make_*`
gives a new object, a `fill_*` sets the state of an object that was made in the same load and of nothing else: host
objects and durable objects are reached, never changed. Names and arguments are a stored format: new makers may be
added, existing ones never change. Makers of classes and their instances are in `keep_class_makers`.

Every argument comes from bytes that may be damaged or crafted, so each maker checks what it is about to touch.
"""

import collections
import contextlib
import functools
import random
import struct
import types
from collections.abc import Callable
from typing import Any, Final

from statek.exceptions import BugError
from statek.sandbox import keep_errors, keep_shapes, keep_values, kinds, sources
from statek.sandbox.access import counted
from statek.sandbox.facades import LongRange
from statek.sandbox.keep_loading import MAKERS, Loading, exactly, text, wrong
from statek.sandbox.keep_loading import Maker as Maker
from statek.sandbox.keep_loading import Stub as Stub

Key = tuple[str, str, str, int, int, tuple[str, ...]]  # digest, source, qualified name, line, nth, free variables


def __getattr__(name: str) -> Maker:
    """Give a maker that is written elsewhere: the stored format finds all of them here."""
    if name in MAKERS:
        return MAKERS[name]
    raise AttributeError(name)


_ELSEWHERE: Final = ": its code is with the job that made it"
SEQUENCES: Final = (list, tuple, range, str, bytes)  # whose iterators are kept
METHODS: Final[dict[type, frozenset[str]]] = {  # bound methods that are kept: `add = seen.append`
    kind: frozenset(name for name in vars(kind) if name[:1] != "_")
    for kind in (list, dict, set, collections.deque, collections.Counter, collections.OrderedDict)
}
CONTAINERS: Final[dict[str, type]] = {
    "counter": collections.Counter,
    "ordered": collections.OrderedDict,
    "defaultdict": collections.defaultdict,
    "deque": collections.deque,
    "chain": collections.ChainMap,
    "namespace": types.SimpleNamespace,
}


@Maker
def make_value(_: Loading, kind: str, *parts: Any) -> Any:
    """Build a value of `keep_values`."""
    return keep_values.BY_NAME[text(kind)].build(*parts)


@Maker
def make_type(_: Loading, name: str) -> type:
    """Give a type that may be a value itself."""
    return keep_values.TYPES[text(name)]


@Maker
def make_host(loading: Loading, name: str) -> object:
    """Give what the environment offers under `name`, or a stub."""
    host = loading.around.host
    return host[name] if text(name) in host else Stub(name, "", make_host, name)


@Maker
def make_foreign(loading: Loading, name: str) -> object:
    """Give a function of the application by its lasting name, or a stub."""
    try:
        return loading.around.function(text(name))
    except LookupError as error:
        return Stub(name, f": {error.args[0]}" if error.args else "", make_foreign, name)


@Maker
def make_durable(loading: Loading, position: int) -> object:
    """Give a durable object by its position beside the bytes."""
    if type(position) is not int or not 0 <= position < len(loading.refs):
        raise IndexError(f"reference {position!r} of {len(loading.refs)}")
    return loading.refs[position]


@Maker
def make_durable_method(loading: Loading, owner: object, name: str) -> object:
    """Give a method of a durable object by its name, or a stub."""
    if not any(owner is durable for durable in loading.refs):
        wrong(owner)
    try:
        return loading.around.method(owner, text(name))
    except LookupError as error:
        return Stub(name, f": {error.args[0]}" if error.args else "", make_durable_method, owner, name)


@Maker
def make_container(loading: Loading, kind: str, bound: int | None = None) -> object:
    """Make an empty container of CONTAINERS; `bound` is the maxlen of a deque."""
    if kind == "deque":
        return loading.own(collections.deque(maxlen=bound))
    return loading.own(CONTAINERS[text(kind)]())


@Maker
def fill_container(loading: Loading, target: Any, state: tuple[Any, Any]) -> None:
    """Put items (a dict; a list for a deque or ChainMap) into an empty container; the second is a factory or None."""
    loading.mine(target, *CONTAINERS.values())
    factory, kind = state[1], type(target)
    items = exactly(state[0], list if kind in (collections.deque, collections.ChainMap) else dict)
    if kind is collections.deque:
        target.extend(items)
    elif kind is collections.ChainMap:
        target.maps = items
    elif kind is types.SimpleNamespace:
        vars(target).update(items)
    else:
        for key, value in items.items():
            target[key] = value
    if factory is not None:
        target.default_factory = factory if kind is collections.defaultdict and callable(factory) else wrong(factory)


@Maker
def make_cell(loading: Loading) -> types.CellType:
    """Make a variable that closures share, unbound."""
    return loading.own(types.CellType())  # type: ignore[no-any-return]


@Maker
def fill_cell(loading: Loading, cell: types.CellType, state: tuple[object]) -> None:
    """Bind a shared variable; never to another one, since a long chain of those overflows the C stack when freed."""
    (value,) = state
    loading.mine(cell, types.CellType).cell_contents = wrong(value) if type(value) is types.CellType else value


@Maker
def make_function(loading: Loading, key: Key, cells: tuple[types.CellType, ...]) -> object:
    """Make a function from its source, or a stub when the source has it no more."""
    digest, source, qualname, line, nth, free = key
    name = text(qualname).rpartition(".")[2]
    if loading.namespace is None:
        return loading.own(Stub(name, _ELSEWHERE, make_function, key, cells))
    try:
        code = sources.code_of(
            sources.CodeKey(text(digest), qualname, line, nth), text(source), loading.around.compile_source
        )
        closure = _closure(code, dict(zip(free, cells, strict=True)))
    except LookupError as error:
        return loading.own(Stub(name, f": {error.args[0]}", make_function, key, cells))
    return loading.own(types.FunctionType(code, _globals(loading), closure=closure))


def _closure(code: types.CodeType, cells: dict[str, types.CellType]) -> tuple[types.CellType, ...] | None:
    """Order the cells as the code wants them: by name, since another version of the compiler may order otherwise."""
    for name in code.co_freevars:
        if name not in cells:
            raise LookupError(f"its source now needs a variable {name!r} that was not kept")
    return tuple(cells[name] for name in code.co_freevars) or None


def _globals(loading: Loading) -> dict[str, object]:
    assert loading.namespace is not None
    if "__builtins__" not in loading.namespace:
        raise BugError("set __builtins__ of the namespace before loading: its functions would get Python's own")
    return loading.namespace


FUNCTION_STATE: Final = {
    "name": "__name__",
    "qualname": "__qualname__",
    "doc": "__doc__",
    "module": "__module__",
    "defaults": "__defaults__",
    "kwdefaults": "__kwdefaults__",
    "annotations": "__annotations__",
}


@Maker
def fill_function(loading: Loading, function: Any, state: dict[str, Any]) -> None:
    """Set what a function has besides its code: the names of FUNCTION_STATE, and `dict`."""
    loading.mine(function, types.FunctionType, Stub)
    if type(function) is Stub:
        function.__setstate__((fill_function, state))
        return
    for name, value in state.items():
        if name == "dict":
            vars(function).update(value)
        else:
            setattr(function, FUNCTION_STATE[name], value)


@Maker
def make_cached(_: Loading, function: Any, maxsize: int | None, typed: bool) -> object:
    """Put an empty lru_cache round a function of the job."""
    if type(function) not in (types.FunctionType, Stub):
        raise TypeError(f"a cache round {type(function).__name__}")
    return functools.lru_cache(maxsize, typed)(function)


@Maker
def make_managed(_: Loading, function: Any) -> object:
    """Make a generator function of the job a context manager."""
    return contextlib.contextmanager(function if type(function) in (types.FunctionType, Stub) else wrong(function))


@Maker
def make_container_method(_: Loading, target: Any, name: str) -> object:
    """Give a bound method of a built-in container, or of an instance of a class of the job that is one."""
    kind: Any = keep_shapes.layout_of(type(target)) if kinds.is_job_value(target) else type(target)
    if name not in METHODS.get(kind, ()):
        raise TypeError(f"method {name!r} of {type(target).__name__}")
    return getattr(kind, name).__get__(target)


def is_plain_method(target: Any, name: str) -> bool:
    """Whether `name` is a public method of a value of Python's own."""
    return kinds.is_plain(target) and name[:1] != "_" and callable(getattr(type(target), name, None))


def guarded_name(namespace: dict[str, object] | None, method: types.MethodType) -> str | None:
    """Give the name by which the job's code reads a method of a plain value that a guard stands in for, or None."""
    read, target = _attribute_guard(namespace), method.__self__
    if read is None or not kinds.is_plain(target):
        return None
    names = (name for name in dir(type(target)) if is_plain_method(target, name))
    return next((name for name in names if read(target, name) == method), None)


def _attribute_guard(namespace: dict[str, object] | None) -> Callable[[Any, str], Any] | None:
    builtins = (namespace or {}).get("__builtins__")
    guard = builtins.get("_getattr_") if isinstance(builtins, dict) else None
    return guard if callable(guard) else None


@Maker
def make_plain_method(loading: Loading, target: Any, name: str) -> object:
    """Give a method of a plain value as the job's code would read it: guarded, if there is a guard for it."""
    if not is_plain_method(target, text(name)):
        raise TypeError(f"method {name!r} of {type(target).__name__}")
    read = _attribute_guard(loading.namespace)
    return read(target, name) if read is not None else Stub(name, _ELSEWHERE, make_plain_method, target, name)


@Maker
def make_long_range(_: Loading, values: range) -> object:
    """Make a range that ticks."""
    return LongRange(exactly(values, range), counted)


@Maker
def make_iterator(_: Loading, sequence: Any, position: int | None = None) -> object:
    """Give an iterator that has come to `position` of a built-in sequence."""
    if type(sequence) not in SEQUENCES:
        raise TypeError(f"an iterator over {type(sequence).__name__}")
    iterator: Any = iter(sequence)
    if position is not None:
        iterator.__setstate__(position)
    return iterator


@Maker
def make_exception(loading: Loading, name: str, args: tuple[Any, ...]) -> object:
    """Make an exception of `keep_errors`."""
    return loading.own(keep_errors.build(text(name), args))


@Maker
def fill_exception(loading: Loading, error: Any, state: keep_errors.State) -> None:
    """Set the attributes of an exception: its __dict__, members of built-in types."""
    own, members = state
    keep_errors.fill(loading.mine(error, *keep_errors.EXCEPTIONS.values()), (own, members))


@Maker
def make_random(loading: Loading, version: int, words: bytes, gauss: float | None) -> random.Random:
    """Make a generator in a given state: 625 numbers of 32 bits."""
    generator = random.Random(0)  # noqa: S311 - the state of the job's own generator is put back
    generator.setstate((version, struct.unpack("<625I", words), gauss))
    return loading.own(generator)  # type: ignore[no-any-return]
