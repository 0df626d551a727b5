"""Backups and the way back, with real files; kills inside the swap."""

import os
import shutil
from pathlib import Path

import pytest

from statek.base.clock import SystemClock
from statek.base.guarded_file import Mark, mark_path, pre_image_path
from statek.exceptions import LedgerError, StoreError
from statek.ledger.file import LedgerFile
from statek.ledger.records import Kind, Records
from statek.store.session import Store
from statek.worker import places
from statek.worker.backup import make_backup
from statek.worker.lock import take
from statek.worker.paused import Paused, find_pause
from statek.worker.recovery import open_ledger
from statek.worker.restore import is_cut, read_manifest, restore
from statek.worker.supervisor import WorkOptions, run_worker
from tests.commands import run_module


@pytest.fixture
def filled(store: Path, ledger: LedgerFile) -> Path:
    """A store at record 2 beside its ledger, closed."""
    add(ledger, 2)
    with Store.open(store, ledger.store_id) as opened:
        opened.root.seq, opened.root.seq_tag = Records(ledger).last()
        opened.commit()
    ledger.close()
    with Mark(places.mark_file(store)) as mark:
        mark.set_clean_end(True)
    return store


def add(ledger: LedgerFile, count: int) -> None:
    """Add records."""
    with ledger.transaction():
        for _ in range(count):
            Records(ledger).put(Kind.RAN, None, b"[]")


def back_up(store: Path, name: str = "backup.tar") -> Path:
    """Make a backup outside of the project."""
    target = store.parents[3] / name
    with take(store, "worker"):
        pass  # nobody has it
    make_backup(store, target, python_path=(), clock=SystemClock())
    return target


def go_on(store: Path) -> None:
    """What happens after the backup: more records, and files that belong to the store as it is now."""
    with LedgerFile.open(places.ledger_file(store)) as ledger:
        add(ledger, 3)
    pre_image_path(places.store_file(store)).write_bytes(b"old")
    (store / "copies").mkdir(exist_ok=True)
    (store / "copies" / "5.ok").write_bytes(b"old")


def last(store: Path) -> int:
    """Number of the last record."""
    with LedgerFile.open(places.ledger_file(store)) as ledger:
        return Records(ledger).last()[0]


@pytest.mark.parametrize("name", ["backup.tar", "backup"])
def test_a_backup_comes_back(filled: Path, name: str) -> None:
    """The pair of the backup is in place, nothing old lies beside it, all of that is moved aside, and work waits."""
    target = back_up(filled, name)
    go_on(filled)
    done = restore(filled, target, clock=SystemClock(), force=False)
    assert last(filled) == 2
    assert not (filled / "copies").exists()
    assert not pre_image_path(places.store_file(filled)).exists()
    assert done.aside is not None
    assert {"statek.db0", "statek.db0.pre", "ledger.sqlite", "copies"} <= {path.name for path in done.aside.iterdir()}
    assert last(done.aside) == 5
    pause = find_pause(filled)
    assert pause is not None
    assert (pause.last, pause.backup_us) == (2, read_manifest(target).made_us)
    with Store.open(filled, read_manifest(target).store_id) as opened:
        assert opened.root.seq == 2


def test_a_backup_goes_to_an_empty_place(filled: Path, tmp_path: Path) -> None:
    """On another machine there is nothing to move aside."""
    target = back_up(filled)
    assert restore(tmp_path / "elsewhere", target, clock=SystemClock(), force=False).aside is None
    assert last(tmp_path / "elsewhere") == 2


def test_a_backup_before_any_work_holds_the_ledger_alone(store: Path, ledger: LedgerFile) -> None:
    """Inputs that nobody took in yet are in it."""
    ledger.close()
    target = back_up(store)
    assert list(read_manifest(target).files) == ["ledger.sqlite"]
    restore(store, target, clock=SystemClock(), force=False)
    assert not places.store_file(store).exists()


def test_a_backup_overwrites_nothing(filled: Path, tmp_path: Path) -> None:
    """The target must be new."""
    (tmp_path / "there").mkdir()
    with pytest.raises(StoreError, match="there already"):
        make_backup(filled, tmp_path / "there", python_path=(), clock=SystemClock())


