"""What the live worker's control surface answers: the store's answers, and what only the running process knows.

No routes here (`api`), no decisions. Made by the child around itself.
"""

import os
from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol

from statek.base.clock import Clock
from statek.ledger import metering
from statek.ledger.file import LedgerFile
from statek.runtime import views
from statek.store.session import Store
from statek.worker.answers import Answers
from statek.worker.spawn import ChildOptions

if TYPE_CHECKING:
    from statek.control.reload import ReloadState


class RunningFleet(Protocol):
    """The part of the fleet that the surface needs."""

    def counts(self) -> dict[str, Any]:
        """Counts of jobs and usage, and the release."""
        ...

    def poke(self) -> None:
        """Look at the inbox now."""
        ...


class Stop(Protocol):
    """The event that ends the worker."""

    def set(self) -> None:
        """End."""
        ...

    def is_set(self) -> bool:
        """Whether it is ending."""
        ...


class Running(Protocol):
    """The part of the child that the surface needs."""

    options: ChildOptions
    store: Store
    ledger: LedgerFile
    clock: Clock
    began: float
    reload: "ReloadState | None"

    @property
    def fleet(self) -> RunningFleet:
        """The fleet."""
        ...

    @property
    def stop(self) -> Stop:
        """What ends it."""
        ...

    async def prepare(self, release: str) -> list[dict[str, Any]]:
        """Try a staged release out."""
        ...

    async def copy_store(self, target: str) -> dict[str, Any]:
        """Copy the store to a new file."""
        ...


class LiveSurface:
    """The `api.Surface` of a child."""

    def __init__(self, child: Running) -> None:
        self._child = child
        self._answers = Answers(child.store, child.ledger, child.fleet)
        self.jobs = self._answers.jobs
        self.job = self._answers.job
        self.log = self._answers.log
        self.follow = self._answers.follow
        self.forgettable = self._answers.forgettable
        self.prepare = child.prepare
        self.copy_store = child.copy_store
        self.poke = child.fleet.poke

    def health(self) -> dict[str, Any]:
        """Whether it runs or drains, its processes, how long it has run, in seconds."""
        child = self._child
        return {
            "state": "draining" if child.stop.is_set() else "running",
            "pid": os.getpid(),
            "supervisor": os.getppid(),
            "uptimeSeconds": round(child.clock.monotonic() - child.began, 1),
            "store": child.options.store,
            "env": child.options.env,
            "release": child.fleet.counts()["release"],
        }

    def status(self) -> dict[str, Any]:
        """Counts and health; `reload` is None unless files are watched and have been looked at."""
        found = self._child.reload
        reload = None if found is None else {
            "ok": found.ok, "atUs": found.at_us, "problems": list(found.problems), "release": found.release,
        }  # fmt: skip
        used = [found.to_json() for found in metering.usage(self._child.ledger)]
        known = {**self._answers.status(), **self.health(), "usage": used}
        return {**known, "watching": self._child.options.watch, "reload": reload}

    def shutdown(self) -> None:
        """Begin to end: running steps finish, nothing new begins."""
        self._child.stop.set()

    def outcomes(self, most: int) -> dict[str, Any]:
        """How all jobs ended: `outcomes` (number by outcome) and `failures` (rows of the latest `most`).

        Inputs that could not become jobs are counted as `refused`; `ps --all` lists them.
        """
        refused = len(self._child.store.root.refused)
        ended = [job for job in self._child.store.root.jobs if job is not None and job.outcome]
        failed = [job for job in ended if job.outcome != "ok"]
        return {
            "outcomes": Counter(str(job.outcome) for job in ended) | ({"refused": refused} if refused else {}),
            "failures": [views.job_row(job) for job in reversed(failed[-most:])],
        }
