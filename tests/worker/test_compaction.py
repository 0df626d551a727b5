"""A compaction is whole or did not happen: kills before each of its acts, refusals, and what lies beside the store."""

import os
import signal
from pathlib import Path

import pytest

from statek.base import rotation
from statek.base.guarded_file import Mark, copy_between_commits, pre_image_path
from statek.exceptions import StoreError
from statek.ledger.file import LedgerFile
from statek.ledger.records import Kind, Records
from statek.store.session import Store
from statek.worker import places
from statek.worker.compact_alone import compact_alone
from statek.worker.compaction import Compacted, drop_former, former_file
from statek.worker.lock import take
from tests.commands import run_module

pytestmark = pytest.mark.timeout(300)
ROUNDS = 60


@pytest.fixture
def grown(store: Path, ledger: LedgerFile) -> Path:
    """A store that has grown by commits, properly closed and up to date."""
    with ledger.transaction():
        Records(ledger).put(Kind.SAID, None, b"{}")
    with Store.open(store, ledger.store_id) as opened:
        for n in range(ROUNDS):
            opened.root.refused.append(b"%d" % n)
            opened.root.seq, opened.root.seq_tag = Records(ledger).last()
            opened.commit()
    with Mark(places.mark_file(store)) as mark:
        mark.set_clean_end(True)
    return store


def content(store: Path, ledger: LedgerFile) -> list[bytes]:
    """What is in the store, opened to write."""
    with Store.open(store, ledger.store_id) as opened:
        assert (opened.root.seq, opened.root.seq_tag) == Records(ledger).last()
        return [bytes(line) for line in opened.root.refused]


def compacted(store: Path) -> Compacted:
    """Compact it."""
    return compact_alone(store, (), say=print)


def test_the_new_file_holds_the_same_and_is_smaller(grown: Path, ledger: LedgerFile) -> None:
    """What was in the store is in it, the file is a part of what it was, and the old one lies beside it."""
    size = places.store_file(grown).stat().st_size
    done = compacted(grown)
    assert (done.before, done.after) == (size, places.store_file(grown).stat().st_size)
    assert done.after < done.before / 1.5
    assert content(grown, ledger) == [b"%d" % n for n in range(ROUNDS)]
    assert done.former.stat().st_size == size
    assert not pre_image_path(places.store_file(grown)).exists()


@pytest.mark.parametrize("act", ["write", "compare", "probe", "pre-image", "link", "rename", "copy", "thin out", "end"])
def test_a_kill_before_any_act_leaves_a_whole_store(grown: Path, ledger: LedgerFile, act: str) -> None:
    """Whichever file it is by then, it opens and holds everything, and the copies are of that file alone."""
    before = places.store_file(grown).read_bytes()
    copy_between_commits(places.store_file(grown), rotation.unfinished_path(places.store_file(grown)))
    rotation.keep(rotation.unfinished_path(places.store_file(grown)), places.store_file(grown), 0)
    done = run_module("tests.worker.compact", [str(grown), act], cwd=grown, env=os.environ)
    assert done.code == -signal.SIGKILL, done.err
    is_old = places.store_file(grown).read_bytes() == before
    drop_former(grown, 1)
    copies = [(copy.seq, copy.path.read_bytes()) for copy in rotation.kept_copies(places.store_file(grown))]
    assert copies == [(0, before) if is_old else (1, places.store_file(grown).read_bytes())]
    assert content(grown, ledger) == [b"%d" % n for n in range(ROUNDS)]
    if act in ("write", "rename"):
        compacted(grown)
        assert content(grown, ledger) == [b"%d" % n for n in range(ROUNDS)]


def test_copies_of_before_give_way_to_one_of_after(grown: Path, ledger: LedgerFile) -> None:
    """They would be brought up to date with records that name objects by their new addresses."""
    file = places.store_file(grown)
    copy_between_commits(file, rotation.unfinished_path(file))
    rotation.keep(rotation.unfinished_path(file), file, 0)
    compacted(grown)
    assert [(copy.seq, copy.size) for copy in rotation.kept_copies(file)] == [(1, file.stat().st_size)]


def test_the_old_file_goes_once(grown: Path) -> None:
    """Whoever has opened the new file drops the old one; there is nothing to drop twice."""
    compacted(grown)
    assert [drop_former(grown, 1), former_file(grown).exists(), drop_former(grown, 1)] == [True, False, False]


def test_a_store_in_use_is_refused(grown: Path) -> None:
    """While a worker has the lock nothing is begun."""
    with take(grown, "worker"), pytest.raises(StoreError, match="already runs"):
        compacted(grown)


def test_a_second_store_file_is_refused(grown: Path) -> None:
    """It may hold addresses of objects of this one."""
    (grown / "other.db0").write_bytes(b"")
    with pytest.raises(StoreError, match=r"other\.db0"):
        compacted(grown)
