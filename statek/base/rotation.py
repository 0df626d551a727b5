"""The kept copies of a store file: `copies/<seq>.ok` beside it, the newest few. Plain file work, no dbzero.

Only a copy that was proved good gets such a name, by a rename of synced bytes, so whoever finds a name may rely on the
proof. `seq` is the last record of the ledger that is in the copy. Made by the worker's child, read by recovery, by
pruning (which never goes beyond the oldest) and by `statek status`.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from statek.base.durable import sync_folder

_SUFFIX = ".ok"


@dataclass(frozen=True)
class KeptCopy:
    """A copy that was good when it was made."""

    path: Path
    seq: int

    @property
    def made_us(self) -> int:
        """When it was made, microseconds since 1970."""
        return self.path.stat().st_mtime_ns // 1000

    @property
    def size(self) -> int:
        """Bytes."""
        return self.path.stat().st_size


def copies_folder(store_file: Path) -> Path:
    """Where the copies of `store_file` lie."""
    return store_file.parent / "copies"


def unfinished_path(store_file: Path) -> Path:
    """Where a copy lies while it is made and proved; `clear_unfinished` removes it with all beside it."""
    return copies_folder(store_file) / "unfinished" / store_file.name


def kept_copies(store_file: Path) -> list[KeptCopy]:
    """The copies, newest first."""
    found = copies_folder(store_file).glob(f"*{_SUFFIX}")
    copies = [KeptCopy(path, int(path.stem)) for path in found if path.stem.isdecimal() and path.stem.isascii()]
    return sorted(copies, key=lambda copy: copy.seq, reverse=True)


def keep(proved: Path, store_file: Path, seq: int) -> KeptCopy:
    """Give the synced, proved file `proved` its name among the copies of `store_file`, durable on return."""
    folder = copies_folder(store_file)
    target = folder / f"{seq}{_SUFFIX}"
    proved.replace(target)
    sync_folder(folder)
    return KeptCopy(target, seq)


def thin_out(store_file: Path, most: int) -> list[KeptCopy]:
    """Remove the oldest copies, so that `most` (at least 1) are left. Returns those that are left, newest first."""
    copies = kept_copies(store_file)
    for copy in copies[max(most, 1) :]:
        copy.path.unlink(missing_ok=True)
    if len(copies) > most:
        sync_folder(copies_folder(store_file))
    return copies[: max(most, 1)]


def clear_unfinished(store_file: Path) -> None:
    """Remove what a cut copying has left."""
    shutil.rmtree(unfinished_path(store_file).parent, ignore_errors=True)
