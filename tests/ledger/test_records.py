"""The order of records, and their keys."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
