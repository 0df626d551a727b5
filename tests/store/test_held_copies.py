"""Copies of a store that goes on meanwhile, and reading and rewriting everything in them."""

from pathlib import Path

import pytest

from statek.base.guarded_file import hold_state
from statek.exceptions import StoreError
from statek.store.copies import read_and_rewrite
from statek.store.session import Store

ID = "0" * 32


def go_on(store: Store, count: int) -> None:
    """Commit `count` more states, each with a larger list and other texts in old places."""
    for number in range(count):
        jobs = store.root.jobs
        jobs.append([len(jobs), "x" * 3000, {"n": number}])
        jobs[number % 5] = [f"again {len(jobs)}"]
        store.root.seq = len(jobs)
        store.commit()


def numbers(folder: Path) -> list[object]:
    """First entry of each list in the store."""
    with Store.open(folder, ID) as store:
        return [entry[0] for entry in store.root.jobs]


@pytest.mark.parametrize("small", [0, 1 << 30])
def test_a_copy_holds_the_state_that_was_held(tmp_path: Path, small: int) -> None:
    """Copied after twenty further commits, a big file gives the state of the moment, as a small one does."""
    with Store.open(tmp_path / "s", ID) as store:
        go_on(store, 60)
        held = [entry[0] for entry in store.root.jobs]
        assert store.file is not None
        finish = hold_state(store.file, tmp_path / "copy" / "statek.db0", ID, small=small)
        go_on(store, 20)
        finish()
        go_on(store, 5)
    assert read_and_rewrite(tmp_path / "copy", ID).seq == 60
    assert numbers(tmp_path / "copy") == held
    assert len(numbers(tmp_path / "s")) == 85


def test_another_store_is_refused(tmp_path: Path) -> None:
    """A copy of somebody else's store is not proved for this one."""
    Store.open(tmp_path, "1" * 32).close()
    with pytest.raises(StoreError, match="does not belong"):
        read_and_rewrite(tmp_path, ID)


def test_something_is_added(tmp_path: Path) -> None:
    """A file in which everything is there, and nothing new can be made, is not whole."""
    Store.open(tmp_path, ID).close()
    read_and_rewrite(tmp_path, ID)
    with Store.open(tmp_path, ID, read_only=True) as store:
        assert len(store.root.refused) == 1
