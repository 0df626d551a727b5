"""Swapping a store file: copying it, moving it aside, putting a copy in its place. Plain file work, no dbzero.

Supervisor and child call it while nobody writes the store file: the child between two commits, the supervisor after
the child is gone. It never decides whether a file is good, and never touches the lock file that dbzero keeps beside
the store (opening that one file in the writer's process would drop the lock).

The one idea: every change is whole or absent. A file appears under its name by a rename of synced bytes, and a
pre-image never stays beside a store file that it was not taken from. Mark and pre-image have modules of their own and
are offered here too, as the one door to a guarded store file.
"""

import errno
import fcntl
import itertools
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from statek.base.clock import as_datetime
from statek.base.durable import sync_file, sync_folder
from statek.base.mark import Mark, mark_path
from statek.base.preimage import PreImage, pre_image_path
from statek.exceptions import StoreError

__all__ = [
    "Mark", "PreImage", "copy_between_commits", "hold_state", "mark_path", "move_aside", "pre_image_path",
    "put_in_place",
]  # fmt: skip

SMALL = 32 << 20  # bytes that are copied at once: about as long as a commit takes
_CLONE = 0x40049409  # ioctl FICLONE: the copy shares its blocks with the source
_CANNOT_CLONE = {errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV, errno.EINVAL, errno.ENOSYS}


def copy_between_commits(source: Path, target: Path) -> None:
    """Copy `source` to `target`, durable on return; `target` is replaced in one act or not at all.

    Must be called while no commit is under way. Raises OSError as the disk does, leaving no `target` behind.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        _copy_synced(source, unfinished)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    sync_folder(target.parent)


def hold_state(source: Path, target: Path, store_id: str, *, small: int = SMALL) -> Callable[[], None]:
    """Take hold of what `source`, a store file, is now, so that it can be copied while its writer goes on.

    Must be called while no commit is under way; it takes milliseconds. What it returns does the rest, in any thread:
    afterwards `target` is durable and holds the state of the call. Raises OSError as the disk does, both times.

    Three ways: the file system shares the blocks; a file up to `small` bytes is copied at once; of a big one the blocks
    that commits change in place are kept, its body is copied at leisure and those blocks are laid over it. All that a
    commit adds lies behind the old end, which is cut off.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if _try_clone(source, target):
        return lambda: _finish_copy(target)
    if source.stat().st_size <= small or not PreImage.layout_is_known(source):
        shutil.copyfile(source, target)
        return lambda: _finish_copy(target)
    blocks = PreImage(target, store_id, target.with_name(target.name + ".blocks"))
    PreImage(source, store_id, blocks.path).save(0)

    def copy_body() -> None:
        shutil.copyfile(source, target)
        if not blocks.restore():
            raise StoreError(f"the copy {target} became shorter while it was made", hint="look what writes to it")
        blocks.path.unlink()
        _finish_copy(target)

    return copy_body


def move_aside(store_file: Path, at_us: int) -> Path:
    """Move a store file that is not trusted into `set-aside/` beside it, with its pre-image.

    Args:
        store_file: the file; it must never be opened read-write again.
        at_us: now, microseconds; becomes part of the new name.

    Returns:
        Its new path. Raises StoreError when there is no such file.
    """
    if not store_file.exists():
        raise StoreError(f"there is no store file {store_file} to move aside")
    folder = store_file.parent / "set-aside"
    folder.mkdir(exist_ok=True)
    target = _free_name(folder, f"{as_datetime(at_us):%Y%m%dT%H%M%S}-{at_us % 1_000_000:06}-{store_file.name}")
    pre_image = pre_image_path(store_file)
    if pre_image.exists():  # first: a cut between the two leaves a store file without one, never the reverse
        pre_image.replace(pre_image_path(target))
        sync_folder(store_file.parent)
    store_file.replace(target)
    sync_folder(folder)
    sync_folder(store_file.parent)
    return target


def put_in_place(copy: Path, store_file: Path) -> None:
    """Make a copy of `copy` the store file, durable on return. `copy` stays; an old pre-image goes first.

    Raises StoreError when a store file is still there: move it aside before.
    """
    if store_file.exists():
        raise StoreError(f"{store_file} is still there", hint="move it aside first; nothing is overwritten")
    pre_image_path(store_file).unlink(missing_ok=True)
    sync_folder(store_file.parent)
    copy_between_commits(copy, store_file)


def _copy_synced(source: Path, target: Path) -> None:
    if not _try_clone(source, target):
        shutil.copyfile(source, target)
    sync_file(target)


def _try_clone(source: Path, target: Path) -> bool:
    """Let `target` share the blocks of `source`; False where the file system cannot. Takes no time."""
    with source.open("rb") as old, target.open("wb") as new:
        try:
            fcntl.ioctl(new.fileno(), _CLONE, old.fileno())
        except OSError as error:
            if error.errno not in _CANNOT_CLONE:
                raise
            return False
        return True


def _finish_copy(target: Path) -> None:
    sync_file(target)
    sync_folder(target.parent)


def _free_name(folder: Path, name: str) -> Path:
    wanted = (folder / (name if n == 0 else f"{n}-{name}") for n in itertools.count())
    return next(path for path in wanted if not path.exists())
