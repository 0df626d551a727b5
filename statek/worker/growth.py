"""How fast store and ledger grow, measured: a ring of samples in the ledger's own notes, written by the worker.

It never opens the store; the worker's estimate of what lives in it comes with each sample. Read by `statek status`
without a worker too. The one idea: a worker at rest writes nothing, so a sample is taken at most every ten minutes and
only when the store has grown since the last one.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from statek.base.clock import Clock
from statek.ledger.file import LedgerFile

SECONDS = 600.0
MOST = 288  # samples: two days at ten minutes
_NOTE = "growth"
_DAY = 86_400
_SHORTEST = 300  # seconds that samples have to span before they say anything about a day


@dataclass(frozen=True)
class Sample:
    """Sizes at a time: seconds since 1970, bytes of store and ledger, about how many of the store's are alive."""

    at: int
    store: int
    ledger: int
    live: int


@dataclass(frozen=True)
class Growth:
    """Sizes now, in bytes; growth of both in a day, None until it was measured; `live` None: never looked at."""

    store: int
    ledger: int
    per_day: int | None
    live: int | None

    @property
    def given_back(self) -> int | None:
        """About how much a compaction would give back."""
        return None if self.live is None else max(0, self.store - self.live)


def sizes(store_file: Path, ledger: Path) -> tuple[int, int]:
    """Bytes of the store, and of the ledger with its write-ahead log."""
    parts = (ledger, ledger.with_name(ledger.name + "-wal"))
    return _size(store_file), sum(_size(part) for part in parts)


def read_samples(ledger: LedgerFile) -> list[Sample]:
    """The samples, oldest first."""
    found = ledger.rows("SELECT value FROM meta WHERE name = ?", _NOTE)
    return [Sample(*entry) for entry in json.loads(found[0][0])] if found else []


def growth(store_file: Path, ledger: LedgerFile, now_s: int) -> Growth:
    """What is known now."""
    samples = read_samples(ledger)
    store, of_ledger = sizes(store_file, ledger.path)
    live = samples[-1].live if samples else None
    recent = [sample for sample in samples if sample.at >= now_s - _DAY] or samples[-1:]
    return Growth(store, of_ledger, per_day([*recent, Sample(now_s, store, of_ledger, live or 0)]), live)


def per_day(samples: Sequence[Sample]) -> int | None:
    """Bytes a day by which both files have grown together; what a compaction took away does not count."""
    if not samples or samples[-1].at - samples[0].at < _SHORTEST:
        return None
    grown = 0
    for before, after in pairwise(samples):
        grown += max(0, after.store - before.store) + max(0, after.ledger - before.ledger)
    return grown * _DAY // (samples[-1].at - samples[0].at)


class Measuring:
    """Takes the samples, beside the fleet."""

    def __init__(self, store_file: Path, ledger: LedgerFile, clock: Clock, live: Callable[[], int]) -> None:
        """`live` looks into the open store: about how many bytes a compaction would leave."""
        self._store_file = store_file
        self._ledger = ledger
        self._clock = clock
        self._live = live

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        while not stop.is_set():
            self.sample()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), SECONDS)

    def end(self) -> None:
        """At the end of a worker that ran too short for a sample of its own: keep what lives in the store now."""
        samples = read_samples(self._ledger)
        if samples and samples[-1].store != sizes(self._store_file, self._ledger.path)[0] and not self.sample():
            self._write([*samples[:-1], replace(samples[-1], live=self._live())])

    def sample(self) -> bool:
        """Take a sample if it is time and something has changed; whether it was taken."""
        now = self._clock.now_us() // 1_000_000
        samples = read_samples(self._ledger)
        store, of_ledger = sizes(self._store_file, self._ledger.path)
        last = samples[-1] if samples else None
        if last is not None and (last.store == store or now - last.at < SECONDS - 1):
            return False
        self._write([*samples[1 - MOST :], Sample(now, store, of_ledger, self._live())])
        return True

    def _write(self, samples: Sequence[Sample]) -> None:
        kept = [[sample.at, sample.store, sample.ledger, sample.live] for sample in samples]
        with self._ledger.transaction():
            self._ledger.set_meta(_NOTE, json.dumps(kept, separators=(",", ":")))


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
