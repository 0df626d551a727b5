"""Child jobs: made in their parent's stretch, completed in their own, so that both reach the file with it.

A child's id comes from its parent's id, turn, statement and count: a replay makes the same one. Waking the parent is
the scheduler's work; this module only says whom.
"""

from collections.abc import Mapping
from typing import Any

from statek.exceptions import NotApplied
from statek.ledger import compiled, items
from statek.ledger import inputs as declared_inputs
from statek.runtime import delegation, harness
from statek.runtime.catalog import Catalog
from statek.runtime.offer import Offer
from statek.store import current
from statek.store.encoding import json_bytes
from statek.store.job import Job, find_job, new_job
from statek.store.subtask import SubTaskHandler

FAILED = ("failed", "poisoned")  # outcomes after which work may be tried again


def make_job(
    catalog: Catalog,
    role: str,
    inputs: Mapping[str, Any],
    job_id: str,
    at_us: int,
    parent: Any = None,
    *,
    locale: str | None = None,
    params: Mapping[str, Any] | None = None,
) -> Job:
    """A READY job of an agent, under its derived id; `locale` and prompt parameters are for agents made in Python.

    Raises:
        NotApplied: there is no such agent, or the inputs do not fit what it declares.
    """
    job_def, offer = catalog.start_of(role)
    given = dict(inputs)
    if offer.spec is not None:
        wrong = declared_inputs.check_inputs(offer.spec, given)
        if wrong:
            raise NotApplied(f"inputs of {role}: {'; '.join(wrong)}")
        given = declared_inputs.fill_defaults(offer.spec, given)
    elif locale or params:
        job_def = delegation.definition(job_def.agent, None, locale, params)
    return new_job(job_def, job_id, at_us, parent, inputs_bytes=json_bytes(given), release=catalog.release)


def start_child(
    catalog: Catalog, parent: Any, offer: Offer, name: str, inputs: Mapping[str, Any], place: str, at_us: int
) -> SubTaskHandler:
    """A child job and the parent's handler of it. Raises LLM_HarnessError at a limit, TypeError for bad inputs."""
    harness.check_subjob(parent, offer.limits)
    try:
        child = make_job(catalog, name, inputs, f"{parent.id}.{place}.{parent.subjobs + 1}", at_us, parent)
    except NotApplied as error:
        raise TypeError(str(error)) from error
    parent.subjobs += 1
    handler = SubTaskHandler(child)
    child.handler = handler
    parent.add_child(handler)
    return handler


def will_try_again(child: Any, outcome: str, spec: compiled.Agent | None) -> bool:
    """Whether a child that ends now is to be followed by another try, as its agent says; its handler keeps that.

    Only the first end of a child counts, one that nobody cancelled and of which the parent knows nothing yet.
    """
    if outcome not in FAILED or spec is None or child.num_completions:
        return False
    handler, number = child.handler, items.first_and_number(child.id)[1]
    if handler is None or handler.is_completed or number >= spec.retry.max_attempts:
        return False
    handler.is_tried_again = True
    return True


def is_open(child: Any) -> bool:
    """Whether a child that has ended is to be followed by another try."""
    return child.handler is not None and bool(child.handler.is_tried_again)


def start_again(catalog: Catalog, failed_id: str, inputs: Mapping[str, Any], job_id: str, at_us: int) -> Job:
    """The next try of a child, in the place of the one that failed.

    Raises:
        NotApplied: the parent was ended meanwhile, or there is no such agent any more; a parent that works is told.
    """
    failed = find_job(failed_id)
    handler = failed.handler if failed is not None else None
    parent = failed.parent_job if failed is not None else None
    if failed is None or handler is None or handler.is_completed:
        raise NotApplied(f"job {failed_id} has an outcome already")
    if parent is None or parent.outcome not in ("", "ok"):
        raise NotApplied(f"the parent of job {failed_id} was ended")
    try:
        child = make_job(catalog, failed.agent.role, inputs, job_id, at_us, parent)
    except NotApplied as error:
        complete(failed, str(error), at_us)
        raise
    failed.handler, child.handler = None, handler
    handler.job, handler.is_tried_again = child, False
    if parent.waiting_for == {"kind": "subtask", "detail": failed_id}:
        parent.waiting_bytes = json_bytes({"kind": "subtask", "detail": job_id})
    return child


def lacks_outcome(child: Any) -> bool:
    """Whether a child that has ended is still to say what came of it, or to be followed by another try."""
    return child.handler is not None and not child.handler.is_completed


def complete(child: Any, error: str | None, at_us: int) -> str | None:
    """Record how a child ended in its handler, unless it said so itself; the id of the parent that may go on, or None.

    A child that ends without a word has succeeded with its exit value, or failed with its error. One that ends well
    before its own children, whose ends bring it back to work, has its word still to say where code may say it
    (`complete_sub_task`): ending a turn is how such a job waits.
    """
    handler = child.handler
    if handler is None:
        return None
    if error is None and handler.by_code and any(own.brings_parent_back() for own in child.children or ()):
        return None
    if not handler.is_completed:
        with current.running(child, current.Scene(child, clock_us=at_us)):
            handler.complete_by_exit() if error is None else handler.complete(error=error)
    return str(child.parent_id) or None
