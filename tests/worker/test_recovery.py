"""Making a store file fit to be opened, with real store files."""

import shutil
import sys
from collections import deque
from pathlib import Path

import pytest

from statek.base.clock import SystemClock
from statek.base.guarded_file import Mark, PreImage, pre_image_path
from statek.base.rotation import KeptCopy, clear_unfinished, keep, kept_copies, unfinished_path
from statek.exceptions import LedgerError, StoreError
from statek.ledger import compiled, pruning, releases
from statek.ledger.file import LedgerFile
from statek.ledger.records import Kind, Records
from statek.store import session
from statek.store.session import Store
from statek.worker import places
from statek.worker.probing import Probing, tool_modules
from statek.worker.recovery import open_ledger, prepare_store

FAILS = Probing(command=(sys.executable, "-c", "print('ready')\nraise SystemExit(3)"))
KILLED = Probing(command=(sys.executable, "-c", "import os\nos.kill(os.getpid(), 9)"))
HANGS = Probing(command=(sys.executable, "-c", "import time\nprint('ready', flush=True)\ntime.sleep(60)"), seconds=0.3)


@pytest.fixture
def file(store: Path, ledger: LedgerFile) -> Path:
    """The file of a real store that belongs to the ledger; nothing says how its process ended."""
    with Store.open(store, ledger.store_id) as opened:
        opened.root.jobs.append([1, "two", b"three", {"four": 4}])
        opened.commit()
    return places.store_file(store)


def prepare(store: Path, ledger: LedgerFile, probing: Probing | None = None, *, cut: bool = False) -> str:
    """Prepare the store, or die at the first word (`cut`); returns what was said."""
    said: list[str] = []

    def say(text: str) -> None:
        if cut:
            raise StopIteration
        said.append(text)

    with Mark(places.mark_file(store)) as mark:
        prepare_store(
            store, ledger, mark=mark, clock=SystemClock(), probing=probing or Probing(), say=say
        )  # fmt: skip
    return "\n".join(said)


def leave_mark(store: Path, *, in_commit: bool = False, clean: bool = False) -> None:
    """Leave the mark as a process that ended so."""
    with Mark(places.mark_file(store)) as mark:
        mark.set_clean_end(clean)
        if in_commit:
            mark.begin_commit()


def record(ledger: LedgerFile, *, prune: bool = False) -> None:
    """Put a record into the ledger, and prune it."""
    with ledger.transaction():
        Records(ledger).put(Kind.RAN, None, b"[]")
    if prune:
        deque(pruning.prune(ledger, 1, at_us=0, keys_kept_us=1), maxlen=0)


def set_aside(store: Path) -> list[str]:
    """Names of the files that were set aside."""
    return sorted(path.name for path in (store / "set-aside").glob("*"))


def test_the_name_of_the_store_file_is_that_of_the_store_ring() -> None:
    """The supervisor may not import the store ring, so the name stands in two places."""
    assert places.store_file(Path("x")).name == f"{session.PREFIX}.db0"


def test_after_a_clean_end_nothing_is_probed(store: Path, ledger: LedgerFile, file: Path) -> None:
    """A store that was closed properly is taken as it is, without the time of a check."""
    leave_mark(store, clean=True)
    assert prepare(store, ledger, FAILS) == ""
    assert file.exists()


def test_after_an_unclean_end_a_whole_store_stays(store: Path, ledger: LedgerFile, file: Path) -> None:
    """The check reads and rewrites a copy; the file itself is not touched."""
    before = file.read_bytes()
    leave_mark(store)
    assert prepare(store, ledger) == ""
    assert file.read_bytes() == before
    assert not (store / ".probe").exists()


def test_a_truncated_store_is_set_aside(store: Path, ledger: LedgerFile, file: Path) -> None:
    """A file that cannot be read is moved away, so that everything is replayed onto an empty one."""
    file.write_bytes(file.read_bytes()[:60_000])
    leave_mark(store)
    assert "rebuilt from the ledger" in prepare(store, ledger)
    assert not file.exists()
    assert len(set_aside(store)) == 1


def test_a_store_killed_inside_a_commit_is_never_trusted(store: Path, ledger: LedgerFile, file: Path) -> None:
    """Without a pre-image the mark alone condemns a file, even one that would pass the check."""
    leave_mark(store, in_commit=True)
    prepare(store, ledger)
    assert not file.exists()


def test_a_pre_image_is_put_back(store: Path, ledger: LedgerFile, file: Path) -> None:
    """Killed inside a commit with a pre-image: the state before the commit is there again, and is kept."""
    before = file.read_bytes()
    PreImage(file, ledger.store_id).save(0)
    file.write_bytes(before[:5000] + bytes(3000) + before[8000:])
    leave_mark(store, in_commit=True)
    assert "put back" in prepare(store, ledger)
    assert file.read_bytes() == before


