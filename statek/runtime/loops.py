"""The documented loops of an embedding process: `run_jobs_loop`, `run_agentic_loop`, `run_agentic_fleet`.

The host opens dbzero; these loops run the jobs it finds there with the same fleet that `statek work` uses, on a ledger
beside the host's file when that can be found. Jobs, messages and events that the host's own code puts into the store
are found by looking: when that code tells (`store.wakeups`), else a few times a second. Not here: reading settings and
files at start (`worker.embedded`).
"""

import asyncio
import inspect
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from statek.base.clock import SystemClock
from statek.exceptions import LedgerError, StoreError
from statek.ledger.file import LedgerFile
from statek.runtime import delivery
from statek.runtime.delegation import loop_definition
from statek.runtime.fleet import LOOK_SECONDS, Fleet
from statek.runtime.harness import harness_of
from statek.runtime.joblogs import logging_of, tell_of_jobs
from statek.sandbox.bounds import WATCHDOG
from statek.settings import StatekSettings, get_statek_settings
from statek.store import current, wakeups
from statek.store.agent import SupervisedAgent
from statek.store.job import JobStatus, jobs_with, new_job, random_id
from statek.store.session import Store

log = logging.getLogger(__name__)
_at_work: set[str] = set()  # stores whose jobs a loop of this process runs


@dataclass
class AgentLoopDef:
    """One agent of a fleet: its warmup and how much work waits for it."""

    agent: SupervisedAgent
    warmup_code: str | Sequence[str] | None
    task_queue_size_func: Callable[..., Any]


async def run_jobs_loop(
    max_concurrency: int = 100,
    provider: str | None = None,
    *,
    queue_prefixes: Sequence[str | int],
    start_jobs_func: Callable[[int], Any] | None = None,
    auto_terminate: bool = False,
) -> None:
    """Run jobs until cancelled.

    Args:
        max_concurrency: jobs that are active at once.
        provider: default provider for model strings that name none.
        queue_prefixes: dbzero prefixes on which push queues may exist.
        start_jobs_func: called with the free capacity before each pass; may create jobs.
        auto_terminate: return once every job is DONE.

    Raises:
        TypeError: `start_jobs_func` is an async function, which nobody would await.
        ValueError: `max_concurrency` is below 1.
        StoreError: another loop of this process runs the jobs of this store; two would do everything twice.
    """
    if max_concurrency < 1:
        raise ValueError(f"max_concurrency is how many jobs are active at once, at least 1, found {max_concurrency}")
    if inspect.iscoroutinefunction(start_jobs_func):
        raise TypeError("start_jobs_func is called between two passes: expected a plain function, found an async one")
    settings = get_statek_settings()
    store = Store.attach()
    with _alone(str(store.file or store.prefix)):
        ledger = open_ledger(store, settings)
        fleet = Fleet(
            store=store, ledger=ledger, clock=SystemClock(), secret=settings.secret, watchdog=WATCHDOG,
            max_concurrency=max_concurrency, settings=settings, default_provider=provider,
            limits=harness_of(settings).limits(),
        )  # fmt: skip
        fleet.recover()
        look = _Look(fleet, max_concurrency, queue_prefixes, start_jobs_func)
        fleet.start_jobs = look.around
        logs = logging_of(fleet, settings)
        if logs is not None:
            logs.begin()
        tell_of_jobs(fleet)
        try:
            with wakeups.listening(look.soon):
                await fleet.run(asyncio.Event(), until_idle=auto_terminate)
        finally:
            if logs is not None:
                logs.end()
            if ledger is not None:
                ledger.close()


async def run_agentic_loop(
    agent: SupervisedAgent,
    warmup_code: str | Sequence[str] | None,
    task_queue_size_func: Callable[..., Any],
    queue_prefixes: Sequence[str | int],
    max_concurrency: int = 100,
    provider: str | None = None,
    auto_terminate: bool = False,
) -> None:
    """Run jobs of one agent, started according to the size of the application's task queue.

    Raises:
        ValueError: the agent has no MODEL metadata.
    """
    loop_def = AgentLoopDef(agent, warmup_code, task_queue_size_func)
    await run_agentic_fleet([loop_def], queue_prefixes, max_concurrency, provider, auto_terminate)


async def run_agentic_fleet(
    agent_loop_defs: Sequence[AgentLoopDef],
    queue_prefixes: Sequence[str | int],
    max_concurrency: int = 100,
    provider: str | None = None,
    auto_terminate: bool = False,
) -> None:
    """Run jobs of several agents in one loop; capacity is shared.

    Raises:
        ValueError: an agent has no MODEL metadata.
    """
    for entry in agent_loop_defs:
        loop_definition(entry.agent, entry.warmup_code).clear_errors()  # a restart tries again

    stopped: set[str] = set()  # agents of which that was said

    def start(capacity: int) -> None:
        for entry in agent_loop_defs:
            capacity -= _start_jobs(entry, capacity, stopped)

    await run_jobs_loop(
        max_concurrency, provider, queue_prefixes=queue_prefixes, start_jobs_func=start, auto_terminate=auto_terminate
    )


