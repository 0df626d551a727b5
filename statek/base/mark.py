"""The mark: what the child is doing right now, kept in a file that outlives the process (not the machine).

No lock, no history, no dbzero. The child writes it without syncs (each write is a store into memory shared with the
file); the supervisor reads it, before a kill and after a death. The one idea: a mapped page survives `kill -9`, so
whoever looks afterwards sees exactly the last completed store. Only `clean_end` is synced, because it alone may spare
the next start a check of the store file.
"""

import mmap
import os
import struct
import zlib
from pathlib import Path
from types import TracebackType
from typing import Self

from statek.exceptions import BugError, StoreError

SIZE = 4096
MAGIC = b"STKMARK1"
JOB_ID_BYTES = 100  # the longest job id that fits, in UTF-8

_IN_COMMIT, _CLEAN_END, _BUSY, _BEAT, _STRETCH = 8, 9, 10, 16, 32
_STRETCH_FORM = struct.Struct("<H100sqq")  # length of the job id, job id, turn, statement; a CRC follows


def mark_path(store_file: Path) -> Path:
    """Where the mark of `store_file` lies: `<prefix>.mark` beside it."""
    return store_file.with_suffix(".mark")


class Mark:
    """One mapped mark file; child and supervisor each open their own and see each other's writes at once.

    Raises StoreError when the file is something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(descriptor).st_size < SIZE:
                os.ftruncate(descriptor, SIZE)
            self._map = mmap.mmap(descriptor, SIZE)
        finally:
            os.close(descriptor)
        if self._map[:8] == bytes(8):
            self._map[:8] = MAGIC
        if self._map[:8] != MAGIC:
            self._map.close()
            raise StoreError(f"{path} is not a mark file", hint="move it away; the store will be checked at the start")
        self._beat = memoryview(self._map)[_BEAT : _BEAT + 8].cast("Q")

    def begin_commit(self) -> None:
        """Say that the store file is about to change in place."""
        self._map[_IN_COMMIT] = 1

    def end_commit(self) -> None:
        """Say that the store file is whole again."""
        self._map[_IN_COMMIT] = 0

    @property
    def in_commit(self) -> bool:
        """Whether a commit began and did not end: the store file may be half old, half new."""
        return self._map[_IN_COMMIT] != 0

    def begin_stretch(self, job: str, turn: int, statement: int) -> None:
        """Say which stretch runs from now on. Raises BugError for a job id of more than 100 bytes."""
        name = job.encode()
        if len(name) > JOB_ID_BYTES:
            raise BugError(f"job id {job!r} has {len(name)} bytes, at most {JOB_ID_BYTES} fit into the mark")
        record = _STRETCH_FORM.pack(len(name), name, turn, statement)
        self._map[_BUSY] = 0  # a reader sees no stretch rather than half of one
        self._map[_STRETCH : _STRETCH + len(record) + 4] = record + struct.pack("<I", zlib.crc32(record))
        self._map[_BUSY] = 1

    def end_stretch(self) -> None:
        """Say that no stretch runs."""
        self._map[_BUSY] = 0

    def running(self) -> tuple[str, int, int] | None:
        """Job id, turn and statement of the stretch that runs, or ran when the process died; None without one."""
        if not self._map[_BUSY]:
            return None
        size = _STRETCH_FORM.size
        record = self._map[_STRETCH : _STRETCH + size]
        if struct.unpack_from("<I", self._map, _STRETCH + size)[0] != zlib.crc32(record):
            return None
        length, name, turn, statement = _STRETCH_FORM.unpack(record)
        return name[:length].decode(), turn, statement

    def beat(self, monotonic_ns: int) -> None:
        """Leave a sign of life: `time.monotonic_ns()`, the same clock for every process of the machine."""
        self._beat[0] = monotonic_ns  # one aligned store: a reader never sees half of it

    def last_beat(self) -> int:
        """The newest sign of life, in monotonic nanoseconds; 0 when there was none."""
        return self._beat[0]

    @property
    def clean_end(self) -> bool:
        """Whether the last process closed the store properly; False for a new file."""
        return self._map[_CLEAN_END] != 0

    def set_clean_end(self, value: bool) -> None:
        """Set it, synced: False before the store is opened, True after it is closed."""
        self._map[_CLEAN_END] = int(value)
        self._map.flush()

    def reset(self) -> None:
        """Forget commit and stretch, once what they meant has been dealt with; `clean_end` stays."""
        self._map[_IN_COMMIT] = 0
        self._map[_BUSY] = 0
        self._map.flush()

    def close(self) -> None:
        """Let go of the file; the content stays. Harmless when repeated."""
        self._beat.release()
        self._map.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
