"""Where each job sits: its slot, found by its id. The index is in memory; what it is made from is stored in blocks.

A dictionary of the store writes a page of its own for nearly every new key, so each job made would cost more the more
there are. Here each slot's key (a digest of the job's id) is stored in blocks that are appended once and never touched
again, and the newest jobs, less than a block, are read one by one. The idea to keep in mind: an application that rolls
a transaction back takes its jobs away without telling, so every answer is checked against the job in the slot.
"""

import functools
import hashlib
from array import array
from collections.abc import Callable
from typing import Any

BLOCK = 1024  # keys of one block
_KEY = "Q"  # unsigned, 64 bits


@functools.lru_cache(4096)
def digest_key(job_id: str) -> int:
    """A whole number of 64 bits for an id."""
    return int.from_bytes(hashlib.blake2b(job_id.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


class JobIndex:
    """Slots by id, over the list of jobs and the list of blocks of one open store."""

    def __init__(self, jobs: Any, blocks: Any, key_of: Callable[[str], int] = digest_key) -> None:
        """Read the blocks, and the ids of the jobs behind them."""
        self._key_of = key_of
        self._jobs = jobs
        self._blocks = blocks
        self._keys = array(_KEY)
        self._slots: dict[int, int] = {}
        self._shared: dict[str, int] = {}  # ids whose key another job has too
        self.has_forgotten = False  # since lists were let go of
        for block in blocks:
            for key in array(_KEY, block):
                self._note(key, len(self._keys))
        self._catch_up()

    @property
    def has_let_go(self) -> bool:
        """Whether the lists have to be given anew before anything is asked."""
        return self._jobs is None

    def let_go(self) -> None:
        """Hold no list any more."""
        self._jobs = self._blocks = None
        self.has_forgotten = False

    def renew(self, jobs: Any, blocks: Any) -> None:
        """Use these handles of the same lists from now on."""
        self._jobs, self._blocks = jobs, blocks

    def find(self, job_id: str) -> Any | None:
        """The job of that id, or None."""
        count = len(self._jobs)
        if len(self._keys) < count:
            self._catch_up()
        slot = self._shared.get(job_id) if self._shared else None
        if slot is None:
            slot = self._slots.get(self._key_of(job_id))
        job = self._jobs[slot] if slot is not None and slot < count else None
        return job if job is not None and job.id == job_id else None

    def add(self, job: Any, job_id: str) -> None:
        """Append a job whose id is new."""
        if len(self._keys) > len(self._jobs):  # jobs of an application's transaction that was rolled back
            del self._keys[len(self._jobs) :]
        self._catch_up()
        self._shared.pop(job_id, None)
        self._jobs.append(job)
        self._note(self._key_of(job_id), len(self._keys), job_id)
        start = len(self._blocks) * BLOCK
        if len(self._keys) - start >= BLOCK:
            self._blocks.append(self._keys[start : start + BLOCK].tobytes())

    def forget(self, job_id: str) -> None:
        """Empty the slot of a job; nothing happens when there is none."""
        if self.find(job_id) is None:
            return
        slot = self._shared.get(job_id, self._slots[self._key_of(job_id)])
        self._jobs[slot] = None
        self.has_forgotten = True

    def knew(self, job_id: str) -> bool:
        """Whether a job of that id was there and was forgotten (not known of one forgotten among the newest, later)."""
        slot = self._slots.get(self._key_of(job_id))
        return slot is not None and slot < len(self._jobs) and self._jobs[slot] is None

    def _catch_up(self) -> None:
        for slot in range(len(self._keys), len(self._jobs)):
            job = self._jobs[slot]
            job_id = job.id if job is not None else ""
            self._note(self._key_of(job_id), slot, job_id)

    def _note(self, key: int, slot: int, job_id: str | None = None) -> None:
        other = self._at(self._slots[key]) if key in self._slots else None
        if other is not None and self._slots[key] != slot:
            mine = job_id if job_id is not None else self._id_at(slot)
            if other.id != mine:
                self._shared[mine] = slot
                self._keys.append(key)
                return
        self._slots[key] = slot
        self._keys.append(key)

    def _at(self, slot: int) -> Any | None:
        return self._jobs[slot] if slot < len(self._jobs) else None

    def _id_at(self, slot: int) -> str:
        job = self._at(slot)
        return "" if job is None else str(job.id)
