"""Futures: durable values that are not ready yet.

A future stores what it waits for (`deps`, `state_num`) and the import names of two functions of the application: the
complement, which returns the value or raises FutureError, and the condition, which says whether it is ready. Nothing
here waits, polls or wakes a job: the runtime asks `check_condition`. Applications make futures in functions decorated
with `temporal`. The idea to keep in mind: functions are stored as text ("module:qualname") and looked up again at
every use, because a stored future outlives the process that made it.
"""

import functools
import importlib
import inspect
import sys
import typing
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, Protocol, TypeVar

import dbzero as db0

from statek.exceptions import FutureError, StatekError
from statek.store.derived import Derived
from statek.store.layout import lay_out_first

F = TypeVar("F", bound=Callable[..., Any])
Complement = Callable[[Any], Any]  # (future) -> value, or raises FutureError(future)
Condition = Callable[[Any], bool]  # (future) -> is the value ready?

INT64 = range(-(2**63), 2**63)  # what the store keeps exactly


class TakesHandlers(Protocol):
    """The part of a job that a future needs."""

    def add_error_handler(self, error_handler: Any, context: Any) -> None:
        """Register `error_handler`, to be called with `context` if the job ends with an error."""
        ...


@db0.memo(id="statek/FutureResult")
class FutureResult(Derived):
    """A value that will be there later.

    Attributes:
        deps: what the wait depends on: one object, a set (any of them) or a tuple (all of them).
        state_num: state number before the awaited change.
    """

    _dep: Any = None  # the only one; futures stored by earlier builds have it in `_deps`
    knows_readiness: ClassVar[bool] = False  # True: `temporal` leaves this kind of future as it is
    _late_fields: ClassVar[tuple[str, ...]] = (
        "_dep", "_deps", "state_num", "_complement", "_condition", "_handler", "_handler_job",
    )  # fmt: skip

    def __init__(self, deps: Any, state_num: int | None) -> None:
        """Store `deps` and `state_num`; raises TypeError or ValueError for what the store cannot keep exactly."""
        _check_plain(state_num, "state_num")
        self._deps_kind, packed = _pack_deps(deps)
        is_one = self._deps_kind == "one"
        self._dep = packed[0] if is_one else None
        self._deps: Any = None if is_one else packed
        self.state_num = state_num
        self._complement: str | None = None
        self._condition: str | None = None
        self._handler: str | None = None
        self._handler_job: Any = None
        lay_out_first(self)

    @property
    def deps(self) -> Any:
        """The dependencies in the form in which they were given."""
        several = self._deps
        return self._dep if several is None else _unpack_deps(self._deps_kind, several)

    @property
    def value(self) -> Any:
        """The value, asked for anew each time. Raises FutureError while it is not ready."""
        value = self._find_value()
        self.hand_over(value)
        return value

    def set_complement_functions(self, complement: Complement, condition: Condition) -> None:
        """Attach the two functions; both must be importable by name (TypeError or ValueError otherwise)."""
        names = function_name(complement), function_name(condition)
        self._complement, self._condition = names

    def check_condition(self) -> bool:
        """Is the value ready? Exceptions of the condition function are the caller's to handle."""
        return bool(resolve_function(self._needed(self._condition))(self))

    def question(self) -> Hashable:
        """What its condition is asked: equal for futures whose conditions must say the same; None when not known."""
        if type(self).check_condition is not FutureResult.check_condition:
            return None
        deps = [self._dep] if self._deps is None else self._deps
        return self._condition, self._deps_kind, tuple(map(_named, deps)), self.state_num

    def bind_error_handler(self, handler: Callable[..., Any], job: TakesHandlers) -> None:
        """At the first value, register `handler` on `job` with that value as its context, once."""
        self._handler = function_name(handler)
        # The job usually refers to this future: a strong reference back would never be freed.
        self._handler_job = db0.weak_proxy(job)

    def __llm_repr__(self) -> str:
        """What a console shows of one that nobody used yet."""
        return "<a value that comes later>"

    def __iter__(self) -> Iterator[Any]:
        """Element futures if the complement's return annotation is a tuple of fixed length, else the ready value's.

        Raises FutureError when there is no such annotation and the value is not ready.
        """
        elements = self.elements()
        return iter(self.value if elements is None else elements)

    def _find_value(self) -> Any:
        return resolve_function(self._needed(self._complement))(self)

    def elements(self) -> "list[FutureElement] | None":
        """One future for each element, None when nothing promises how many there are."""
        length = self._length()
        return None if length is None else [FutureElement(self, n) for n in range(length)]

    def hand_over(self, value: Any) -> None:
        """Register the bound error handler with the value, once; `value` does this by itself."""
        if self._handler is None:
            return
        handler, job = resolve_function(self._handler), self._handler_job
        self._handler, self._handler_job = None, None
        job.add_error_handler(handler, value)

    def _length(self) -> int | None:
        return _tuple_length(resolve_function(self._needed(self._complement)))

    def _needed(self, name: str | None) -> str:
        if name is None:
            raise StatekError(
                "this future has no complement and condition",
                hint="return it from a function decorated with @temporal(complement=..., condition=...)",
            )
        return name


