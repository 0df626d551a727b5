"""Commits between a mark and its end, with the file's state before at hand."""

from pathlib import Path

import pytest

from statek.base.mark import Mark, mark_path
from statek.base.preimage import PreImage
from statek.exceptions import StoreError
from statek.store.checkpoint import Checkpoint
from statek.store.session import Store

ID = "0" * 32


class WatchingStore(Store):
    """A store that notes what the mark says while it is committed, and can fail."""

    seen: list[bool]
    mark: Mark
    fails = False

    def commit(self) -> None:
        """Note the mark, then commit or fail."""
        self.seen.append(self.mark.in_commit)
        if self.fails:
            raise StoreError("the disk is full")
        super().commit()


def opened(folder: Path) -> WatchingStore:
    """A watching store with its mark."""
    store = WatchingStore.open(folder, ID)
    store.seen = []
    store.mark = Mark(mark_path(folder / "statek.db0"))
    return store


def test_plain_commit(tmp_path: Path) -> None:
    """Without mark and pre-image the store is committed."""
    with Store.open(tmp_path, ID) as store:
        store.root.release = "r"
        Checkpoint(store).commit()
    with Store.open(tmp_path, ID) as store:
        assert store.root.release == "r"


def test_mark_is_set_around_the_commit(tmp_path: Path) -> None:
    """While the store is written, and only then, the mark says so."""
    with opened(tmp_path) as store, store.mark:
        Checkpoint(store, mark=store.mark).commit()
        assert (store.seen, store.mark.in_commit) == ([True], False)


def test_mark_stays_after_a_failed_commit(tmp_path: Path) -> None:
    """A commit that failed leaves the mark: the file is not to be trusted."""
    with opened(tmp_path) as store, store.mark:
        store.fails = True
        with pytest.raises(StoreError):
            Checkpoint(store, mark=store.mark).commit()
        assert store.mark.in_commit


def test_pre_image_is_void_after_the_commit(tmp_path: Path) -> None:
    """After a whole commit there is nothing to put back."""
    file = tmp_path / "statek.db0"
    with opened(tmp_path) as store, store.mark:
        assert PreImage.layout_is_known(file)
        pre = PreImage(file, ID)
        store.root.release = "r"
        Checkpoint(store, mark=store.mark, preimage=pre).commit()
        assert pre.restore() is False
