"""Where a worker's files lie. Names only, and the one private folder for sockets; nothing is opened here.

Everything that belongs to a store lies in its folder; only the socket does not, because a socket's path may have no
more than 107 bytes. Used by every module of the ring.
"""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from statek.base.guarded_file import mark_path
from statek.exceptions import StoreError
from statek.ledger import file as ledger_file_module

LONGEST_SOCKET_PATH = 100  # bytes; the system takes 107


def store_file(store: Path) -> Path:
    """The file of the object store in its folder. The name is dbzero's, from the prefix `statek`."""
    return store / "statek.db0"


def ledger_file(store: Path) -> Path:
    """The ledger beside the store."""
    return store / ledger_file_module.NAME


def lock_file(store: Path) -> Path:
    """The lock whose holder may touch the store file. Never deleted."""
    return store / "worker.lock"


def mark_file(store: Path) -> Path:
    """The mark of the store file."""
    return mark_path(store_file(store))


def socket_path(store: Path, runtime_folder: str | None) -> Path:
    """Where the control socket of this store's worker lies, in a folder of this user alone, which is made.

    Args:
        store: the store's folder; the name of the socket is a digest of it.
        runtime_folder: the value of XDG_RUNTIME_DIR, if any; otherwise the folder for temporary files is used.

    Raises:
        StoreError: the folder belongs to somebody else, or every path is too long.
    """
    name = hashlib.sha256(os.fsencode(store.resolve())).hexdigest()[:16] + ".sock"
    temporary = Path(tempfile.gettempdir()) / f"statek-{os.getuid()}"
    folders = [Path(runtime_folder) / "statek", temporary] if runtime_folder else [temporary]
    for folder in folders:
        path = folder.absolute() / name
        if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
            _make_private(folder)
            return path
    raise StoreError(
        f"the path of the control socket would be too long: {temporary / name}",
        hint="set TMPDIR to a folder with a short name",
    )


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise StoreError(f"the folder for the control socket, {folder}, cannot be made: {error.strerror}") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise StoreError(
            f"{folder}, where the control socket would lie, is not a folder of this user",
            hint="remove it, or set XDG_RUNTIME_DIR to a folder of yours",
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        folder.chmod(0o700)
