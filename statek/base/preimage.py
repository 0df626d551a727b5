"""The pre-image: the part of a store file that a commit changes in place, saved so that it can be put back.

No dbzero here; this is about the bytes of its file. The child saves, sets the mark, commits, clears the mark and voids,
in this order, so that a set mark always has its pre-image; whoever starts next restores before anything opens the file.

The one idea: dbzero 0.7 appends data and rewrites in place only its tree pages (the DRAM chain, freed pages reused
within the same commit) and the last block of each of its three logs; behind the old end of the file nothing is read by
the old state. So those blocks and the old length are the old state. Blocks are chained: each holds the address of the
next one in its last bytes, 0 at the end.

    <store file>.pre    magic, CRC of all that follows, seq, length of the store file, number of blocks, store id,
                        addresses (8 bytes each), blocks (16 KB each)
"""

import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from statek.base.durable import sync_folder
from statek.exceptions import BugError, StoreError

BLOCK = 16384
PAGE = 4096

# magic, version, block size, page size, the four chains (DRAM chain with its page size; DRAM, data page and meta log),
# step, and the two chains that only files made by `copy_prefix` have.
_STORE_HEADER = struct.Struct("<10sIIIQIQQQIQIQ")
_KNOWN_HEADER = (b"\0\0\xb0\x0d\xdb\xb0\x0d\xdb\xb0\x0d", 1, BLOCK, PAGE, 4096, 16352, 20480, 36864, 53248, 1, 0, 0, 0)
_DRAM = 4096
_LOGS = (20480, 36864, 53248)
_DRAM_LINK, _LOG_LINK = 8, 16  # where the next address lies, counted from the end of a block

_MAGIC = b"STKPRE01"
_VOID = b"void\0\0\0\0"
_HEAD = struct.Struct("<8sIQQI64s")


@dataclass(frozen=True)
class _Saved:
    """A pre-image read back."""

    seq: int
    length: int
    blocks: tuple[tuple[int, bytes], ...]


def pre_image_path(store_file: Path) -> Path:
    """Where the pre-image of `store_file` lies: `<file>.pre` beside it."""
    return store_file.with_name(store_file.name + ".pre")


class PreImage:
    """The pre-image of one store file. Use it only where `layout_is_known` says yes.

    Every method raises StoreError when a chain does not hold together, and OSError as the disk does.
    """

    def __init__(self, store_file: Path, store_id: str, path: Path | None = None) -> None:
        """Keep the pre-image of `store_file` at `path`; None: beside it, where a start looks for it."""
        self.store_file = store_file
        self.path = pre_image_path(store_file) if path is None else path
        self._id = store_id.encode()
        if not 0 < len(self._id) <= 64:
            raise BugError(f"store id {store_id!r} must have 1 to 64 bytes")

    @staticmethod
    def layout_is_known(store_file: Path) -> bool:
        """Whether the file has exactly the layout that saving was tried with (dbzero 0.7, not by `copy_prefix`)."""
        with store_file.open("rb") as file:
            header = file.read(_STORE_HEADER.size)
        return len(header) == _STORE_HEADER.size and _STORE_HEADER.unpack(header) == _KNOWN_HEADER

    def save(self, seq: int) -> None:
        """Write the state of the store file, durable on return; the commit may begin. `seq`: the store's record."""
        with _opened(self.store_file, os.O_RDONLY) as store:
            length = os.fstat(store).st_size
            blocks = [(at, _block(store, at, length)) for at in _changing_blocks(store, length)]
        body = b"".join(struct.pack("<Q", at) for at, _ in blocks) + b"".join(block for _, block in blocks)
        fields = _HEAD.pack(_MAGIC, 0, seq, length, len(blocks), self._id)[12:]
        crc = struct.pack("<I", zlib.crc32(body, zlib.crc32(fields)))
        is_new = not self.path.exists()
        with _opened(self.path, os.O_WRONLY | os.O_CREAT) as file:
            _write_at(file, 0, _MAGIC + crc + fields + body)
            os.fdatasync(file)
        if is_new:
            sync_folder(self.path.parent)

    def void(self) -> None:
        """After the commit: the saved state is not wanted any more. No sync: an older state is put right by replay."""
        with _opened(self.path, os.O_WRONLY) as file:
            _write_at(file, 0, _VOID)

    def saved_seq(self) -> int | None:
        """The `seq` of a whole, unvoided pre-image of this store that waits to be put back; None without one."""
        saved = self._read()
        return None if saved is None else saved.seq

    def restore(self) -> bool:
        """Put the state before the commit back, durable on return, before anything opens the store file.

        Returns:
            True when a valid pre-image of this store was found and put back; the store file is then what it was at
            `save`. False when there is none, or it is void, torn or of another store, or the store file is shorter
            than it was (then it is not the same file, and nothing is touched). Cut in the middle: do it again.
        """
        saved = self._read()
        if saved is None or not self.store_file.exists() or self.store_file.stat().st_size < saved.length:
            return False
        with _opened(self.store_file, os.O_RDWR) as store:
            for at, block in saved.blocks:
                _write_at(store, at, block)
            os.ftruncate(store, saved.length)
            os.fsync(store)
        with _opened(self.path, os.O_WRONLY) as file:
            _write_at(file, 0, _VOID)
            os.fdatasync(file)
        return True

    def _read(self) -> _Saved | None:
        if not self.path.exists():
            return None
        content = self.path.read_bytes()
        if len(content) < _HEAD.size:
            return None
        magic, crc, seq, length, count, store_id = _HEAD.unpack_from(content)
        end = _HEAD.size + count * (8 + BLOCK)
        if magic != _MAGIC or store_id.rstrip(b"\0") != self._id or zlib.crc32(content[12:end]) != crc:
            return None
        start = _HEAD.size + 8 * count
        addresses = struct.unpack_from(f"<{count}Q", content, _HEAD.size)
        pieces = (content[start + n * BLOCK : start + (n + 1) * BLOCK] for n in range(count))
        return _Saved(seq, length, tuple(zip(addresses, pieces, strict=True)))


def _changing_blocks(store: int, length: int) -> list[int]:
    """Addresses of the blocks that a commit may write: the whole DRAM chain, the last block of each log."""
    tails = [list(_chain(store, first, link=_LOG_LINK, length=length))[-1] for first in _LOGS]
    return [*_chain(store, _DRAM, link=_DRAM_LINK, length=length), *tails]


def _chain(store: int, first: int, *, link: int, length: int) -> Iterator[int]:
    at, seen = first, set[int]()
    while at:
        if at in seen or at % PAGE or at + BLOCK > length:
            raise StoreError(
                f"the block chain that starts at {first} in the store file leads to {at}, which cannot be a block",
                hint="the layout of the file is not the expected one, or the file is damaged",
            )
        seen.add(at)
        yield at
        at = struct.unpack("<Q", os.pread(store, 8, at + BLOCK - link))[0]


def _block(store: int, at: int, length: int) -> bytes:
    block = os.pread(store, BLOCK, at)
    if len(block) != BLOCK:
        raise StoreError(f"the store file ends inside the block at {at}, of {length} bytes")
    return block


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _write_at(descriptor: int, at: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        done = os.pwrite(descriptor, view, at)
        view, at = view[done:], at + done
