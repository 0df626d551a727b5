"""Finding jobs and telling them something: what `push`, `cancel`, `show` and `logs` have in common."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from statek.base.clock import as_text
from statek.cli.place import Place
from statek.exceptions import NotApplied
from statek.ledger import inbox, items
from statek.ledger.file import LedgerFile
from statek.ledger.records import Records, input_key
from statek.ledger.standing import NO_JOB, Stand, Standing, require_reader, standing
from statek.ledger.submit import find_queue
from statek.worker.places import store_file
from statek.worker.questions import Questions, open_questions


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


def find_row(place: Place, ledger: LedgerFile, job: str) -> dict[str, Any]:
    """The row of a job, by its id or a unique beginning; at least `id` and `outcome`.

    Raises NotApplied for an unknown one, with the nearest id, and for one that nobody can tell anything.
    """
    found = standing(ledger, job)
    require_reader(found)
    if found.stand is Stand.WAITING:
        return {"id": found.id, "outcome": None}
    with asking(place) as questions:
        return questions.job(job)


def no_job(place: Place, ledger: LedgerFile, found: Standing) -> dict[str, Any] | None:
    """What is known of an input that is no job: not yet, or never; None for a job.

    `id`, `status` (waiting, refused), `outcome`, `queue`, `inputs`, `createdAt`, and `stands`: why, in words.
    """
    if found.entry is not None:
        entry: inbox.Entry | None = found.entry
        stands, status, outcome = _why_it_waits(place, ledger, found.entry), "waiting", None
    elif found.told is not None and found.told["outcome"] == NO_JOB:
        record = Records(ledger).get(input_key(found.id))
        entry = inbox.taken(record) if record is not None and record.body else None  # else it was pruned
        stands, status, outcome = str(found.told["error"]), NO_JOB, NO_JOB
    else:
        return None
    return {
        "id": found.id,
        "status": status,
        "outcome": outcome,
        "queue": str(entry.target) if entry is not None and entry.kind in inbox.ITEMS else None,
        "inputs": entry.body.get("inputs", entry.body.get("item")) if entry is not None else None,
        "createdAt": as_text(entry.at_us) if entry is not None else None,
        "stands": stands,
    }


def _why_it_waits(place: Place, ledger: LedgerFile, entry: inbox.Entry) -> str:
    if items.is_dead(entry):
        dead = entry.body["dead"]
        return f"on a dead letter queue, from '{dead['queue']}': {dead['reason']}"
    due_us = items.tries_of(entry).due_us
    if due_us:
        return f"waits for its next try at {as_text(due_us)}"
    if entry.kind in inbox.ITEMS:
        try:
            queue = find_queue(place.head_release(ledger), str(entry.target))
        except NotApplied:
            return "waits on a queue that the applied release does not have"
        if queue.agent is None:
            return "lies on a queue without an agent, which starts no jobs"
        if queue.paused:
            return "waits until its queue is no longer paused"
    return "waits in the inbox until it is taken in"


def queued(ledger: LedgerFile) -> dict[str, int]:
    """How many inputs are no jobs yet, by `Agent/name` or `Queue/name`."""
    found = {f"Agent/{name}": count for name, count in inbox.depths(ledger, *inbox.SUBMISSIONS).items()}
    return {**found, **{f"Queue/{name}": count for name, count in inbox.depths(ledger, *inbox.ITEMS).items()}}


def queued_lines(ledger: LedgerFile, counts: Mapping[str, int]) -> list[str]:
    """What `queued` counted, for people. What lies on a dead letter queue waits for a person, not to be taken in."""
    return [_queued_line(ledger, name, count) for name, count in sorted(counts.items())]


def _queued_line(ledger: LedgerFile, name: str, count: int) -> str:
    kind, _, queue = name.partition("/")
    first = inbox.waiting(ledger, kinds=[inbox.InputKind.ITEM], target=queue, limit=1) if kind == "Queue" else []
    if first and items.is_dead(first[0]):
        return f"{count:,} given up, on {name}: `statek queue ls {queue}` shows why"
    return f"{count:,} not yet taken in for {name}"
