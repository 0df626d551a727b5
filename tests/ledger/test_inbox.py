"""Appending inputs, and taking them in once."""

import subprocess
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path

import pytest

from statek.exceptions import LedgerError
from statek.ledger import inbox
from statek.ledger.file import LedgerFile
from statek.ledger.inbox import InputKind, NewEntry, NoLongerWaiting
from statek.ledger.pruning import prune
from statek.ledger.records import Records

ROOT = Path(__file__).parents[2]


def entry(entry_id: str, kind: str = InputKind.SUBMIT, target: str | None = "triage") -> NewEntry:
    """An input as a client makes it."""
    return NewEntry(entry_id, kind, target, {"inputs": {"n": entry_id}}, 1000)


def take_all(ledger: LedgerFile) -> list[int]:
    """Take everything in, as a pass does."""
    with ledger.transaction():
        return [inbox.take(ledger, Records(ledger), one) for one in inbox.waiting(ledger)]


def fail_after(ledger: LedgerFile, act: Callable[[], object]) -> None:
    """Do something in a transaction that then fails."""
    with ledger.transaction():
        act()
        raise ZeroDivisionError


def ids(entries: list[inbox.Entry]) -> list[str]:
    """Their ids."""
    return [one.id for one in entries]


def test_an_appended_entry_waits_as_it_was_given(ledger: LedgerFile) -> None:
    """What was appended waits, unchanged, with its place."""
    assert inbox.append(ledger, [entry("a")]) == [True]
    assert inbox.waiting(ledger) == [inbox.Entry(1, "a", "submit", "triage", {"inputs": {"n": "a"}}, 1000)]


def test_a_repeated_id_is_appended_once(ledger: LedgerFile) -> None:
    """An id that waits is acknowledged again and not appended again, in one call or two."""
    assert inbox.append(ledger, [entry("a"), entry("a"), entry("b")]) == [True, False, True]
    assert inbox.append(ledger, [entry("b"), entry("c")]) == [False, True]
    assert ids(inbox.waiting(ledger)) == ["a", "b", "c"]


def test_an_id_that_was_taken_in_is_not_appended_again(ledger: LedgerFile) -> None:
    """An id stays known after it has left the inbox."""
    inbox.append(ledger, [entry("a")])
    take_all(ledger)
    assert inbox.append(ledger, [entry("a")]) == [False]
    assert inbox.waiting(ledger) == []


def test_an_id_that_was_pruned_is_not_appended_again(ledger: LedgerFile) -> None:
    """An id stays known after its record has lost its body."""
    inbox.append(ledger, [entry("a")])
    take_all(ledger)
    deque(prune(ledger, 1, at_us=0, keys_kept_us=1), maxlen=0)
    assert inbox.append(ledger, [entry("a")]) == [False]


def test_entries_are_found_by_kind_and_target(ledger: LedgerFile) -> None:
    """Kinds and target narrow what is given, in the order of arrival."""
    inbox.append(ledger, [entry("a"), entry("b", "item", "q"), entry("c", "item", "r"), entry("d", "push", "q")])
    assert ids(inbox.waiting(ledger, kinds=["item", "submit"])) == ["a", "b", "c"]
    assert ids(inbox.waiting(ledger, target="q")) == ["b", "d"]
    assert ids(inbox.waiting(ledger, kinds={"item"}, target="q")) == ["b"]
    assert ids(inbox.waiting(ledger, kinds=[])) == []


def test_entries_are_given_in_pages(ledger: LedgerFile) -> None:
    """A limit gives the oldest; the next page begins after the last one seen."""
    inbox.append(ledger, [entry(str(n)) for n in range(5)])
    page = inbox.waiting(ledger, limit=3)
    assert ids(page) == ["0", "1", "2"]
    assert ids(inbox.waiting(ledger, after=page[-1].n, limit=3)) == ["3", "4"]


def test_depths_count_what_waits(ledger: LedgerFile) -> None:
    """Depth is per kind and target."""
    inbox.append(ledger, [entry("a", "item", "q"), entry("b", "item", "q"), entry("c", "item", "r"), entry("d")])
    assert inbox.depths(ledger, "item") == {"q": 2, "r": 1}
    assert [inbox.depth(ledger, "item", "q"), inbox.depth(ledger, "item"), inbox.depth(ledger, "item", "s")] == [
        2,
        3,
        0,
    ]


def test_taking_moves_an_entry_to_the_records(ledger: LedgerFile) -> None:
    """A taken entry is a record from which it can be read back, and does not wait any more."""
    inbox.append(ledger, [entry("a")])
    assert take_all(ledger) == [1]
    record = Records(ledger).get("in a")
    assert record is not None
    assert inbox.taken(record) == inbox.Entry(1, "a", "submit", "triage", {"inputs": {"n": "a"}}, 1000)
    assert inbox.find(ledger, "a") is None


def test_what_was_decided_can_be_recorded(ledger: LedgerFile) -> None:
    """The worker may record a body of its own, and keeps id, kind and target."""
    inbox.append(ledger, [entry("a")])
    with ledger.transaction():
        inbox.take(ledger, Records(ledger), inbox.waiting(ledger)[0], {"refused": "no such agent"})
    record = Records(ledger).get("in a")
    assert record is not None
    assert (inbox.taken(record).body, inbox.taken(record).target) == ({"refused": "no such agent"}, "triage")


