"""The order of records, their keys, and forgetting them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from statek.exceptions import LedgerError
from statek.ledger.file import LedgerFile
from statek.ledger.records import (
    Kind,
    Records,
    input_key,
    intent_key,
    model_key,
    pack,
    result_key,
    said_key,
    unpack,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.fixture
def records(ledger: LedgerFile) -> Records:
    """The records of a new ledger."""
    return Records(ledger)


def fill(ledger: LedgerFile, kinds: str) -> None:
    """Add a record per letter: i an input, r a pass."""
    records = Records(ledger)
    with ledger.transaction():
        for n, letter in enumerate(kinds):
            if letter == "i":
                records.put(Kind.IN, input_key(f"e{n}"), b"body")
            else:
                records.put(Kind.RAN, None, b"body")


def test_records_come_back_in_order(ledger: LedgerFile, records: Records) -> None:
    """What was put comes back with growing numbers, whatever the batch."""
    fill(ledger, "irrir")
    assert [(n, "in" if n in {1, 4} else "ran", b"body") for n in range(1, 6)] == [
        (record.seq, record.kind, record.body) for record in records.after(0, batch=2)
    ]


def test_only_what_is_newer_comes_back(ledger: LedgerFile, records: Records) -> None:
    """A store that has taken in some records gets the others."""
    fill(ledger, "rrrr")
    assert [record.seq for record in records.after(2)] == [3, 4]


def test_a_key_is_put_once(ledger: LedgerFile, records: Records) -> None:
    """A second record of a key is refused with None, the first one stays, and no number is used up."""
    with ledger.transaction():
        assert records.put(Kind.MODEL, "m a 1", b"first") == 1
        assert records.put(Kind.MODEL, "m a 1", b"second") is None
        assert records.put(Kind.RAN, None, b"") == 2
    found = records.get("m a 1")
    assert found is not None
    assert found.body == b"first"


def test_an_unknown_key_has_no_record(records: Records) -> None:
    """Looking for a key that was never put gives None."""
    assert records.get("m a 1") is None


def test_an_empty_ledger_ends_at_zero(records: Records) -> None:
    """Before the first record the end is 0 with no tag."""
    assert records.last() == (0, "")


def test_tags_differ(ledger: LedgerFile, records: Records) -> None:
    """Every record has a tag of its own, 8 hex digits."""
    fill(ledger, "rrr")
    tags = {record.tag for record in records.after(0)}
    assert (len(tags), {len(tag) for tag in tags}) == (3, {8})


def test_reading_goes_on_with_what_is_added(ledger: LedgerFile, records: Records) -> None:
    """Records put while somebody reads are read too, and reading blocks nobody."""
    fill(ledger, "rr")
    seen = []
    for record in records.after(0, batch=1):
        seen.append(record.seq)
        if record.seq < 5:
            fill(ledger, "r")
    assert seen == [1, 2, 3, 4, 5, 6]


def test_pruning_keeps_what_was_not_given_free(ledger: LedgerFile, records: Records) -> None:
    """Nothing beyond the given number is touched."""
    fill(ledger, "irir")
    last = records.last()
    records.prune(2, slice_size=1)
    assert [(record.seq, record.body) for record in records.after(2)] == [(3, b"body"), (4, b"body")]
    assert (ledger.low, records.last()) == (2, last)


def test_a_pruned_input_is_still_known(ledger: LedgerFile, records: Records) -> None:
    """The key of an input outlives its body, so that a late repetition is recognised."""
    fill(ledger, "ir")
    records.prune(2)
    found = records.get("in e0")
    assert found is not None
    assert (found.seq, found.body) == (1, b"")
    with ledger.transaction():
        assert records.put(Kind.IN, "in e0", b"again") is None


def test_pruning_everything_keeps_the_end(ledger: LedgerFile, records: Records) -> None:
    """Number and tag of the last record outlive it, and numbers are never given twice."""
    fill(ledger, "rrr")
    last = records.last()
    records.prune(100, slice_size=2)
    assert (records.last(), ledger.low) == (last, 3)
    fill(ledger, "r")
    assert records.last()[0] == 4


def test_pruning_again_changes_nothing(ledger: LedgerFile, records: Records) -> None:
    """Pruning up to the same or an older number is harmless."""
    fill(ledger, "irr")
    records.prune(2)
    records.prune(2)
    records.prune(1)
    assert (ledger.low, [record.seq for record in records.after(2)]) == (2, [3])


def test_pruned_records_cannot_be_read(ledger: LedgerFile, records: Records) -> None:
    """Reading from inside the pruned part is an error, not a gap."""
    fill(ledger, "rrr")
    records.prune(2)
    with pytest.raises(LedgerError, match="up to 2 were pruned"):
        next(records.after(1))


PRUNE = """
import sys
from pathlib import Path
from statek.ledger.file import LedgerFile
from statek.ledger.records import Records
file = LedgerFile.open(Path(sys.argv[1]))
print("ready", flush=True)
Records(file).prune(3000, slice_size=5)
"""


def test_a_kill_inside_pruning_leaves_a_whole_ledger(ledger: LedgerFile, records: Records) -> None:
    """Killed at any slice, `low` fits what is there, and pruning can go on."""
    fill(ledger, "ir" * 1500)
    child = subprocess.Popen(
        [sys.executable, "-c", PRUNE, str(ledger.path)], cwd=Path(__file__).parents[2], stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    child.stdout.readline()
    while ledger.low < 50 and child.poll() is None:
        pass
    os.kill(child.pid, signal.SIGKILL)
    child.communicate(timeout=20)
    assert [record.seq for record in records.after(ledger.low)] == list(range(ledger.low + 1, 3001))
    records.prune(3000)
    assert ledger.low == 3000


def test_keys_differ_by_what_they_name() -> None:
    """Every kind has its own key form, as the documents give it."""
    assert [
        intent_key("j-1", 2, 3, "ab", 0), result_key("j-1", 2, 3, "ab", 0), model_key("j-1", 2), said_key("j-1", 1)
    ] == ["i j-1 2 3 ab 0", "r j-1 2 3 ab 0", "m j-1 2", "s j-1 1"]  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(JSON)
def test_packed_data_comes_back(data: object) -> None:
    """JSON data survives packing."""
    assert unpack(pack(data)) == data


def test_lone_surrogates_come_back() -> None:
    """Text that is not valid Unicode, as models send it, is kept as it is."""
    assert unpack(pack({"a": "\ud800 ż \ude00"})) == {"a": "\ud800 ż \ude00"}


@pytest.mark.parametrize("data", [float("nan"), float("inf"), {1, 2}, b"x"])
def test_what_is_not_json_is_not_packed(data: object) -> None:
    """Other data is an error, never turned into something else."""
    with pytest.raises((TypeError, ValueError)):
        pack(data)
