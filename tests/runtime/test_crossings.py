"""The record of a statement: matched by name, arguments and count; kept as flat bytes."""

from statek.runtime.crossings import (
    CAP_ENTRIES,
    Journal,
    Outcome,
    Place,
    decode_journal,
    decode_outcome,
    encode_outcome,
)

A = Outcome(True, b"a")


def test_same_calls_are_counted() -> None:
    """Equal calls of a statement are told apart by their count."""
    journal = Journal()
    assert [journal.place("f", "d").nth for _ in range(3)] == [0, 1, 2]
    assert journal.place("f", "e").nth == 0


def test_rewound_it_gives_the_same_places() -> None:
    """A second run of the statement finds what the first one recorded."""
    journal = Journal()
    place = journal.place("f", "d")
    journal.add(place, A)
    journal.rewind()
    assert journal.outcomes[journal.place("f", "d")] == A


def test_unmatched_calls_are_named() -> None:
    """A second run that makes other calls leaves the recorded ones unmatched."""
    journal = Journal()
    journal.add(journal.place("f", "d"), A)
    journal.rewind()
    journal.place("g", "d")
    assert journal.unmatched() == [Place("f", "d", 0)]


def test_unkept_results_are_named() -> None:
    """A result that could not be recorded is named with the reason."""
    journal = Journal()
    journal.add(journal.place("f", "d"), Outcome(True, b"", unkept="a generator"))
    assert journal.unkept() == "result of f: a generator"


def test_it_is_full_at_the_cap() -> None:
    """More entries than can be resumed are noticed."""
    journal = Journal()
    for _ in range(CAP_ENTRIES + 1):
        journal.add(journal.place("f", "d"), A)
    assert journal.is_full()


def test_an_outcome_survives_as_bytes() -> None:
    """Name, value, error, changed arguments and references come back, whatever bytes they are."""
    refs = [object(), object(), object()]
    outcome = Outcome(False, b"\x00\n\xff{", tuple(refs[1:]), (("0", b"\n\n"), ("x", b"")), "why \ud800")
    data = encode_outcome(Place("f\n", "d", 3), outcome, first_ref=1)
    assert decode_outcome(data, refs) == (Place("f\n", "d", 3), outcome)


def test_a_journal_survives_as_bytes() -> None:
    """Prints, clock readings and calls come back, each with its references."""
    first, second = object(), object()
    journal = Journal(printed=2, clock=[5, 6])
    journal.add(journal.place("f", "d"), Outcome(True, b"1", (first,)))
    journal.add(journal.place("g", "d"), Outcome(True, b"2", (second,)))
    found = decode_journal(*journal.encode())
    assert (found.outcomes, found.printed, found.clock) == (journal.outcomes, 2, [5, 6])