def test_a_killed_check_condemns_nothing(store: Path, ledger: LedgerFile, file: Path) -> None:
    """Somebody, or want of memory, kills the check: that tells nothing about the file, so it stays."""
    leave_mark(store)
    with pytest.raises(StoreError, match="killed 3 times"):
        prepare(store, ledger, KILLED)
    assert file.exists()


def test_a_recovery_that_was_cut_goes_on(store: Path, ledger: LedgerFile, file: Path) -> None:
    """Killed after the pre-image was put back: the next one does not condemn the file for want of a pre-image."""
    PreImage(file, ledger.store_id).save(0)
    leave_mark(store, in_commit=True)
    with pytest.raises(StopIteration):
        prepare(store, ledger, cut=True)
    prepare(store, ledger)
    assert file.exists()


def test_a_check_that_hangs_condemns_the_file(store: Path, ledger: LedgerFile, file: Path) -> None:
    """Opening a damaged file may never return; the check has its time, no more."""
    leave_mark(store)
    prepare(store, ledger, HANGS)
    assert not file.exists()


@pytest.mark.usefixtures("file")
def test_the_mark_is_forgotten_once_it_was_dealt_with(store: Path, ledger: LedgerFile) -> None:
    """The next start does not condemn the new store for the death of the old process."""
    leave_mark(store, in_commit=True)
    prepare(store, ledger)
    with Mark(places.mark_file(store)) as mark:
        assert not mark.in_commit


def test_a_lost_store_is_told_and_its_pre_image_removed(store: Path, ledger: LedgerFile, file: Path) -> None:
    """A missing file is rebuilt; an old pre-image is never put into the new one."""
    PreImage(file, ledger.store_id).save(0)
    record(ledger)
    file.unlink()
    assert "rebuilt from the ledger" in prepare(store, ledger)
    assert not pre_image_path(file).exists()


def test_a_first_start_says_nothing(store: Path, ledger: LedgerFile) -> None:
    """No store and nothing in the ledger is how everything begins."""
    assert prepare(store, ledger) == ""


def test_a_damaged_store_of_a_pruned_ledger_stops_everything(store: Path, ledger: LedgerFile, file: Path) -> None:
    """What can no longer be rebuilt is not moved away; it is said instead."""
    record(ledger, prune=True)
    leave_mark(store)
    with pytest.raises(LedgerError, match="pruned"):
        prepare(store, ledger, FAILS)
    assert file.exists()


def test_a_lost_store_of_a_pruned_ledger_stops_everything(store: Path, ledger: LedgerFile) -> None:
    """A store that is gone cannot come back from half a ledger."""
    record(ledger, prune=True)
    with pytest.raises(LedgerError, match="pruned"):
        prepare(store, ledger)


def test_a_store_of_another_ledger_is_not_damaged(store: Path, ledger: LedgerFile) -> None:
    """A foreign store is left for the child to refuse, not set aside."""
    Store.open(store, "f" * 32).close()
    leave_mark(store)
    prepare(store, ledger)
    assert places.store_file(store).exists()


def test_a_store_without_a_ledger_is_refused(store: Path) -> None:
    """Nobody makes an empty ledger for a store that has promises of another one."""
    Store.open(store, "f" * 32).close()
    with pytest.raises(LedgerError, match="not its ledger"):
        open_ledger(store)


def test_tool_modules_are_those_of_the_release(ledger: LedgerFile) -> None:
    """The check must know the application's classes: their modules stand in the applied release."""
    tool = compiled.Tool("f", "box", "acme.tools:f", "read", idempotent=True, timeout_us=None, description=None)
    text = compiled.encode(compiled.ToolSet("box", (tool,)))
    entry = releases.StoredObject("ToolSet", "box", "box@1", text, "a.yaml", 1, "owner")
    release = releases.Release(releases.release_id("dev", {entry.key: entry}), "dev", {entry.key: entry})
    head = releases.head(ledger)
    assert head is not None
    releases.stage(ledger, release)
    releases.move_head(ledger, base=head.release, target=release.id, reason="apply", at_us=2)
    assert tool_modules(ledger) == ("acme.tools",)


