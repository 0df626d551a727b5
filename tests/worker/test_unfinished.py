"""What a killed backup leaves behind, and what it must not lose."""

import subprocess
import sys
from pathlib import Path

import pytest

from statek.base.clock import SystemClock
from statek.base.guarded_file import Mark
from statek.ledger.file import LedgerFile
from statek.store.session import Store
from statek.worker import places
from statek.worker.backup import make_backup
from statek.worker.restore import read_manifest, restore
from statek.worker.unfinished import clear_unfinished
from tests.commands import REPO


@pytest.fixture
def filled(store: Path, ledger: LedgerFile) -> Path:
    """A store beside its ledger, closed."""
    Store.open(store, ledger.store_id).close()
    ledger.close()
    with Mark(places.mark_file(store)) as mark:
        mark.set_clean_end(True)
    return store


def begin(store: Path, target: Path, how: str) -> subprocess.Popen[str]:
    """A backup that stops in the middle."""
    command = [sys.executable, "-m", "tests.worker.backing", str(store), str(target), how]
    return subprocess.Popen(command, cwd=REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def kill_one(store: Path, target: Path) -> None:
    """Begin a backup and have it killed; its part is left."""
    with begin(store, target, "die") as process:
        process.wait(60)
    assert [path.suffix for path in target.parent.iterdir() if path.name.startswith(".")] == [".part"]


@pytest.mark.parametrize("name", ["one.tar", "one"])
def test_the_next_backup_clears_what_a_killed_one_left(filled: Path, tmp_path: Path, name: str) -> None:
    """It need not have the same name."""
    place = tmp_path / "backups"
    kill_one(filled, place / name)
    make_backup(filled, place / "two.tar", python_path=(), clock=SystemClock())
    assert [path.name for path in place.iterdir()] == ["two.tar"]


def test_a_restore_clears_it_too(filled: Path, tmp_path: Path) -> None:
    """So it does with what lies beside the backup."""
    place = tmp_path / "backups"
    make_backup(filled, place / "two.tar", python_path=(), clock=SystemClock())
    kill_one(filled, place / "one.tar")
    restore(filled, place / "two.tar", clock=SystemClock(), force=False)
    assert [path.name for path in place.iterdir()] == ["two.tar"]


def test_a_backup_that_is_being_made_is_left_alone(filled: Path, tmp_path: Path) -> None:
    """Another one into the same folder does not disturb it."""
    place = tmp_path / "backups"
    with begin(filled, place / "one", "wait") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        clear_unfinished(place)
        make_backup(filled, place / "two", python_path=(), clock=SystemClock())
        process.communicate("\n", timeout=60)
    assert process.returncode == 0
    assert read_manifest(place / "one").store_id == read_manifest(place / "two").store_id


def test_folders_of_others_are_left_alone(tmp_path: Path) -> None:
    """A folder of such a name that holds anything else is nobody's backup."""
    (tmp_path / ".film.7.part").mkdir()
    (tmp_path / ".film.7.part" / "film.mp4").touch()
    clear_unfinished(tmp_path)
    assert (tmp_path / ".film.7.part" / "film.mp4").exists()
