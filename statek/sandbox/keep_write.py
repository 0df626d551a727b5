"""Values to bytes: a pickle protocol 5 stream in which everything but plain containers goes through a closed table.

`keep.dumps` and `keep.dumps_value` call `write`. The pickler asks `reducer_override` about every object that is not a
plain scalar or container; what no rule knows is refused with a reason, never given to pickle's own reduction.
`reducer_override` and not `persistent_id`, because the latter is asked for every object and doubles the cost.
"""

import collections
import contextlib
import functools
import pickle
import random
import struct
import types
from collections.abc import Callable, Iterable
from typing import Any, Final

from statek.exceptions import CannotKeep
from statek.sandbox import keep_class_makers as class_makers
from statek.sandbox import keep_class_rules as rules
from statek.sandbox import keep_container_rules as containers
from statek.sandbox import keep_errors, keep_shapes, keep_values, kinds, sources
from statek.sandbox import keep_instance_makers as instance_makers
from statek.sandbox import keep_makers as makers
from statek.sandbox.facades import LongRange
from statek.sandbox.keep_class_rules import Unkept as Unkept  # re-exported
from statek.sandbox.keep_format import FORMAT, Surroundings, TooLarge
from statek.sandbox.keep_loading import ClassBook, book_of, number_without_book
from statek.sandbox.keep_reasons import FROZEN_SET, TOO_DEEP, reason_for

Reduced = str | tuple[Any, ...]


def write(
    value: object, around: Surroundings, *, home: dict[str, object] | None, limit: int
) -> tuple[bytes, tuple[object, ...]]:
    """Write one value; give the bytes and the durable objects they refer to by position.

    Args:
        value: what to write.
        around: what may be written by name or by reference.
        home: the globals that functions of this job have; None: not checked.
        limit: bytes beyond which it is refused.

    Raises:
        TooLarge: more than `limit` bytes.
        Unkept: (a CannotKeep) something in it cannot be kept.
    """
    sink = _Sink(limit)
    refs = _pickle(value, sink, around, home)
    return b"".join(sink.pieces), refs


def measure(value: object, around: Surroundings, home: dict[str, object] | None) -> int:
    """Count the bytes that `write` would give, without keeping them; raises Unkept like it."""
    sink = _Meter()
    _pickle(value, sink, around, home)
    return sink.size


def _pickle(
    value: object, sink: "_Sink | _Meter", around: Surroundings, home: dict[str, object] | None
) -> tuple[object, ...]:
    writer = _Writer(sink, around, home)
    try:
        writer.dump(value)
    except RecursionError as error:
        raise Unkept(TOO_DEEP, None) from error
    if writer.hashes_itself:
        _check_frozen_sets(writer)
    return tuple(writer.refs)


def _check_frozen_sets(writer: "_Writer") -> None:
    """Refuse frozensets whose members a load could not put into their places: it hashes nothing by code of the job."""
    for _, value in writer.memo.copy().values():
        if isinstance(value, frozenset) and any(keep_shapes.is_hashed_by_job(member) for member in value):
            raise Unkept(FROZEN_SET, value)


class _Sink:
    """Collects what the pickler writes, up to a limit."""

    def __init__(self, limit: int) -> None:
        self.pieces: list[bytes] = [bytes((FORMAT,))]
        self.left = limit - 1
        self.limit = limit

    def write(self, piece: bytes) -> int:
        self.left -= len(piece)
        if self.left < 0:
            raise TooLarge(f"it would take more than {self.limit} bytes")
        self.pieces.append(bytes(piece))
        return len(piece)


class _Meter:
    """Counts what the pickler writes and forgets it."""

    def __init__(self) -> None:
        self.size = 1

    def write(self, piece: bytes) -> int:
        self.size += len(piece)
        return len(piece)