def keep_copy(store: Path, ledger: LedgerFile, *, good: bool = True, store_id: str = "") -> KeptCopy:
    """Keep a copy of a store that is at the ledger's last record."""
    scratch = store / "scratch"
    with Store.open(scratch, store_id or ledger.store_id) as opened:
        opened.root.seq, opened.root.seq_tag = Records(ledger).last()
        opened.root.jobs.append(["copy"])
        opened.commit()
    content = places.store_file(scratch).read_bytes()
    shutil.rmtree(scratch)
    unfinished = unfinished_path(places.store_file(store))
    unfinished.parent.mkdir(parents=True)
    unfinished.write_bytes(content if good else content[:50_000])
    kept = keep(unfinished, places.store_file(store), Records(ledger).last()[0])
    clear_unfinished(places.store_file(store))
    return kept


def damage(file: Path) -> None:
    """Cut the file short."""
    file.write_bytes(file.read_bytes()[:60_000])


def test_a_damaged_store_is_replaced_by_the_newest_copy(store: Path, ledger: LedgerFile, file: Path) -> None:
    """Although the beginning of the ledger was pruned; the copy stays where it is."""
    record(ledger)
    keep_copy(store, ledger)
    record(ledger, prune=True)
    copy = keep_copy(store, ledger)
    damage(file)
    leave_mark(store)
    assert "a copy that ends at record 2 is in its place" in prepare(store, ledger)
    assert file.read_bytes() == copy.path.read_bytes()
    assert len(set_aside(store)) == 1


def test_a_bad_copy_is_passed_over(store: Path, ledger: LedgerFile, file: Path) -> None:
    """Two damages at once: the next older copy takes the place, the bad one is moved aside."""
    record(ledger)
    older = keep_copy(store, ledger)
    record(ledger, prune=True)
    keep_copy(store, ledger, good=False)
    damage(file)
    leave_mark(store)
    said = prepare(store, ledger)
    assert "ends at record 1" in said
    assert "was not good" in said
    assert file.read_bytes() == older.path.read_bytes()
    assert kept_copies(file) == [older]


def test_a_lost_store_comes_back_from_a_copy(store: Path, ledger: LedgerFile) -> None:
    """A deleted file too, however much was pruned."""
    record(ledger, prune=True)
    keep_copy(store, ledger)
    assert "ends at record 1" in prepare(store, ledger)
    assert places.store_file(store).exists()


def test_when_all_copies_are_bad_the_whole_ledger_is_replayed(store: Path, ledger: LedgerFile, file: Path) -> None:
    """As long as nothing was pruned, copies are a short cut, no more."""
    record(ledger)
    keep_copy(store, ledger, good=False)
    damage(file)
    leave_mark(store)
    assert "rebuilt from the ledger" in prepare(store, ledger)
    assert not file.exists()


def test_when_all_copies_are_bad_and_records_pruned_nothing_is_touched(
    store: Path, ledger: LedgerFile, file: Path
) -> None:
    """Nothing better than what is there: it stays, and somebody is told what to do."""
    record(ledger, prune=True)
    bad = keep_copy(store, ledger, good=False)
    damage(file)
    leave_mark(store)
    with pytest.raises(LedgerError, match="none of its 1 kept copies is good") as raised:
        prepare(store, ledger)
    assert "statek restore" in raised.value.hint
    assert file.exists()
    assert bad.path.exists()


def test_a_copy_from_before_the_pruned_part_is_not_used(store: Path, ledger: LedgerFile) -> None:
    """What the copy lacks cannot be replayed any more."""
    keep_copy(store, ledger)
    record(ledger, prune=True)
    with pytest.raises(LedgerError, match="pruned"):
        prepare(store, ledger)


def test_a_copy_of_another_past_is_not_used(store: Path, ledger: LedgerFile) -> None:
    """A copy that knows records which the ledger never had, or of another store, does not come into its place."""
    record(ledger)
    keep_copy(store, ledger, store_id="f" * 32)
    assert "rebuilt from the ledger" in prepare(store, ledger)


def test_an_old_pre_image_is_not_put_into_a_copy(store: Path, ledger: LedgerFile, file: Path) -> None:
    """A pre-image goes with the file that it was taken from."""
    record(ledger)
    copy = keep_copy(store, ledger)
    PreImage(file, ledger.store_id).save(0)
    file.unlink()
    prepare(store, ledger)
    leave_mark(store)
    prepare(store, ledger)
    assert file.read_bytes() == copy.path.read_bytes()


def test_a_replacement_that_was_cut_goes_on(store: Path, ledger: LedgerFile, file: Path) -> None:
    """Killed when the copy is in place, but nobody was told: the next one takes it for what it is."""
    record(ledger)
    keep_copy(store, ledger)
    damage(file)
    leave_mark(store, in_commit=True)
    with pytest.raises(StopIteration):
        prepare(store, ledger, cut=True)
    prepare(store, ledger)
    assert file.exists()