@db0.memo(id="statek/FutureElement")
class FutureElement(FutureResult):
    """One element of a future tuple; ready when the whole is."""

    knows_readiness: ClassVar[bool] = True
    _late_fields = ("state_num", "_handler", "_handler_job")

    def __init__(self, parent: FutureResult, index: int) -> None:
        """Refer to element `index` of `parent`."""
        self.parent = parent
        self.index = index
        self.state_num = parent.state_num
        self._handler: str | None = None
        self._handler_job: Any = None
        lay_out_first(self)

    @property
    def deps(self) -> Any:
        """The parent's dependencies."""
        return self.parent.deps

    def set_complement_functions(self, complement: Complement, condition: Condition) -> None:
        """Refused: the parent decides."""
        raise StatekError("an element of a future takes no functions of its own: set them on the future it belongs to")

    def check_condition(self) -> bool:
        """Is the whole tuple ready?"""
        return bool(self.parent.check_condition())

    def _find_value(self) -> Any:
        return self.parent.value[self.index]

    def _length(self) -> int | None:
        return None


@db0.memo(id="statek/CombinedFutureResult")
class CombinedFutureResult(FutureResult):
    """The first ready one of several futures (`mode` "any"), or all of them as a tuple (`mode` "all")."""

    knows_readiness: ClassVar[bool] = True
    _late_fields = ("_handler", "_handler_job")

    def __init__(self, futures: Iterable[FutureResult], mode: str) -> None:
        """Refer to `futures`; `get_any_future` and `get_all_future` check what they are given."""
        self._futures = list(futures)
        self.mode = mode
        self.state_num = None
        self._handler: str | None = None
        self._handler_job: Any = None
        lay_out_first(self)

    @property
    def futures(self) -> list[FutureResult]:
        """What it combines, in the order of the arguments."""
        return list(self._futures)

    @property
    def deps(self) -> Any:
        """The futures: a set when one is enough, a tuple when all are needed."""
        return set(self._futures) if self.mode == "any" else tuple(self._futures)

    def set_complement_functions(self, complement: Complement, condition: Condition) -> None:
        """Refused: its futures decide."""
        raise StatekError("a combined future takes no functions of its own: set them on the futures it combines")

    def check_condition(self) -> bool:
        """Is any, or are all, of the futures ready?"""
        test = any if self.mode == "any" else all
        return test(future.check_condition() for future in self._futures)

    def _find_value(self) -> Any:
        if self.mode == "all":
            return tuple([self._ask(future) for future in self._futures])
        for future in self._futures:
            try:
                return future.value
            except FutureError:
                continue  # not this one; the wait is for the whole, raised below
        raise FutureError(self)

    def _ask(self, future: FutureResult) -> Any:
        try:
            return future.value
        except FutureError as error:
            raise FutureError(self) from error

    def _length(self) -> int | None:
        return len(self._futures) if self.mode == "all" else None


def get_any_future(*futures: FutureResult) -> CombinedFutureResult:
    """A future of the first ready value, in the order of the arguments. Raises TypeError without futures."""
    return CombinedFutureResult(_checked(futures, "get_any_future"), "any")


def get_all_future(*futures: FutureResult) -> CombinedFutureResult:
    """A future of the tuple of all values, ready when the last one is. Raises TypeError without futures."""
    return CombinedFutureResult(_checked(futures, "get_all_future"), "all")


def temporal(
    complement: Complement | None = None,
    condition: Condition | None = None,
    extends: Callable[..., Any] | None = None,
) -> Callable[[F], F]:
    """Decorate a function that returns either a value or a FutureResult.

    Args:
        complement: called with the future; returns the value or raises FutureError(future).
        condition: called with the future; says whether the value is ready.
        extends: another temporal function whose two functions are taken over.

    Raises:
        ValueError: neither both functions nor `extends`, both forms at once, or `extends` is not temporal.
    """
    if extends is not None:
        complement, condition = _extended(extends, complement, condition)
    if complement is None or condition is None:
        raise ValueError("temporal needs complement=... and condition=..., or extends=<temporal function>")
    functions = complement, condition

    def decorate(function: F) -> F:
        wrapper = _attaching(function, *functions)
        wrapper.__dict__.update(
            __is_temporal__=True,
            __temporal_complement__=functions[0],
            __temporal_condition__=functions[1],
            __extends__=extends,
        )
        return typing.cast("F", wrapper)

    return decorate