class _Writer(pickle.Pickler):
    """The pickler with its rules; every rule gives a reduction made of makers."""

    def __init__(self, sink: _Sink | _Meter, around: Surroundings, home: dict[str, object] | None) -> None:
        super().__init__(sink, protocol=5)
        self.around = around
        self.home = home
        self.hashes_itself = False
        self.plans: dict[type, rules.Plan] = {}
        self.refs: list[object] = []
        self.keys: dict[sources.CodeKey, makers.Key] = {}

    def reducer_override(self, obj: Any) -> Reduced:
        """Give the reduction of anything that is no plain scalar or container."""
        kind = type(obj)
        if kind is makers.Maker:
            return obj.name  # type: ignore[no-any-return]
        if (value := keep_values.BY_TYPE.get(kind)) is not None:
            return makers.make_value, (value.name, *self.parts(value, obj))
        if (plan := self.plans.get(kind)) is not None:
            return plan(obj)
        if (name := self.around.name_of(obj)) is not None:
            return makers.make_host, (name,)
        if (rule := _RULES.get(kind)) is not None:
            return rule(self, obj)
        if self.around.is_durable(obj):
            self.refs.append(obj)
            return makers.make_durable, (len(self.refs) - 1,)
        if kind in keep_errors.NAMES:
            return self.exception(obj)
        if isinstance(obj, type) and obj in keep_values.TYPE_NAMES:
            return makers.make_type, (keep_values.TYPE_NAMES[obj],)
        if kinds.is_job_class(obj):
            return rules.job_class(self, obj)
        if kinds.is_job_class(kind):
            plan = self.plans[kind] = rules.plan_for(self, kind)
            return plan(obj)
        return self.foreign(obj)

    def number_of(self, kind: type) -> int:
        """Give the number of a class of the job."""
        return number_without_book(kind) if self.home is None else book_of(self.home).number_of(kind)

    def foreign(self, obj: Any) -> Reduced:
        """Write what the application lent: functions by lasting names, methods by their objects, values by fields."""
        if (method := self.around.method_of(obj)) is not None:
            return makers.make_durable_method, method
        if (name := self.around.function_name(obj)) is not None:
            return makers.make_foreign, (name,)
        if (reduced := rules.application_value(self, obj)) is not None:
            return reduced
        raise Unkept(reason_for(obj), obj)

    def parts(self, kind: keep_values.Kind, value: Any) -> keep_values.Parts:
        """Give the parts of a value, naming the value when it is an odd one."""
        try:
            return kind.parts(value)
        except CannotKeep as error:
            raise Unkept(str(error), value) from error

    def cell(self, obj: types.CellType) -> Reduced:
        """Write a variable of closures; its value as state, because it may hold a function that has the cell."""
        try:
            value = obj.cell_contents
        except ValueError:  # unbound: that is its state
            return makers.make_cell, ()
        return makers.make_cell, (), (value,), None, None, makers.fill_cell

    def function(self, obj: types.FunctionType) -> Reduced:
        """Write a function of the job by its source."""
        key = sources.key_of(obj.__code__)
        if key is None:
            return self.managed(obj)
        if self.home is not None and obj.__globals__ is not self.home:
            raise Unkept(f"function {obj.__name__!r} belongs to another job", obj)
        made = (makers.make_function, (self.key(key, obj), obj.__closure__ or ()))
        state = _function_state(obj)
        return (*made, state, None, None, makers.fill_function) if state else made

    def key(self, key: sources.CodeKey, function: types.FunctionType) -> makers.Key:
        """Give the stored key: one tuple per code, so that the pickler writes it and its source once."""
        if key not in self.keys:
            source = sources.source_of(key.digest)
            if source is None:
                raise Unkept(f"the source of function {function.__name__!r} is not known any more", function)
            free = function.__code__.co_freevars
            self.keys[key] = (key.digest, source, key.qualname, key.line, key.nth, free)
        return self.keys[key]

    def cached(self, obj: Any) -> Reduced:
        """Write a function under lru_cache; the cache starts empty again."""
        settings = obj.cache_parameters()
        return makers.make_cached, (self.wrapped(obj), settings["maxsize"], settings["typed"])

    def managed(self, obj: types.FunctionType) -> Reduced:
        """Write a generator function of the job under `contextlib.contextmanager`, or a function of the application."""
        if obj.__code__ is not _MANAGED:
            return rules.known_method(obj) or self.foreign(obj)
        return makers.make_managed, (self.wrapped(obj),)

    def wrapped(self, obj: Any) -> Any:
        """Give the function under a decorator that is applied again, if that gives the same."""
        inner = getattr(obj, "__wrapped__", None)
        if type(inner) is makers.Stub:
            return inner
        if type(inner) is not types.FunctionType:
            raise Unkept("a decorator round something that is no function of the job is not kept", obj)
        own = {name: value for name, value in _attributes(obj).items() if name != "cache_parameters"}
        copied = {name: getattr(inner, name, None) for name in functools.WRAPPER_ASSIGNMENTS} | _attributes(inner)
        if any(copied.get(name, obj) is not value for name, value in own.items()):
            raise Unkept("a decorated function with attributes of its own is not kept; set them before decorating", obj)
        return inner

    def method(self, obj: types.BuiltinMethodType) -> Reduced:
        """Write a method of a container, `add = seen.append`, or of a plain value, `shout = text.upper`."""
        target, name = obj.__self__, obj.__name__
        kind = keep_shapes.layout_of(type(target)) if kinds.is_job_value(target) else type(target)
        if name in makers.METHODS.get(kind, ()):
            return makers.make_container_method, (target, name)
        if makers.is_plain_method(target, name):
            return makers.make_plain_method, (target, name)
        return self.foreign(obj)

    def bound(self, obj: types.MethodType) -> Reduced:
        """Write a method of the job with what it is bound to, or a guarded method of a plain value by its name."""
        function, target = obj.__func__, obj.__self__
        if type(function) is _Cached or (type(function) is types.FunctionType and sources.key_of(function.__code__)):
            return instance_makers.make_method, (function, target)
        name = makers.guarded_name(self.home, obj)
        return self.foreign(obj) if name is None else (makers.make_plain_method, (target, name))

    def class_count(self, obj: ClassBook) -> Reduced:
        """Write how many classes the job has had; it comes last, so they are all counted."""
        return class_makers.make_class_count, (obj.last,)

    def long_range(self, obj: LongRange) -> Reduced:
        """Write the range it stands for."""
        return makers.make_long_range, (obj.as_range(),)

    def iterator(self, obj: Any) -> Reduced:
        """Write an iterator over a built-in sequence with its position."""
        _, (sequence, *_), *position = obj.__reduce__()
        return makers.make_iterator, (sequence, *position)

    def random(self, obj: random.Random) -> Reduced:
        """Write a generator by its state."""
        version, words, gauss = obj.getstate()
        if set(vars(obj)) - {"gauss_next"}:
            raise Unkept("a random.Random with attributes of its own is not kept", obj)
        return makers.make_random, (version, struct.pack("<625I", *words), gauss)

    def exception(self, obj: Exception) -> Reduced:
        """Write an exception without its traceback, context and cause."""
        try:
            state = keep_errors.state_of(obj)
        except CannotKeep as error:
            raise Unkept(str(error), obj) from error
        made = (makers.make_exception, (keep_errors.NAMES[type(obj)], obj.args))
        return made if state is None else (*made, state, None, None, makers.fill_exception)

    def stub(self, obj: makers.Stub) -> Reduced:
        """Write what the stub stands for, as it was written."""
        (maker, *arguments), filler, state = obj.__getstate__()
        made = (maker, tuple(arguments))
        return made if filler is None else (*made, state, None, None, filler)


