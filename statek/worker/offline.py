"""Answers while no worker runs: takes the lock, opens the store read-only, lets both go on `close`.

Used by `questions`. After an unclean end, or when the store file is gone, the worker's own recovery runs first, in a
process of its own: it replays the ledger and calls nothing outside. The one idea: a reader reads only what a worker
would begin with; it never shows a store that the ledger has left behind.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from statek.base.clock import SystemClock
from statek.base.guarded_file import Mark, copy_between_commits
from statek.base.redaction import SECRETS
from statek.exceptions import NotApplied, StoreError
from statek.ledger import inbox
from statek.ledger.file import LedgerFile
from statek.ledger.records import Records
from statek.runtime.fleet import Fleet
from statek.sandbox.bounds import Watchdog
from statek.settings import StatekSettings
from statek.store.session import Store
from statek.worker import places, recovery, spawn
from statek.worker.answers import Answers
from statek.worker.lock import WorkerLock
from statek.worker.preparation import prepare_in_subprocess
from statek.worker.probing import Probing
from statek.worker.redaction import learn_declared
from statek.worker.reports import Reports


class OfflineQuestions:
    """Questions to a store that no worker has. Holds the lock of a reader until `close`."""

    live = False

    def __init__(self, store: Path, python_path: Sequence[Path | str], lock: WorkerLock) -> None:
        """Recover the store if need be and open it; `lock` is released on `close`, and when this fails."""
        self._python_path = tuple(str(Path(folder).absolute()) for folder in python_path)
        self._store_folder = store
        with ExitStack() as opened:
            opened.enter_context(lock)
            self._ledger = opened.enter_context(recovery.open_ledger(store))
            learn_declared(self._ledger, StatekSettings().secret)
            self._answers = self._open(lock, opened)
            self._opened = opened.pop_all()

    def health(self) -> dict[str, Any]:
        """That no worker runs."""
        return {"state": "stopped", "pid": None, "release": None, "store": str(self._store_folder)}

    def status(self) -> dict[str, Any]:
        """Counts of jobs and usage as far as they are known, and what waits."""
        known = self._answers.status() if self._answers is not None else {"total": 0, "jobs": {}}
        queued = inbox.depths(self._ledger, *inbox.ITEMS)
        return {**self.health(), **known, "queued": queued, "watching": False, "reload": None}

    def jobs(
        self, *, agent: str | None = None, status: str | None = None, everything: bool = False, limit: int = 50
    ) -> dict[str, Any]:
        """Job rows."""
        if self._answers is None:
            return {"jobs": [], "total": 0}
        found = self._answers.jobs(agent=agent, status=status, everything=everything, limit=limit)
        return _without_secrets(found)

    def job(self, job: str, *, values: bool = False) -> dict[str, Any]:
        """One job whole, with the values of its names when asked. Raises NotApplied for an unknown one."""
        return _without_secrets(self._known(job).job(job, values=values))

    def log(self, job: str) -> list[dict[str, Any]]:
        """What one job said and did. Raises NotApplied for an unknown one."""
        return list(SECRETS.data(self._known(job).log(job)))

    def follow(self, job: str, start: str = "") -> dict[str, Any]:
        """What one job said and did since `start`, the `next` of the answer before. Raises NotApplied."""
        return _without_secrets(self._known(job).follow(job, start))

    def forgettable(self, *, before_us: int, newest: int) -> dict[str, Any]:
        """Finished jobs that may be forgotten, families whole."""
        if self._answers is None:
            return {"families": [], "finished": 0}
        return self._answers.forgettable(before_us=before_us, newest=newest)

    def prepare(self, release: str, timeout: float) -> list[dict[str, Any]]:
        """Try a staged release out in a process of its own, in the folder we are in."""
        return prepare_in_subprocess(Path.cwd(), self._python_path, self._ledger.path, release, timeout)

    def copy_store(self, target: Path, timeout: float) -> None:
        """Copy the store, if there is one, to the new file `target`. `timeout` means nothing here."""
        del timeout
        if self._answers is not None:
            copy_between_commits(places.store_file(self._store_folder), target)

    def poke(self) -> None:
        """Nobody is there to look."""

    def close(self) -> None:
        """Close the store and give the lock back. Harmless when repeated."""
        self._opened.close()

    def _known(self, job: str) -> Answers:
        if self._answers is None:
            raise NotApplied(f"there is no job {job!r}", hint="no worker has run yet; `statek work` runs one")
        return self._answers

    def _open(self, lock: WorkerLock, opened: ExitStack) -> Answers | None:
        """None when there is nothing but the inbox."""
        file = places.store_file(self._store_folder)
        if not file.exists() and Records(self._ledger).last()[0] == 0:
            return None
        sys.path[:0] = self._python_path
        with Mark(places.mark_file(self._store_folder)) as mark:
            if mark.clean_end and file.exists():
                try:
                    return self._read(opened)
                except (StoreError, RuntimeError):  # the latter of dbzero: nobody had looked into the file
                    mark.set_clean_end(False)
            recover(self._store_folder, self._python_path, self._ledger, mark=mark, lock=lock, say=_say)
        return self._read(opened)

    def _read(self, opened: ExitStack) -> Answers:
        with ExitStack() as tried:
            store = tried.enter_context(Store.open(self._store_folder, self._ledger.store_id, read_only=True))
            fleet = Fleet(
                store=store, ledger=self._ledger, clock=SystemClock(), secret=_no_secret, watchdog=Watchdog(),
                checkpoint=None, mark=None,
            )  # fmt: skip
            fleet.passes.rebuild()
            opened.enter_context(tried.pop_all())
        return Answers(store, self._ledger, fleet)


def recover(
    store: Path,
    python_path: tuple[str, ...],
    ledger: LedgerFile,
    *,
    mark: Mark,
    lock: WorkerLock,
    say: Callable[[str], None],
    command: Sequence[str] = spawn.CHILD,
) -> None:
    """Bring the store up to date with its ledger in a child that ends then. Takes as long as that takes.

    Raises StoreError when the child fails, LedgerError as `recovery.prepare_store` does.
    """
    say("the store is not as a worker leaves it: it is recovered first; nothing is called outside")
    recovery.prepare_store(store, ledger, mark=mark, clock=SystemClock(), probing=Probing(python_path), say=say)
    options = spawn.ChildOptions(
        root=str(Path.cwd()), env="", store=str(store), python_path=python_path,
        hash_seed=spawn.hash_seed(ledger.store_id), recover_only=True, lock=lock.descriptor,
    )  # fmt: skip
    process, descriptor = spawn.start_child(command, options)
    reports = Reports(descriptor)
    failure = ""
    try:
        while process.poll() is None:
            failure = _failure_in(reports.wait(0.1)) or failure
            if process.poll() is None:
                time.sleep(0.01)  # the pipe may be closed before the process has ended
        failure = _failure_in(reports.wait(0)) or failure
    finally:
        spawn.kill_group(process)
        reports.close()
    if process.returncode != 0:
        how = failure or f"its process ended with exit code {process.returncode}"
        raise StoreError(f"the store {store} could not be recovered: {how}", hint="run `statek work` to see more")


def _without_secrets(row: dict[str, Any]) -> dict[str, Any]:
    """The same, as the socket of a worker would say it."""
    return dict(SECRETS.data(row))


def _failure_in(reports: list[dict[str, Any]]) -> str:
    return "".join(str(report["message"]) for report in reports if report["kind"] == "failed")


def _say(text: str) -> None:
    os.write(2, f"statek: {text}\n".encode())


def _no_secret(_name: str) -> None:
    return None