@pytest.mark.parametrize("name", ["statek.db0", "ledger.sqlite"])
def test_a_changed_backup_is_refused(filled: Path, name: str) -> None:
    """One byte is enough; what is there stays."""
    target = back_up(filled, "backup")
    content = bytearray((target / name).read_bytes())
    content[len(content) // 2] ^= 1
    (target / name).write_bytes(content)
    with pytest.raises(StoreError, match=f"{name} in the backup .* is not what was written"):
        restore(filled, target, clock=SystemClock(), force=False)
    assert last(filled) == 2
    assert find_pause(filled) is None


def test_a_cut_tar_is_refused(filled: Path) -> None:
    """Half a file is no backup."""
    target = back_up(filled)
    os.truncate(target, 100_000)
    with pytest.raises(StoreError, match=r"not whole|no backup|not what was written"):
        restore(filled, target, clock=SystemClock(), force=False)
    assert last(filled) == 2


def test_a_backup_of_another_store_needs_force(filled: Path, tmp_path: Path) -> None:
    """Nobody overwrites one project's store with another's by a slip."""
    target = back_up(filled)
    other = tmp_path / "other"
    other.mkdir()
    LedgerFile.create(places.ledger_file(other)).close()
    with pytest.raises(StoreError, match="of another store") as raised:
        restore(other, target, clock=SystemClock(), force=False)
    assert "--force" in raised.value.hint
    restore(other, target, clock=SystemClock(), force=True)
    assert last(other) == 2


def test_a_restore_is_refused_while_a_worker_runs(filled: Path) -> None:
    """Its lock is not broken."""
    target = back_up(filled)
    with take(filled, "worker"), pytest.raises(StoreError, match="another worker"):
        restore(filled, target, clock=SystemClock(), force=True)


def test_a_damaged_ledger_is_no_obstacle(filled: Path) -> None:
    """The files that a backup is needed for are moved aside as they are."""
    target = back_up(filled)
    places.ledger_file(filled).write_bytes(b"rubbish" * 1000)
    restore(filled, target, clock=SystemClock(), force=False)
    assert last(filled) == 2


@pytest.mark.parametrize("at", range(2, 16))
def test_a_restore_that_was_cut_is_not_noticed_or_finished(filled: Path, at: int) -> None:
    """Killed between any two changes of files: the old pair is there whole, or the next worker finishes the restore."""
    target = back_up(filled)
    go_on(filled)
    (filled / ".restore").mkdir(exist_ok=True)  # of an earlier one
    ended = run_module("tests.worker.cut", [str(filled), str(target), str(at)], cwd=filled, env=os.environ).code
    if is_cut(filled):
        with pytest.raises(StoreError, match="was cut off"):
            open_ledger(filled)
        options = WorkOptions(filled.parents[2], "dev", filled, until_idle=True, watch=False, max_concurrency=None)
        with pytest.raises(Paused):
            run_worker(options, print)
    assert last(filled) in ({5, 2} if ended else {2})
    if last(filled) == 2:
        assert find_pause(filled) is not None
        assert not (filled / "copies").exists()
        assert not mark_path(places.store_file(filled)).exists()
        (aside,) = (filled / "set-aside").iterdir()
        assert last(aside) == 5
    else:
        assert (filled / "copies" / "5.ok").exists()
    assert not is_cut(filled)
    assert places.store_file(filled).exists()


def test_a_store_with_the_ledger_of_an_older_time_is_refused(filled: Path, tmp_path: Path) -> None:
    """Two files copied by hand at different times, the ledger first: the child would refuse them, a backup does too."""
    shutil.copy(places.ledger_file(filled), tmp_path / "old.sqlite")
    with LedgerFile.open(places.ledger_file(filled)) as ledger:
        add(ledger, 3)
        with Store.open(filled, ledger.store_id) as opened:
            opened.root.seq, opened.root.seq_tag = Records(ledger).last()
            opened.commit()
    shutil.copy(tmp_path / "old.sqlite", places.ledger_file(filled))
    with pytest.raises((LedgerError, StoreError), match=r"it is older|could not be recovered"):
        back_up(filled)


def test_whoever_has_the_ledger_open_is_not_told_that_an_input_is_kept(filled: Path) -> None:
    """A ledger that was opened before the restore takes nothing any more: it lies aside, where nobody reads."""
    target = back_up(filled)
    with LedgerFile.open(places.ledger_file(filled)) as before:
        restore(filled, target, clock=SystemClock(), force=False)
        with pytest.raises(LedgerError, match="was moved away"):
            add(before, 1)