def _attributes(function: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(function).items() if name != "__wrapped__"}


def _function_state(function: types.FunctionType) -> dict[str, Any]:
    """Give what differs from what the code alone would give."""
    code = function.__code__
    doc = code.co_consts[0] if code.co_consts and isinstance(code.co_consts[0], str) else None
    plain: dict[str, Any] = {"name": code.co_name, "qualname": code.co_qualname, "doc": doc}
    plain |= {"module": function.__globals__.get("__name__"), "defaults": None, "kwdefaults": None, "annotations": {}}
    state = {}
    for name, attribute in makers.FUNCTION_STATE.items():
        value = getattr(function, attribute)
        if value is not plain[name] and (type(value) not in (str, dict) or value != plain[name]):
            state[name] = value
    if vars(function):
        state["dict"] = vars(function)
    return state


_SEQUENCES: Final[tuple[Iterable[Any], ...]] = ([], (), range(0), range(1 << 70), "", "é", b"")
_ITERATORS: Final = tuple(type(iter(v)) for v in _SEQUENCES)
_Cached: Final = type(functools.lru_cache(_function_state))
_MANAGED: Final = contextlib.contextmanager(_function_state).__code__  # type: ignore[arg-type]
_RULES: Final[dict[type, Callable[[_Writer, Any], Reduced]]] = {
    collections.Counter: containers.dictionary,
    collections.OrderedDict: containers.dictionary,
    collections.defaultdict: containers.defaultdict,
    collections.deque: containers.deque,
    collections.ChainMap: containers.chain,
    types.SimpleNamespace: containers.plain_namespace,
    types.CellType: _Writer.cell,
    types.FunctionType: _Writer.function,
    types.BuiltinMethodType: _Writer.method,
    types.MethodType: _Writer.bound,
    LongRange: _Writer.long_range,
    ClassBook: _Writer.class_count,
    property: rules.property_,
    staticmethod: rules.static_method,
    classmethod: rules.class_method,
    functools.cached_property: rules.cached_property,
    random.Random: _Writer.random,
    makers.Stub: _Writer.stub,
    _Cached: _Writer.cached,
    **dict.fromkeys(_ITERATORS, _Writer.iterator),
}
