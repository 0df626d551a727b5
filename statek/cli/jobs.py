"""Finding jobs and telling them something: what `push`, `cancel`, `show` and `logs` have in common."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from statek.cli.place import Place
from statek.ledger import inbox
from statek.ledger.file import LedgerFile
from statek.worker.places import store_file
from statek.worker.questions import Questions, open_questions

_SUBMITTED = (inbox.InputKind.SUBMIT, inbox.InputKind.SUBMIT_AGAIN)
_ITEMS = (inbox.InputKind.ITEM, inbox.InputKind.ITEM_AGAIN)


@contextmanager
def asking(place: Place) -> Iterator[Questions]:
    """Questions to the worker, or to the store when none runs.

    Raises NotApplied when there is neither ledger nor store yet, StoreError when they cannot be used.
    """
    if not (place.ledger.exists() or store_file(place.store).exists()):
        raise place.nothing_applied()
    questions = open_questions(place.store, python_path=place.python_path)
    try:
        yield questions
    finally:
        questions.close()


def waiting_entry(ledger: LedgerFile, job: str) -> inbox.Entry | None:
    """The submission or item of this very id that no worker has taken in yet."""
    entry = inbox.find(ledger, job)
    return entry if entry is not None and entry.kind in (*_SUBMITTED, *_ITEMS) else None


def find_row(place: Place, ledger: LedgerFile, job: str) -> dict[str, Any]:
    """The row of a job, by its id or a unique beginning; at least `id` and `outcome`.

    Raises NotApplied for an unknown one, with the nearest id.
    """
    if waiting_entry(ledger, job) is not None:
        return {"id": job, "outcome": None}
    with asking(place) as questions:
        return questions.job(job)


def queued(ledger: LedgerFile) -> dict[str, int]:
    """How many inputs are no jobs yet, by `Agent/name` or `Queue/name`."""
    found = {f"Agent/{name}": count for name, count in inbox.depths(ledger, *_SUBMITTED).items()}
    return {**found, **{f"Queue/{name}": count for name, count in inbox.depths(ledger, *_ITEMS).items()}}
