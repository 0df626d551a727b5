"""Durable objects in the hands of a job: references that record what the job's code does to them.

Every read, write and method call is a crossing: noted in the statement's journal, and answered from it when the
statement is run again. `Durables` makes the references of one environment and keeps that one object has one reference;
`stored_objects` has those for objects of an application, `containers` the facades of lists, dicts, sets and tuples.
Objects of the kit that mean something to the border (handlers, futures) stay what they are. Not here: calls of tools,
and what a value looks like in the journal (`runtime.outcomes`).
"""

import hashlib
import inspect
import weakref
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import MethodType
from typing import Any, Final, Protocol

from statek.exceptions import FutureError, Refused, StatekError
from statek.runtime.containers import FACADES, PUBLIC
from statek.runtime.crossings import CAP_BYTES, CAP_ENTRIES, FULL, NOT_YET, Journal, Key, Outcome
from statek.runtime.storable import storable
from statek.runtime.stored import Stored
from statek.runtime.stored_objects import StoredMethod, StoredObject, is_method, is_property, object_class
from statek.sandbox import keep, kinds
from statek.store import workspace
from statek.store.future import FutureResult
from statek.store.reference import Elsewhere, Reference
from statek.store.session import is_durable
from statek.store.subtask import SubTaskHandler

SCALARS: Final = frozenset(
    {type(None), bool, int, float, str, bytes, date, datetime, time, timedelta, Decimal}
)  # cannot change, so they are recorded as they are
_SIZED: Final = frozenset({str, bytes})
_AS_THEY_ARE: Final = (SubTaskHandler, FutureResult, type)
_ENUM = "EnumValue"  # the type of dbzero's enum values
_LONG = 64  # characters from which a text is recorded by its digest


