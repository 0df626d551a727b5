"""The inbox: inputs that are promised but not yet taken in.

It orders and deduplicates, never decides whether an input fits. Any process of the user appends; the worker takes.
The one idea: appending is the acknowledgement, so an id is known from then on, first here and then, for good, as the
key of its record. Taking moves a row from here to the records in one transaction: never in both, never in neither.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from statek.exceptions import BugError, LedgerError
from statek.ledger.compiled import Json
from statek.ledger.file import LedgerFile
from statek.ledger.records import Kind, Record, Records, input_key, pack, unpack


class InputKind(StrEnum):
    """Kinds of inputs the kit knows; the inbox itself takes any text as a kind."""

    SUBMIT = "submit"  # a new job; target: the agent
    ITEM = "item"  # an item of a queue, a job once there is room; target: the queue
    ITEM_AGAIN = "item-again"  # an item whose job failed, or that a person put back; target: the queue
    SUBMIT_AGAIN = "submit-again"  # a submission whose job failed; target: the agent
    PUSH = "push"  # a message to a job; target: the job
    EVENT = "event"  # an event an agent's jobs may wait for; target: the agent
    CANCEL = "cancel"  # end a job; target: the job
    RELEASE = "release"  # head has moved; no target
    FORGET = "forget"  # finished jobs leave the store; no target


SUBMISSIONS = (InputKind.SUBMIT, InputKind.SUBMIT_AGAIN)
ITEMS = (InputKind.ITEM, InputKind.ITEM_AGAIN)
TO_BE_JOBS = (*SUBMISSIONS, *ITEMS)
"""Inputs that become jobs of their ids."""


class NoLongerWaiting(LedgerError):  # noqa: N818 - a state of the entry, caught by whoever read it earlier
    """This entry left the inbox after it was read."""


@dataclass(frozen=True)
class NewEntry:
    """An input to append. `id` is the sender's: repeat it and the input is taken once."""

    id: str
    kind: str
    target: str | None
    body: Json
    at_us: int


@dataclass(frozen=True)
class Entry:
    """An input that waits; `n` is its place in the order of arrival."""

    n: int
    id: str
    kind: str
    target: str | None
    body: Json
    at_us: int


_COLUMNS = "n, id, kind, target, body, at_us"


def append(file: LedgerFile, entries: Sequence[NewEntry]) -> list[bool]:
    """Add inputs; on return they are acknowledged (inside an open transaction: when that commits).

    Returns:
        For each entry True when it is new, False when its id waits or was taken in already; then nothing is changed.
    """
    packed = [(entry, pack(entry.body)) for entry in entries]
    with file.joined():
        return [_append_one(file, entry, body) for entry, body in packed]


def waiting(
    file: LedgerFile,
    *,
    kinds: Collection[str] | None = None,
    target: str | None = None,
    after: int = 0,
    limit: int = 1000,
) -> list[Entry]:
    """The oldest entries that wait, in the order of arrival.

    Args:
        file: the ledger.
        kinds: only these kinds; None: all.
        target: only this target; None: any.
        after: only entries after this place.
        limit: at most so many.
    """
    tests, values = ["n > ?"], [after]
    if kinds is not None:
        tests.append(f"kind IN ({', '.join('?' * len(kinds))})")
    if target is not None:
        tests.append("target = ?")
    sql = f"SELECT {_COLUMNS} FROM inbox WHERE {' AND '.join(tests)} ORDER BY n LIMIT ?"  # noqa: S608 - no input
    named = [] if target is None else [target]
    return [_entry(row) for row in file.rows(sql, *values, *(kinds or ()), *named, limit)]


def find(file: LedgerFile, entry_id: str) -> Entry | None:
    """The waiting entry of this id; None when it does not wait (any more)."""
    found = file.rows(f"SELECT {_COLUMNS} FROM inbox WHERE id = ?", entry_id)  # noqa: S608 - no input
    return _entry(found[0]) if found else None


def at(file: LedgerFile, n: int) -> Entry | None:
    """The waiting entry at this place; None when it has left."""
    found = file.rows(f"SELECT {_COLUMNS} FROM inbox WHERE n = ?", n)  # noqa: S608 - no input
    return _entry(found[0]) if found else None


def last(file: LedgerFile) -> int:
    """The highest place that was ever given away: when it is what it was, nothing has come in."""
    found = file.rows("SELECT seq FROM sqlite_sequence WHERE name = 'inbox'")
    return int(found[0][0]) if found else 0


