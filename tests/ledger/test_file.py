"""Opening, pairing and changing the ledger file."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from statek.exceptions import BugError, LedgerError
from statek.ledger.file import LedgerFile
from statek.ledger.pruning import prune
from statek.ledger.records import Kind, Records

ROOT = Path(__file__).parents[2]
BIG = b"x" * 10_000


def put(ledger: LedgerFile, count: int = 1) -> tuple[int, str]:
    """Add records; number and tag of the last."""
    records = Records(ledger)
    with ledger.transaction():
        for _ in range(count):
            records.put(Kind.RAN, None, b"{}")
    return records.last()


def prune_all(ledger: LedgerFile, upto: int) -> None:
    """Prune to the end."""
    deque(prune(ledger, upto, at_us=0, keys_kept_us=1), maxlen=0)


def fail_after(ledger: LedgerFile, act: Callable[[], object]) -> None:
    """Do something in a transaction that then fails."""
    with ledger.transaction():
        act()
        raise ZeroDivisionError


def open_names(folder: Path) -> list[str]:
    """Names in the folder that do not belong to an open ledger."""
    return sorted(file.name for file in folder.iterdir() if not file.name.startswith("ledger.sqlite-"))


def test_creating_again_opens_what_is_there(ledger: LedgerFile) -> None:
    """A ledger that exists keeps its store id when it is created again."""
    with LedgerFile.create(ledger.path) as again:
        assert again.store_id == ledger.store_id


def test_two_ledgers_have_two_store_ids(ledger: LedgerFile, tmp_path: Path) -> None:
    """Store ids are random."""
    with LedgerFile.create(tmp_path / "b" / "ledger.sqlite") as other:
        assert other.store_id != ledger.store_id


def test_creators_at_once_get_the_same_ledger(path: Path) -> None:
    """Of several that create a ledger at once one makes it, the others open that one, and nothing is left over."""

    def store_id(_: int) -> str:
        with LedgerFile.create(path) as file:
            return file.store_id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(store_id, range(8)))) == 1
    assert open_names(path.parent) == ["ledger.sqlite"]


def test_a_deleted_ledger_is_not_made_anew_beside_its_rest(path: Path) -> None:
    """A `-wal` file without its ledger means that something was lost: no empty one takes the place."""
    path.with_name("ledger.sqlite-wal").write_bytes(b"x")
    with pytest.raises(LedgerError, match="is gone"):
        LedgerFile.create(path)


def test_commits_are_synced(ledger: LedgerFile) -> None:
    """The file is in WAL mode with synchronous FULL, on every open."""
    with LedgerFile.open(ledger.path) as again:
        assert again.rows("PRAGMA journal_mode") + again.rows("PRAGMA synchronous") == [("wal",), (2,)]


def test_a_missing_ledger_is_not_made_by_opening(path: Path) -> None:
    """Opening what is not there is an error and makes nothing."""
    with pytest.raises(LedgerError, match="there is no ledger"):
        LedgerFile.open(path)
    assert not path.exists()


@pytest.mark.parametrize("content", [b"hello " * 1000, b""])
def test_another_file_is_not_a_ledger(path: Path, content: bytes) -> None:
    """A file that is no ledger is refused and not changed."""
    path.write_bytes(content)
    with pytest.raises(LedgerError, match="not a ledger"):
        LedgerFile.open(path)
    assert path.read_bytes() == content


def test_another_database_is_not_a_ledger(path: Path) -> None:
    """A SQLite file of somebody else is refused and not changed."""
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE t (x)")
    content = path.read_bytes()
    with pytest.raises(LedgerError, match="not a ledger"):
        LedgerFile.open(path)
    assert path.read_bytes() == content


def test_a_newer_format_is_refused(ledger: LedgerFile) -> None:
    """A ledger that a newer build wrote is not touched, and both formats are named."""
    with closing(sqlite3.connect(ledger.path)) as raw:
        raw.execute("PRAGMA user_version = 2")
    with pytest.raises(LedgerError, match="has format 2, this build reads format 1"):
        LedgerFile.open(ledger.path)


def test_a_damaged_ledger_is_refused(ledger: LedgerFile) -> None:
    """Overwritten pages are told as damage, with a hint, when they are read."""
    put(ledger, 1000)
    ledger.close()
    content = bytearray(ledger.path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    ledger.path.write_bytes(content)
    with pytest.raises(LedgerError, match="damaged") as caught:
        LedgerFile.open(ledger.path)
    assert "backup" in caught.value.hint


def test_a_good_ledger_passes_the_thorough_check(ledger: LedgerFile) -> None:
    """Checking a whole file says nothing."""
    put(ledger, 10)
    ledger.verify()


@pytest.mark.skipif(shutil.which("setpriv") is None or os.geteuid() != 0, reason="needs root and setpriv")
def test_a_read_only_ledger_is_refused(ledger: LedgerFile) -> None:
    """A user without write access is told so at once."""
    ledger.close()
    code = "import sys, pathlib, statek.ledger.file as f; f.LedgerFile.open(pathlib.Path(sys.argv[1]))"
    for folder in ledger.path.parents[:-2]:
        folder.chmod(0o755)
    command = ["setpriv", "--reuid=65534", "--clear-groups", sys.executable, "-B", "-c", code, str(ledger.path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert "cannot be written" in done.stderr


def test_an_exception_undoes_the_transaction(ledger: LedgerFile) -> None:
    """What was written before an exception is gone, and the ledger goes on."""
    with pytest.raises(ZeroDivisionError):
        fail_after(ledger, lambda: Records(ledger).put(Kind.RAN, None, b""))
    assert Records(ledger).last() == (0, "")
    assert put(ledger)[0] == 1


def test_a_transaction_inside_another_is_an_error(ledger: LedgerFile) -> None:
    """Nesting is a mistake of the caller, and undoes the outer one too."""
    with pytest.raises(BugError, match="inside another"):
        fail_after(ledger, lambda: put(ledger))
    assert Records(ledger).last() == (0, "")


def test_writing_outside_a_transaction_is_an_error(ledger: LedgerFile) -> None:
    """No statement commits by itself."""
    with pytest.raises(BugError, match="outside a transaction"):
        Records(ledger).put(Kind.RAN, None, b"")


def test_a_joined_block_commits_with_its_transaction(ledger: LedgerFile) -> None:
    """Joining an open transaction neither commits nor ends it."""

    def join() -> None:
        with ledger.joined():
            Records(ledger).put(Kind.RAN, None, b"")

    with pytest.raises(ZeroDivisionError):
        fail_after(ledger, join)
    assert Records(ledger).last() == (0, "")


def test_a_full_ledger_keeps_nothing_and_says_so(ledger: LedgerFile) -> None:
    """When no page is left, the transaction is undone as a whole, also its part that fitted."""
    put(ledger)
    ledger.rows(f"PRAGMA max_page_count = {ledger.rows('PRAGMA page_count')[0][0] + 3}")
    with pytest.raises(LedgerError, match="full") as caught:
        put(ledger, 1000)
    assert "free space" in caught.value.hint
    assert Records(ledger).last()[0] == 1


def test_nothing_is_kept_of_a_transaction_that_ran_full_unnoticed(ledger: LedgerFile) -> None:
    """A caller that goes on after a full disk cannot commit the rest by itself."""
    ledger.rows(f"PRAGMA max_page_count = {ledger.rows('PRAGMA page_count')[0][0] + 1}")
    records = Records(ledger)

    def go_on() -> None:
        for body in (b"a", BIG * 10, b"b"):
            try:
                records.put(Kind.RAN, None, body)
            except LedgerError:
                continue

    with pytest.raises(LedgerError, match="an earlier write"), ledger.transaction():
        go_on()
    assert records.last() == (0, "")


def test_a_full_disk_loses_nothing_that_was_committed(tmp_path: Path) -> None:
    """On a disk that runs full commits fail loudly; freed, the ledger goes on after what it had acknowledged."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = os.geteuid() == 0 and shutil.which("mount")
    if not mounted or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]).returncode:
        pytest.skip("mounting a small disk is not permitted")
    try:
        with LedgerFile.create(disk / "ledger.sqlite") as ledger:
            (disk / "ballast").write_bytes(bytes(300_000))
            count = fill_up(ledger)
            (disk / "ballast").unlink()
            assert put(ledger)[0] == count + 1
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def fill_up(ledger: LedgerFile) -> int:
    """Commit records until the disk is full; how many were committed."""
    with pytest.raises(LedgerError, match="full"):
        deque(put(ledger, 40) for _ in range(1000))
    return Records(ledger).last()[0]


