"""Keeping good copies of the store, and pruning the ledger behind the oldest. Runs in the child, beside the fleet.

A copy is a plain file copy of a moment between two commits, proved in a process of its own that reads and rewrites
everything in it, and only then named. It never stops the worker for longer than it takes to hold on to that moment, and
a copy that fails costs a notice: the store goes on, the next one may succeed. Recovery uses what it leaves.

The one idea: the ledger is pruned up to the oldest of a full set of kept copies and never beyond, so that each of them
can be brought up to date.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from statek.base import guarded_file, rotation
from statek.base.clock import Clock
from statek.exceptions import LedgerError, StoreError
from statek.ledger import pruning
from statek.ledger.file import LedgerFile
from statek.ledger.records import Records
from statek.runtime.fleet import Fleet
from statek.runtime.step import Failure
from statek.worker import probing
from statek.worker.probing import Probing

LOOK_SECONDS = 0.25
AFTER_RELEASE_SECONDS = 10.0  # a release is copied at once, but edits come in rows
SHARE = 4  # a copy is followed by at least so many times the time it took
COPY_PROBE_SECONDS = 60.0  # beside a busy worker; a copy that is given up in vain costs more than waiting
NICE = 10
MOMENT_SECONDS = 10.0  # how long a copy that somebody waits for waits for a good moment
_STEP_SECONDS = 0.02


@dataclass(frozen=True)
class Rhythm:
    """How often a copy is made, in seconds, how many are kept, and how long keys of pruned inputs stay."""

    seconds: float
    keep: int
    keys_kept_us: int


@dataclass(frozen=True)
class Moment:
    """A state of the store: the last record in it, and its release."""

    seq: int
    release: str


@dataclass(frozen=True)
class Last:
    """The last attempt: of which moment, when it ended in monotonic seconds, and how long it took."""

    moment: Moment
    ended: float
    took: float = 0.0


class CopiedStore(Protocol):
    """The open store as copying sees it."""

    def moment(self) -> Moment:
        """What the store in memory is at."""
        ...

    def commit(self) -> Moment | None:
        """Write the store; None when this is no good moment, because something is known in memory alone."""
        ...


class FleetStore:
    """The store of a running fleet."""

    def __init__(self, fleet: Fleet, ledger: LedgerFile, checkpoint: Callable[[], None]) -> None:
        """Commit by `checkpoint`, which must not return when the store cannot be written."""
        self._fleet = fleet
        self._records = Records(ledger)
        self._checkpoint = checkpoint

    def moment(self) -> Moment:
        """What the store in memory is at."""
        return Moment(self._records.last()[0], self._fleet.store.root.release)

    def commit(self) -> Moment | None:
        """Write the store, unless a failure of the outside is on its way to a job: no record tells it again.

        Nor when what is in memory may not be saved any more.
        """
        deliveries = self._fleet.passes.deliveries.values()
        if self._fleet.is_lost or any(isinstance(delivery, Failure) for delivery in deliveries):
            return None
        self._checkpoint()
        return self.moment()


async def copy_to(target: Path, file: Path, store: CopiedStore, store_id: str) -> int:
    """Copy the open store to the new file `target`, without proving it. Returns the last record in it.

    Raises StoreError when `target` is there, cannot be written, or there is no good moment for long.
    """
    if target.exists():  # noqa: ASYNC240 - one look
        raise StoreError(f"{target} is there already", hint="choose another name; nothing is overwritten")
    for _ in range(round(MOMENT_SECONDS / _STEP_SECONDS)):
        moment = store.commit()
        if moment is not None:
            break
        await asyncio.sleep(_STEP_SECONDS)
    else:
        raise StoreError("the store was never in a state that can be copied", hint="try again")
    try:
        await asyncio.to_thread(guarded_file.hold_state(file, target, store_id))
    except OSError as error:
        raise StoreError(f"the store cannot be copied to {target}: {error.strerror}") from error
    return moment.seq


def is_due(now: float, last: Last, moment: Moment, rhythm: Rhythm, *, wanted: bool) -> bool:
    """Whether to make a copy now: something changed, and it is time; `wanted` ones do not wait for the time."""
    if wanted:
        return True
    passed = now - last.ended
    if moment.seq == last.moment.seq or passed < SHARE * last.took:
        return False
    if moment.release != last.moment.release and passed >= min(AFTER_RELEASE_SECONDS, rhythm.seconds):
        return True
    return passed >= rhythm.seconds


class Copying:
    """Makes copies of one store file as long as its worker runs."""

    def __init__(
        self,
        file: Path,
        store: CopiedStore,
        ledger: LedgerFile,
        clock: Clock,
        rhythm: Rhythm,
        say: Callable[[str], None],
        *,
        how: Probing,
        wanted: bool = False,
    ) -> None:
        """Copy `file`, the file of the open `store`, and prove each copy as `how` says. `wanted`: make one at once."""
        self._file = file
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._rhythm = rhythm
        self._say = say
        self._probing = how
        newest, moment = rotation.kept_copies(file)[:1], store.moment()
        self._wanted = wanted or (moment.seq > 0 and not newest)  # a store with a past and no copy yet
        age = max(0.0, (clock.now_us() - newest[0].made_us) / 1e6) if newest else 0.0
        self._last = Last(Moment(newest[0].seq if newest else 0, moment.release), clock.monotonic() - age)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. A copy that is being made then is given up."""
        rotation.clear_unfinished(self._file)
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
                return
            now = self._clock.monotonic()
            if is_due(now, self._last, self._store.moment(), self._rhythm, wanted=self._wanted):
                await self._copy_or_say()

    async def copy(self) -> bool:
        """Make a copy of now; False when this is no good moment.

        Raises:
            StoreError: it is not good, or could not be proved.
            OSError: as the disk does.
        """
        moment = self._store.commit()
        if moment is None:
            return False
        unfinished = rotation.unfinished_path(self._file)
        try:
            finish = guarded_file.hold_state(self._file, unfinished, self._ledger.store_id)
            modules = probing.tool_modules(self._ledger)
            await asyncio.to_thread(self._prove, finish, unfinished, modules, moment)
            rotation.keep(unfinished, self._file, moment.seq)
        finally:
            rotation.clear_unfinished(self._file)
        return True

    async def prune(self) -> None:
        """Keep the newest copies, and prune behind the oldest of a full set. Raises LedgerError, OSError."""
        left = rotation.thin_out(self._file, self._rhythm.keep)
        if len(left) < self._rhythm.keep:
            return
        now, keys_us = self._clock.now_us(), self._rhythm.keys_kept_us
        for _ in pruning.prune(self._ledger, left[-1].seq, at_us=now, keys_kept_us=keys_us):
            await asyncio.sleep(0)

    def _prove(self, finish: Callable[[], None], unfinished: Path, modules: Sequence[str], moment: Moment) -> None:
        finish()
        scratch = unfinished.with_name("probe")
        found = probing.try_file(unfinished, scratch, self._ledger.store_id, modules, self._probing)
        if found.code != 0:
            raise StoreError(f"not everything in it can be read and rewritten (exit code {found.code})")
        if found.seq != moment.seq:
            raise StoreError(f"it ends at record {found.seq}, the store was at {moment.seq}")

    async def _copy_or_say(self) -> None:
        before, began = self._store.moment(), self._clock.monotonic()
        what = "a copy of the store could not be made"
        try:
            if not await self.copy():
                return  # soon again
            what = "the ledger could not be pruned"
            await self.prune()
        except (StoreError, LedgerError, OSError) as error:
            self._say(f"{what}: {error}; the worker goes on and tries again later")
        ended = self._clock.monotonic()
        self._last = Last(before, ended, ended - began)
        self._wanted = False
