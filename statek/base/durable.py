"""Making files durable: what is on disk when a call returns. Used wherever a file appears under a name by a rename."""

import os
from pathlib import Path


def sync_file(path: Path) -> None:
    """Return once the content of `path` is on disk. Raises OSError as the disk does."""
    _sync(path, os.O_RDONLY)


def sync_folder(folder: Path) -> None:
    """Return once the names in `folder` are on disk: a new, renamed or removed file may be relied on."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
