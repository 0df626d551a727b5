"""Answers about jobs from an open store: what the live worker's socket says, and a reader when no worker runs.

It only looks. What a row holds is the runtime's matter (`runtime.views`).
"""

from collections.abc import Mapping
from typing import Any, Protocol

from statek.ledger.file import LedgerFile
from statek.runtime import views
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

    def job(self, job: str) -> dict[str, Any]:
        """One job whole. Raises NotApplied for an unknown one."""
        return views.job_whole(self._store, self._ledger, job)

    def log(self, job: str) -> list[dict[str, Any]]:
        """What one job said and did. Raises NotApplied for an unknown one."""
        return views.job_log(self._store, job)


def with_states(counts: Mapping[str, Any]) -> dict[str, Any]:
    """`counts` with the numbers of jobs by state once more under `jobs`, for people."""
    return {**counts, "jobs": {state: counts[state] for state in STATES if counts.get(state)}}
