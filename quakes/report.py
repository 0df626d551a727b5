"""What the desk has on file, as tables for people: `python -m quakes.report [--store PATH]`.

Run by `make run` after the fleet has gone idle. It only looks: it opens the desk's store read-only, copies what it
shows into plain values, closes the store, and prints. It makes no durable object (in a read-only store that ends the
process) and does not look while a worker runs (the file is then in motion: ask the worker with `statek ps`).
"""

import argparse
import fcntl
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dbzero as db0
from rich.console import Console
from rich.table import Table

from quakes import events, relations
from quakes.records import DROPPED, FILED, HELD, Desk, Record
from quakes.tools import GRADES

DEFAULT_STORE = Path(".statek/dev/store")
PREFIX = "statek"
SHOWN_SEQUENCES = 8


class CannotLookError(Exception):
    """The store cannot be read now; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Line:
    """One record in plain values. `main_id` is the record's own id for a main or single shock."""

    id: str
    when: int
    mag: float
    place: str
    type: str
    status: str
    grade: str | None
    reason: str | None
    role: str | None
    main_id: str | None
    bulletin: str | None


@dataclass(frozen=True, slots=True)
class Family:
    """A main shock and how many came before and after it."""

    main: Line
    foreshocks: int
    aftershocks: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the report. Returns the exit code: 0, or 1 when there is nothing to look at."""
    parser = argparse.ArgumentParser(prog="python -m quakes.report", description="What the quake desk has on file.")
    parser.add_argument("--store", type=Path, default=DEFAULT_STORE, help="folder of the store (default: %(default)s)")
    try:
        lines = load(parser.parse_args(arguments).store)
    except CannotLookError as problem:
        print(problem, file=sys.stderr)
        return 1
    show(lines, Console())
    return 0


def load(store: Path) -> list[Line]:
    """Every record of the desk in `store`, in the order of filing.

    Raises:
        CannotLookError: there is no store, no desk in it, or a worker is running.
    """
    if not (store / f"{PREFIX}.db0").exists():
        raise CannotLookError(
            f"no store at {store}: nothing has run there yet. `make run` works through a week of events."
        )
    with _no_worker(store):
        db0.init(str(store), prefix=PREFIX, read_write=False)
        try:
            if not db0.exists(Desk):
                raise CannotLookError(
                    f"the store at {store} has no quake desk: no event was filed yet. See `statek ps`."
                )
            desk = db0.fetch(Desk)
            return [_line(desk, record) for record in desk.records]
        finally:
            db0.close()


def sequences(lines: Sequence[Line]) -> list[Family]:
    """The sequences among `lines`: those with the strongest main shock first."""
    roles = Counter((line.main_id, line.role) for line in lines)
    mains = [line for line in lines if line.role == relations.MAIN_SHOCK]
    mains.sort(key=lambda line: (-line.mag, line.when, line.id))
    return [Family(line, roles[line.id, relations.FORESHOCK], roles[line.id, relations.AFTERSHOCK]) for line in mains]


def show(lines: Sequence[Line], console: Console) -> None:
    """Print the tables."""
    console.print(_bulletins(lines))
    console.print(_grades(lines))
    console.print(_sequences(sequences(lines)))
    console.print(_set_aside(lines))
    console.print(_summary(lines))
    console.print("Where to look next: `statek ps` lists the jobs; `statek show JOB` tells how one of them went.")


@contextmanager
def _no_worker(store: Path) -> Iterator[None]:
    """Hold the worker's lock, so that none starts meanwhile; without a lock file no worker ever ran."""
    lock = store / "worker.lock"
    if not lock.exists():
        yield
        return
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CannotLookError(
                f"a worker is running on {store}: ask it with `statek ps`, or stop it first."
            ) from error
        yield


def _line(desk: Desk, record: Record) -> Line:
    filed = record.status == FILED
    return Line(
        id=record.id,
        when=record.when,
        mag=record.mag,
        place=record.place,
        type=record.type,
        status=record.status,
        grade=record.grade,
        reason=record.reason,
        role=desk.role(record) if filed else None,
        main_id=desk.main_of(record).id if filed else None,
        bulletin=None if record.bulletin is None else record.bulletin.text,
    )


def _bulletins(lines: Sequence[Line]) -> Table:
    table = Table(title="Bulletins, as they were written, beside what the event is by all that is filed now")
    for name in ("event", "now", "bulletin"):
        table.add_column(name, overflow="fold")
    for line in sorted(lines, key=lambda line: line.when):
        if line.bulletin is not None:
            table.add_row(line.id, line.role, line.bulletin)
    return table


def _grades(lines: Sequence[Line]) -> Table:
    table = Table("grade", "earthquakes", title="Grades")
    counts = Counter(line.grade for line in lines)
    for grade in reversed(GRADES):
        table.add_row(grade, str(counts[grade]))
    return table


def _sequences(found: Sequence[Family]) -> Table:
    table = Table(title=f"Sequences: {len(found)} found, those of the {SHOWN_SEQUENCES} strongest main shocks")
    for name in ("main shock", "M", "time (UTC)", "place", "before", "after"):
        table.add_column(name)
    for sequence in found[:SHOWN_SEQUENCES]:
        main = sequence.main
        counts = str(sequence.foreshocks), str(sequence.aftershocks)
        table.add_row(main.id, f"{main.mag:.1f}", events.show_time(main.when)[:16], main.place, *counts)
    return table


def _set_aside(lines: Sequence[Line]) -> Table:
    table = Table("what", "reason", "events", title="Dropped, or held for a person")
    counts = Counter((line.status, line.reason) for line in lines if line.status in (DROPPED, HELD))
    for (status, reason), count in sorted(counts.items(), key=str):
        table.add_row(status, reason, str(count))
    return table


def _summary(lines: Sequence[Line]) -> str:
    states = Counter(line.status for line in lines)
    bulletins = sum(line.bulletin is not None for line in lines)
    return (
        f"{len(lines)} events: {states[FILED]} filed, {states[DROPPED]} dropped, {states[HELD]} held; "
        f"{bulletins} bulletins."
    )


if __name__ == "__main__":
    sys.exit(main())