def test_the_data_version_tells_of_other_writers(ledger: LedgerFile) -> None:
    """Another connection's commit changes the number, one's own does not."""
    before = ledger.data_version()
    put(ledger)
    assert ledger.data_version() == before
    with LedgerFile.open(ledger.path) as other:
        put(other)
    assert ledger.data_version() != before


def test_a_locked_ledger_is_told_after_a_while(ledger: LedgerFile) -> None:
    """A transaction that never gets its turn ends with an error that names the reason."""
    with LedgerFile.open(ledger.path) as other, ledger.transaction():
        other.rows("PRAGMA busy_timeout = 50")
        with pytest.raises(LedgerError, match="locked"), other.transaction():
            pass


def test_readers_do_not_wait_for_a_writer(ledger: LedgerFile) -> None:
    """Inside somebody's transaction another reads the state before it."""
    put(ledger)
    with LedgerFile.open(ledger.path) as other, ledger.transaction():
        Records(ledger).put(Kind.RAN, None, b"")
        assert Records(other).last()[0] == 1


def test_store_and_ledger_of_one_past_fit(ledger: LedgerFile) -> None:
    """A store may end at any record of its ledger, or be empty."""
    first, last = put(ledger), put(ledger, 3)
    for seq, tag in ((0, ""), (0, None), first, last, (last[0], None)):
        ledger.check_pair(ledger.store_id, seq, tag)