def is_temporal(function: Any) -> bool:
    """Was `function` decorated with `temporal`?"""
    return getattr(function, "__is_temporal__", False) is True


def function_name(function: Callable[..., Any]) -> str:
    """Import name "module:qualname" of a module-level function.

    Raises:
        TypeError: it has no name (a partial, a callable object).
        ValueError: that name does not lead back to it (a lambda, a nested function).
    """
    module = getattr(function, "__module__", None)
    qualname = getattr(function, "__qualname__", None)
    if not callable(function) or not module or not qualname:
        raise TypeError(f"expected a module-level function, found {type(function).__name__}")
    name = f"{module}:{qualname}"
    if "<" in qualname or resolve_function(name) is not function:
        raise ValueError(f"{name} cannot be stored by name: define it as a function at the top level of its module")
    return name


def resolve_function(name: str) -> Callable[..., Any]:
    """The function of a stored import name. Raises StatekError saying which part is gone."""
    module_name, _, qualname = name.partition(":")
    hint = "a stored future calls it by this name: put it back, or leave an alias under the old name"
    found: Any = sys.modules.get(module_name)  # a poll asks often, and importing costs more than all the rest
    try:
        found = importlib.import_module(module_name) if found is None else found
    except ImportError as error:
        raise StatekError(f"cannot import the module of {name}: {error}", hint=hint) from error
    for part in qualname.split("."):
        if not hasattr(found, part):
            raise StatekError(f"module {module_name} has no {qualname}", hint=hint)
        found = getattr(found, part)
    return typing.cast("Callable[..., Any]", found)


def _attaching(function: Callable[..., Any], complement: Complement, condition: Condition) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def wait_for(*args: Any, **kwargs: Any) -> Any:
            return _attached(await function(*args, **kwargs), complement, condition)

        return wait_for

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return _attached(function(*args, **kwargs), complement, condition)

    return call


def _attached(result: Any, complement: Complement, condition: Condition) -> Any:
    if isinstance(result, FutureResult) and not result.knows_readiness:
        result.set_complement_functions(complement, condition)
    return result


def _extended(
    extends: Callable[..., Any], complement: Complement | None, condition: Condition | None
) -> tuple[Complement, Condition]:
    if complement is not None or condition is not None:
        raise ValueError("temporal takes either extends= or complement= and condition=, not both")
    if not is_temporal(extends):
        raise ValueError(f"extends={getattr(extends, '__qualname__', extends)!r} is not a temporal function")
    marks = vars(extends)
    return marks["__temporal_complement__"], marks["__temporal_condition__"]


def _tuple_length(complement: Callable[..., Any]) -> int | None:
    """Length promised by the return annotation, None when it is not a tuple of fixed length."""
    try:
        shape = typing.get_type_hints(complement).get("return")
    except NameError as error:
        raise StatekError(f"cannot read the annotations of {function_name(complement)}: {error}") from error
    args = typing.get_args(shape)
    if typing.get_origin(shape) is not tuple or Ellipsis in args:
        return None
    return len(args)


def _checked(futures: tuple[Any, ...], caller: str) -> tuple[FutureResult, ...]:
    if not futures:
        raise TypeError(f"{caller} needs at least one future")
    for future in futures:
        if not isinstance(future, FutureResult):
            raise TypeError(f"{caller} takes futures, found {type(future).__name__}")
    return futures


def _pack_deps(deps: Any) -> tuple[str, list[Any]]:
    if type(deps) not in (set, tuple):
        _check_dep(deps)
        return "one", [deps]
    for dep in deps:
        _check_dep(dep)
    return type(deps).__name__, list(deps)


def _unpack_deps(kind: str, items: Sequence[Any]) -> Any:
    match kind:
        case "set":
            return set(items)
        case "tuple":
            return tuple(items)
        case _:
            return items[0]


def _named(dep: Any) -> str:
    return str(db0.uuid(dep)) if db0.is_memo(dep) else repr(dep)


def _check_dep(dep: Any) -> None:
    if not isinstance(dep, type) and db0.is_memo(dep):
        return
    _check_plain(dep, "deps")


def _check_plain(value: Any, where: str) -> None:
    """Refuse what would be stored as something else (dbzero cuts such values without a word)."""
    kind = type(value)
    if kind not in (type(None), bool, int, str):
        raise TypeError(f"{where} cannot hold {kind.__name__}: expected a memo object, str, int, bool or None")
    if kind is int and value not in INT64:
        raise ValueError(f"{where} cannot hold {value}: whole numbers are stored in 64 bits; pass it as text")
    if kind is str and ("\0" in value or any("\ud800" <= char <= "\udfff" for char in value)):
        raise ValueError(f"{where} cannot hold {value!r}: text with NUL or surrogates is not stored exactly")
