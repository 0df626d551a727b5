"""Push queues of a host application: messages into jobs, events into new jobs. An item leaves its queue once it is in.

One bad item never stops the others: it is logged with its reason and removed.
"""

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from statek.runtime.delegation import create_new_job
from statek.store import root as store_root
from statek.store.agent import SupervisedAgent
from statek.store.job import Job
from statek.store.queue import StatekPushQueue, find_queue
from statek.store.session import at_address

log = logging.getLogger(__name__)


def process_push_notifications(
    step_size: int = 100,
    max_count: int = 500,
    *,
    queue_prefixes: Sequence[str | int],
    job_prefix: str | int | None = None,
) -> None:
    """Deliver queued messages to their jobs.

    Args:
        step_size: messages looked at in one go.
        max_count: at most so many in all.
        queue_prefixes: prefixes whose queues are served, in this order.
        job_prefix: only messages for jobs of this prefix.
    """
    left = max_count
    for queue in filter(None, map(find_queue, queue_prefixes)):
        while left > 0:
            items = queue.peek_job_console(min(step_size, left), job_prefix)
            if not items:
                break
            for number, job_id, message in items:
                _deliver(job_id, message)
                queue.ack_job_console(number)
            left -= len(items)


def process_agent_events(
    agents: Iterable[SupervisedAgent] | None = None,
    max_count: int = 100,
    *,
    queue_prefixes: Sequence[str | int],
    strict: bool = True,
) -> None:
    """Make a job of every queued event; the agent's warmup reads it under its one external name.

    Args:
        agents: the agents served; None: all in the store.
        max_count: at most so many jobs.
        queue_prefixes: prefixes whose queues are served.
        strict: raise for an agent that cannot take events; otherwise leave its events and log it.

    Raises:
        ValueError: an agent with events does not reference exactly one external local; nothing was taken then.
    """
    found = list(store_root.current_root().agents) if agents is None else list(agents)
    chosen = [agent for agent in found if isinstance(agent, SupervisedAgent)]
    queues = [queue for queue in map(find_queue, queue_prefixes) if queue is not None]
    waiting = [(queue, agent) for queue in queues for agent in chosen if queue.has_agent_events(agent)]
    names = {id(agent): name for _, agent in waiting if (name := _event_name(agent, strict=strict)) is not None}
    left = max_count
    for queue, agent in waiting:
        if id(agent) in names:
            left -= _take_events(queue, agent, names[id(agent)], left)


def _take_events(queue: StatekPushQueue, agent: SupervisedAgent, name: str, left: int) -> int:
    events = queue.peek_agent_events(agent, left) if left > 0 else []
    for number, event in events:
        create_new_job(agent, shared_vars={name: event})
        queue.ack_agent_events(agent, number)
    return len(events)


def _event_name(agent: SupervisedAgent, *, strict: bool) -> str | None:
    names = agent.referenced_locals
    if len(names) == 1:
        return names[0]
    text = f"the warmup of agent {agent.role!r} must reference exactly one external local for events, it has: {names}"
    if strict:
        raise ValueError(text)
    log.error("%s", text)
    return None


def _deliver(job_id: str, message: Any) -> None:
    job = store_root.find_job(job_id)
    if job is None:
        try:
            job = at_address(job_id)
        except Exception as error:  # noqa: BLE001 - whatever the text is, it names no job
            log.error("a message for job %s is dropped: %s", job_id, error)  # noqa: TRY400 - no traceback wanted
            return
    if isinstance(job, Job):
        job.push_user_message(message)
