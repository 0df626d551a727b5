"""Pruning the ledger: what goes, what stays, and a kill in the middle of it."""

import subprocess
import sys
from collections import deque
from pathlib import Path

import pytest

from statek.exceptions import LedgerError
from statek.ledger.file import LedgerFile
from statek.ledger.pruning import prune, pruned
from statek.ledger.records import Kind, Records

DAY = 86_400_000_000


@pytest.fixture
def records(ledger: LedgerFile) -> Records:
    """The records of a new ledger."""
    return Records(ledger)


def fill(ledger: LedgerFile, kinds: str) -> None:
    """Add a record per letter: i an input, r a pass."""
    records = Records(ledger)
    with ledger.transaction():
        for n, kind in enumerate(kinds):
            is_input = kind == "i"
            records.put(Kind.IN if is_input else Kind.RAN, f"in e{n}" if is_input else None, b"body")


def put(ledger: LedgerFile, *keys: str) -> int:
    """Add a record for each key, of the kind that its letter names; number of the last."""
    kinds = {"in": Kind.IN, "i": Kind.INTENT, "r": Kind.RESULT, "m": Kind.MODEL, "s": Kind.SAID}
    records = Records(ledger)
    with ledger.transaction():
        for key in keys:
            records.put(kinds[key.partition(" ")[0]], key, b"body")
    return records.last()[0]


def prune_all(ledger: LedgerFile, upto: int, *, at_us: int = 0, slice_size: int = 2000) -> None:
    """Prune to the end; keys stay for 30 days."""
    deque(prune(ledger, upto, at_us=at_us, keys_kept_us=30 * DAY, slice_size=slice_size), maxlen=0)


def known(ledger: LedgerFile, *keys: str) -> list[str]:
    """Those of the keys that the ledger still has."""
    return [key for key in keys if Records(ledger).get(key) is not None]


def test_pruning_keeps_what_was_not_given_free(ledger: LedgerFile, records: Records) -> None:
    """Nothing beyond the given number is touched."""
    fill(ledger, "irir")
    last = records.last()
    prune_all(ledger, 2, slice_size=1)
    assert [(record.seq, record.body) for record in records.after(2)] == [(3, b"body"), (4, b"body")]
    assert (ledger.low, records.last()) == (2, last)


def test_a_pruned_input_is_still_known(ledger: LedgerFile, records: Records) -> None:
    """The key of an input outlives its body, so that a late repetition is recognised."""
    fill(ledger, "ir")
    prune_all(ledger, 2)
    found = records.get("in e0")
    assert found is not None
    assert (found.seq, found.body) == (1, b"")
    with ledger.transaction():
        assert records.put(Kind.IN, "in e0", b"again") is None


def test_pruning_everything_keeps_the_end(ledger: LedgerFile, records: Records) -> None:
    """Number and tag of the last record outlive it, and numbers are never given twice."""
    fill(ledger, "rrr")
    last = records.last()
    prune_all(ledger, 100, slice_size=2)
    assert (records.last(), ledger.low) == (last, 3)
    fill(ledger, "r")
    assert records.last()[0] == 4


def test_pruning_again_changes_nothing(ledger: LedgerFile, records: Records) -> None:
    """Pruning up to the same or an older number is harmless."""
    fill(ledger, "irr")
    prune_all(ledger, 2)
    prune_all(ledger, 2)
    prune_all(ledger, 1)
    assert (ledger.low, [record.seq for record in records.after(2)]) == (2, [3])


def test_pruned_records_cannot_be_read(ledger: LedgerFile, records: Records) -> None:
    """Reading from inside the pruned part is an error, not a gap."""
    fill(ledger, "rrr")
    prune_all(ledger, 2)
    with pytest.raises(LedgerError, match="up to 2 were pruned"):
        next(records.after(1))


