"""The loop of a worker: passes as long as there is something to do, outside calls and model requests between them.

Owns the cadence of store commits and the tasks that wait for the outside; decides nothing about a single job. It sleeps
until something arrives: an answer, a result, a poke; the ledger's data version is looked at for pokes that got lost.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from statek.base.clock import Clock
from statek.base.mark import Mark
from statek.exceptions import StatekError
from statek.ledger import compiled, inbox
from statek.ledger.file import LedgerFile
from statek.ledger.inbox import InputKind
from statek.runtime import replay
from statek.runtime.asking import Asker
from statek.runtime.catalog import Catalog
from statek.runtime.crossings import Outcome
from statek.runtime.execute import CallWish, failure, success, watching
from statek.runtime.offer import DOCUMENTED_LIMITS
from statek.runtime.passes import MAX_INPUTS, Done, Passes, result_key
from statek.runtime.step import Failure
from statek.runtime.turn import Ask
from statek.sandbox.bounds import Watchdog
from statek.settings import StatekSettings
from statek.store import current, workspace
from statek.store.job import JobStatus, count_with, find_job
from statek.store.session import Store, address_of

LOOK_SECONDS = 0.25  # how late a lost poke is noticed, and how often futures are polled
COMMIT_SECONDS = 1.0
COMMIT_STRETCHES = 400  # open transactions make every further one dearer
DRAIN_SECONDS = 10.0
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
    ) -> None:
        """Put the parts together; call `recover` before `run`."""
        self.store = store
        self.ledger = ledger
        self.catalog = Catalog(ledger, limits)
        self.passes = Passes(
            store=store, ledger=ledger, clock=clock, catalog=self.catalog, watchdog=watchdog, mark=mark,
            step_seconds=step_seconds,
        )  # fmt: skip
        self.start_jobs: Callable[[], None] | None = None  # called before each pass, by embedding loops
        self.tally = Tally()
        self._asker = Asker(self.catalog, clock, secret, settings)
        self._checkpoint_store = checkpoint or store.commit
        self._clock = clock
        self._max_concurrency = max_concurrency
        self._default_provider = default_provider
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
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

    def checkpoint(self) -> None:
        """Write the store, saying how far the ledger is in it."""
        if self.passes.records is not None:
            root = self.store.root
            root.seq, root.seq_tag = self.passes.records.last()
            root.clock_us = self.passes.clock_us
        self._checkpoint_store()
        self._dirty = 0
        self._committed_at = self._clock.monotonic()

    def poke(self) -> None:
        """Look at the inbox now."""
        self._changed.set()

    async def run(self, stop: asyncio.Event, *, until_idle: bool = False) -> None:
        """Work until `stop` is set, then drain; or until nothing is left to do."""
        stopper = asyncio.create_task(self._poke_on(stop))
        try:
            while not stop.is_set():
                done = self._pass()
                if done.is_empty and await self._rest(until_idle=until_idle):
                    break
                await asyncio.sleep(0)
            await self._drain()
        finally:
            stopper.cancel()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._asker.close()
        self.checkpoint()

    async def _poke_on(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._changed.set()

    def _pass(self) -> Done:
        self.passes.max_active = self._concurrency()
        if self.start_jobs is not None:
            self.start_jobs()
        done = self.passes.run()
        self._dirty += done.stretches + done.taken
        self.tally.add(done.ended)
        self._perform(done.calls)
        for job_id, ask in done.asks:
            self._start(self._ask(job_id, ask))
        if self._dirty and self._is_commit_due():
            self.checkpoint()
        return done

    async def _rest(self, *, until_idle: bool) -> bool:
        """Wait for something to happen; True when nothing ever will."""
        self._poll_futures()
        if self.passes.arrivals or self.passes.ready.runnable:
            return False
        if until_idle and self._is_finished():
            return True
        if self._dirty and not self._tasks:
            self.checkpoint()
        self._changed.clear()
        if self._inbox_moved():
            return False
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), LOOK_SECONDS)
        return False

    def _inbox_moved(self) -> bool:
        if self.ledger is None:
            return False
        version = self.ledger.data_version()
        moved = version != self._version
        self._version = version
        return moved

    def _is_finished(self) -> bool:
        ready = self.passes.ready
        return ready.is_idle() and not self._tasks and not ready.futures and not self._can_take_more()

    def _can_take_more(self) -> bool:
        if self.ledger is None:
            return False
        waiting = inbox.depths(self.ledger, InputKind.ITEM)
        served = [name for name, queue in self.catalog.queues.items() if queue.agent is not None and not queue.paused]
        if any(waiting.get(name) for name in served):
            return True
        kinds = (InputKind.SUBMIT, InputKind.PUSH, InputKind.RELEASE)
        inputs = inbox.waiting(self.ledger, kinds=kinds, limit=MAX_INPUTS)
        return any(not self.passes.comes_too_early(entry) for entry in inputs)

    async def _drain(self) -> None:
        """Let calls under way come back, within bounds, and record what they gave."""
        fleet = self.catalog.fleet
        seconds = fleet.drain_us / 1_000_000 if fleet is not None else DRAIN_SECONDS
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        while self.passes.arrivals:
            self.passes.take_arrivals()

    def _is_commit_due(self) -> bool:
        return self._dirty >= COMMIT_STRETCHES or self._clock.monotonic() - self._committed_at >= COMMIT_SECONDS

    def _concurrency(self) -> int:
        if self._max_concurrency is not None:
            return self._max_concurrency
        fleet = self.catalog.fleet
        return fleet.max_concurrency if fleet is not None else 100

    def _poll_futures(self) -> None:
        """Ask the conditions of futures that nothing announces."""
        for job_id in list(self.passes.ready.futures):
            job = find_job(job_id)
            try:
                is_ready = job is None or job.awaited_result is None or job.awaited_result.check_condition()
            except Exception as error:  # noqa: BLE001 - an application's condition: its failure is this job's alone
                self.passes.deliveries[job_id] = Failure("failed", f"{type(error).__name__} in a condition: {error}")
                is_ready = True
            if is_ready:
                self.passes.ready.wake(job_id)

    # -- the outside ------------------------------------------------------------------------------------------------

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._changed.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("a task of the fleet failed", exc_info=task.exception())

    async def _ask(self, job_id: str, ask: Ask) -> None:
        try:
            answer: Any = await self._asker.ask(ask, self._default_provider)
        except (StatekError, ValueError) as error:
            answer = Failure("failed", f"{type(error).__name__}: {error}")
        self.passes.answered(job_id, ask.request.turn, answer)
        self.tally.count_answer(answer)
        self._changed.set()

    def _perform(self, calls: list[tuple[str, CallWish]]) -> None:
        if any(not wish.tool.idempotent for _, wish in calls):
            self.checkpoint()  # what a call rests on is on disk before it is made
        for job_id, wish in calls:
            if wish.tool.is_async:
                self._start(self._call_async(job_id, wish))
            else:
                self._call(job_id, wish)

    def _call(self, job_id: str, wish: CallWish) -> None:
        with current.running(find_job(job_id)), self.store.watched() as wrote:
            try:
                with watching(wish.args, wish.kwargs, workspace.OUTSIDE, id) as changes:
                    result = wish.tool.call(*wish.args, **wish.kwargs)
                    outcome = success(result, workspace.OUTSIDE, changes())
            except Exception as error:  # noqa: BLE001 - the tool boundary: whatever it raises is the call's outcome
                outcome = failure(error, workspace.OUTSIDE)
        self._performed(job_id, wish, outcome, touched=wrote[0])

    async def _call_async(self, job_id: str, wish: CallWish) -> None:
        seconds = wish.tool.timeout_us / 1_000_000 if wish.tool.timeout_us else None
        with current.running(find_job(job_id)):
            try:
                with watching(wish.args, wish.kwargs, workspace.OUTSIDE, id) as changes:
                    awaitable: Any = wish.tool.call(*wish.args, **wish.kwargs)
                    result = await asyncio.wait_for(awaitable, seconds)
                    outcome = success(result, workspace.OUTSIDE, changes())
            except Exception as error:  # noqa: BLE001 - the tool boundary, as above
                outcome = failure(error, workspace.OUTSIDE)
        self._performed(job_id, wish, outcome, touched=False)

    def _performed(self, job_id: str, wish: CallWish, outcome: Outcome, *, touched: bool) -> None:
        if outcome.unkept or any(address_of(ref) is None for ref in outcome.refs):
            why = outcome.unkept or "it is a part of a stored object"
            text = f"the result of {wish.tool.name} cannot be recorded: {why}; return plain data"
            outcome = failure(TypeError(text), workspace.OUTSIDE)
        if touched:
            self.store.root.touched = [*list(self.store.root.touched)[-50:], result_key(job_id, wish)]
            self.checkpoint()
        self.passes.performed(job_id, wish, outcome, touched=touched)
        self._changed.set()

    # -- telling ----------------------------------------------------------------------------------------------------

    def counts(self) -> dict[str, Any]:
        """How many jobs are where, what was used since the start, and which release is in use."""
        queued = inbox.depths(self.ledger, InputKind.ITEM) if self.ledger is not None else {}
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

    def add(self, ended: list[str]) -> None:
        """Count jobs that ended."""
        for job_id in ended:
            job = find_job(job_id)
            outcome = job.outcome if job is not None else "?"
            self.ended += 1
            self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
            if outcome != "ok":
                self.failed += 1
                self.failures = [*self.failures[-19:], job_id]

    def count_answer(self, answer: Any) -> None:
        """Count what an answer used."""
        if isinstance(answer, Failure):
            return
        self.input_tokens += answer.usage.input_tokens
        self.output_tokens += answer.usage.output_tokens
        self.scripted = self.scripted or answer.scripted
        if answer.usage.cost_usd is not None:
            self.cost_usd = (self.cost_usd or 0.0) + answer.usage.cost_usd
