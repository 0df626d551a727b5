"""Finding jobs and telling them something: what `push`, `cancel`, `show` and `logs` have in common."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from statek.cli.place import Place
from statek.ledger import inbox
from statek.ledger.file import LedgerFile
from statek.worker.questions import Questions, open_questions


@contextmanager
def asking(place: Place) -> Iterator[Questions]:
    """Questions to the worker, or to the store when none runs. Raises StoreError when it cannot be used."""
    questions = open_questions(place.store, python_path=place.python_path)
    try:
        yield questions
    finally:
        questions.close()


def find_row(place: Place, ledger: LedgerFile, job: str) -> dict[str, Any]:
    """The row of a job, by its id or a unique beginning; at least `id` and `outcome`.

    Raises UnknownJob, with the nearest id.
    """
    entry = inbox.find(ledger, job)
    if entry is not None and entry.kind in (inbox.InputKind.SUBMIT, inbox.InputKind.ITEM):
        return {"id": entry.id, "outcome": None}
    with asking(place) as questions:
        return questions.job(job)