def test_a_pruned_input_cannot_be_read_back(ledger: LedgerFile) -> None:
    """An input without its body is an error, not an empty input."""
    inbox.append(ledger, [entry("a")])
    take_all(ledger)
    deque(prune(ledger, 1, at_us=0, keys_kept_us=1), maxlen=0)
    record = Records(ledger).get("in a")
    assert record is not None
    with pytest.raises(LedgerError, match="was pruned"):
        inbox.taken(record)


def test_taking_is_undone_with_its_pass(ledger: LedgerFile) -> None:
    """When the pass fails, the entry waits again."""
    inbox.append(ledger, [entry("a")])
    with pytest.raises(ZeroDivisionError):
        fail_after(ledger, lambda: inbox.take(ledger, Records(ledger), inbox.waiting(ledger)[0]))
    assert (ids(inbox.waiting(ledger)), Records(ledger).get("in a")) == (["a"], None)


def test_a_dropped_entry_cannot_be_taken(ledger: LedgerFile) -> None:
    """An entry that left after it was read is noticed, and the pass can go on."""
    inbox.append(ledger, [entry("a", "item", "q"), entry("b", "item", "q")])
    first, second = inbox.waiting(ledger)
    inbox.drop_oldest(ledger, "q", 1)
    with ledger.transaction():
        with pytest.raises(NoLongerWaiting):
            inbox.take(ledger, Records(ledger), first)
        inbox.take(ledger, Records(ledger), second)
    assert (Records(ledger).get("in a"), Records(ledger).last()[0]) == (None, 1)


def test_the_oldest_items_are_dropped(ledger: LedgerFile) -> None:
    """Making room takes the oldest items of that queue only, and names them."""
    inbox.append(
        ledger, [entry("a", "item", "r"), entry("b", "item", "q"), entry("c", "item", "q"), entry("d", "push", "q")]
    )
    assert ids(inbox.drop_oldest(ledger, "q", 1)) == ["b"]
    assert ids(inbox.waiting(ledger)) == ["a", "c", "d"]
    assert inbox.drop_oldest(ledger, "q", 0) == []


def test_room_is_made_in_written_together(ledger: LedgerFile) -> None:
    """Counting, dropping and appending are one act when done in one transaction."""
    inbox.append(ledger, [entry("a", "item", "q")])

    def make_room() -> None:
        inbox.drop_oldest(ledger, "q", 1)
        inbox.append(ledger, [entry("b", "item", "q")])

    with pytest.raises(ZeroDivisionError):
        fail_after(ledger, make_room)
    assert ids(inbox.waiting(ledger)) == ["a"]


def test_the_ids_of_releases_are_kept_free(ledger: LedgerFile) -> None:
    """A client cannot take the id that a move of head will need."""
    with pytest.raises(LedgerError, match="kept for moves of head"):
        inbox.append(ledger, [entry("a"), entry("release 1")])
    assert inbox.waiting(ledger) == []


APPEND = """
import sys
from pathlib import Path
from statek.ledger import inbox
from statek.ledger.file import LedgerFile
path, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
with LedgerFile.open(path) as file:
    for n in range(count):
        for entry_id in (f"{name}-{n}", f"shared-{n}"):
            new, = inbox.append(file, [inbox.NewEntry(entry_id, "submit", "a", {}, 0)])
            print(entry_id, new, flush=True)
"""


def appender(ledger: LedgerFile, name: str, count: int) -> "subprocess.Popen[str]":
    """A process that appends and prints each id after it was acknowledged."""
    command = [sys.executable, "-c", APPEND, str(ledger.path), name, str(count)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_two_processes_append_at_once(ledger: LedgerFile) -> None:
    """Nothing of either is lost, and an id that both send is new to exactly one of them."""
    children = [appender(ledger, name, 100) for name in ("x", "y")]
    lines = [line.split() for child in children for line in child.communicate(timeout=60)[0].splitlines()]
    new = sorted(entry_id for entry_id, is_new in lines if is_new == "True")
    assert len(lines) == 400
    assert new == sorted(f"{name}-{n}" for name in ("x", "y", "shared") for n in range(100))
    assert sorted(ids(inbox.waiting(ledger))) == new


def test_what_was_acknowledged_survives_a_kill(ledger: LedgerFile) -> None:
    """A process killed between two appends leaves all that it was told was taken, and at most one more."""
    with appender(ledger, "x", 100_000) as child:
        assert child.stdout is not None
        acknowledged = [child.stdout.readline().split()[0] for _ in range(60)]
        child.kill()
        rest = child.stdout.read()  # `communicate` would leave out what is buffered here
    acknowledged += [line.split()[0] for line in rest.splitlines() if line.endswith("True")]
    waiting = ids(inbox.waiting(ledger, limit=1_000_000))
    assert waiting[: len(acknowledged)] == acknowledged
    assert len(waiting) - len(acknowledged) in {0, 1}