PRUNE = """
import sys
from pathlib import Path
from statek.ledger.file import LedgerFile
from statek.ledger.pruning import prune
file = LedgerFile.open(Path(sys.argv[1]))
print("ready", flush=True)
for _ in prune(file, 3000, at_us=0, keys_kept_us=1, slice_size=5):
    pass
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
    child.kill()  # it may have come to its end
    child.communicate(timeout=60)
    assert [record.seq for record in records.after(ledger.low)] == list(range(ledger.low + 1, 3001))
    prune_all(ledger, 3000)
    assert ledger.low == 3000


CALL = ("i a/1 2 3 post.ab 0", "r a/1 2 3 post.ab 0")


@pytest.mark.parametrize("slice_size", [1, 2, 100])
def test_calls_of_a_job_in_progress_stay(ledger: LedgerFile, slice_size: int) -> None:
    """A job that has not ended runs its statement again after a restart: its answer and calls must be found."""
    keys = ("m a/1 2", *CALL)
    prune_all(ledger, put(ledger, *keys), slice_size=slice_size)
    assert known(ledger, *keys) == list(keys)
    assert pruned(ledger).held == 3


@pytest.mark.parametrize("slice_size", [1, 2, 100])
def test_calls_go_when_their_job_has_ended(ledger: LedgerFile, slice_size: int) -> None:
    """The end of a job gives its calls free, in the same pruning or in a later one; what clients read stays."""
    prune_all(ledger, put(ledger, "m a/1 2", *CALL), slice_size=slice_size)
    prune_all(ledger, put(ledger, "m a/1 3", "s a/1 0"), slice_size=slice_size)
    assert known(ledger, "m a/1 2", *CALL, "m a/1 3", "s a/1 0") == ["s a/1 0"]
    assert (pruned(ledger).held, pruned(ledger).removed) == (0, 4)


@pytest.mark.parametrize("slice_size", [1, 2, 100])
def test_calls_go_when_their_job_has_answered_a_later_turn(ledger: LedgerFile, slice_size: int) -> None:
    """A job that never ends does not keep everything it ever did."""
    last = put(ledger, "m a/1 2", *CALL, "m a/1 3", "r a/1 3 0 post.cd 0", "m b/1 1")
    prune_all(ledger, last, slice_size=slice_size)
    assert known(ledger, "m a/1 2", *CALL) == []
    assert known(ledger, "m a/1 3", "r a/1 3 0 post.cd 0", "m b/1 1") == ["m a/1 3", "r a/1 3 0 post.cd 0", "m b/1 1"]


def test_calls_of_a_job_that_was_brought_back_stay(ledger: LedgerFile) -> None:
    """What a job did after its first end belongs to its second life."""
    prune_all(ledger, put(ledger, "m a/1 2", "s a/1 0", "m a/1 3", "r a/1 3 0 post.cd 0"))
    assert known(ledger, "m a/1 2", "m a/1 3", "r a/1 3 0 post.cd 0") == ["m a/1 3", "r a/1 3 0 post.cd 0"]


def test_an_intent_of_another_kind_goes(ledger: LedgerFile) -> None:
    """Only calls of statements are asked for again."""
    with ledger.transaction():
        Records(ledger).put(Kind.INTENT, "h a/1 0", b"{}")
    prune_all(ledger, 1)
    assert known(ledger, "h a/1 0") == []


def test_an_end_beyond_the_oldest_copy_gives_nothing_free(ledger: LedgerFile) -> None:
    """In the oldest copy the job is still at work, whatever it has done since."""
    upto = put(ledger, "m a/1 2", *CALL)
    put(ledger, "s a/1 0")
    prune_all(ledger, upto)
    assert known(ledger, *CALL) == list(CALL)


def test_keys_go_after_their_time_but_those_of_queue_items(ledger: LedgerFile) -> None:
    """Thirty days after it was pruned an input may be forgotten; a queue remembers its items for ever."""
    keys = ("in a/1", "in push a/1 x", "in q:7", "s a/1 0", "s q:7 0")
    prune_all(ledger, put(ledger, *keys))
    prune_all(ledger, put(ledger, "in a/2"), at_us=20 * DAY)
    assert known(ledger, *keys) == list(keys)
    prune_all(ledger, 0, at_us=31 * DAY, slice_size=2)
    assert known(ledger, *keys, "in a/2") == ["in q:7", "s q:7 0", "in a/2"]
    prune_all(ledger, 0, at_us=51 * DAY)
    assert known(ledger, "in a/2") == []


def test_what_was_never_pruned_says_so(ledger: LedgerFile) -> None:
    """Without pruning there is nothing to tell, and no table is made for it."""
    assert (pruned(ledger).low, pruned(ledger).removed, pruned(ledger).held) == (0, 0, 0)
