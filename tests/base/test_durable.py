"""Making files durable."""

from pathlib import Path

import pytest

from statek.base.durable import sync_file, sync_folder


def test_files_and_folders_can_be_synced(tmp_path: Path) -> None:
    """Syncing changes nothing that can be seen."""
    (tmp_path / "a").write_bytes(b"x")
    sync_file(tmp_path / "a")
    sync_folder(tmp_path)
    assert (tmp_path / "a").read_bytes() == b"x"


def test_a_file_is_not_a_folder(tmp_path: Path) -> None:
    """Syncing the wrong thing is an error, not a promise."""
    (tmp_path / "a").touch()
    with pytest.raises(NotADirectoryError):
        sync_folder(tmp_path / "a")
