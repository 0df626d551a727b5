"""What was made of files, kept for as long as the disk says that each is the one that was read.

A file is read again when its device, inode, mode, size, mtime or ctime differ. That is what git goes by, and it has
the same gap: clocks of disks tick every few milliseconds, so a file that is written again within one tick, at the same
length, looks as it did. So a file is only believed to be what it was when it had been at rest for `SETTLED` as it was
looked at; until then it is read each time. Nobody can set a ctime, so a mtime that is put back hides nothing.

What is left (a clock that goes back, a page of a mapped file, a disk of the network that tells no ctime) is late and
not lost: after `LONGEST` a file is read again whatever the disk says.
"""

import math
import os
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from operator import attrgetter
from typing import Generic, TypeVar

from statek.base.clock import Clock, SystemClock

SETTLED = 2_000_000_000  # nanoseconds; the coarsest clocks of disks tick every two seconds
LONGEST = 60.0  # seconds
_T = TypeVar("_T")


# A plain tuple, made in C: thousands of them are made at each look, and the garbage collector passes these over.
Identity = tuple[int, ...]
identity_of: Callable[[os.stat_result], Identity] = attrgetter(
    "st_dev", "st_ino", "st_mode", "st_size", "st_mtime_ns", "st_ctime_ns"
)


@dataclass(frozen=True, slots=True)
class _Known(Generic[_T]):
    identity: Identity
    raw: bytes
    made: _T
    until: float  # believed without reading, by the monotonic clock


class KnownFiles(Generic[_T]):
    """What was made of each file. A run forgets files that the one before did not ask for."""

    def __init__(self, clock: Clock | None = None) -> None:
        """No file is known yet."""
        self._clock = clock or SystemClock()
        self._before: dict[Hashable, _Known[_T]] = {}
        self._now: dict[Hashable, _Known[_T]] = {}
        self._settled_before = 0
        self._at = 0.0
        self.fresh = 0  # files that this run has read

    def begin(self) -> None:
        """A run begins; only afterwards may it ask the disk for the identities of files."""
        self._before, self._now, self.fresh = self._now, {}, 0
        self._settled_before = self._clock.now_us() * 1000 - SETTLED
        self._at = self._clock.monotonic()

    def believed(self, key: Hashable, identity: Identity) -> _T | None:
        """What was made of a file that need not be read again."""
        known = self._before.get(key)
        if known is None or known.identity != identity or known.until < self._at:
            return None
        self._now[key] = known
        return known.made

    def of(self, key: Hashable, identity: Identity, read: Callable[[], bytes], make: Callable[[bytes], _T]) -> _T:
        """What `make` makes of the bytes of a file: the very same object as long as the bytes are the same."""
        believed = self.believed(key, identity)
        if believed is not None:
            return believed
        known, raw = self._before.get(key), read()
        self.fresh += 1
        made = known.made if known is not None and known.raw == raw else make(raw)
        settled = max(identity[-2:]) < self._settled_before
        self._now[key] = _Known(identity, raw, made, self._at + LONGEST if settled else -math.inf)
        return made
