"""The folder in which a backup is put together, beside its target, and what a killed one leaves of it.

It is called `.NAME.PID.part`. Who works in it holds an flock on it, which ends with the process whatever ends that: so
a folder that can be locked is nobody's any more. Only folders that hold nothing but parts of a backup are cleared.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from statek.worker.manifest import MANIFEST
from statek.worker.places import ledger_file, store_file

PROBE = ".probe"  # where the store's copy is tried
_NAME = re.compile(r"\.(.+)\.\d+\.part")
_PARTS = (store_file(Path()).name, ledger_file(Path()).name, MANIFEST, PROBE)  # some have files beside them


@contextmanager
def unfinished(target: Path) -> Iterator[Path]:
    """A new folder beside `target`, ours until the end, when it is removed unless it was renamed. Raises OSError."""
    folder = target.with_name(f".{target.name}.{os.getpid()}.part")
    descriptor = _make(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def clear_unfinished(place: Path) -> None:
    """Remove what killed backups have left in the folder `place`; what is in use, or not ours to remove, stays."""
    for folder in place.glob(".*.part"):
        descriptor = _open(folder)
        if descriptor is None:
            continue
        try:
            if _try_lock(descriptor) and _is_of_backup(folder):
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(descriptor)


def _make(folder: Path) -> int:
    """The folder, locked. It is made once more when somebody cleared it before it was locked."""
    while True:
        folder.mkdir(mode=0o700, parents=True)
        descriptor = _open(folder)
        if descriptor is None:
            continue
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if folder.exists():
            return descriptor
        os.close(descriptor)


def _open(folder: Path) -> int | None:
    try:
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:  # gone, no folder, or somebody else's
        return None


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_of_backup(folder: Path) -> bool:
    found = _NAME.fullmatch(folder.name)
    return found is not None and all(path.name.startswith(_PARTS) or path.name == found[1] for path in folder.iterdir())