def test_the_store_of_another_ledger_is_refused(ledger: LedgerFile) -> None:
    """Two files with different ids are not used together."""
    with pytest.raises(LedgerError, match="do not belong together"):
        ledger.check_pair("0" * 32, 0, None)


def test_a_store_beyond_the_end_is_refused(ledger: LedgerFile) -> None:
    """A ledger that is older than its store is not used."""
    seq, tag = put(ledger)
    with pytest.raises(LedgerError, match="it is older"):
        ledger.check_pair(ledger.store_id, seq + 1, tag)


def test_a_store_older_than_the_pruned_part_is_refused(ledger: LedgerFile) -> None:
    """What was pruned cannot be replayed: such a store is not used; one that ends exactly there is."""
    seq, tag = put(ledger, 3)
    prune_all(ledger, seq)
    ledger.check_pair(ledger.store_id, seq, tag)
    with pytest.raises(LedgerError, match="pruned up to 3"):
        ledger.check_pair(ledger.store_id, seq - 1, None)


@pytest.mark.parametrize("pruned", [False, True])
def test_a_store_of_another_past_is_refused(ledger: LedgerFile, pruned: bool) -> None:
    """A record of the same number with another tag shows that one side is from a backup."""
    seq, _ = put(ledger)
    if pruned:
        prune_all(ledger, seq)
    with pytest.raises(LedgerError, match="gone another way"):
        ledger.check_pair(ledger.store_id, seq, "00000000x")


def test_a_backup_holds_everything(ledger: LedgerFile, tmp_path: Path) -> None:
    """A backup made while the ledger is open is a ledger of the same store with the same records."""
    last = put(ledger, 5)
    ledger.back_up(tmp_path / "b.sqlite")
    with LedgerFile.open(tmp_path / "b.sqlite") as copy:
        assert (copy.store_id, Records(copy).last()) == (ledger.store_id, last)
        assert put(copy)[0] == 6


def test_a_backup_overwrites_nothing(ledger: LedgerFile, tmp_path: Path) -> None:
    """A file that is there is kept."""
    (tmp_path / "b.sqlite").write_bytes(b"mine")
    with pytest.raises(LedgerError, match="is there already"):
        ledger.back_up(tmp_path / "b.sqlite")
    assert (tmp_path / "b.sqlite").read_bytes() == b"mine"


_DIES = """
import os, sys
from pathlib import Path
from statek.ledger.file import LedgerFile
from statek.ledger.records import Kind, Records
ledger = LedgerFile.open(Path(sys.argv[1]))
with ledger.transaction(synced=False):
    Records(ledger).put(Kind.RAN, None, b"{}")
os.kill(os.getpid(), 9)
"""


def test_what_is_not_synced_yet_survives_the_process(ledger: LedgerFile) -> None:
    """Killed right after a commit that is synced later, the process leaves it to whoever comes next."""
    subprocess.run([sys.executable, "-c", _DIES, str(ledger.path)], cwd=ROOT, check=False, timeout=60)
    assert Records(ledger).last()[0] == 1


def test_only_the_commits_that_say_so_are_synced_later(ledger: LedgerFile) -> None:
    """A transaction is synced unless it asks for less, and the next one is again; `sync` makes good for the others."""
    found = []
    for synced in (True, False, True):
        with ledger.transaction(synced=synced):
            ledger.set_meta("x", 1)
        found += ledger.rows("PRAGMA synchronous")
    assert found == [(2,), (1,), (2,)]
    with ledger.transaction(synced=False):
        ledger.set_meta("x", 2)
    ledger.path.with_name("ledger.sqlite-wal").rename(ledger.path.with_name("gone"))
    with pytest.raises(LedgerError, match="cannot be synced"):
        ledger.sync()
    ledger.path.with_name("gone").rename(ledger.path.with_name("ledger.sqlite-wal"))
    ledger.sync()
    ledger.path.with_name("ledger.sqlite-wal").rename(ledger.path.with_name("gone"))
    ledger.sync()  # nothing is left to be synced
    ledger.path.with_name("gone").rename(ledger.path.with_name("ledger.sqlite-wal"))


def test_a_closed_ledger_says_so(ledger: LedgerFile) -> None:
    """Using a closed ledger is a LedgerError, closing it again is fine."""
    ledger.close()
    ledger.close()
    with pytest.raises(LedgerError, match="closed"):
        ledger.data_version()


def test_nothing_is_kept_in_a_ledger_that_left_its_place(ledger: LedgerFile) -> None:
    """Where another one lies in its place, or is about to, a write is refused: nobody would read it."""
    waiting = ledger.path.with_name("restoring")
    waiting.mkdir()
    with pytest.raises(LedgerError, match="was moved away"):
        put(ledger)
    waiting.rmdir()
    put(ledger)
    for end in ("", "-wal", "-shm"):
        ledger.path.with_name(ledger.path.name + end).rename(ledger.path.with_name(f"aside.sqlite{end}"))
    with pytest.raises(LedgerError, match="was moved away"):
        put(ledger)
    LedgerFile.create(ledger.path).close()
    with pytest.raises(LedgerError, match="was moved away"):
        put(ledger)
