"""The running sides of jobs: what a job has in memory while it is at work, and for how long it stays there.

Losing one costs time and nothing else: the stored place is enough to make it anew. A job keeps its running side while a
model or an outside call works for it; one whose code stands still, waiting for a child, keeps it as long as not too
many do. Advancing jobs is `step`'s.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from statek.exceptions import StatekError
from statek.runtime import turn
from statek.runtime.catalog import Catalog
from statek.runtime.endings import CallWish, Known
from statek.runtime.environment import Environment
from statek.runtime.execute import LiveJob
from statek.runtime.offer import Offer, Part
from statek.sandbox import keep
from statek.store.job import Stage, find_job

MAX_STILL = 100  # jobs whose code stands still in memory; a longer wait costs running a statement again


@dataclass
class Running:
    """The running side of a job, with what it borrowed."""

    live: LiveJob
    offer: Offer
    environment: Environment
    history: turn.History
    prompt: tuple[Offer, str] | None = None  # the prompt of a spec, rendered once for an offer
    parts: Sequence[Part] | None = None  # what runs, or ran last; None: not looked up yet
    kept: keep.Kept | None = None  # the names as they were stored last from here
    version: int = 0  # of the stored names then; another one was stored by somebody else
    asked: str = ""  # the question that was asked last; empty: it has an answer

    def prompt_of(self, offer: Offer, job_id: str, job: Any) -> str:
        """The prompt that `offer` gives this job."""
        if offer.spec is None:
            return offer.prompt(job)
        if self.prompt is None or self.prompt[0] is not offer:
            self.prompt = (offer, offer.prompt_for(job.inputs or {}, job_id))
        return self.prompt[1]

    def parts_of(self, job: Any) -> Sequence[Part]:
        """The code that is to run: the warmup as the job began with it, or what the newest answer wants run."""
        if self.parts is None:
            stored = job.code
            self.parts = turn.parts_of_last(job, self.offer.chat_style) if stored is None else turn.decode_parts(stored)
        return self.parts


class Sides:
    """The running sides, by job."""

    def __init__(self, catalog: Catalog, recorded: Callable[[Any, CallWish], Known]) -> None:
        """`recorded` says what the ledger knows of a call of a statement that is run again."""
        self.catalog = catalog
        self._recorded = recorded
        self._running: dict[str, Running] = {}
        self._still: dict[str, None] = {}  # jobs whose code stands still, the one that did so first in front

    def digest(self, job_id: str) -> str:
        """What the last stretch did, as a digest of its crossings (a job that has no running side did nothing odd)."""
        running = self._running.get(job_id)
        return running.live.trace() if running is not None else ""

    def is_waiting_for_call(self, job_id: str) -> CallWish | None:
        """The outside call the running side waits for, if it does."""
        running = self._running.get(job_id)
        return running.live.wish if running is not None else None

    def job(self, job_id: str) -> Any | None:
        """The job of that id, None when there is none; one that runs is at hand."""
        running = self._running.get(job_id)
        return running.live.job if running is not None else find_job(job_id)

    def is_asking(self, job_id: str, key: str) -> bool:
        """Whether the job waits for the answer to the question of that name."""
        running = self._running.get(job_id)
        if running is not None and running.asked:
            return running.asked == key
        job = find_job(job_id)
        return job is not None and job.stage == Stage.ASK and turn.key_of_question(job) == key

    def role_of(self, job_id: str) -> str:
        """The role of the job's agent; empty when there is no such job."""
        running = self._running.get(job_id)
        job = find_job(job_id) if running is None else None
        return running.offer.role if running is not None else str(job.agent.role) if job is not None else ""

    def stand_still(self, job_id: str) -> None:
        """Keep the running side of a job that waits; of those that have waited longest, the stored place is enough."""
        self._still[job_id] = None
        if len(self._still) > MAX_STILL:
            self.forget(next(iter(self._still)))

    def forget(self, job_id: str) -> None:
        """Let go of the running side; the stored place is enough to go on."""
        self._still.pop(job_id, None)
        running = self._running.pop(job_id, None)
        if running is not None:
            running.live.abandon()
            self.catalog.give_back(running.offer, running.environment)

    def offer_of(self, job_id: str, job: Any) -> Offer | None:
        """The offer that the job works with; None when it cannot be had, and the job's stretch will say why."""
        running = self._running.get(job_id)
        if running is not None:
            return running.offer
        try:
            return self.catalog.of(job)
        except StatekError:
            return None

    def running(self, job_id: str, job: Any, offer: Offer | None = None) -> Running:
        """The running side of `job`, made from its stored place when there is none."""
        found = self._running.get(job_id)
        if found is not None:
            return found
        offer = offer or self.catalog.of(job)
        environment = self.catalog.borrow(offer)
        live = LiveJob(job, environment, offer.policy)
        live.recorded = lambda wish: self._recorded(job, wish)
        hint = job.language_hint if offer.spec is None else None
        told = turn.History(offer.chat_style, offer.console_box, hint)
        running = Running(live, offer, environment, told, version=job.snap_version)
        self._running[job_id] = running
        return running

    def take_up(self, job_id: str, job: Any) -> Running | None:
        """The running side for the next stretch, None when it is to be made from the stored place."""
        running = self._running.get(job_id)
        if running is None:
            return None
        if running.live.wish is None and running.version != job.snap_version:
            self.forget(job_id)  # somebody gave the job names: its code goes on with them
            return None
        self._still.pop(job_id, None)
        running.live.begin_trace()
        return running
