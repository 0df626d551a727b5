"""Child jobs: made in their parent's stretch, completed in their own, so that both are in one transaction with it.

A child's id comes from its parent's id, turn, statement and count: a replay makes the same one. Waking the parent is
the scheduler's work; this module only says whom.
"""

from collections.abc import Mapping
from typing import Any

from statek.exceptions import NotApplied
from statek.ledger import inputs as declared_inputs
from statek.runtime import harness
from statek.runtime.catalog import Catalog
from statek.runtime.offer import Offer
from statek.store.encoding import json_bytes
from statek.store.job import Job, new_job
from statek.store.subtask import SubTaskHandler


def make_job(
    catalog: Catalog, role: str, inputs: Mapping[str, Any], job_id: str, at_us: int, parent: Any = None
) -> Job:
    """A READY job of an agent, under its derived id.

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
    job = new_job(job_def, job_id, at_us, parent)
    job.inputs_bytes = json_bytes(given)
    job.release = catalog.release
    return job


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


def complete(child: Any, result: Any, error: str | None, at_us: int) -> str | None:
    """Record how a child ended in its handler, unless it said so itself; the id of the parent that may go on, or None.

    A child that ends without a word has succeeded with its exit value, or failed with its error.
    """
    handler = child.handler
    if handler is None:
        return None
    if not handler.is_completed:
        if error is not None:
            handler.complete(error=error, at_us=at_us)
        else:
            handler.complete(result=result, at_us=at_us)
    return str(child.parent_id) or None
