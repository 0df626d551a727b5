"""Copying a store file, moving it aside, putting a copy in its place."""

from pathlib import Path

import pytest

from statek.base.guarded_file import copy_between_commits, move_aside, pre_image_path, put_in_place
from statek.exceptions import StoreError

NOW = 1_767_225_600_000_001


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store file with a pre-image beside it."""
    file = tmp_path / "p.db0"
    file.write_bytes(b"state" * 1000)
    pre_image_path(file).write_bytes(b"pre")
    return file


def test_a_copy_is_equal(store: Path, tmp_path: Path) -> None:
    """A copy holds the same bytes, and no half-made file stays."""
    copy_between_commits(store, tmp_path / "copies" / "1.new")
    assert store.read_bytes() == (tmp_path / "copies" / "1.new").read_bytes()
    assert [tmp_path / "copies" / "1.new"] == list((tmp_path / "copies").iterdir())


def test_a_copy_replaces_an_older_one(store: Path, tmp_path: Path) -> None:
    """A longer old target is replaced as a whole."""
    (tmp_path / "old").write_bytes(b"x" * 100_000)
    copy_between_commits(store, tmp_path / "old")
    assert store.read_bytes() == (tmp_path / "old").read_bytes()


def test_a_copy_of_nothing_leaves_nothing(tmp_path: Path) -> None:
    """When there is no source, no target appears."""
    with pytest.raises(FileNotFoundError):
        copy_between_commits(tmp_path / "p.db0", tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


def test_a_store_goes_aside_with_its_pre_image(store: Path) -> None:
    """Moved aside, the file keeps its bytes and its pre-image, and nothing stays at its place."""
    aside = move_aside(store, NOW)
    assert (aside.read_bytes(), pre_image_path(aside).read_bytes()) == (b"state" * 1000, b"pre")
    assert [store.parent / "set-aside"] == list(store.parent.iterdir())


def test_nothing_set_aside_is_overwritten(store: Path) -> None:
    """Two files set aside in the same microsecond both stay."""
    first = move_aside(store, NOW)
    store.write_bytes(b"second")
    second = move_aside(store, NOW)
    assert (first.read_bytes(), second.read_bytes()) == (b"state" * 1000, b"second")


def test_a_missing_store_cannot_go_aside(tmp_path: Path) -> None:
    """Moving aside what is not there is an error."""
    with pytest.raises(StoreError, match="no store file"):
        move_aside(tmp_path / "p.db0", NOW)


def test_a_copy_in_place_has_no_foreign_pre_image(store: Path, tmp_path: Path) -> None:
    """A pre-image left over from another file is gone before the copy is there; the copy stays."""
    (tmp_path / "1.ok").write_bytes(b"older")
    store.unlink()
    put_in_place(tmp_path / "1.ok", store)
    assert (store.read_bytes(), (tmp_path / "1.ok").read_bytes()) == (b"older", b"older")
    assert not pre_image_path(store).exists()


def test_a_copy_never_overwrites_a_store(store: Path, tmp_path: Path) -> None:
    """As long as a store file is there, no copy takes its place."""
    (tmp_path / "1.ok").write_bytes(b"older")
    with pytest.raises(StoreError, match="still there"):
        put_in_place(tmp_path / "1.ok", store)
    assert store.read_bytes() == b"state" * 1000
