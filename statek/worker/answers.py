"""Answers about jobs from an open store: what the live worker's socket says, and a reader when no worker runs.

It only looks. What a row holds is the runtime's matter (`runtime.views`).
"""

from collections.abc import Mapping
from typing import Any, Protocol

from statek.ledger.file import LedgerFile
from statek.runtime import views
from statek.store.job import JobStatus, count_with
from statek.store.retention import Keep, forgettable
from statek.store.session import Store

STATES = ("done", "waiting", "running", "suspended", "failed")


class Counts(Protocol):
    """The part of the fleet that answers need."""

    def counts(self) -> dict[str, Any]:
        """Counts of jobs and usage, and the release."""
        ...


class Answers:
    """Questions about one store, answered from it."""

    def __init__(self, store: Store, ledger: LedgerFile, fleet: Counts) -> None:
        self._store = store
        self._ledger = ledger
        self._fleet = fleet

    def status(self) -> dict[str, Any]:
        """What `fleet.counts` says, and under `jobs` those of each state that there are."""
        return with_states(self._fleet.counts())

    def jobs(self, *, agent: str | None, status: str | None, everything: bool, limit: int) -> dict[str, Any]:
        """Job rows."""
        return views.job_rows(self._store, agent=agent, status=status, everything=everything, limit=limit)

    def job(self, job: str, *, values: bool = False) -> dict[str, Any]:
        """One job whole, with the values of its names when asked. Raises NotApplied for an unknown one."""
        return views.job_whole(self._store, self._ledger, job, values=values)

    def log(self, job: str) -> list[dict[str, Any]]:
        """What one job said and did. Raises NotApplied for an unknown one."""
        return views.job_log(self._store, job)

    def follow(self, job: str, start: str) -> dict[str, Any]:
        """What one job said and did since `start`. Raises NotApplied for an unknown one."""
        return views.log_part(self._store, job, start)

    def forgettable(self, *, before_us: int, newest: int) -> dict[str, Any]:
        """Finished jobs that may be forgotten: `{"families": [[id...]...], "finished": n}`."""
        found = forgettable(Keep(before_us, newest))
        return {"families": [list(family) for family in found.families], "finished": count_with(JobStatus.DONE)}


def with_states(counts: Mapping[str, Any]) -> dict[str, Any]:
    """`counts` with the numbers of jobs by state once more under `jobs`, for people."""
    return {**counts, "jobs": {state: counts[state] for state in STATES if counts.get(state)}}
