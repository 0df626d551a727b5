"""Making copies of an open store, and pruning behind the oldest."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from statek.base.clock import SystemClock
from statek.base.rotation import copies_folder, kept_copies
from statek.exceptions import StoreError
from statek.ledger.file import LedgerFile
from statek.ledger.records import Kind, Records
from statek.store.session import Store
from statek.worker import places
from statek.worker.copying import Copying, Last, Moment, Rhythm, copy_to, is_due
from statek.worker.probing import Probing

FAILS = Probing(command=(sys.executable, "-c", "print('ready')\nraise SystemExit(3)"))
RHYTHM = Rhythm(300.0, 2, 1)
LAST = Last(Moment(7, "r-1"), ended=1000.0, took=1.0)


class OneStore:
    """A real store that takes in the ledger by writing its last number down."""

    def __init__(self, store: Store, ledger: LedgerFile) -> None:
        self.store = store
        self.records = Records(ledger)
        self.is_good_moment = True

    def moment(self) -> Moment:
        """What the store is at."""
        return Moment(self.records.last()[0], "r-1")

    def commit(self) -> Moment | None:
        """Write it."""
        if not self.is_good_moment:
            return None
        self.store.root.seq, self.store.root.seq_tag = self.records.last()
        self.store.root.jobs.append([self.store.root.seq])
        self.store.commit()
        return self.moment()


@pytest.fixture
def one(store: Path, ledger: LedgerFile) -> Iterator[OneStore]:
    """An open store beside the ledger."""
    with Store.open(store, ledger.store_id) as opened:
        yield OneStore(opened, ledger)


def copying(one: OneStore, ledger: LedgerFile, how: Probing | None = None) -> Copying:
    """Its copying, not running."""
    file = one.store.file
    assert file is not None
    return Copying(file, one, ledger, SystemClock(), RHYTHM, print, how=how or Probing())


def add(ledger: LedgerFile, count: int) -> None:
    """Add records."""
    with ledger.transaction():
        for _ in range(count):
            Records(ledger).put(Kind.RAN, None, b"[]")


@pytest.mark.parametrize(
    ("now", "moment", "wanted", "due"),
    [
        (1299.0, Moment(8, "r-1"), False, False),
        (1300.0, Moment(8, "r-1"), False, True),
        (9999.0, Moment(7, "r-1"), False, False),  # nothing has changed
        (1009.0, Moment(8, "r-2"), False, False),
        (1010.0, Moment(8, "r-2"), False, True),  # another release
        (1000.0, Moment(7, "r-1"), True, True),
    ],
)
def test_a_copy_is_due_after_its_time_or_when_it_is_wanted(now: float, moment: Moment, wanted: bool, due: bool) -> None:
    """Every five minutes if something changed; soon after another release; at once when it is wanted."""
    assert is_due(now, LAST, moment, RHYTHM, wanted=wanted) is due


def test_copies_that_take_long_are_made_seldom() -> None:
    """A store whose copy takes two minutes is not copied all the time."""
    last = Last(Moment(7, "r-1"), ended=1000.0, took=120.0)
    assert not is_due(1400.0, last, Moment(8, "r-1"), RHYTHM, wanted=False)
    assert is_due(1480.0, last, Moment(8, "r-1"), RHYTHM, wanted=False)


def test_a_copy_is_proved_and_named_after_its_record(one: OneStore, ledger: LedgerFile) -> None:
    """What lies in the folder afterwards is the copy and nothing else."""
    add(ledger, 3)
    assert asyncio.run(copying(one, ledger).copy())
    (kept,) = kept_copies(places.store_file(ledger.path.parent))
    assert [path.name for path in copies_folder(places.store_file(ledger.path.parent)).iterdir()] == ["3.ok"]
    assert (kept.seq, kept.size) == (3, places.store_file(ledger.path.parent).stat().st_size)


def test_a_copy_that_fails_its_check_is_none(one: OneStore, ledger: LedgerFile) -> None:
    """It is not named, and leaves nothing behind."""
    add(ledger, 3)
    with pytest.raises(StoreError, match="exit code 3"):
        asyncio.run(copying(one, ledger, FAILS).copy())
    assert list(copies_folder(places.store_file(ledger.path.parent)).iterdir()) == []


def test_the_ledger_is_pruned_up_to_the_oldest_of_a_full_set(one: OneStore, ledger: LedgerFile) -> None:
    """With one copy of two nothing is pruned; then never beyond the oldest that is kept."""
    makes, low = copying(one, ledger), []

    async def make_three() -> None:
        for _ in range(3):
            add(ledger, 10)
            await makes.copy()
            await makes.prune()
            low.append(ledger.low)

    asyncio.run(make_three())
    assert low == [0, 10, 20]
    assert [copy.seq for copy in kept_copies(places.store_file(ledger.path.parent))] == [30, 20]


def test_a_moment_that_is_not_good_is_passed_over(one: OneStore, ledger: LedgerFile) -> None:
    """What is known in memory alone cannot be copied."""
    one.is_good_moment = False
    assert not asyncio.run(copying(one, ledger).copy())
    assert not copies_folder(places.store_file(ledger.path.parent)).exists()


def test_a_copy_for_somebody_overwrites_nothing(one: OneStore, ledger: LedgerFile, tmp_path: Path) -> None:
    """The target of a backup must be a new file."""
    add(ledger, 3)
    file = places.store_file(ledger.path.parent)
    assert asyncio.run(copy_to(tmp_path / "new", file, one, ledger.store_id)) == 3
    assert (tmp_path / "new").read_bytes() == file.read_bytes()
    with pytest.raises(StoreError, match="there already"):
        asyncio.run(copy_to(tmp_path / "new", file, one, ledger.store_id))
