"""Pruning: forgetting records that no kept copy of the store would need to be brought up to date.

It removes, it never decides how far: the worker gives it the `seq` of its oldest kept copy. Three things outlive their
number. Keys of inputs stay, with an empty body, so that a repeated input is recognised for as long as a sender may
repeat it, and final results that a client may still wait for stay as long. Answers and outside calls of a job that has
not ended stay until it has answered a later turn or ended: its statement in progress is run again after a restart and
asks the ledger what became of its calls; without the answer it would make them a second time.

The one idea: everything is done slice by slice, each a transaction of a few milliseconds that leaves a ledger in which
`low` fits what is there. Cut anywhere, it goes on the next time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from statek.ledger.file import LedgerFile, Row
from statek.ledger.records import Kind

SLICE = 2000  # records that one transaction handles

_TABLES = (
    "CREATE TABLE IF NOT EXISTS held (seq INTEGER PRIMARY KEY, job TEXT NOT NULL, turn INTEGER NOT NULL)",
    "CREATE INDEX IF NOT EXISTS held_by_job ON held (job)",
    "CREATE TABLE IF NOT EXISTS pruned_at (upto INTEGER PRIMARY KEY, at_us INTEGER NOT NULL)",
)
_TURN_FROM_END = {"i": 4, "r": 4, "m": 1}  # first letter of a key: how many words from its turn to its end


@dataclass(frozen=True)
class Pruned:
    """What pruning has done to a ledger.

    Attributes:
        low: the highest record that was pruned, 0 for none.
        removed: how many records are gone.
        held: how many are kept for jobs that have not ended.
    """

    low: int
    removed: int
    held: int


def pruned(file: LedgerFile) -> Pruned:
    """What pruning has done so far."""
    has_held = file.rows("SELECT 1 FROM sqlite_master WHERE name = 'held'")
    held = int(file.rows("SELECT count(*) FROM held")[0][0]) if has_held else 0
    return Pruned(file.low, _number(file, "removed"), held)


def prune(
    file: LedgerFile, upto: int, *, at_us: int, keys_kept_us: int, slice_size: int = SLICE
) -> Iterator[None]:  # fmt: skip
    """Forget records up to and including `upto`, a slice for each `next`, so that others get their turn between two.

    Args:
        file: the ledger.
        upto: what the oldest kept copy of the store has taken in; nothing beyond it is touched.
        at_us: now.
        keys_kept_us: how long keys of inputs and final results stay from when their record was pruned. Those of queue
            items stay for ever, as their queues promise.
        slice_size: how many records one transaction handles.
    """
    with file.transaction():
        for sql in _TABLES:
            file.write(sql)
    while _prune_slice(file, upto, slice_size, at_us):
        yield
    while _forget_keys(file, at_us - keys_kept_us, slice_size):
        yield


@dataclass
class _Slice:
    """What becomes of the records of one slice. `done`: jobs whose held records go, below that turn."""

    held: dict[str, list[tuple[int, int]]] = field(default_factory=dict)  # job: (seq, turn) of what it may need
    done: dict[str, int | None] = field(default_factory=dict)  # None: all turns

    def add(self, seq: int, kind: str, key: str) -> None:
        """Sort a record in."""
        if kind == Kind.SAID:
            job = key[2:].rpartition(" ")[0]
            self.held.pop(job, None)
            self.done[job] = None
            return
        from_turn = _TURN_FROM_END.get(key[0])
        if from_turn is None:
            return  # of a matter that was settled in the pass that recorded it
        words = key[2:].rsplit(" ", from_turn)
        job, turn = words[0], int(words[1].partition(".")[0])
        mine = self.held.setdefault(job, [])
        if kind == Kind.MODEL:
            mine[:] = [entry for entry in mine if entry[1] >= turn]
            if self.done.get(job, turn) is not None:
                self.done[job] = turn
        mine.append((seq, turn))


def _prune_slice(file: LedgerFile, upto: int, size: int, at_us: int) -> bool:
    """Whether there may be more."""
    with file.transaction():
        low = file.low
        found = file.rows(
            "SELECT seq, kind, key, tag FROM rec WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?", low, upto, size
        )
        if not found:
            return False
        new_low, new_tag = found[-1][0], found[-1][3]
        gone = _keep_what_is_needed(file, found)
        span = "seq > ? AND seq <= ?"
        gone += file.write(
            f"DELETE FROM rec WHERE {span} AND kind NOT IN ('in', 'said')"  # noqa: S608 - no input
            f" AND seq NOT IN (SELECT seq FROM held WHERE {span})",
            low, new_low, low, new_low,
        ).rowcount  # fmt: skip
        file.write(f"UPDATE rec SET body = x'' WHERE {span} AND kind = 'in'", low, new_low)  # noqa: S608 - no input
        file.set_meta("low", new_low)
        file.set_meta("low_tag", new_tag)
        file.set_meta("removed", _number(file, "removed") + gone)
        file.write("INSERT INTO pruned_at VALUES (?, ?)", new_low, at_us)
        return len(found) == size


def _keep_what_is_needed(file: LedgerFile, found: Sequence[Row]) -> int:
    """Hold what jobs in progress may ask for; remove what earlier slices held and nobody can ask for now: how many."""
    gone = 0
    this = _Slice()
    for seq, kind, key, _ in found:
        if key is not None and kind not in {Kind.IN, Kind.RAN}:
            this.add(seq, kind, key)
    for job, turn in this.done.items():
        which, values = ("job = ?", (job,)) if turn is None else ("job = ? AND turn < ?", (job, turn))
        sql = f"DELETE FROM rec WHERE seq IN (SELECT seq FROM held WHERE {which})"  # noqa: S608 - no input
        gone += file.write(sql, *values).rowcount
        file.write(f"DELETE FROM held WHERE {which}", *values)  # noqa: S608 - no input
    for job, entries in this.held.items():
        for seq, turn in entries:
            file.write("INSERT INTO held VALUES (?, ?, ?)", seq, job, turn)
    return gone


def _forget_keys(file: LedgerFile, before_us: int, size: int) -> bool:
    """Remove keys whose records were pruned before `before_us`. Whether there may be more."""
    with file.transaction():
        upto = file.rows("SELECT max(upto) FROM pruned_at WHERE at_us <= ?", before_us)[0][0]
        if upto is None:
            return False
        looked = _number(file, "keys_forgotten")
        found = file.rows(
            "SELECT seq, kind, key FROM rec WHERE seq > ? AND seq <= ? AND kind IN ('in', 'said') ORDER BY seq LIMIT ?",
            looked, upto, size,
        )  # fmt: skip
        old = [seq for seq, kind, key in found if not _is_of_item(str(kind), str(key))]
        for seq in old:
            file.write("DELETE FROM rec WHERE seq = ?", seq)
        file.set_meta("keys_forgotten", found[-1][0] if found else upto)
        file.set_meta("removed", _number(file, "removed") + len(old))
        if len(found) < size:
            file.write("DELETE FROM pruned_at WHERE upto <= ?", upto)
        return len(found) == size


def _is_of_item(kind: str, key: str) -> bool:
    """Whether a key is that of a queue item, `QUEUE:KEY`, or of its job's result; no other id looks so."""
    name = key.partition(" ")[2]
    if kind == Kind.SAID:
        name = name.rpartition(" ")[0]
    return ":" in name and " " not in name


def _number(file: LedgerFile, name: str) -> int:
    found = file.rows("SELECT value FROM meta WHERE name = ?", name)
    return int(found[0][0]) if found else 0
