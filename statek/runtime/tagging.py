"""By what a job waits for its turn: its source, the bounds of its agent in the applied release, its key.

Pure lookups for `newcomers`. A job whose parent, or theirs, is a job of the same agent is bound by nothing: it would
wait for room that only its own ancestors could make.
"""

from typing import Any

from statek.ledger.items import value_at
from statek.runtime.catalog import Catalog
from statek.runtime.newcomers import Bounds, Tag
from statek.store.job import find_job


def tag_of(catalog: Catalog, job_id: str, job: Any = None) -> Tag:
    """The tag of a stored job, which may be given along."""
    job = find_job(job_id) if job is None else job
    if job is None:
        return Tag()
    role = job.agent.role
    source = f"Queue/{job.queue}" if job.queue else "children" if job.parent_id else f"Agent/{role}"
    agent = catalog.agents.get(role)
    if agent is None or (agent.max_running is None and agent.per_key is None) or _is_under(job, role):
        return Tag(source)
    found = None if agent.per_key is None else value_at(job.inputs, agent.per_key.key)
    return Tag(source, role, None if found is None else f"{type(found).__name__} {found}")


def bounds_of(catalog: Catalog, role: str) -> Bounds:
    """The bounds of an agent now."""
    agent = catalog.agents.get(role)
    if agent is None:
        return Bounds()
    return Bounds(agent.max_running, agent.per_key.max if agent.per_key is not None else None)


def is_served(catalog: Catalog, source: str) -> bool:
    """Whether the fleet begins jobs of that source. What queues gave and parents asked for is always begun."""
    fleet = catalog.fleet
    kind, _, role = source.partition("/")
    return kind != "Agent" or fleet is None or not fleet.agents or role in fleet.agents


def _is_under(job: Any, role: str) -> bool:
    parent = job.parent_job
    while parent is not None:
        if parent.agent.role == role:
            return True
        parent = parent.parent_job
    return False