class Live(Protocol):
    """What is asked of the job that runs."""

    journal: Journal

    def pausing(self) -> BaseException | None:
        """Give the wait that is on its way out."""
        ...

    def pause(self, error: BaseException) -> None:
        """Note a wait that crosses the border."""
        ...

    def admit(self, value: Any) -> Any:
        """Give what the job's code may hold of a value with futures in it."""
        ...

    def where(self) -> tuple[int, int]:
        """Give turn and statement."""
        ...

    def effects_begin(self) -> None:
        """From here on stored objects may have changed."""
        ...

    def did(self, what: bytes) -> None:
        """Note for the digest of the stretch that something was written."""
        ...

    def gave(self, value: Any, key: Key, nth: int) -> Outcome:
        """Make a record of something that can change."""
        ...

    def raised(self, error: Exception, key: Key, nth: int) -> Outcome:
        """Make a record of an error."""
        ...

    def answer(self, outcome: Outcome, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
        """Return or raise what is on record."""
        ...

    def call_method(
        self, label: str, owner: object, method: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Call a method, or give what the call gave before."""
        ...


class Durables:
    """The references of one environment, and their recording in the job that it serves."""

    def __init__(self, live: Callable[[], Live]) -> None:
        """`live` gives the job that is served."""
        self._live = live
        self._held: weakref.WeakValueDictionary[int, Reference] = weakref.WeakValueDictionary()
        self._kit: dict[int, tuple[Any, int]] = {}  # numbers of objects that stay what they are
        self._offered: list[Reference] = []

    def offer(self, name: str, value: Any) -> Any:
        """What every job finds under a name of the environment."""
        reference = self.lift(value, ("offered", name))
        if type(reference) in kinds.STAND_INS:
            self._offered.append(reference)
        return reference

    def leave(self) -> None:
        """Forget the references and numbers of the job that was served: the next one has its own."""
        self._kit.clear()
        self._held = weakref.WeakValueDictionary({id(offered.raw): offered for offered in self._offered})

    # -- in and out -------------------------------------------------------------------------------------------------

    def lift(self, value: Any, origin: tuple[Any, ...] = (), number: int | None = None) -> Any:
        """The reference for a durable object; anything else as it is.

        `origin` says where it enters, `number` is the one it has from before.
        """
        if type(value) in kinds.STAND_INS:
            if number is not None and value.known_number is None:
                value.known_number = number
            return value
        if not is_durable(value):
            return value
        found = self._held.get(id(value))
        if found is not None:
            return found
        if isinstance(value, _AS_THEY_ARE) or type(value).__name__ == _ENUM:
            if isinstance(value, SubTaskHandler | FutureResult):
                self._kit.setdefault(id(value), (value, _number(origin) if number is None else number))
            return value
        made = self._made(value, origin, number)
        self._held[id(value)] = made
        return made

    def _made(self, value: Any, origin: tuple[Any, ...], number: int | None) -> Reference:
        kind: Any = type(value)
        facade = FACADES.get(kind.__name__) if kind.__module__ == "builtins" else None
        return (facade or object_class(kind))(self, value, origin, number)

    def lift_all(self, refs: Any, numbers: Any) -> list[Any]:
        """The references for stored objects or addresses, by position; one without a number counts as entered there."""
        given = [*numbers, *[None] * (len(refs) - len(numbers))]
        return [self.lift(ref, ("at", n), given[n]) for n, ref in enumerate(workspace.read_refs(refs))]

    def lower(self, value: Any) -> Any:
        """What code of the application gets: durable objects themselves. Plain containers are copied if need be."""
        kind = type(value)
        if kind in SCALARS:
            return value
        if isinstance(value, Reference):
            return value.raw
        if kind in (list, tuple, set, frozenset):
            parts = [self.lower(part) for part in value]
            return value if all(map(_is, parts, value)) else kind(parts)
        if kind is dict:
            pairs = {self.lower(key): self.lower(part) for key, part in value.items()}
            return value if all(map(_is, pairs.values(), value.values())) and all(map(_is, pairs, value)) else pairs
        return value

    # -- numbers ----------------------------------------------------------------------------------------------------

    def number_of(self, value: object) -> int:
        """The number of a durable object: made of the place where it entered the job, kept while the job has it.

        Raises:
            TypeError: it is not durable.
        """
        reference = self.lift(value)
        if type(reference) in kinds.STAND_INS:
            if reference.known_number is None:
                reference.known_number = _number(reference.origin)
            return int(reference.known_number)
        if id(value) in self._kit:
            return self._kit[id(value)][1]
        if not is_durable(value):
            raise TypeError(f"a {type(value).__name__} is not durable")
        return _number((repr(value),))  # an enum value or a class: it is its name

    def digest(self, value: object) -> Any:
        """Something short and hashable that is equal for equal values."""
        kind = type(value)
        if kind in (int, bool, type(None)) or (kind in _SIZED and len(value) < _LONG):  # type: ignore[arg-type]
            return kind.__name__, value
        return keep.digest_of(value, self.number_of)

    # -- crossings --------------------------------------------------------------------------------------------------

    def read(self, key: Key, do: Callable[..., Any], *args: Any) -> Any:
        """What `do(*args)` gives, or gave in the run before.

        Raises:
            StatekError: more has happened than can be resumed.
        """
        live = self._live()
        if (waits := live.pausing()) is not None:
            raise waits
        journal = live.journal
        if journal.known and (found := journal.recall(key)) is not NOT_YET:
            return _admitted(live, self._answered(live, key, found))
        if len(journal.log) >= CAP_ENTRIES or journal.size > CAP_BYTES:
            raise StatekError(FULL)
        try:
            value = do(*args)
        except FutureError as error:
            live.pause(error)
            raise
        except Exception as error:  # noqa: BLE001 - code of the application: whatever it raises is the outcome
            outcome = live.raised(error, key, journal.enter(key))
            journal.note(key, outcome, outcome.size)
            return live.answer(outcome)
        kind = type(value)
        if kind in SCALARS:
            journal.log.append((key, value))
            journal.size += 40 + len(value) if kind in _SIZED else 40
            return value
        return _admitted(live, self._entering(live, key, value))

    def change(self, key: Key, do: Callable[..., Any], *args: Any) -> Any:
        """Write: what `do(*args)` gives, or gave in the run before, when it was done."""
        live = self._live()
        live.effects_begin()
        written = len(live.journal.log)
        try:
            return self.read(key, do, *args)
        finally:
            if len(live.journal.log) > written:
                live.did(repr(key).encode())

    def _answered(self, live: Live, key: Key, found: Any) -> Any:
        if type(found) in SCALARS:
            return found
        live.journal.enter(key)
        if type(found) is Outcome:
            return live.answer(found)
        return list(found) if type(found) is list else found

    def _entering(self, live: Live, key: Key, value: Any) -> Any:
        """Record something that is no scalar, and give what the job gets of it."""
        journal = live.journal
        nth = journal.enter(key)
        if type(value) is list and all(type(part) in SCALARS or is_durable(part) for part in value):
            origin = (*live.where(), key, nth)
            members = [self.lift(part, (*origin, n)) if is_durable(part) else part for n, part in enumerate(value)]
            journal.note(key, members, 40 + sum(map(_size, members)))
            return list(members)
        if is_durable(value) and not isinstance(value, type):
            reference = self.lift(value, (*live.where(), key, nth))
            journal.note(key, reference, 60)
            return reference
        if kinds.is_withheld(value):
            raise Refused(f"{key[-1]!r} is not for code here: it is a {type(value).__name__}")
        outcome = live.gave(value, key, nth)
        journal.note(key, outcome, outcome.size)
        return value if outcome.unkept else live.answer(outcome)

    def ask(self, owner: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a method of an object."""
        raw = self.lower(owner)
        return self._live().call_method(f"{type(raw).__name__}.{name}", owner, getattr(raw, name), args, kwargs)

    # -- attributes -------------------------------------------------------------------------------------------------

    def get_attribute(self, owner: Any, name: str) -> Any:
        """Read an attribute of a durable object. Raises AttributeError."""
        reference = self.lift(owner)
        if isinstance(reference, StoredObject) and not is_method(reference.raw.__class__, name):
            return self.read(("get", self.number_of(reference), name), _get, reference.raw, name)
        if isinstance(reference, Elsewhere):
            raise reference.error()
        if isinstance(reference, Stored):
            if name not in PUBLIC[type(reference)]:
                raise AttributeError(f"'{reference.__class__.__name__}' object has no attribute '{name}'")
            return getattr(reference, name)
        raw = self.lower(reference)
        if is_method(raw.__class__, name):
            return StoredMethod(self, reference, name)
        return self.read(("get", self.number_of(reference), name), _get, raw, name)

    def method_of(self, value: Any) -> tuple[object, str] | None:
        """The reference and the name of a method bound to it; None for anything else."""
        if isinstance(value, StoredMethod):
            return value.owner, value.__name__
        is_of_container = type(value) is MethodType and isinstance(value.__self__, Stored)
        return (value.__self__, value.__name__) if is_of_container else None

    def method(self, owner: Any, name: str) -> Any:
        """A method of the object that a reference stands for. Raises LookupError when it has none of that name."""
        if isinstance(owner, Elsewhere):
            raise LookupError(str(owner.error()))  # noqa: TRY004 - as for any method that cannot be had
        kind: Any = type(self.lower(owner))
        if isinstance(owner, Stored) and name in PUBLIC[type(owner)]:
            return getattr(owner, name)
        if isinstance(owner, StoredObject) and not name.startswith("_") and is_method(kind, name):
            return StoredMethod(self, owner, name)
        raise LookupError(f"{kind.__name__} has no method {name!r} any more")

    def set_attribute(self, owner: Any, name: str, value: Any) -> None:
        """Set an attribute of an object of the application."""
        reference = self._writable(owner, name)
        key = ("set!", self.number_of(reference), self.digest(value), name)
        self.change(key, _set, reference.raw, name, storable(value))

    def delete_attribute(self, owner: Any, name: str) -> None:
        """Delete an attribute of an object of the application."""
        reference = self._writable(owner, name)
        self.change(("delete!", self.number_of(reference), name), _delete, reference.raw, name)

    def _writable(self, owner: Any, name: str) -> StoredObject:
        reference = self.lift(owner)
        if isinstance(reference, Elsewhere):
            raise reference.error()
        if not isinstance(reference, StoredObject):
            raise Refused(f"the attribute '{name}' of a {type(owner).__name__} cannot be changed from here")
        if is_property(reference.raw.__class__, name):
            kind = type(reference.raw).__name__
            raise Refused(f"'{name}' of {kind} is a property, which the store does not set; call a method")
        return reference


def _admitted(live: Live, value: Any) -> Any:
    kind = type(value)
    if kind is list:
        return live.admit(value) if any(isinstance(part, FutureResult) for part in value) else value
    return live.admit(value) if isinstance(value, FutureResult) else value


def _is(one: object, other: object) -> bool:
    return one is other


def _size(part: Any) -> int:
    return 10 + len(part) if type(part) in _SIZED else 10


def _number(origin: tuple[Any, ...]) -> int:
    return int.from_bytes(hashlib.blake2b(repr(origin).encode(), digest_size=6).digest(), "big")


# -- what is done to the object itself --------------------------------------------------------------------------------


def _get(raw: Any, name: str) -> Any:
    try:
        return getattr(raw, name)
    except AttributeError:
        if inspect.getattr_static(type(raw), name, None) is not None:
            raise  # a property of the application failed
        raise AttributeError(f"'{type(raw).__name__}' object has no attribute '{name}'") from None


def _set(raw: Any, name: str, value: Any) -> None:
    if not is_durable(value) or getattr(raw, name, None) is not value:  # a container must not take its own place
        setattr(raw, name, value)


def _delete(raw: Any, name: str) -> None:
    delattr(raw, name)
