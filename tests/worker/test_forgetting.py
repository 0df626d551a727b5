"""Asking for finished jobs to be forgotten: inputs of bounded size, families whole, and the worker's own look."""

from pathlib import Path

import pytest

from statek.ledger import inbox
from statek.ledger.file import LedgerFile
from statek.store.agent import SupervisedAgent
from statek.store.job import JobStatus, new_job
from statek.store.job_def import JobDef
from statek.store.session import Store
from statek.testing import FakeClock
from statek.worker.forgetting import SLICE, Forgetting, Rule, ask_to_forget

DAY_US = 86_400_000_000


def asked(ledger: LedgerFile) -> list[list[str]]:
    """The jobs of each input that waits."""
    return [entry.body["jobs"] for entry in inbox.waiting(ledger, kinds=[inbox.InputKind.FORGET])]


def test_inputs_are_of_bounded_size_and_cut_no_family(ledger: LedgerFile) -> None:
    """A family that does not fit begins the next input."""
    families = [[f"{n}", f"{n}.1", f"{n}.2"] for n in range(SLICE // 3 + 1)]
    assert ask_to_forget(ledger, families, 1) == 3 * len(families)
    assert [len(jobs) for jobs in asked(ledger)] == [SLICE // 3 * 3, 3]


@pytest.mark.parametrize(("days", "jobs", "goes"), [(1.0, 1, ["j0", "j1"]), (1.0, 3, []), (5.0, 0, [])])
def test_an_idle_worker_asks_for_what_is_old_and_beyond(
    store: Path, ledger: LedgerFile, days: float, jobs: int, goes: list[str]
) -> None:
    """By age and number, as `statek gc` would."""
    with Store.open(store, ledger.store_id) as opened:
        job_def = JobDef(SupervisedAgent("a", None, [], _metadata={"MODEL": "m"}))
        for n in range(3):
            job = new_job(job_def, f"j{n}", DAY_US + n)
            opened.commit()
            job.job_status, job.ended_us = JobStatus.DONE, DAY_US + n
            opened.commit()
        Forgetting(ledger.path, FakeClock(4 * DAY_US), Rule(days, jobs), lambda: True).look()
        assert [name for names in asked(ledger) for name in names] == goes
        del job, job_def
