"""The record of a statement: calls by name, arguments and count, reads and writes by what they touch; kept as bytes."""

from typing import Any

import pytest

from statek.exceptions import StatekError
from statek.runtime.crossings import (
    CAP_BYTES,
    CAP_ENTRIES,
    NOT_YET,
    Journal,
    Outcome,
    Place,
    decode_journal,
    decode_outcome,
    encode_outcome,
)
from statek.sandbox import keep


class Thing:
    """Stands for a durable object."""


AROUND = keep.Surroundings(host={}, is_durable=lambda value: isinstance(value, Thing), compile_source=compile)
A = Outcome(True, b"a")
READ = ("get", 7, "n")
WRITE = ("set!", 7, ("int", 1), "n")


class Shelf:
    """A record as it is stored: entries and references."""

    def __init__(self) -> None:
        self.entries: list[bytes] = []
        self.refs: list[Any] = []

    def add(self, journal: Journal) -> None:
        """Store what is new in `journal`."""
        batch = journal.encode(AROUND, lambda thing: id(thing) % 97)
        if batch.whole:
            self.entries, self.refs = [b""], []
        self.entries[0] = batch.head
        self.entries += [batch.entry] if batch.entry is not None else []
        self.refs += batch.refs

    def read(self) -> Journal:
        """The record at the start of the next run."""
        return decode_journal(self.entries, self.refs, lambda refs, _: list(refs), AROUND, {"__builtins__": {}})


def again(journal: Journal) -> Journal:
    """The same record, stored and read."""
    shelf = Shelf()
    shelf.add(journal)
    return shelf.read()


def test_same_calls_are_counted() -> None:
    """Equal calls of a statement are told apart by their count."""
    journal = Journal()
    assert [journal.place("f", "d").nth for _ in range(3)] == [0, 1, 2]
    assert journal.place("f", "e").nth == 0


def test_a_second_run_finds_the_same_calls() -> None:
    """A second run of the statement finds what the first one recorded."""
    journal = Journal()
    journal.add(journal.place("f", "d"), A)
    journal = again(journal)
    assert journal.answer(journal.place("f", "d")) == A
    assert journal.answer(journal.place("f", "d")) is None


def test_a_second_run_reads_the_same() -> None:
    """Reads of one attribute are answered in their order, whatever was read of others in between."""
    journal = Journal()
    for value in (1, None, "x"):
        journal.note(READ, value, 10)
    journal.note(("get", 8, "n"), 2, 10)
    journal = again(journal)
    assert journal.recall(("get", 8, "n")) == 2
    assert [journal.recall(READ) for _ in range(3)] == [1, None, "x"]
    assert journal.recall(READ) is NOT_YET


def test_unmatched_calls_and_writes_are_named() -> None:
    """A second run that does not do again what is recorded is noticed; reads that are left out do no harm."""
    journal = Journal()
    journal.add(journal.place("f", "d"), A)
    journal.note(WRITE, None, 10)
    journal.note(READ, 1, 10)
    journal = again(journal)
    assert journal.unmatched() == ["f", "set! n"]
    journal.answer(journal.place("f", "d"))
    journal.recall(WRITE)
    assert journal.unmatched() == []


def test_unkept_results_are_named() -> None:
    """A result that could not be recorded is named with the reason."""
    journal = Journal()
    journal.add(journal.place("f", "d"), Outcome(True, b"", unkept="a generator"))
    assert journal.unkept() == "result of f: a generator"


@pytest.mark.parametrize(("count", "size"), [(CAP_ENTRIES, 1), (1, CAP_BYTES + 1)])
def test_it_is_full_at_the_cap(count: int, size: int) -> None:
    """More than can be resumed is an error that says what to do."""
    journal = Journal()
    journal.check_room()
    for _ in range(count):
        journal.note(READ, 1, size)
    with pytest.raises(StatekError, match="too much happened in one statement to be able to resume it; split the loop"):
        journal.check_room()


def test_an_outcome_survives_as_bytes() -> None:
    """Name, value, error, changed arguments, print and references come back, whatever bytes they are."""
    refs = [object(), object()]
    changed = (("0", b"\n\n", 1), ("x", b"", 2))
    outcome = Outcome(False, b"\x00\n\xff{", tuple(refs), changed, "why \ud800", "said")
    data = encode_outcome(Place("f\n", "d", 3), outcome)
    assert decode_outcome(data, refs) == (Place("f\n", "d", 3), outcome)


def test_a_journal_survives_as_bytes() -> None:
    """Prints, clock readings, calls, reads and writes come back, each with its references."""
    first, second = Thing(), Thing()
    journal = Journal(printed=2, clock=[5, 6])
    journal.add(journal.place("f", "d"), Outcome(True, b"1", (first,), (("0", b"2", 1),)))
    journal.note(READ, second, 10)
    journal.note(READ, [1, first, (2, "x")], 10)
    journal.note(WRITE, Outcome(False, b"3"), 10)
    found = again(journal)
    assert (found.outcomes, found.printed, found.clock) == (journal.outcomes, 2, [5, 6])
    assert found.known == {READ: [second, [1, first, (2, "x")]], WRITE: [Outcome(False, b"3")]}


def test_only_what_is_new_is_stored_again() -> None:
    """Each wait of a statement adds one entry with what happened since the one before."""
    journal, shelf, things = Journal(), Shelf(), [Thing(), Thing()]
    for thing in things:
        journal.note(READ, thing, 10)
        shelf.add(journal)
    shelf.add(journal)
    assert (len(shelf.entries), shelf.refs) == (3, things)
    assert shelf.read().known == {READ: things}


def test_a_record_of_an_older_store_is_read() -> None:
    """Records whose entries are single calls, as they were stored before, are still answered from."""
    entry = b'["f", "d", 0, true, 1, 0, 1, [["0", 1]], ""]\n1x'
    thing = Thing()
    journal = decode_journal([b"[1, [5]]", entry], [thing], lambda refs, _: list(refs), AROUND, {})
    assert journal.outcomes == {Place("f", "d", 0): Outcome(True, b"1", (thing,), (("0", b"x", 0),))}


def test_what_happened_inside_a_call_goes_with_it() -> None:
    """What a call's own callback did is forgotten with the call, also what an earlier run recorded of it."""
    journal, shelf = Journal(), Shelf()
    journal.note(READ, 1, 10)
    journal.note(READ, 2, 10)
    shelf.add(journal)  # the call waits inside
    journal = shelf.read()
    assert journal.recall(READ) == 1
    mark = journal.mark()
    assert journal.recall(READ) == 2
    journal.note(WRITE, None, 10)
    journal.prints = journal.printed = 1
    journal.subsume(mark)
    journal.add(journal.place("f", "d"), A)
    journal.note(READ, 3, 10)
    shelf.add(journal)
    found = shelf.read()
    assert (found.known, list(found.outcomes), found.printed) == ({READ: [1, 3]}, [Place("f", "d", 0)], 0)
    assert journal.recall(READ) is NOT_YET
