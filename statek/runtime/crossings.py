"""The record of one statement: every crossing of its border, so that it can be run again as if it had stood still.

A statement that waits, or was cut off by a crash, is run again from its beginning. What it had already called, printed,
read of the clock, or read and written in the store is then answered from this record. Pure data and its encoding;
performing crossings is the business of `runtime.calling` and `runtime.durable`. Calls are matched by name, structural
digest of the arguments and count, reads and writes by what they touch and count, so that the order of a set does not
matter.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from statek.exceptions import StatekError
from statek.sandbox import keep

CAP_ENTRIES = 10_000
CAP_BYTES = 4 << 20
FULL = "too much happened in one statement to be able to resume it; split the loop"
BATCH = b"+"  # first byte of an entry made by `Journal.encode`; entries of older stores begin with "["
NOT_YET: Final = object()

Key = tuple[Any, ...]
"""What a read or write touches: operation ("!" at its end: a write), number of the durable object, name and digests."""

Mark = tuple[int, int, int, int, int]
Lift = Callable[[Sequence[Any], Sequence[int | None]], list[Any]]
"""Stored durable objects and their numbers -> what the job holds of them."""

Changed = tuple[str, bytes, int]
"""An argument that a call changed in place: position or name, kept value, where its durable parts begin in `refs`."""


@dataclass(frozen=True)
class Place:
    """Which call: its digest (name and arguments) and how often that digest came before in the statement."""

    name: str
    digest: str
    nth: int


@dataclass(frozen=True)
class Outcome:
    """What a crossing gave, as it is recorded.

    Attributes:
        ok: False when it raised; `data` is then the exception.
        data: the kept value.
        refs: durable objects in it, by position, then those of the changed arguments.
        changed: arguments the call changed in place.
        unkept: why the result could not be kept; the statement may then not wait any more.
        printed: what the call printed, one console entry.
    """

    ok: bool
    data: bytes
    refs: tuple[Any, ...] = ()
    changed: tuple[Changed, ...] = ()
    unkept: str = ""
    printed: str = ""

    @property
    def size(self) -> int:
        """About how many bytes it takes in the record."""
        return len(self.data) + len(self.printed) + 100 + sum(len(data) for _, data, _ in self.changed)


@dataclass(frozen=True)
class Batch:
    """What is to be added to the stored record.

    Attributes:
        head: how many lines were printed and the times read, as bytes; replaces the former one.
        entry: what was recorded since the last batch, None when nothing was.
        refs: durable objects of the entry, by position.
        whole: the entry holds everything: what was stored before is to be dropped.
    """

    head: bytes
    entry: bytes | None
    refs: tuple[Any, ...]
    whole: bool


@dataclass
class Journal:
    """The record of the statement in progress, and how far this run of it has come."""

    outcomes: dict[Place, Outcome] = field(default_factory=dict)
    printed: int = 0
    clock: list[int] = field(default_factory=list)
    known: dict[Key, list[Any]] = field(default_factory=dict)  # reads and writes of the run before
    log: list[tuple[Place | Key, Any]] = field(default_factory=list)  # everything, in the order of its recording
    lost: str = ""  # the first result that could not be kept
    stored: int = 0  # how much of `log` is stored already
    stored_refs: int = 0
    # how far this run is
    seen: dict[tuple[str, str], int] = field(default_factory=dict)
    turns: dict[Key, int] = field(default_factory=dict)  # of reads and writes; counted only where there is a record
    entered: dict[Key, int] = field(default_factory=dict)  # crossings that gave durable objects
    entries: list[Key] = field(default_factory=list)  # the same, one by one
    matched: set[Place] = field(default_factory=set)
    answered: list[Place | Key] = field(default_factory=list)  # in this run, from the run before
    prints: int = 0
    reads: int = 0
    size: int = 0

    def place(self, name: str, digest: str) -> Place:
        """Where the next call of that digest stands."""
        nth = self.seen.get((name, digest), 0)
        self.seen[(name, digest)] = nth + 1
        return Place(name, digest, nth)

    def add(self, place: Place, outcome: Outcome) -> None:
        """Record what a call gave."""
        self.outcomes[place] = outcome
        self.matched.add(place)
        self._note(place, outcome, outcome.size)
        if outcome.unkept and not self.lost:
            self.lost = f"result of {place.name}: {outcome.unkept}"

    def recall(self, key: Key) -> Any:
        """What the next read or write of that key gave in the run before, or NOT_YET."""
        nth = self.turns.get(key, 0)
        self.turns[key] = nth + 1
        values = self.known.get(key)
        if values is None or nth >= len(values):
            return NOT_YET
        self.answered.append(key)
        return values[nth]

    def note(self, key: Key, value: Any, size: int) -> None:
        """Record what a read or write gave: a scalar, a durable object, a list of these, or an Outcome."""
        self._note(key, value, size)
        if type(value) is Outcome and value.unkept and not self.lost:
            self.lost = f"{key[-1]} of a stored object: {value.unkept}"

    def _note(self, where: Place | Key, what: Any, size: int) -> None:
        self.log.append((where, what))
        self.size += size

    def answer(self, place: Place) -> Outcome | None:
        """What that call gave in the run before, or None."""
        outcome = self.outcomes.get(place)
        if outcome is not None:
            self.matched.add(place)
            self.answered.append(place)
        return outcome

    def enter(self, key: Key) -> int:
        """Count a crossing that gives durable objects; how many of that key there were before."""
        nth = self.entered.get(key, 0)
        self.entered[key] = nth + 1
        self.entries.append(key)
        return nth

    def mark(self) -> Mark:
        """Where the record stands before a call, for `subsume`."""
        return len(self.log), len(self.answered), len(self.entries), self.prints, self.reads

    def subsume(self, mark: Mark) -> None:
        """Forget what happened inside a call that is now complete: answered from its record, it does none of that."""
        length, answered, entries, prints, reads = mark
        self.printed -= self.prints - prints
        self.prints = prints
        del self.clock[reads : self.reads]
        self.reads = reads
        for key in self.entries[entries:]:
            self.entered[key] -= 1
        del self.entries[entries:]
        if len(self.log) == length and len(self.answered) == answered:
            return
        inside = Counter(self.answered[answered:])
        for where, _ in self.log[length:]:
            if isinstance(where, Place):
                self.outcomes.pop(where, None)
        del self.log[length:]
        for what, count in inside.items():
            self._forget(what, count)
        if inside or length < self.stored:
            self.stored = 0  # what is stored already has to go too

    def _forget(self, what: Place | Key, count: int) -> None:
        """Drop what was answered last `count` times."""
        if isinstance(what, Place):
            self.outcomes.pop(what, None)
            self.log = [entry for entry in self.log if entry[0] != what]
            return
        values = self.known[what]
        end = min(self.turns[what], len(values))
        del values[end - count : end]
        self.turns[what] = end - count
        places = [n for n, (where, _) in enumerate(self.log) if where == what][end - count : end]
        for n in reversed(places):
            del self.log[n]

    def unkept(self) -> str:
        """The first result that could not be kept, in words, or an empty text."""
        return self.lost

    def unmatched(self) -> list[str]:
        """Names of recorded calls and writes that this run has not made."""
        calls = [place.name for place in self.outcomes if place not in self.matched]
        writes = [
            f"{key[0]} {key[-1]}"
            for key, values in self.known.items()
            if key[0].endswith("!") and self.turns.get(key, 0) < len(values)
        ]
        return calls + writes

    def check_room(self) -> None:
        """Raises StatekError when more has happened than can be resumed."""
        if self.is_full():
            raise StatekError(FULL)

    def is_full(self) -> bool:
        """Has more happened than can be resumed?"""
        return len(self.log) >= CAP_ENTRIES or self.size > CAP_BYTES

    def encode(self, around: keep.Surroundings, number_of: Callable[[object], int]) -> Batch:
        """What was recorded since the last call, as bytes and durable objects; it counts as stored from now on.

        Raises:
            CannotKeep: a recorded value cannot be stored after all.
        """
        whole = self.stored == 0
        if whole:
            self.stored_refs = 0
        data, refs = keep.dumps_value([_packed(where, what) for where, what in self.log[self.stored :]], around)
        head = json.dumps([self.printed, self.clock]).encode()
        numbers = json.dumps([self.stored_refs, [number_of(ref) for ref in refs]]).encode()
        entry = BATCH + numbers + b"\n" + data if len(self.log) > self.stored else None
        self.stored = len(self.log)
        self.stored_refs += len(refs)
        return Batch(head, entry, refs, whole)


def idempotency_key(store: str, job: str, turn: int, statement: int, place: Place) -> str:
    """A short name of one call, the same when it is made again after a crash, and of no other call anywhere.

    It holds the digest of the arguments and their count, never an ordinal: a restored set may be gone through in
    another order.
    """
    call = [store, job, turn, statement, place.name, place.digest, place.nth]
    return hashlib.sha256(json.dumps(call).encode()).hexdigest()[:32]


def decode_journal(
    entries: Sequence[bytes], refs: Sequence[Any], lift: Lift, around: keep.Surroundings, names: dict[str, Any]
) -> Journal:
    """The record that batches made, at the start of a run.

    Args:
        entries: the head and the entries.
        refs: stored durable objects, of all entries.
        lift: gives what the job holds of stored objects with these numbers.
        around: what values lean on.
        names: the globals of functions in it.

    Raises:
        CannotKeep: the record is damaged.
    """
    printed, clock = json.loads(entries[0])
    journal = Journal(printed=printed, clock=clock, stored_refs=len(refs))
    for data in entries[1:]:
        for where, what in _unpacked(data, refs, lift, around, names):
            journal.log.append((where, what))
            if isinstance(where, Place):
                journal.outcomes[where] = what
                journal.size += what.size
            else:
                journal.known.setdefault(where, []).append(what)
    journal.stored = len(journal.log)
    return journal


def _packed(where: Place | Key, what: Any) -> Any:
    if isinstance(what, Outcome):
        what = (what.ok, what.data, list(what.refs), list(what.changed), what.unkept, what.printed)
    return [[where.name, where.digest, where.nth], what] if isinstance(where, Place) else [where, what]


def _unpacked(
    data: bytes, refs: Sequence[Any], lift: Lift, around: keep.Surroundings, names: dict[str, Any]
) -> list[tuple[Place | Key, Any]]:
    if not data.startswith(BATCH):
        return [decode_outcome(data, lift(refs, ()))]
    head, _, stream = data[len(BATCH) :].partition(b"\n")
    first, numbers = json.loads(head)
    found: Any = keep.loads_value(stream, lift(refs[first : first + len(numbers)], numbers), around, names)
    return [(Place(*where) if type(where) is list else where, _outcome(what)) for where, what in found]


def _outcome(what: Any) -> Any:
    if type(what) is not tuple:
        return what
    ok, data, refs, changed, unkept, printed = what
    return Outcome(ok, data, tuple(refs), tuple(changed), unkept, printed)


def encode_outcome(place: Place, outcome: Outcome) -> bytes:
    """One outcome as flat bytes: a line of JSON, then the kept value and the changed arguments."""
    head = [
        place.name, place.digest, place.nth, outcome.ok, len(outcome.data), 0, len(outcome.refs),
        [[name, len(data), first] for name, data, first in outcome.changed], outcome.unkept, outcome.printed,
    ]  # fmt: skip
    return json.dumps(head).encode() + b"\n" + outcome.data + b"".join(data for _, data, _ in outcome.changed)


def decode_outcome(data: bytes, refs: Sequence[Any]) -> tuple[Place, Outcome]:
    """What `encode_outcome` wrote; `refs` is the whole list that its first reference counts in."""
    line, _, rest = data.partition(b"\n")
    name, digest, nth, ok, size, first, count, changed, unkept, *printed = json.loads(line)
    value, rest = rest[:size], rest[size:]
    pieces = []
    for argument, length, *begin in changed:
        pieces.append((argument, rest[:length], begin[0] if begin else 0))
        rest = rest[length:]
    found = tuple(refs[first : first + count])
    return Place(name, digest, nth), Outcome(ok, value, found, tuple(pieces), unkept, "".join(printed))
