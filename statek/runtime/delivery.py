"""Push queues of a host application: messages into jobs, events into new jobs. An item leaves its queue once it is in.

Delivering and acknowledging reach the file together. Text and plain data for a fleet with a ledger take the
way of all inputs, by an id made from the item's number; where the queue lies on another prefix, whose file is written
by itself, the receiving side remembers what it has, and only what is in its file is acknowledged. So a kill repeats an
item to us, never to a job. What is not in the file of its queue is not taken: after a kill the next item would get its
number, and pass for it. One bad item never
stops the others: it is laid aside on its queue with the reason, and shown among what was refused.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Sequence

from statek.exceptions import StoreError, StoreFull
from statek.ledger import inbox
from statek.ledger.file import LedgerFile
from statek.ledger.inbox import InputKind, NewEntry
from statek.runtime.delegation import definition
from statek.sandbox import keep
from statek.store import current, workspace
from statek.store import root as store_root
from statek.store.agent import SupervisedAgent
from statek.store.encoding import bytes_json, json_bytes, text_bytes
from statek.store.error_handlers import CRITICAL
from statek.store.job import Job, new_job
from statek.store.queue import PushedItem, StatekPushQueue, find_queue, written_together
from statek.store.session import at_address

_told: set[tuple[str, str]] = set()  # agents that cannot take events, of which that was said
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
            items = queue.first_messages(min(step_size, left), job_prefix)
            if not items:
                break
            for number, item in items:
                _deliver(queue, number, item)
            left -= len(items)


def forward_messages(
    ledger: LedgerFile,
    at_us: int,
    max_count: int = 500,
    *,
    queue_prefixes: Sequence[str | int],
    commit: Callable[[], None] | None = None,
) -> bool:
    """Let queued messages enter by the ledger, where a replay finds them; stored objects are delivered at once.

    Args:
        ledger: the running fleet's.
        at_us: now.
        max_count: at most so many.
        queue_prefixes: prefixes whose queues are served, in this order.
        commit: writes all files: before an item leaves its file, and again before one of another file than that of the
            jobs is acknowledged. None: nothing outlives the process but by chance.

    Returns:
        True when more can be taken after the next pass: an object never overtakes the texts before it.
    """
    queues = [queue for queue in map(find_queue, queue_prefixes) if queue is not None and not queue.is_empty()]
    if queues and commit is not None:
        commit()
    for queue in queues:
        entries: list[NewEntry] = []
        numbers: list[int] = []
        delivered: list[int] | None = [] if queue.is_foreign and commit is not None else None
        for number, item in queue.first_messages(max_count):
            is_object = item.kind not in ("text", "json")
            if is_object and entries:
                break
            if is_object:
                _deliver(queue, number, item, delivered)
            elif (target := _job_id_of(ledger, item.job_id())) is None:
                _set_aside(queue, number, item.job_id(), f"there is no job {item.job_id()!r}")
            else:
                entries.append(_entry(queue, number, item, target, at_us))
                numbers.append(number)
        if delivered and commit is not None:
            commit()
        if entries:
            inbox.append(ledger, entries)
        if gone := [*(delivered or ()), *numbers]:
            with written_together():
                for number in gone:
                    queue.ack_job_console(number)
        if entries:
            return not queue.is_empty()
    return False


def process_agent_events(
    agents: Iterable[SupervisedAgent] | None = None,
    max_count: int = 100,
    *,
    queue_prefixes: Sequence[str | int],
) -> None:
    """Make a job of every queued event; the agent's warmup reads it under its one external name.

    Args:
        agents: the agents served; None: all in the store.
        max_count: at most so many jobs.
        queue_prefixes: prefixes whose queues are served.

    Raises:
        ValueError: an agent with events does not reference exactly one external local; nothing was taken then.
    """
    take_agent_events(agents, max_count, queue_prefixes, strict=True)


def take_agent_events(
    agents: Iterable[SupervisedAgent] | None,
    max_count: int,
    queue_prefixes: Sequence[str | int],
    *,
    strict: bool = False,
    commit: Callable[[], None] | None = None,
) -> int:
    """As `process_agent_events`; how many events were taken.

    Unless `strict`, events of an agent that cannot take any stay, and that is logged. `commit` is as above.
    """
    queues = [queue for queue in map(find_queue, queue_prefixes) if queue is not None and queue.has_events()]
    if not queues:
        return 0
    found = list(store_root.current_root().agents) if agents is None else list(agents)
    chosen = [agent for agent in found if isinstance(agent, SupervisedAgent)]
    waiting = [(queue, agent) for queue in queues for agent in chosen if queue.has_agent_events(agent)]
    names = {id(agent): name for _, agent in waiting if (name := _event_name(agent, strict=strict)) is not None}
    if commit is not None and any(queue.is_foreign for queue, _ in waiting):
        commit()
    taken = 0
    later: list[tuple[StatekPushQueue, SupervisedAgent, int]] = []
    for queue, agent in waiting:
        if id(agent) in names:
            for number, item in queue.first_events(agent, max_count - taken):
                is_later = queue.is_foreign and commit is not None
                if _take_event(queue, agent, names[id(agent)], number, item, ack=not is_later) and is_later:
                    later.append((queue, agent, number))
                taken += 1
    if later and commit is not None:
        commit()
        with written_together():
            for queue, agent, number in later:
                queue.ack_agent_events(agent, number)
    return taken


def _take_event(
    queue: StatekPushQueue, agent: SupervisedAgent, name: str, number: int, item: PushedItem, *, ack: bool
) -> bool:
    """Make its job; False when that failed and the event was laid aside."""
    try:
        event = item.content()
        keep.dumps_value(event, workspace.OUTSIDE)  # one that cannot be kept fails before there is a job
        with written_together():
            job_id = f"{agent.role}/event-{_short(f'{queue.identity} {agent.role}')}-{number}"
            if store_root.find_job(job_id) is None:
                job = new_job(definition(agent, None, None, None), job_id, current.now_us())
                job.add_locals(**{name: event})
                if agent.get_adapter(CRITICAL) is not None:
                    job.bind_critical_error_context(event)
            if ack:
                queue.ack_agent_events(agent, number)
    except StoreFull:
        raise  # not the event's fault: it stays where it is
    except Exception as error:
        log.exception("an event for agent %s cannot become a job", agent.role)
        reason = f"{type(error).__name__}: {error}"
        with written_together():
            queue.lay_event_aside(agent, number, reason)
            _refuse("event", agent.role, reason)
        return False
    return True


def _event_name(agent: SupervisedAgent, *, strict: bool) -> str | None:
    names = agent.referenced_locals
    if len(names) == 1:
        return names[0]
    text = f"the warmup of agent {agent.role!r} must reference exactly one external local for events, it has: {names}"
    if strict:
        raise ValueError(text)
    if (agent.role, text) not in _told:
        _told.add((agent.role, text))
        log.error("%s; its events wait until it does", text)
    return None


def _entry(queue: StatekPushQueue, number: int, item: PushedItem, job_id: str, at_us: int) -> NewEntry:
    body = {"text" if item.kind == "text" else "data": item.content()}
    return NewEntry(f"push {job_id} {_short(queue.identity)}-{number}", InputKind.PUSH, job_id, body, at_us)


def _job_id_of(ledger: LedgerFile, job_id: str) -> str | None:
    """The id of the job that is meant, by its id or its address; None when there is none, now or soon."""
    if inbox.find(ledger, job_id) is not None:
        return job_id
    try:
        return str(_job_of(job_id).id)
    except StoreError:
        return None


def _deliver(queue: StatekPushQueue, number: int, item: PushedItem, later: list[int] | None = None) -> None:
    """Deliver one message; `later`: who acknowledges it, once that is written."""
    job_id = item.job_id()
    try:
        job = _job_of(job_id)
        message = item.content()
        with written_together():
            if _is_new(queue, job, number):
                job.push_user_message(message)
            if later is None:
                queue.ack_job_console(number)
            else:
                later.append(number)
    except StoreFull:
        raise
    except Exception as error:
        log.exception("a message for job %s is laid aside", job_id)
        _set_aside(queue, number, job_id, f"{type(error).__name__}: {error}")


def _job_of(job_id: str) -> Job:
    """The job of this id or address. Raises StoreError when there is none."""
    found = store_root.find_job(job_id) or at_address(job_id)
    if not isinstance(found, Job):
        raise StoreError(f"{job_id} is a {type(found).__name__}, not a job")
    return found


def _is_new(queue: StatekPushQueue, job: Job, number: int) -> bool:
    """Whether the job has not had this message, and remember it: only needed for queues whose file is not the job's."""
    if not queue.is_foreign:
        return True
    marks = bytes_json(job.queue_marks) or {}
    if number <= marks.get(queue.identity, -1):
        return False
    job.queue_marks = json_bytes({**marks, queue.identity: number})
    return True


def _set_aside(queue: StatekPushQueue, number: int, job_id: str, reason: str) -> None:
    with written_together():
        queue.lay_message_aside(number, reason)
        _refuse("push", job_id, reason)


def _refuse(kind: str, target: str, reason: str) -> None:
    """Keep what was laid aside, with the reason, where refused inputs are shown."""
    line = {"id": "", "kind": kind, "target": target, "at": current.now_us(), "reason": reason}
    store_root.current_root().refused.append(text_bytes(json.dumps(line)))


def _short(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
