"""The record of one statement: every crossing of its border, so that it can be run again as if it had stood still.

A statement that waits, or was cut off by a crash, is run again from its beginning. What it had already called, printed
or read of the clock is then answered from this record. Pure data and its encoding; performing crossings is
`runtime.execute`'s business. Crossings are matched by name, structural digest of the arguments and count, so that the
order of a set does not matter.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

CAP_ENTRIES = 10_000
CAP_BYTES = 4 << 20
Json = Any


@dataclass(frozen=True)
class Place:
    """Which call: its digest (name and arguments) and how often that digest came before in the statement."""

    name: str
    digest: str
    nth: int


@dataclass(frozen=True)
class Outcome:
    """What a call gave, as it is recorded.

    Attributes:
        ok: False when it raised; `data` is then the exception.
        data: the kept value.
        refs: durable objects in it, by position.
        changed: arguments the call changed in place: position or name -> kept value (no durable parts).
        unkept: why the result could not be kept; the statement may then not wait any more.
    """

    ok: bool
    data: bytes
    refs: tuple[Any, ...] = ()
    changed: tuple[tuple[str, bytes], ...] = ()
    unkept: str = ""


@dataclass
class Journal:
    """The record of the statement in progress, and how far this run of it has come."""

    outcomes: dict[Place, Outcome] = field(default_factory=dict)
    printed: int = 0
    clock: list[int] = field(default_factory=list)
    touched: str = ""
    # how far this run is
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    matched: set[Place] = field(default_factory=set)
    prints: int = 0
    reads: int = 0
    size: int = 0

    def rewind(self) -> None:
        """Start the statement again; the record stays."""
        self.seen.clear()
        self.matched.clear()
        self.prints = self.reads = 0
        self.touched = ""

    def place(self, name: str, digest: str) -> Place:
        """Where the next call of that digest stands."""
        nth = self.seen[(name, digest)]
        self.seen[(name, digest)] += 1
        return Place(name, digest, nth)

    def add(self, place: Place, outcome: Outcome) -> None:
        """Record what a call gave."""
        self.outcomes[place] = outcome
        self.matched.add(place)
        self.size += len(outcome.data) + 100

    def unkept(self) -> str:
        """The first result that could not be kept, in words, or an empty text."""
        for place, outcome in self.outcomes.items():
            if outcome.unkept:
                return f"result of {place.name}: {outcome.unkept}"
        return ""

    def unmatched(self) -> list[Place]:
        """Recorded calls that this run has not made."""
        return [place for place in self.outcomes if place not in self.matched]

    def is_full(self) -> bool:
        """Has more happened than can be resumed?"""
        return len(self.outcomes) > CAP_ENTRIES or self.size > CAP_BYTES

    def encode(self) -> tuple[list[bytes], list[Any]]:
        """Entries as bytes, and the durable objects they refer to."""
        refs: list[Any] = []
        entries = [json.dumps([self.printed, self.clock]).encode()]
        for place, outcome in self.outcomes.items():
            entries.append(encode_outcome(place, outcome, first_ref=len(refs)))
            refs.extend(outcome.refs)
        return entries, refs


def decode_journal(entries: list[bytes], refs: list[Any]) -> Journal:
    """The record that `encode` wrote, at the start of a run."""
    printed, clock = json.loads(entries[0])
    journal = Journal(printed=printed, clock=clock)
    for data in entries[1:]:
        place, outcome = decode_outcome(data, refs)
        journal.outcomes[place] = outcome
        journal.size += len(outcome.data) + 100
    return journal


def encode_outcome(place: Place, outcome: Outcome, *, first_ref: int = 0) -> bytes:
    """One outcome as flat bytes: a line of JSON, then the kept value and the changed arguments."""
    head = [
        place.name, place.digest, place.nth, outcome.ok, len(outcome.data), first_ref, len(outcome.refs),
        [[name, len(data)] for name, data in outcome.changed], outcome.unkept,
    ]  # fmt: skip
    return json.dumps(head).encode() + b"\n" + outcome.data + b"".join(data for _, data in outcome.changed)


def decode_outcome(data: bytes, refs: list[Any]) -> tuple[Place, Outcome]:
    """What `encode_outcome` wrote; `refs` is the whole list that `first_ref` counts in."""
    line, _, rest = data.partition(b"\n")
    name, digest, nth, ok, size, first, count, changed, unkept = json.loads(line)
    value, rest = rest[:size], rest[size:]
    pieces = []
    for argument, length in changed:
        pieces.append((argument, rest[:length]))
        rest = rest[length:]
    return Place(name, digest, nth), Outcome(ok, value, tuple(refs[first : first + count]), tuple(pieces), unkept)
