"""What the futures of one job have given, and which calls take futures as they are.

A future is asked for its value once in a job: from then on this value stands for it, under every name, so that a name
never shows one value now and another later. Elements and combinations are worked out from the futures they belong to.
Asking is a crossing of the statement's border, recorded by whoever runs the code; nothing here waits or wakes.
"""

import inspect
import typing
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from statek.exceptions import FutureError
from statek.store.future import CombinedFutureResult, FutureElement, FutureResult
from statek.store.session import address_of, at_address, is_durable

Pairs = list[tuple[FutureResult, Any]]
_COLLECTIONS = frozenset({list, tuple, set, frozenset, dict})


class Asking(Protocol):
    """How a future is asked inside a statement."""

    def ask(self, future: FutureResult, do: Callable[[], Any]) -> Any:
        """Give what the record says about `future`, or do it and record it; a FutureError is not recorded."""
        ...

    def is_recorded(self, future: FutureResult) -> bool:
        """Whether the record says something about `future`."""
        ...


class _Unasked:
    """Asks nothing: what is not known stays unknown."""

    def ask(self, future: FutureResult, _do: Callable[[], Any]) -> Any:
        raise FutureError(future)

    def is_recorded(self, _future: FutureResult) -> bool:
        return False


class Values:
    """Values of the futures of one job. Of a combination of any, what is kept is which one was taken."""

    def __init__(self, pairs: Iterable[tuple[FutureResult, Any]], asking: Asking) -> None:
        """Begin with what earlier statements found."""
        self._given: dict[str, tuple[FutureResult, Any]] = {_key(future): (future, value) for future, value in pairs}
        self._asking = asking

    def __bool__(self) -> bool:
        """Whether anything is known."""
        return bool(self._given)

    def of(self, future: FutureResult) -> Any:
        """The value of `future`. Raises FutureError while it is not ready, and what its complement raises."""
        match future:
            case FutureElement():
                value = self.of(future.parent)[future.index]
            case CombinedFutureResult(mode="any"):
                value = self.of(self._taken(future))
            case CombinedFutureResult():
                value = tuple([self._part(one, future) for one in future.futures])
            case _:
                return self._own(future)
        future.hand_over(value)
        return value

    def stand_in(self, names: dict[str, Any]) -> None:
        """Put values in the place of futures that top-level names hold, where they are known."""
        if not any(isinstance(value, FutureResult) for value in names.values()):
            return
        quiet = Values(self._given.values(), _Unasked())
        for name, value in names.items():
            if isinstance(value, FutureResult):
                try:
                    names[name] = quiet.of(value)
                except (FutureError, LookupError, TypeError):
                    continue  # not known, or a use of it will say what is wrong with it

    def still_needed(self, held: Iterable[object]) -> Pairs:
        """The part that stands for futures among `held`, the durable objects that the job's names refer to."""
        wanted: dict[str, None] = {}
        waiting = [thing for thing in held if isinstance(thing, FutureResult)]
        while waiting:
            future = waiting.pop()
            key = _key(future)
            if key in wanted:
                continue
            wanted[key] = None
            if isinstance(future, FutureElement):
                waiting.append(future.parent)
            elif isinstance(future, CombinedFutureResult):
                waiting += future.futures
        return [pair for key, pair in self._given.items() if key in wanted]

    def keep_only(self, pairs: Pairs) -> None:
        """Forget all others: nothing in the job stands for them any more."""
        self._given = {_key(future): (future, value) for future, value in pairs}

    def _own(self, future: FutureResult) -> Any:
        key = _key(future)
        if key not in self._given:
            value = self._asking.ask(future, lambda: future.value)
            while isinstance(value, FutureResult):  # a complement may give another future
                value = self.of(value)
            self._given[key] = (future, value)
        return self._given[key][1]

    def _part(self, one: FutureResult, whole: FutureResult) -> Any:
        try:
            return self.of(one)
        except FutureError as error:
            raise FutureError(whole) from error

    def _taken(self, future: CombinedFutureResult) -> FutureResult:
        key, futures = _key(future), future.futures
        if key not in self._given:
            number: int | None = None
            if not self._asking.is_recorded(future):
                number = self._first_ready(future, futures)
            self._given[key] = (future, self._asking.ask(future, lambda: number))
        taken: int = self._given[key][1]
        return futures[taken]

    def _first_ready(self, future: FutureResult, futures: list[FutureResult]) -> int:
        """Position of the first that has a value; one that fails counts, its error is raised when it is used."""
        if isinstance(self._asking, _Unasked):
            raise FutureError(future)
        for number, one in enumerate(futures):
            try:
                self.of(one)
            except FutureError:
                continue
            except Exception:  # noqa: BLE001 - recorded with `one`, and raised again when the caller takes it
                return number
            return number
        raise FutureError(future)


