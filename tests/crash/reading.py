"""What a store says at the end, read in a process of its own: `python -m tests.crash.reading STORE [replay SCRATCH]`.

With `replay` the whole ledger is run onto an empty store in SCRATCH first, calling nothing, and that one is read.
Prints JSON. Run in the project's folder, when no worker runs.
"""

import hashlib
import json
import os
import sqlite3
import sys
from pathlib import Path
from typing import Any

import dbzero as db0

from statek.base.clock import SystemClock
from statek.ledger.file import LedgerFile
from statek.runtime.fleet import Fleet
from statek.sandbox.bounds import WATCHDOG
from statek.store.job import Job, JobStatus
from statek.store.session import Store
from statek.worker.places import ledger_file

STATUSES = ("READY", "WARMING_UP", "STARTED", "SUSPENDED", "DONE")


def read(store: Store) -> dict[str, Any]:
    """Jobs, what `find` says about them, and what the application counted."""
    jobs = [job for job in store.root.jobs if job is not None]
    return {
        "jobs": {job.id: _job(job) for job in jobs},
        "ids": [job.id for job in jobs],
        "found": {name: sorted(job.id for job in db0.find(Job, getattr(JobStatus, name))) for name in STATUSES},
        "refused": [json.loads(bytes(line)) for line in store.root.refused],
        "tally": _tally(),
        "digests": {job.id: _digest(job) for job in jobs},
        "seq": store.root.seq,
        "forgotten": sum(len(bytes(entry)) // 8 - 1 for entry in store.root.forgotten or ()),
    }


def _job(job: Any) -> dict[str, Any]:
    return {
        "status": str(job.job_status), "outcome": job.outcome, "agent": job.agent.role, "parent": job.parent_id,
        "exit": job.exit_value if job.exited else None, "turn": job.turn,
        "error": job.error.error_message if job.error is not None else None,
        "told": [record.text for record in job.records if record.kind == "user"], "waits": job.waiting_for,
        "console": job.read_console()[-5:], "created": job.created_us,
    }  # fmt: skip


def _digest(job: Any) -> str:
    """Everything a replay has to bring back; not the names' bytes, which say which equal texts were one object."""
    state = [
        str(job.job_status), job.outcome, job.turn, job.stage, job.read_console(), job.statement, job.waiting_for,
        [(i.kind, i.text, i.at_us, i.error) for i in job.records], repr(job.exit_value if job.exited else None),
        (job.exception_count, job.subjobs, job.used.input_tokens, job.num_completions, job.tool_calls),
        (job.created_us, job.started_us, job.ended_us), [handler.job.id for handler in job.children or ()],
        job.error.error_message if job.error is not None else None,
    ]  # fmt: skip
    return json.dumps(state, default=str)


def _tally() -> dict[str, Any]:
    from fleet import Tally  # type: ignore[import-not-found]

    try:
        found = db0.fetch(Tally)
    except RuntimeError as error:
        if "Class not found" not in str(error):
            raise
        return {**{name: [] for name in _LISTS}, "total": 0, "chain": "", "gates": []}  # nothing has been counted yet
    lists = {name: list(getattr(found, name)) for name in _LISTS}
    return {**lists, "total": found.total, "chain": found.chain, "gates": [[g.number, g.value] for g in found.gates]}


_LISTS = ("numbers", "halves", "doubted", "briefs", "stamped", "dared", "attempts", "direct", "steps")


def chain_of(steps: list[str]) -> str:
    """What the chain must be after these steps."""
    link = ""
    for text in steps:
        link = hashlib.sha256(f"{link} {text}".encode()).hexdigest()[:16]
    return link


def _replayed(store: Path, scratch: Path) -> dict[str, Any]:
    scratch.mkdir()
    with sqlite3.connect(ledger_file(store)) as old, sqlite3.connect(ledger_file(scratch)) as new:
        old.backup(new)
    with LedgerFile.open(ledger_file(scratch)) as ledger, Store.open(scratch, ledger.store_id) as opened:
        WATCHDOG.install(lambda: None)
        fleet = Fleet(
            store=opened, ledger=ledger, clock=SystemClock(), secret=lambda _: None, watchdog=WATCHDOG,
        )  # fmt: skip
        fleet.recover()
        return read(opened)


def main(store: Path, scratch: Path | None) -> None:
    """Read and print."""
    sys.path.insert(0, str(Path.cwd()))
    import fleet  # noqa: F401 - its classes are those of the stored objects

    if scratch is not None:
        found = _replayed(store, scratch)
    else:
        with Store.open(store, read_only=True) as opened:
            found = read(opened)
    sys.stdout.write(json.dumps(found))
    sys.stdout.flush()
    os._exit(0)  # the watchdog's alarm may not meet an interpreter that is half gone


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[3]) if len(sys.argv) > 3 else None)