def arrivals(file: LedgerFile, after: int, limit: int) -> list[tuple[int, str, str | None]]:
    """Place, kind and target of the entries after that place, without their bodies."""
    return [
        (n, kind, target)
        for n, kind, target in file.rows(
            "SELECT n, kind, target FROM inbox WHERE n > ? ORDER BY n LIMIT ?", after, limit
        )
    ]


def places(file: LedgerFile, kind: str, target: str, after: int, limit: int) -> list[int]:
    """Places of the oldest entries of this kind and target after that place."""
    sql = "SELECT n FROM inbox WHERE kind = ? AND target = ? AND n > ? ORDER BY n LIMIT ?"
    return [n for (n,) in file.rows(sql, kind, target, after, limit)]


def depth(file: LedgerFile, kind: str, target: str | None = None) -> int:
    """How many entries of this kind wait, for `target` or for any."""
    if target is None:
        return int(file.rows("SELECT count(*) FROM inbox WHERE kind = ?", kind)[0][0])
    return int(file.rows("SELECT count(*) FROM inbox WHERE kind = ? AND target = ?", kind, target)[0][0])


def depths(file: LedgerFile, *kinds: str) -> dict[str, int]:
    """How many entries of these kinds wait per target; targets without any are absent."""
    marks = ", ".join("?" * len(kinds))
    sql = f"SELECT target, count(*) FROM inbox WHERE kind IN ({marks}) AND target IS NOT NULL GROUP BY target"  # noqa: S608 - no input
    return {str(target): int(count) for target, count in file.rows(sql, *kinds)}


def take(file: LedgerFile, records: Records, entry: Entry, body: Json | None = None) -> int:
    """Move an entry from the inbox to the records, inside the worker's transaction.

    Args:
        file: the ledger.
        records: the records of the same ledger.
        entry: what `waiting` gave.
        body: what to record instead of the entry's own body: that, and what was decided about it.

    Returns:
        The number of its record; `taken` reads it back.

    Raises:
        NoLongerWaiting: it was dropped since it was read; the transaction can go on.
    """
    if file.write("DELETE FROM inbox WHERE n = ? AND id = ?", entry.n, entry.id).rowcount == 0:
        raise NoLongerWaiting(f"input {entry.id!r} has left the inbox since it was read")
    data = {
        "id": entry.id, "kind": entry.kind, "target": entry.target, "at_us": entry.at_us,
        "body": entry.body if body is None else body,
    }  # fmt: skip
    seq = records.put(Kind.IN, input_key(entry.id), pack(data))
    if seq is None:
        raise BugError(f"input {entry.id!r} waited in the inbox although it was taken in before")
    return seq


def taken(record: Record) -> Entry:
    """The input that an `in` record holds, with the body that was recorded; `n` is the record's number.

    Raises LedgerError when the body was pruned.
    """
    if not record.body:
        raise LedgerError(f"record {record.seq} ({record.key}) was pruned", hint="start from a newer copy of the store")
    data = unpack(record.body)
    return Entry(record.seq, data["id"], data["kind"], data["target"], data["body"], data["at_us"])


def drop_oldest(file: LedgerFile, target: str, count: int, *, kind: str = InputKind.ITEM) -> list[Entry]:
    """Take the oldest `count` entries for `target` out of the inbox for good and return them, for the caller to say so.

    In one `file.transaction()` with `depth` and `append` it makes room without a gap for others.
    """
    with file.joined():
        dropped = waiting(file, kinds=[kind], target=target, limit=max(count, 0))
        for entry in dropped:
            file.write("DELETE FROM inbox WHERE n = ?", entry.n)
        return dropped


def _append_one(file: LedgerFile, entry: NewEntry, body: bytes) -> bool:
    if entry.id.startswith("release ") and entry.kind != InputKind.RELEASE:
        raise LedgerError(f"the input id {entry.id!r} is kept for moves of head", hint="choose another id")
    if file.rows("SELECT 1 FROM rec WHERE key = ?", input_key(entry.id)):
        return False
    added = file.write(
        "INSERT INTO inbox (id, kind, target, body, at_us) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        entry.id, str(entry.kind), entry.target, body, entry.at_us,
    )  # fmt: skip
    return added.rowcount == 1


def _entry(row: tuple[Any, ...]) -> Entry:
    n, entry_id, kind, target, body, at_us = row
    return Entry(n, entry_id, kind, target, unpack(body), at_us)
