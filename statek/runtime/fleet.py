"""The loop of a worker: passes as long as there is something to do, outside calls and model requests between them.

Owns the cadence of store commits and the tasks that wait for the outside; decides nothing about a single job. It sleeps
until something arrives: an answer, a result, a poke; the ledger's data version is looked at for pokes that got lost.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, NoReturn

from statek.base.clock import Clock
from statek.base.mark import Mark
from statek.exceptions import BugError, LedgerError, StatekError, StoreError
from statek.ledger import compiled, inbox
from statek.ledger.file import LedgerFile
from statek.runtime import cleanup, replay
from statek.runtime.asking import Asker
from statek.runtime.catalog import Catalog
from statek.runtime.endings import CallWish
from statek.runtime.futures import NOTHING, Watched, watched
from statek.runtime.offer import DOCUMENTED_LIMITS
from statek.runtime.outcomes import failure
from statek.runtime.passes import Done, Passes, TakenBack
from statek.runtime.performing import INLINE_SECONDS, Performed, Performer
from statek.runtime.step import Failure
from statek.runtime.turn import Ask
from statek.sandbox.bounds import Watchdog
from statek.settings import StatekSettings
from statek.store.job import Job, JobStatus, count_with, find_job
from statek.store.session import Store, address_of
from statek.store.workspace import OUTSIDE

LOOK_SECONDS = 0.25  # how late a lost poke is noticed
GATHER_SECONDS = 0.001
COMMIT_SECONDS = 1.0
COMMIT_STRETCHES = 400  # what is not written yet has to be done again after a crash
DRAIN_SECONDS = 10.0
WOKEN_TOGETHER = 20  # jobs that wait for the same, in one turn
log = logging.getLogger(__name__)


class Fleet:
    """A store, its ledger and the jobs in them, at work."""

    def __init__(
        self,
        *,
        store: Store,
        ledger: LedgerFile | None,
        clock: Clock,
        secret: Callable[[str], str | None],
        watchdog: Watchdog,
        checkpoint: Callable[[], None] | None = None,
        mark: Mark | None = None,
        max_concurrency: int | None = None,
        settings: StatekSettings | None = None,
        default_provider: str | None = None,
        limits: compiled.Limits = DOCUMENTED_LIMITS,
        step_seconds: float = 5.0,
        inline_seconds: float = INLINE_SECONDS,
        start_again: Callable[[str], NoReturn] | None = None,
    ) -> None:
        """Put the parts together; call `recover` before `run`.

        `start_again` leaves the process at once, saves nothing, and somebody starts it anew: for stretches that have to
        be taken back, whose reason it is given. Without it they are not.
        """
        self.store = store
        self.ledger = ledger
        self.catalog = Catalog(ledger, limits)
        self.passes = Passes(
            store=store, ledger=ledger, clock=clock, catalog=self.catalog, watchdog=watchdog, mark=mark,
            step_seconds=step_seconds, takes_back=start_again is not None,
        )  # fmt: skip
        self.start_jobs: Callable[[], None] | None = None  # called before each pass, by embedding loops
        self.watch: Callable[[list[str]], None] | None = None  # told after each pass which jobs ran; never raises
        self.tally = Tally()
        self.asker = Asker(self.catalog, clock, secret, settings)
        self._performer = Performer(store, clock, watchdog, inline_seconds=inline_seconds)
        self._start_again = start_again
        self._mark = mark
        self._checkpoint_store = checkpoint or store.commit
        self._clock = clock
        self.max_concurrency = max_concurrency
        self._default_provider = default_provider
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._calls_out = 0  # of these, calls of tools under way
        self._lost: StatekError | None = None  # a failure of store or ledger, after which nothing may be saved
        self._dirty = 0
        self._committed_at = clock.monotonic()
        self._version = -1

    # -- start and end ----------------------------------------------------------------------------------------------

    def recover(self) -> int:
        """Bring the store up to the ledger; how many records that took."""
        replayed = replay.replay(self.passes, self._checkpoint_store)
        if replayed.differing:
            log.warning("%d stretches did something else than recorded; the records won", replayed.differing)
        self.passes.rebuild()
        self.tally.start()
        return replayed.records

    @property
    def is_lost(self) -> bool:
        """May what is in memory not be saved any more? The process leaves then."""
        return self._lost is not None

    def checkpoint(self) -> None:
        """Write the store, saying how far the ledger is in it. Raises what ended the work: nothing is saved then."""
        if self._lost is not None:
            raise self._lost
        self.passes.settle()
        if self.passes.records is not None:
            root = self.store.root
            last = self.passes.records.last()
            if (root.seq, root.seq_tag) != last:
                root.seq, root.seq_tag = last
            self.passes.results.forget_touched()
            if root.clock_us != self.passes.clock_us:  # an assignment alone grows the file
                root.clock_us = self.passes.clock_us
        self._checkpoint_store()
        self._dirty = 0
        self._committed_at = self._clock.monotonic()

    def poke(self) -> None:
        """Look at the inbox now."""
        self._changed.set()

    async def run(self, stop: asyncio.Event, *, until_idle: bool = False, waits: bool = True) -> None:
        """Work until `stop` is set, then drain; or until nothing is left to do.

        Args:
            stop: set it to end.
            until_idle: end when nothing is left to do.
            waits: what can be done only later is left to do, too; for a clock that stands still it is not.
        """
        stopper = asyncio.create_task(self._poke_on(stop))
        try:
            while not stop.is_set():
                if self._lost is not None:
                    raise self._lost  # what a call gave cannot be recorded: leave, as when the loop itself meets it
                try:
                    done = await self._pass()
                    if not done.is_empty:
                        await self._gather(is_hurried=done.is_cut)
                    self._poll_futures()  # behind what the pass wanted from outside; who can go on does so in the next
                except TakenBack as error:
                    await self._leave(error)
                except Exception as error:  # no other task may save what is not recorded
                    self._lost = error if isinstance(error, StatekError) else BugError(f"a pass failed: {error!r}")
                    raise
                if done.is_empty and await self._rest(until_idle=until_idle, waits=waits):
                    break
                if self._dirty and self._is_commit_due():
                    self.checkpoint()  # now that what the pass wants from outside is under way
            await self._drain(self.passes.take_arrivals)
        finally:
            stopper.cancel()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            if self._lost is None:
                self.passes.take_arrivals()  # what came home before somebody cancelled this
            await self.asker.close()
        self.checkpoint()

    async def _poke_on(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._changed.set()

    async def _pass(self) -> Done:
        self.passes.max_active = self._concurrency()
        if self.start_jobs is not None:
            self.start_jobs()
        done = self.passes.begin()
        for job_id, ask in done.asks:
            self._start(self._ask(job_id, ask))
        try:
            if done.asks and self._may_leave_early(done):
                await asyncio.sleep(0)  # they leave now
        finally:
            self._end_pass(done)  # also for who is cancelled here: what ran has run
        return done

    def _may_leave_early(self, done: Done) -> bool:
        """Whether nobody else can see, before it is on disk, what ran: the end of a job, or what it did to objects."""
        return not (done.ended or self._calls_out or self.store.writes_itself)

    def _end_pass(self, done: Done) -> None:
        self.passes.settle()
        self._hurry_futures(wrote=bool(done.stretches))
        if cleanup.clean_up(self.passes):
            self.checkpoint()  # what they wrote to the store is not written again by a replay
        self._dirty += done.stretches + done.taken
        self.tally.add(done.ended)
        if self.watch is not None and done.ran:
            self.watch(done.ran)
        self._perform(done.calls)

    async def _gather(self, *, is_hurried: bool) -> None:
        """Let what comes in within a moment be one pass, unless others wait: each pass commits the ledger twice."""
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        is_hurried = is_hurried or bool(self.passes.ready.runnable) or len(self.passes.arrivals) >= len(self._tasks)
        if not is_hurried:
            await asyncio.sleep(GATHER_SECONDS)

    async def _rest(self, *, until_idle: bool, waits: bool) -> bool:
        """Wait for something to happen; True when nothing ever will."""
        if self.passes.arrivals or self.passes.ready.runnable:
            return False
        if until_idle and self._is_finished(waits=waits):
            return True
        if self._dirty and not self._tasks:
            self.checkpoint()
        self._changed.clear()
        if self._inbox_moved():
            return False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._seconds_to_rest()):  # `wait_for` loses an interrupt that comes with a poke
                await self._changed.wait()
        return False

    def _seconds_to_rest(self) -> float:
        """Until an item is due, or lost pokes are looked for."""
        due_us = self.passes.next_due_us
        most = self.passes.ready.futures.seconds(asyncio.get_running_loop().time(), LOOK_SECONDS)
        return most if due_us is None else min(most, max(0, due_us - self._clock.now_us()) / 1_000_000)

    def _inbox_moved(self) -> bool:
        if self.ledger is None:
            return False
        version = self.ledger.data_version()
        moved = version != self._version
        self._version = version
        return moved

    def _is_finished(self, *, waits: bool) -> bool:
        ready = self.passes.ready
        return ready.is_idle() and not self._tasks and not ready.futures and not self._can_take_more(waits=waits)

    def _can_take_more(self, *, waits: bool) -> bool:
        if self.ledger is None:
            return False
        is_later = self.passes.next_due_us is not None and not waits
        if self.passes.admission is not None and self.passes.admission.has_more() and not is_later:
            return True
        return self.passes.inbound is not None and self.passes.inbound.has_more()

    async def _drain(self, record: Callable[[], object]) -> None:
        """Let calls under way come back, within bounds, and record what they gave."""
        fleet, clock = self.catalog.fleet, asyncio.get_running_loop().time
        ends = clock() + (fleet.drain_us / 1_000_000 if fleet is not None else DRAIN_SECONDS)
        while self._tasks and (left := ends - clock()) > 0:
            await asyncio.wait(self._tasks, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            record()
        record()

    async def _leave(self, error: TakenBack) -> NoReturn:
        """Start again from the last commit, once the calls of other jobs that are under way have come home."""
        assert self._start_again is not None
        self._lost = error  # nobody may save what the stretch did
        await self._drain(self.passes.record_arrivals)
        self._start_again(str(error))

    def _is_commit_due(self) -> bool:
        return self._dirty >= COMMIT_STRETCHES or self._clock.monotonic() - self._committed_at >= COMMIT_SECONDS

    def _concurrency(self) -> int:
        if self.max_concurrency is not None:
            return self.max_concurrency
        fleet = self.catalog.fleet
        return fleet.max_concurrency if fleet is not None else 100

    def _poll_futures(self) -> None:
        """Ask the conditions of the futures whose time has come; those that ask the same are asked once."""
        waiting, now = self.passes.ready.futures, asyncio.get_running_loop().time()
        woken: Counter[Any] = Counter()  # question -> jobs woken in this turn
        refused: set[Any] = set()  # questions that were answered with no
        for job_id in waiting.due(now):
            watch = waiting.watch_of(job_id)
            if watch is not None and watch.question in refused:
                waiting.again(job_id, now)
            elif watch is not None and watch.question is not None and woken[watch.question] >= WOKEN_TOGETHER:
                waiting.again(job_id, now, at_once=True)  # who goes on now may take what it waits for
            elif (ready := self._is_ready(job_id, watch)) is not None:
                woken[ready.question] += 1
                self._wake_waiting(job_id, ready)
            elif (watch := waiting.watch_of(job_id)) is not None:
                waiting.again(job_id, now)
                refused |= {watch.question} - {None}
        for question in woken.keys() - {None}:
            waiting.answered(question, now)

    def _is_ready(self, job_id: str, watch: Watched | None) -> Watched | None:
        """What the job waits for when it can go on, None when it has to wait longer."""
        if watch is None:
            watch = watched(find_job(job_id))
            if watch is None:
                return NOTHING
            self.passes.ready.futures.watch(job_id, watch)
        try:
            return watch if watch.is_ready() else None
        except Exception as error:  # noqa: BLE001 - an application's condition: its failure is this job's alone
            self.passes.notes[job_id] = f"{type(error).__name__} in a condition: {error}"
            return watch

    def _wake_waiting(self, job_id: str, ready: Watched) -> None:
        waiting, job = self.passes.ready.futures, find_job(job_id)
        waiting.woke(job_id, None if job is None else (job.turn, job.statement))
        self.passes.ready.wake(job_id)

    def _hurry_futures(self, *, wrote: bool) -> None:
        """Look sooner at those who may wait for what was done here."""
        waiting, now = self.passes.ready.futures, asyncio.get_running_loop().time()
        if waiting.is_watching:
            waiting.met(filter(None, map(address_of, self.passes.steps.met)), now)
        self.passes.steps.met.clear()
        if wrote:
            waiting.hurry(now)

    # -- the outside ------------------------------------------------------------------------------------------------

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._changed.set()
        error = None if task.cancelled() else task.exception()
        if isinstance(error, StoreError | LedgerError):
            self._lost = error
        elif error is not None:
            log.error("a task of the fleet failed", exc_info=error)

    async def _ask(self, job_id: str, ask: Ask) -> None:
        try:
            answer: Any = await self.asker.ask(ask, self._default_provider)
        except (StatekError, ValueError) as error:
            answer = Failure("failed", f"{type(error).__name__}: {error}")
        except Exception as error:  # a job must never wait for an answer that nobody waits for any more
            log.exception("asking the model for job %s failed inside the kit", job_id)
            answer = Failure("failed", f"error in the kit: {type(error).__name__}: {error}")
        self.passes.arrivals.answered(job_id, ask.request.key, answer)
        self.tally.count_answer(answer)
        self._changed.set()

    def _perform(self, calls: list[tuple[str, CallWish]]) -> None:
        if any(not wish.tool.idempotent for _, wish in calls):
            self.checkpoint()  # what a call rests on is on disk before it is made
        for job_id, wish in calls:
            if wish.tool.is_async or wish.tool.thread:
                self._start(self._call(job_id, wish))
            else:
                self._call_inline(job_id, wish)

    def _call_inline(self, job_id: str, wish: CallWish) -> None:
        """Everybody waits for it; should this process end meanwhile, the mark says whose call that was."""
        if self._mark is not None:
            self._mark.begin_stretch(job_id, wish.turn, wish.statement)
        try:
            done = self._performer.perform_inline(job_id, wish)
        except Exception as error:  # noqa: BLE001 - as in `_call`
            done = _failed_inside(job_id, wish, error)
        if self._mark is not None:
            self._mark.end_stretch()
        self._performed(job_id, wish, done)

    async def _call(self, job_id: str, wish: CallWish) -> None:
        self._calls_out += 1
        try:
            done = await self._performer.perform(job_id, wish)
        except Exception as error:  # noqa: BLE001 - a job must never wait for a call that nobody makes any more
            done = _failed_inside(job_id, wish, error)
        finally:
            self._calls_out -= 1
        self._performed(job_id, wish, done)

    def _performed(self, job_id: str, wish: CallWish, done: Performed) -> None:
        touched = done.touched or bool(done.outcome.refs)  # an object found may not be written either
        if self._lost is not None and touched:
            return  # what it wrote or found in the store goes with this process: nobody knows how it ended
        if touched:
            self.passes.results.note_touched(job_id, wish)
            self.checkpoint()
        self.passes.take_notice(done.made, done.woken)
        try:
            self.passes.arrivals.performed(job_id, wish, done.outcome, touched=touched)
        except Exception as error:  # noqa: BLE001 - a result that cannot be recorded after all is the end of its call
            outcome = _failed_inside(job_id, wish, error).outcome
            self.passes.arrivals.performed(job_id, wish, outcome, touched=touched)
        self._changed.set()

    # -- telling ----------------------------------------------------------------------------------------------------

    def counts(self) -> dict[str, Any]:
        """How many jobs are where, what was used since the start, and which release is in use."""
        queued = inbox.depths(self.ledger, *inbox.ITEMS) if self.ledger is not None else {}
        ready, tally = self.passes.ready, self.tally
        done = count_with(JobStatus.DONE)
        waiting = sum(queued.values()) + len(ready.new)
        suspended = len(ready.parked) + len(ready.futures)
        return {
            "done": done, "waiting": waiting, "running": len(ready.active), "suspended": suspended,
            "failed": tally.failed, "total": done + waiting + len(ready.active) + suspended, "queued": queued,
            "endedHere": tally.ended, "inputTokens": tally.input_tokens, "outputTokens": tally.output_tokens,
            "costUsd": tally.cost_usd, "scripted": tally.scripted, "outcomes": dict(tally.outcomes),
            "release": self.catalog.release, "number": self.store.root.release_number,
            "agents": self.catalog.agent_names,
        }  # fmt: skip


def _failed_inside(job_id: str, wish: CallWish, error: Exception) -> Performed:
    """How a call ended whose outcome could not be made: the job is told, everybody else goes on."""
    log.error("the call of %s for job %s failed inside the kit", wish.tool.name, job_id, exc_info=error)
    return Performed(failure(BugError(f"error in the kit: {type(error).__name__}: {error}"), OUTSIDE))


class Tally:
    """What happened since the worker started, for the display; the jobs themselves keep their own figures."""

    def __init__(self) -> None:
        """Start at nothing."""
        self.ended = self.failed = self.input_tokens = self.output_tokens = 0
        self.cost_usd: float | None = None
        self.scripted = False
        self.outcomes: dict[str, int] = {}
        self.failures: list[str] = []

    def start(self) -> None:
        """Forget what a replay counted."""
        self.__init__()  # type: ignore[misc]

    def add(self, ended: Iterable[Job]) -> None:
        """Count jobs that ended."""
        for job in ended:
            self.ended += 1
            outcome = job.outcome
            self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
            if outcome != "ok":
                self.failed += 1
                self.failures = [*self.failures[-19:], job.id]

    def count_answer(self, answer: Any) -> None:
        """Count what an answer used."""
        if isinstance(answer, Failure):
            return
        self.input_tokens += answer.usage.input_tokens
        self.output_tokens += answer.usage.output_tokens
        self.scripted = self.scripted or answer.scripted
        if answer.usage.cost_usd is not None:
            self.cost_usd = (self.cost_usd or 0.0) + answer.usage.cost_usd
