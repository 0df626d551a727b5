"""Taking in what entered: submissions, queue items, messages, cancellations, releases. Same code live and on replay.

What does not fit any more is refused with the reason, kept in the root and shown; it never stops the others.
"""

import json
from collections.abc import Mapping
from typing import Any

from statek.base.clock import as_text
from statek.exceptions import NotApplied
from statek.ledger.inbox import Entry, InputKind
from statek.ledger.items import inputs_of
from statek.runtime import subtasks
from statek.runtime.catalog import Catalog
from statek.runtime.ready import Ready
from statek.runtime.step import Delivery, Failure
from statek.store import retention
from statek.store.encoding import json_bytes, text_bytes
from statek.store.job import JobStatus, Stage, find_job
from statek.store.root import current_root, was_made

POISON = "poison"


def take_in(entry: Entry, catalog: Catalog, ready: Ready, deliveries: dict[str, Delivery]) -> None:
    """Let one input have its effect on the stored jobs."""
    try:
        match entry.kind:
            case InputKind.SUBMIT:
                _start(entry, catalog, ready, str(entry.target), entry.body["inputs"], of_python=entry.body)
            case InputKind.SUBMIT_AGAIN if "child" in entry.body:
                _start_child_again(entry, catalog, ready)
            case InputKind.SUBMIT_AGAIN:
                _start(entry, catalog, ready, str(entry.target), entry.body["inputs"])
            case InputKind.ITEM | InputKind.ITEM_AGAIN if "refused" in entry.body:
                refuse(entry, entry.body["refused"])
            case InputKind.ITEM | InputKind.ITEM_AGAIN if "moved" in entry.body:
                pass  # it waits on its dead letter queue
            case InputKind.ITEM | InputKind.ITEM_AGAIN:
                _start_item(entry, catalog, ready)
            case InputKind.PUSH:
                _push(entry, ready)
            case InputKind.CANCEL:
                _stop(entry, ready, deliveries, Failure("cancelled", "cancelled from outside"))
            case InputKind.RELEASE:
                root = current_root()
                root.release, root.release_number = entry.body["release"], int(entry.body["number"])
                catalog.use(root.release)
            case InputKind.FORGET:
                retention.forget(entry.body["jobs"], entry.at_us)
                catalog.definitions_went()
            case kind if kind == POISON:
                reason = entry.body.get("reason", "its step killed the worker twice")
                _stop(entry, ready, deliveries, Failure("poisoned", reason))
            case _:
                refuse(entry, f"an input of kind {entry.kind!r} is not known to this build")
    except NotApplied as error:
        refuse(entry, str(error))


def _start(
    entry: Entry,
    catalog: Catalog,
    ready: Ready,
    role: str,
    inputs: Mapping[str, Any],
    queue: str = "",
    of_python: Mapping[str, Any] | None = None,
) -> None:
    """Start a job; `of_python` may hold `locale` and `params`, which only agents made in Python have."""
    if was_made(entry.id):
        return  # replayed over a store that has it already, or repeated when its record is long gone
    said = of_python or {}
    job = subtasks.make_job(
        catalog, role, inputs, entry.id, entry.at_us, locale=said.get("locale"), params=said.get("params")
    )
    if queue:
        job.queue = queue
    ready.add_new(entry.id, job)


def _start_child_again(entry: Entry, catalog: Catalog, ready: Ready) -> None:
    if was_made(entry.id):
        return
    failed_id = str(entry.body["child"])
    parent_id = next((job_id for job_id, child in ready.parked.items() if child == failed_id), None)
    try:
        subtasks.start_again(catalog, failed_id, entry.body["inputs"], entry.id, entry.at_us)
    except NotApplied:
        if parent_id is not None:
            ready.wake(parent_id)
        raise
    if parent_id is not None:
        ready.park(parent_id, entry.id)
    ready.add_new(entry.id)


def _start_item(entry: Entry, catalog: Catalog, ready: Ready) -> None:
    queue = catalog.queues.get(str(entry.target))
    if queue is None or queue.agent is None:
        raise NotApplied(f"queue {entry.target!r} is not applied any more, or has no agent")
    item = entry.body["item"]
    _start(entry, catalog, ready, queue.agent, inputs_of(queue, item), queue.name)


def _push(entry: Entry, ready: Ready) -> None:
    job = find_job(str(entry.target))
    if job is None:
        raise NotApplied(_no_job(str(entry.target)))
    message = entry.body["text"] if "text" in entry.body else entry.body["data"]
    if job.push_user_message(message, entry.at_us):
        ready.wake(job.id)


def _stop(entry: Entry, ready: Ready, deliveries: dict[str, Delivery], failure: Failure) -> None:
    job = find_job(str(entry.target))
    if job is None:
        raise NotApplied(_no_job(str(entry.target)))
    _end(job, ready, deliveries, failure)


def _end(job: Any, ready: Ready, deliveries: dict[str, Delivery], failure: Failure) -> None:
    """Have a job end, and with a job that is cancelled its children."""
    if job.job_status == JobStatus.DONE or job.stage == Stage.END:
        return
    for handler in list(job.children or ()) if failure.outcome == "cancelled" else ():
        _end(handler.job, ready, deliveries, Failure("cancelled", f"its parent {job.id} was cancelled"))
    job.ending_bytes = json_bytes([failure.outcome, failure.reason])  # a restart before its stretch must know
    deliveries[job.id] = failure
    if job.id in ready.new:
        ready.new.remove(job.id)
    ready.wake(job.id)


def _no_job(job_id: str) -> str:
    at_us = retention.forgotten_at(job_id)
    return f"there is no job {job_id!r}" if at_us is None else f"job {job_id!r} was forgotten at {as_text(at_us)}"


def refuse(entry: Entry, reason: str) -> None:
    """Keep an input that was not taken in, with the reason."""
    line = {"id": entry.id, "kind": str(entry.kind), "target": entry.target, "at": entry.at_us, "reason": reason}
    current_root().refused.append(text_bytes(json.dumps(line)))
