"""The closed set of functions that a stored workspace may call while it is read.

A stream names makers and nothing else; the reader binds each to the one load that is going on (`Loading`). A `make_*`
gives a new object, a `fill_*` sets the state of an object that was made in the same load and of nothing else: host
objects and durable objects are reached, never changed. Names and arguments are a stored format: new makers may be
added, existing ones never change. `RESERVED` holds the names that classes of the job will use.

Every argument comes from bytes that may be damaged or crafted, so each maker checks what it is about to touch.
"""

import collections
import contextlib
import functools
import random
import struct
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from statek.exceptions import BugError
from statek.sandbox import keep_errors, keep_values, sources
from statek.sandbox.keep_format import Surroundings

Key = tuple[str, str, str, int, int, tuple[str, ...]]  # digest, source, qualified name, line, nth, free variables

RESERVED: Final = frozenset(
    {
        *("make_class", "fill_class", "make_instance", "fill_instance", "make_dataclass", "make_enum"),
        *("make_member", "make_method", "make_property", "make_staticmethod", "make_classmethod", "make_foreign"),
    }
)
MAKERS: dict[str, "Maker"] = {}

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


@dataclass
class Loading:
    """One load: where it takes things from, and which objects it made itself."""

    refs: Sequence[object]
    around: Surroundings
    namespace: dict[str, object] | None  # becomes __globals__ of functions
    made: dict[int, object] = field(default_factory=dict)

    def own(self, value: Any) -> Any:
        """Note that `value` was made here, so that it may be filled."""
        self.made[id(value)] = value
        return value

    def mine(self, value: Any, *kinds: type) -> Any:
        """Give `value` back if it was made here and has one of `kinds`; TypeError otherwise."""
        if self.made.get(id(value)) is not value or type(value) not in kinds:
            raise TypeError(f"{type(value).__name__} is not to be filled")
        return value


class Maker:
    """The name of a maker, as the writer puts it into the stream."""

    __slots__ = ("build", "name")

    def __init__(self, build: Callable[..., Any]) -> None:
        self.name: str = build.__name__
        self.build = build
        MAKERS[self.name] = self

    def __call__(self, *_: Any) -> NoReturn:
        """Refuse: makers run inside a load only; the pickler merely wants something callable."""
        raise BugError(f"maker {self.name} was called outside of a load")


class Stub:
    """Stands for what was offered to the job and is no more; using it says so.

    It remembers how it was written, so that the real object comes back when it is offered again.
    """

    __slots__ = ("_stub_recipe", "_stub_state", "_stub_text")

    def __init__(self, name: str, why: str, *recipe: Any) -> None:
        """Keep the message and the `recipe`: the maker and its arguments."""
        self._stub_text = f"{name!r} is no longer offered to this job{why}"
        self._stub_recipe = recipe
        self._stub_state: Any = None

    def __getattr__(self, name: str) -> NoReturn:
        """Refuse; special names are merely absent, so that looking at a stub is harmless."""
        if name[:2] == "__":
            raise AttributeError(name)
        raise NameError(self._stub_text)

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise NameError(self._stub_text)

    __call__ = __getitem__ = __setitem__ = __delitem__ = __contains__ = __iter__ = __next__ = _refuse
    __len__ = __enter__ = __exit__ = _refuse
    __bool__: Callable[..., bool] = _refuse
    __str__: Callable[..., str] = _refuse

    def __repr__(self) -> str:
        return f"<{self._stub_text}>"

    def __getstate__(self) -> tuple[tuple[Any, ...], Any]:
        """Give how the missing object was written: (maker, arguments...), state or None."""
        return self._stub_recipe, self._stub_state

    def __setstate__(self, state: Any) -> None:
        """Remember the state that the missing object is to be filled with."""
        self._stub_state = state


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError(f"expected a text, found {type(value).__name__}")
    return value


@Maker
def make_value(_: Loading, kind: str, *parts: Any) -> Any:
    """Build a value of `keep_values`."""
    return keep_values.BY_NAME[_text(kind)].build(*parts)


@Maker
def make_type(_: Loading, name: str) -> type:
    """Give a type that may be a value itself."""
    return keep_values.TYPES[_text(name)]


@Maker
def make_host(loading: Loading, name: str) -> object:
    """Give what the environment offers under `name`, or a stub."""
    host = loading.around.host
    return host[name] if _text(name) in host else Stub(name, "", make_host, name)


@Maker
def make_durable(loading: Loading, position: int) -> object:
    """Give a durable object by its position beside the bytes."""
    if type(position) is not int or not 0 <= position < len(loading.refs):
        raise IndexError(f"reference {position!r} of {len(loading.refs)}")
    return loading.refs[position]


@Maker
def make_container(loading: Loading, kind: str, bound: int | None = None) -> object:
    """Make an empty container of CONTAINERS; `bound` is the maxlen of a deque."""
    if kind == "deque":
        return loading.own(collections.deque(maxlen=bound))
    return loading.own(CONTAINERS[_text(kind)]())


@Maker
def fill_container(loading: Loading, target: Any, state: tuple[Any, Any]) -> None:
    """Put items (a dict; a list for a deque or ChainMap) into an empty container; the second is a factory or None."""
    loading.mine(target, *CONTAINERS.values())
    factory, kind = state[1], type(target)
    items = _exactly(state[0], list if kind in (collections.deque, collections.ChainMap) else dict)
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
        target.default_factory = factory if kind is collections.defaultdict and callable(factory) else _wrong(factory)


@Maker
def make_cell(loading: Loading) -> types.CellType:
    """Make a variable that closures share, unbound."""
    return loading.own(types.CellType())  # type: ignore[no-any-return]


@Maker
def fill_cell(loading: Loading, cell: types.CellType, state: tuple[object]) -> None:
    """Bind a shared variable; never to another one, since a long chain of those overflows the C stack when freed."""
    (value,) = state
    loading.mine(cell, types.CellType).cell_contents = _wrong(value) if type(value) is types.CellType else value


@Maker
def make_function(loading: Loading, key: Key, cells: tuple[types.CellType, ...]) -> object:
    """Make a function from its source, or a stub when the source has it no more."""
    digest, source, qualname, line, nth, free = key
    name = _text(qualname).rpartition(".")[2]
    try:
        code = sources.code_of(
            sources.CodeKey(_text(digest), qualname, line, nth), _text(source), loading.around.compile_source
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
    if loading.namespace is None:
        raise TypeError("a function where no namespace was given for it")
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
        function.__setstate__(state)
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
    return contextlib.contextmanager(function if type(function) in (types.FunctionType, Stub) else _wrong(function))


@Maker
def make_container_method(_: Loading, target: Any, name: str) -> object:
    """Give a bound method of a built-in container."""
    if name not in METHODS.get(type(target), ()):
        raise TypeError(f"method {name!r} of {type(target).__name__}")
    return getattr(target, name)


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
    return loading.own(keep_errors.build(_text(name), args))


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


def _exactly(value: Any, wanted: type) -> Any:
    return value if type(value) is wanted else _wrong(value)


def _wrong(value: object) -> NoReturn:
    raise TypeError(f"{type(value).__name__} has no place here")
