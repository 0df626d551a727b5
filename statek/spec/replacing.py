"""A file of the project written anew: whole or not at all, and only while it is what was read.

The one place where the spec ring writes. It never writes through a link and never outside of the project; the file
keeps its mode and owner. Called by `statek fmt` and `statek validate --fix`.
"""

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from statek.exceptions import StatekError

_NOT_A_PLAIN_FILE = {errno.ELOOP, errno.EMLINK, errno.ENXIO, errno.EISDIR}


class NotReplaced(StatekError):  # noqa: N818 - says what happened
    """The file was left as it is."""


def replace_file(root: Path, file: str, sha256: str, content: bytes) -> None:
    """Give `file` of the project at `root` a new content, durable on return, if it still is what was read.

    Args:
        root: folder of the project.
        file: path relative to it, as in a problem.
        sha256: digest of the bytes that were read.
        content: the new bytes.

    Raises:
        NotReplaced: it has changed or gone meanwhile, is a link, or lies outside of the project.
        OSError: as the disk does; the old content is still there then.
    """
    folder, name = os.path.split(root / file)
    real, top = os.path.realpath(folder), os.path.realpath(root)
    if real != top and not real.startswith(top.rstrip(os.sep) + os.sep):
        raise NotReplaced(f"{file} lies outside of the project, in {real}")
    with _opened(real, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW) as place:
        found = _require_unchanged(place, name, file, sha256)
        unfinished = f".{name}.{os.getpid()}.part"
        try:
            _write(place, unfinished, content, found)
            _require_unchanged(place, name, file, sha256)
            os.rename(unfinished, name, src_dir_fd=place, dst_dir_fd=place)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(unfinished, dir_fd=place)
            raise
        os.fsync(place)


def _require_unchanged(place: int, name: str, file: str, sha256: str) -> os.stat_result:
    try:
        with _opened(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, place) as handle:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode):
                raise NotReplaced(f"{file} is no regular file; it was left as it is")
            digest = hashlib.sha256(_read(handle)).hexdigest()
    except FileNotFoundError as error:
        raise NotReplaced(f"{file} has gone meanwhile") from error
    except OSError as error:
        if error.errno not in _NOT_A_PLAIN_FILE:
            raise
        raise NotReplaced(f"{file} is a link or no regular file; it was left as it is") from error
    if digest != sha256:
        raise NotReplaced(f"{file} has changed meanwhile; it was left as it is: run the same again")
    return found


def _read(handle: int) -> bytes:
    parts = []
    while part := os.read(handle, 1 << 20):
        parts.append(part)
    return b"".join(parts)


def _write(place: int, name: str, content: bytes, like: os.stat_result) -> None:
    """A new file with the mode and owner of the old one."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with _opened(name, flags, place) as handle:
        left = memoryview(content)
        while left:
            left = left[os.write(handle, left) :]
        made = os.fstat(handle)
        if (made.st_uid, made.st_gid) != (like.st_uid, like.st_gid):
            os.fchown(handle, like.st_uid, like.st_gid)
        os.fchmod(handle, stat.S_IMODE(like.st_mode))
        os.fsync(handle)


@contextlib.contextmanager
def _opened(name: str, flags: int, place: int | None = None) -> Iterator[int]:
    handle = os.open(name, flags | os.O_CLOEXEC, 0o600, dir_fd=place)
    try:
        yield handle
    finally:
        os.close(handle)