def open_ledger(store: Store, settings: StatekSettings) -> LedgerFile | None:
    """The ledger of an embedding process's store: from the settings, else beside the store's file.

    Raises:
        LedgerError: the store belongs to another ledger, or its own is gone.
    """
    if settings.ledger is None and store.file is None:
        log.warning("no ledger: the store's file was not found, so promises are only as durable as dbzero")
        return None
    path = Path(settings.ledger) if settings.ledger is not None else ledger_path(Path(str(store.file)))
    root = store.root
    if root.store_id and not path.exists():
        raise LedgerError(f"the ledger {path} of this store is gone", hint="put it back, or set STATEK_LEDGER")
    ledger = LedgerFile.create(path)
    if not root.store_id:
        root.store_id = ledger.store_id
    ledger.check_pair(root.store_id, root.seq, root.seq_tag or None)
    return ledger


def ledger_path(store_file: Path) -> Path:
    """Where the ledger of an embedding process's store lies."""
    return store_file.with_name(f"{store_file.stem}.ledger.sqlite")


@contextmanager
def _alone(store: str) -> Iterator[None]:
    if store in _at_work:
        raise StoreError(
            f"another loop of this process runs the jobs of {store}",
            hint="give all agents to one run_agentic_fleet or start_statek_async",
        )
    _at_work.add(store)
    try:
        yield
    finally:
        _at_work.discard(store)


class _Look:
    """Finding what the host's own code has put into the store: at once when it tells, else a few times a second."""

    def __init__(
        self, fleet: Fleet, most: int, prefixes: Sequence[str | int], start: Callable[[int], Any] | None
    ) -> None:
        """Be due; inside of the loop that the fleet will run in."""
        self._fleet = fleet
        self._most = most
        self._prefixes = prefixes
        self._start = start
        self._loop = asyncio.get_running_loop()
        self._is_due = True
        self._looked_at = 0.0
        self._known = 0  # jobs in the store at the last look

    def soon(self) -> None:
        """Something was told, in whatever thread."""
        self._is_due = True
        self._loop.call_soon_threadsafe(self._fleet.poke)

    def around(self) -> None:
        """Look if it is time, before each pass."""
        now = self._loop.time()
        if self._is_due or now - self._looked_at >= LOOK_SECONDS:
            self._is_due, self._looked_at = False, now
            self._take_pushed()
            self._find_jobs()
        if self._start is not None:
            self._start(self._fleet.passes.ready.room(self._most))
            if len(self._fleet.store.root.jobs) != self._known:
                self._find_jobs()

    def _take_pushed(self) -> None:
        """Messages and events. Failures cost only the one input."""
        fleet, prefixes = self._fleet, self._prefixes
        if fleet.ledger is None:
            delivery.process_push_notifications(queue_prefixes=prefixes)
        elif delivery.forward_messages(
            fleet.ledger, current.now_us(), queue_prefixes=prefixes, commit=fleet.checkpoint
        ):
            self.soon()
        room = fleet.passes.ready.room(self._most)
        if delivery.take_agent_events(None, room, prefixes, commit=fleet.checkpoint):
            fleet.checkpoint()  # jobs that no input made are in the store's file before they do anything

    def _find_jobs(self) -> None:
        ready = self._fleet.passes.ready
        self._known = len(self._fleet.store.root.jobs)
        known = {*ready.new, *ready.active, *ready.parked, *ready.futures}
        for job in jobs_with(JobStatus.READY, JobStatus.STARTED, JobStatus.WARMING_UP):
            if job.id not in known:
                ready.add_new(job.id) if job.job_status == JobStatus.READY else ready.wake(job.id)


def _start_jobs(entry: AgentLoopDef, capacity: int, stopped: set[str]) -> int:
    """Start jobs as far as the queue's size and the capacity go; how many.

    An agent whose warmup has failed starts none until somebody clears the errors of its definition, or a restart; one
    whose size function fails starts none this time. The other agents notice nothing.
    """
    job_def = loop_definition(entry.agent, entry.warmup_code)
    if job_def.has_errors():
        if entry.agent.role not in stopped:
            stopped.add(entry.agent.role)
            log.error("the loop starts no more jobs of agent %s: a warmup of its jobs failed", entry.agent.role)
        return 0
    try:
        size = int(entry.task_queue_size_func() or 0)
    except Exception:
        log.exception("the task queue size of agent %s cannot be told", entry.agent.role)
        return 0
    begun = sum(job.agent is entry.agent for job in jobs_with(JobStatus.READY, JobStatus.WARMING_UP))
    count = max(0, min(capacity, size - begun))
    for _ in range(count):
        new_job(job_def, random_id(), current.now_us())
    return count