@dataclass(frozen=True)
class Watched:
    """What is asked again and again of a waiting job's future.

    Attributes:
        address: of the future.
        question: the same for futures whose conditions must say the same; None when nothing is known.
        deps: addresses of the stored objects it depends on.
    """

    address: str
    question: Hashable
    deps: frozenset[str]

    def is_ready(self) -> bool:
        """Ask the condition. Whatever the application's function raises passes through."""
        return bool(at_address(self.address).check_condition())


NOTHING = Watched("", None, frozenset())


def watched(job: Any) -> Watched | None:
    """What a job waits for, or None when it waits for no future any more."""
    future = None if job is None else job.awaited_result
    if future is None:
        return None
    return Watched(_key(future), future.question(), frozenset(addresses_of_deps(future)))


def addresses_of_deps(future: FutureResult) -> list[str]:
    """Addresses of the stored objects that a future depends on, through the futures that it combines."""
    deps = future.deps
    found: list[str] = []
    for part in deps if isinstance(deps, set | tuple) else (deps,):
        if isinstance(part, FutureResult):
            found += addresses_of_deps(part)
        elif is_durable(part) and (address := address_of(part)) is not None:
            found.append(address)
    return found


def has_future(value: Any) -> bool:
    """Whether `value` is a future or holds one in its lists, tuples, sets and dicts."""
    try:
        resolve_within(value, _stop)
    except _Found:
        return True
    return False


class _Found(Exception):  # noqa: N818 - no error: the end of a search
    pass


def _stop(_future: FutureResult) -> Any:
    raise _Found


def resolve_within(value: Any, resolve: Callable[[FutureResult], Any]) -> Any:
    """`value` with the futures in its lists, tuples, sets and dicts resolved: itself when there are none."""
    return _within(value, resolve, set())


def _within(value: Any, resolve: Callable[[FutureResult], Any], above: set[int]) -> Any:
    kind = type(value)
    if kind not in _COLLECTIONS:
        return resolve(value) if isinstance(value, FutureResult) else value
    if id(value) in above:
        return value
    above.add(id(value))
    if kind is dict:
        pairs = [(key, part, _within(part, resolve, above)) for key, part in value.items()]
        changed = any(old is not new for _, old, new in pairs)
        result: Any = {key: new for key, _, new in pairs} if changed else value
    else:
        parts = [(part, _within(part, resolve, above)) for part in value]
        result = kind(new for _, new in parts) if any(old is not new for old, new in parts) else value
    above.discard(id(value))
    return result


def takes_futures(function: Callable[..., Any]) -> bool:
    """Whether `function` takes futures or gives one, by what it says: its callers need code that may hold them."""
    if getattr(function, "__is_temporal__", False):
        return True
    return any(_says_future(note) for note in _annotations(function).values())


def resolve_arguments(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    resolve: Callable[[Any], Any],
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call, resolved, except for parameters whose annotation names FutureResult."""
    open_at, rest, named, others = _open_parameters(function)
    positional = [
        value if number in open_at or (rest is not None and number >= rest) else resolve(value)
        for number, value in enumerate(args)
    ]
    by_name = {name: value if name in named or others else resolve(value) for name, value in kwargs.items()}
    return tuple(positional), by_name


def _open_parameters(function: Callable[..., Any]) -> tuple[frozenset[int], int | None, frozenset[str], bool]:
    """Positions and names that take futures; from which position on `*args` does; whether `**kwargs` does."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return frozenset(), None, frozenset(), False
    notes = _annotations(function)
    takes = [_says_future(notes.get(parameter.name)) for parameter in parameters]
    rest: int | None = None
    others = False
    positions, names = set(), set()
    for number, (parameter, is_open) in enumerate(zip(parameters, takes, strict=True)):
        if not is_open:
            continue
        match parameter.kind:
            case parameter.VAR_POSITIONAL:
                rest = number
            case parameter.VAR_KEYWORD:
                others = True
            case parameter.KEYWORD_ONLY:
                names.add(parameter.name)
            case _:
                positions.add(number)
                names.add(parameter.name)
    return frozenset(positions), rest, frozenset(names), others


def _annotations(function: Callable[..., Any]) -> Mapping[str, Any]:
    inner = inspect.unwrap(function)
    try:
        return typing.get_type_hints(inner)
    except (NameError, TypeError, AttributeError, SyntaxError):
        return getattr(inner, "__annotations__", {})


def _says_future(note: Any) -> bool:
    if isinstance(note, str):
        return "FutureResult" in note
    if isinstance(note, type):
        return note is not object and issubclass(note, FutureResult)
    return any(_says_future(part) for part in typing.get_args(note))


def _key(future: FutureResult) -> str:
    return str(address_of(future))
