"""`StatekClientAPI`: submit work from Python, in the process that opened the store or beside a worker that holds it.

Without arguments it works on the store this process has open. With `store=PATH` it needs no dbzero at all: it appends
to the ledger beside the store, which is the acknowledgement, and a running worker takes it from there.
"""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from statek.base.clock import Clock, SystemClock
from statek.exceptions import LedgerError, StoreError
from statek.ledger import inbox, releases
from statek.ledger import submit as ledger_submit
from statek.ledger.file import LedgerFile
from statek.ledger.records import Records, input_key, said_key, unpack
from statek.runtime.delegation import create_new_job
from statek.settings import get_statek_settings
from statek.store import current
from statek.store.job import Job
from statek.store.session import Store

POLL_SECONDS = 0.05


class JobHandle:
    """A submitted job, as seen from outside of the worker.

    Attributes:
        id: id of the job; submitting with the same id again is the same job.
    """

    def __init__(self, file: LedgerFile, job_id: str, clock: Clock) -> None:
        """Watch `job_id` in a ledger."""
        self._file = file
        self._clock = clock
        self.id = job_id

    def status(self) -> str:
        """WAITING (acknowledged, not begun), TAKEN (the worker has it) or DONE."""
        if self._said() is not None:
            return "DONE"
        return "TAKEN" if Records(self._file).get(input_key(self.id)) is not None else "WAITING"

    def wait(self, timeout: float | None = None) -> str:
        """The outcome: ok, failed, cancelled, poisoned. Raises TimeoutError after `timeout` seconds."""
        end = None if timeout is None else self._clock.monotonic() + timeout
        while (said := self._said()) is None:
            if end is not None and self._clock.monotonic() > end:
                raise TimeoutError(f"job {self.id} has not ended after {timeout:g} s")
            time.sleep(POLL_SECONDS)
        return str(said["outcome"])

    def _said(self) -> Any:
        record = Records(self._file).get(said_key(self.id, 0))
        return None if record is None else unpack(record.body)

    def __repr__(self) -> str:
        return f"<job {self.id}>"


class StatekClientAPI:
    """Submits jobs.

    Args:
        store: folder or file of a store that a worker holds; None: the setting STATEK_STORE, else the store this
            process has open.
    """

    def __init__(self, store: str | Path | None = None) -> None:
        """Raises StoreError or LedgerError when `store` has no ledger."""
        chosen = store if store is not None else get_statek_settings().store
        self._clock: Clock = SystemClock()
        self._file = LedgerFile.open(find_ledger(Path(chosen))) if chosen is not None else None

    def submit_new_job(
        self, agent: Any, shared_vars: dict[str, Any] | None = None, locale: Any = None, **kwargs: Any
    ) -> Any:
        """Start a job of `agent`; durable on return.

        Args:
            agent: the agent, or (beside a worker) its role.
            shared_vars: names and values of the job; beside a worker JSON data.
            locale: `LANG-COUNTRY`, such as `EN-US`.
            **kwargs: prompt parameters.

        Returns:
            The Job, or a JobHandle beside a worker.
        """
        return self.submit_new_jobs_batch(agent, [shared_vars or {}], locale, **kwargs)[0]

    def submit_new_jobs_batch(
        self, agent: Any, shared_vars_batch: Iterable[dict[str, Any]], locale: Any = None, **kwargs: Any
    ) -> list[Any]:
        """One job per entry, in one commit; see `submit_new_job`."""
        if self._file is not None:
            return self._append(agent, list(shared_vars_batch))
        jobs: list[Job] = [create_new_job(agent, shared, None, None, locale, **kwargs) for shared in shared_vars_batch]
        if current.get_current_job() is None:  # inside a job its stretch is the transaction
            Store.attach().commit()
        return jobs

    def _append(self, agent: Any, batch: list[dict[str, Any]]) -> list[JobHandle]:
        assert self._file is not None
        role = agent if isinstance(agent, str) else agent.role
        head = releases.head(self._file)
        if head is None:
            ids = self._append_unchecked(role, batch)
        else:
            release = releases.read_release(self._file, head.release)
            target = ledger_submit.Target("Agent", role)
            ids = list(ledger_submit.submit(self._file, release, target, batch, at_us=self._clock.now_us()).ids)
        return [JobHandle(self._file, job_id, self._clock) for job_id in ids]

    def _append_unchecked(self, role: str, batch: list[dict[str, Any]]) -> list[str]:
        """For agents made in Python: the worker finds them by role, and refuses what it does not know."""
        assert self._file is not None
        now = self._clock.now_us()
        entries = [
            inbox.NewEntry(ledger_submit.random_id(role), inbox.InputKind.SUBMIT, role, {"inputs": shared}, now)
            for shared in batch
        ]
        inbox.append(self._file, entries)
        return [entry.id for entry in entries]


def find_ledger(path: Path) -> Path:
    """The ledger of a store given by its folder or its file. Raises StoreError or LedgerError naming what was tried."""
    if path.suffix == ".db0":
        found = [path.with_name(f"{path.stem}.ledger.sqlite"), path.with_name("ledger.sqlite")]
        present = [file for file in found if file.exists()]
    elif path.is_dir():
        present = [path / "ledger.sqlite"] if (path / "ledger.sqlite").exists() else list(path.rglob("*.ledger.sqlite"))
    else:
        raise StoreError(f"there is no store at {path}", hint="give the folder of the store, or its .db0 file")
    if len(present) != 1:
        names = ", ".join(str(file) for file in present) or "none"
        raise LedgerError(f"one ledger was expected beside the store {path}, found: {names}")
    return present[0]
