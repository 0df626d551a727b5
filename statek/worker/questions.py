"""Asking about jobs, whether a worker runs or not: the one door for the command line and other programs.

The worker's lock held by a worker: its socket is asked. Free: the store is opened read-only under the lock. Held by
another reader: it is waited for. It never writes an input; those go to the ledger.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from statek.exceptions import StoreError
from statek.worker import places
from statek.worker.lock import TURN_SECONDS, Holder, held_by, take
from statek.worker.offline import OfflineQuestions
from statek.worker.poke import poke
from statek.worker.preparation import prepare_in_subprocess
from statek.worker.remote import RemoteQuestions, WorkerEnded

__all__ = ["Questions", "open_questions", "poke", "prepare_in_subprocess"]
_STEP_SECONDS = 0.05


class Questions(Protocol):
    """What can be asked. Every answer is JSON data; StoreError when nobody can answer, NotApplied for no such job."""

    live: bool

    def health(self) -> dict[str, Any]:
        """Whether a worker runs."""
        ...

    def status(self) -> dict[str, Any]:
        """Counts of jobs, usage, the release, the last reload."""
        ...

    def jobs(
        self, *, agent: str | None = None, status: str | None = None, everything: bool = False, limit: int = 50
    ) -> dict[str, Any]:
        """Job rows."""
        ...

    def job(self, job: str, *, values: bool = False) -> dict[str, Any]:
        """One job whole, with the values of its names when asked."""
        ...

    def log(self, job: str) -> list[dict[str, Any]]:
        """What one job said and did."""
        ...

    def follow(self, job: str, start: str = "") -> dict[str, Any]:
        """What one job said and did since `start`, the `next` of the answer before; see `views.log_part`."""
        ...

    def forgettable(self, *, before_us: int, newest: int) -> dict[str, Any]:
        """Finished jobs that may be forgotten: `{"families": [[id...]...], "finished": n}`."""
        ...

    def prepare(self, release: str, timeout: float) -> list[dict[str, Any]]:
        """Try a staged release out; problems, none when it can run. `timeout` in seconds."""
        ...

    def copy_store(self, target: Path, timeout: float) -> None:
        """Copy the store as it is now to the new file `target`; no file when nothing has run yet."""
        ...

    def poke(self) -> None:
        """Let the worker, if any, look at its inbox now."""
        ...

    def close(self) -> None:
        """Let go of the store or the connection."""
        ...


def open_questions(store: Path, *, python_path: Sequence[Path | str] = ()) -> Questions:
    """Whoever can answer about the store in the folder `store`. Close it soon: a worker cannot start beside a reader.

    Args:
        store: the folder.
        python_path: where the application's modules are, for a store that must be recovered.

    Raises:
        StoreError: there is nothing yet, somebody else has the store, or its worker does not answer.
        LedgerError: the ledger cannot be used or does not belong to the store.
    """
    store = store.absolute()
    if not (places.ledger_file(store).exists() or places.store_file(store).exists()):
        raise StoreError(f"there is no store at {store}", hint="run `statek apply` first")
    until = time.monotonic() + TURN_SECONDS
    while True:
        holder = held_by(store)
        if holder is not None and holder.role == "worker":
            questions = _ask_worker(store, holder)
            if questions is not None:
                return questions
        elif holder is None or time.monotonic() > until:
            return OfflineQuestions(store, python_path, take(store, "reader"))
        time.sleep(_STEP_SECONDS)


def _ask_worker(store: Path, holder: Holder) -> RemoteQuestions | None:
    """None when the worker ended meanwhile."""
    questions = RemoteQuestions(store, holder)
    try:
        questions.health()
    except WorkerEnded:
        questions.close()
        return None
    except BaseException:
        questions.close()
        raise
    return questions
