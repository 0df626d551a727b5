"""Kept copies: their names, their order, and which of them go."""

from pathlib import Path

from statek.base.rotation import (
    clear_unfinished,
    copies_folder,
    keep,
    kept_copies,
    thin_out,
    unfinished_path,
)


def make(file: Path, *seqs: int) -> None:
    """Keep a copy for each number."""
    for seq in seqs:
        unfinished = unfinished_path(file)
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(b"x" * seq)
        keep(unfinished, file, seq)


def test_copies_come_newest_first(tmp_path: Path) -> None:
    """They are ordered by number, not by name; other files in the folder are none."""
    file = tmp_path / "p.db0"
    make(file, 9, 10, 100)
    (copies_folder(file) / "x.ok").write_bytes(b"")
    assert [(copy.seq, copy.size) for copy in kept_copies(file)] == [(100, 100), (10, 10), (9, 9)]


def test_without_a_folder_there_are_none(tmp_path: Path) -> None:
    """A store that was never copied has no copies."""
    assert kept_copies(tmp_path / "p.db0") == []


def test_the_oldest_go(tmp_path: Path) -> None:
    """As many as wanted stay, and never less than one."""
    file = tmp_path / "p.db0"
    make(file, 1, 2, 3)
    assert [copy.seq for copy in thin_out(file, 2)] == [3, 2]
    assert [copy.seq for copy in thin_out(file, 0)] == [3]
    assert [copy.seq for copy in kept_copies(file)] == [3]


def test_what_a_cut_copying_left_is_no_copy_and_goes(tmp_path: Path) -> None:
    """A file without its name is not found, and is cleared away."""
    file = tmp_path / "p.db0"
    unfinished_path(file).mkdir(parents=True)
    assert kept_copies(file) == []
    clear_unfinished(file)
    assert list(copies_folder(file).iterdir()) == []
