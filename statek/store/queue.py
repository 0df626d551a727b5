"""The push queue of a host application: messages to running jobs, and events for agents.

One queue lives on each dbzero prefix; `StatekPushQueue(prefix=...)` finds or makes it, `find_queue` only finds it.
It keeps what was pushed until the reader acknowledges it; it delivers nothing and knows no jobs: the runtime peeks,
delivers, acknowledges, and the documented `pop_*` methods are peek and acknowledge in one. What cannot be delivered is
laid aside with the reason (`dead_items`), so that it neither blocks the others nor gets lost. The idea to keep in mind:
dbzero containers that lose members leak or corrupt the heap, so items stand in lists whose slots are overwritten and
whose head moves on.
"""

import itertools
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import dbzero as db0

from statek.base.clock import SystemClock
from statek.base.rpc import remote
from statek.exceptions import StoreError
from statek.store import wakeups
from statek.store.layout import lay_out_first

COMPACT_AT = 1_000  # consumed slots that a list may carry before it is replaced
HELD = "statek:held"  # ordinary tag: keeps a Held object alive on its own prefix


@dataclass(frozen=True)
class DeadItem:
    """A message or event that could not be delivered.

    Attributes:
        number: by which it can be put back or dropped.
        target: the job it was for, or `agent ROLE`.
        content: what was pushed; None when it cannot be reached.
        reason: why it was laid aside.
        at_us: when, in microseconds since 1970.
    """

    number: int
    target: str
    content: Any
    reason: str
    at_us: int


@db0.memo(id="statek/Held")
class Held:
    """Keeps an object alive on its own prefix: dbzero does not count references from another one."""

    def __init__(self, obj: Any, prefix: str) -> None:
        """Refer to `obj`, which lives on `prefix`."""
        db0.set_prefix(self, prefix)
        self.obj = obj


@db0.memo(id="statek/PushedItem")
class PushedItem:
    """One message or event.

    Attributes:
        job: the job's id in UTF-8, b"" for events. Bytes, because the store cuts text at a NUL.
        kind: "text", "json", "memo" (an object of this prefix) or "held" (an object of another one).
        body: text in UTF-8, or JSON text; empty for objects.
        ref: the object, or the Held that refers to it; else None.
    """

    _late_fields = ("ref",)

    def __init__(self, job: str, content: Any, prefix: str) -> None:
        """Store `content` on `prefix`. Raises TypeError for what is not text, stored object or plain data."""
        db0.set_prefix(self, prefix)
        self.job = _encode(job)
        self.kind, self.body, self.ref = _pack(content, prefix)
        lay_out_first(self)

    def job_id(self) -> str:
        """The job's id as it was given."""
        return _decode(self.job)

    def content(self) -> Any:
        """What was pushed. Raises StoreError when its object cannot be reached."""
        if self.kind == "text":
            return _decode(self.body)
        if self.kind == "json":
            return json.loads(self.body)
        if self.kind == "memo":
            return self.ref
        try:
            return self.ref.obj
        except (RuntimeError, db0.ReferenceError) as error:
            raise StoreError(
                f"a pushed object cannot be reached: {error}".strip(), hint="open its prefix before reading the queue"
            ) from error

    def release(self) -> None:
        """Let go of an object on another prefix."""
        if self.kind == "held":
            db0.tags(self.ref).remove(HELD)


@db0.memo(id="statek/Fifo")
class Fifo:
    """Items in order, each with a number that it keeps until it is removed."""

    def __init__(self, prefix: str) -> None:
        """Start empty on `prefix`."""
        db0.set_prefix(self, prefix)
        self.items: list[PushedItem | None] = []
        self.head = 0  # index of the first item that may still be there
        self.base = 0  # number of the item at index 0

    def live(self) -> Iterator[tuple[int, PushedItem]]:
        """The items still there with their numbers, oldest first."""
        for index in range(self.head, len(self.items)):
            item = self.items[index]
            if item is not None:
                yield self.base + index, item

    def is_empty(self) -> bool:
        """Is nothing left?"""
        return self.head >= len(self.items)

    def get(self, number: int) -> PushedItem | None:
        """The item of that number, None when it is gone."""
        index = number - self.base
        return self.items[index] if self.head <= index < len(self.items) else None

    def remove(self, number: int, *, release: bool = True) -> None:
        """Forget the item of that number; nothing happens if it is gone already. `release`: let go of its object."""
        item = self.get(number)
        if item is None:
            return
        if release:
            item.release()
        self.items[number - self.base] = None
        while self.head < len(self.items) and self.items[self.head] is None:
            self.head += 1
        self._compact()

    def _compact(self) -> None:
        """Replace the list when all of it, or a long first half, is consumed."""
        if self.head < len(self.items) and (self.head < COMPACT_AT or self.head * 2 < len(self.items)):
            return
        rest = [self.items[index] for index in range(self.head, len(self.items))]
        self.base += self.head
        self.head = 0
        self.items = rest


@db0.memo(id="statek/LaidAside")
class LaidAside:
    """An item that could not be delivered, and why. `role` is b"" for messages to jobs."""

    _late_fields = ("agent",)

    def __init__(self, item: PushedItem, agent: Any, role: str, reason: str, prefix: str) -> None:
        """Keep `item` of `prefix`."""
        db0.set_prefix(self, prefix)
        self.item = item
        self.agent = agent
        self.role = _encode(role)
        self.reason = _encode(reason)
        self.at_us = SystemClock().now_us()
        lay_out_first(self)


@db0.memo(id="statek/AgentEvents")
class AgentEvents:
    """The events of one agent."""

    def __init__(self, agent: Any, prefix: str) -> None:
        """Start empty for `agent` on `prefix`."""
        db0.set_prefix(self, prefix)
        self.agent = agent
        self.events = Fifo(prefix)

    def belongs_to(self, agent: Any) -> bool:
        """Are these the events of `agent`?"""
        try:
            return bool(db0.uuid(self.agent) == db0.uuid(agent))
        except (RuntimeError, db0.ReferenceError):
            return False  # an agent of another prefix that is gone, or not open, is not the one at hand


@db0.memo(id="statek/StatekPushQueue", singleton=True)
class StatekPushQueue:
    """Messages to jobs and events for agents; one per dbzero prefix."""

    tag = ""  # random: the queue of a prefix that was made anew is another one
    aside: Any = None  # what could not be delivered
    _late_fields = ("aside",)

    def __init__(self, prefix: str | None = None) -> None:
        """Find or make the queue on `prefix`, by default the current one."""
        db0.set_prefix(self, prefix)  # dbzero cuts this function here to learn the prefix: first statement, no branch
        self.prefix = _plain_name(prefix or db0.get_current_prefix().name)
        self.tag = secrets.token_hex(4)
        self.console = Fifo(self.prefix)
        self.agents: list[AgentEvents] = []
        lay_out_first(self)

    @remote
    def push_to_job_console(self, job_uuid: str, message: Any) -> None:
        """Append a message for a job. As all that is stored it is durable with the next commit of dbzero.

        Args:
            job_uuid: id of the job, or its dbzero uuid.
            message: text, a stored object, or plain data (dict with str keys, list, str, int, float, bool, None).

        Raises:
            TypeError: `message` is of another type, or `job_uuid` is not text.
        """
        if not isinstance(job_uuid, str) or not job_uuid:
            raise TypeError(f"job_uuid must be the id of a job as text, found {job_uuid!r}")
        self.console.items.append(PushedItem(job_uuid, message, self.prefix))
        wakeups.tell()

    @remote
    def push_to_agent_queue(self, agent: Any, event: Any) -> None:
        """Append an event, of the types a message may have, to the agent's own queue; durable as a message is.

        Raises TypeError.
        """
        if isinstance(agent, type) or not db0.is_memo(agent):
            raise TypeError(f"agent must be a stored agent, found {type(agent).__name__}")
        item = PushedItem("", event, self.prefix)
        events = self._events_of(agent)
        if events is None:
            self.agents.append(AgentEvents(agent, self.prefix))
            events = self.agents[-1].events
        events.items.append(item)
        wakeups.tell()

    @property
    def identity(self) -> str:
        """A name of this very queue, for those who remember what they have taken from it."""
        return f"{self.prefix}#{self.tag}"

    def peek_job_console(self, count: int, prefix: str | int | None = None) -> list[tuple[int, str, Any]]:
        """Up to `count` oldest (number, job id, message); they stay until acknowledged.

        Args:
            count: how many at most.
            prefix: only messages for jobs on this prefix (name or uuid). An id that dbzero does not know counts as
                living on the queue's own prefix.

        Raises:
            StoreError: an object that was pushed cannot be reached.
        """
        return [(number, item.job_id(), item.content()) for number, item in self.first_messages(count, prefix)]

    def ack_job_console(self, n: int) -> None:
        """Remove the message of number `n`, once it was delivered; removing it twice does nothing."""
        self.console.remove(n)

    @property
    def is_foreign(self) -> bool:
        """Does it lie in another file than the jobs of this process? Then the two are not written together."""
        return bool(self.prefix != db0.get_current_prefix().name)

    def has_events(self) -> bool:
        """Are there events for any agent?"""
        return any(not entry.events.is_empty() for entry in self.agents)

    def first_messages(self, count: int, prefix: str | int | None = None) -> list[tuple[int, PushedItem]]:
        """Like `peek_job_console`, with the items as stored: whether their content can be reached is not looked at."""
        found = self.console.live()
        if prefix is not None:
            found = (entry for entry in found if prefix_matches(self._prefix_of_job(entry[1].job_id()), prefix))
        return _first(found, count)

    def first_events(self, agent: Any, count: int) -> list[tuple[int, PushedItem]]:
        """Like `peek_agent_events`, with the items as stored."""
        events = self._events_of(agent)
        return [] if events is None else _first(events.live(), count)

    def lay_message_aside(self, n: int, reason: str) -> None:
        """Keep the message of number `n` out of the way, with the reason; nothing happens when it is gone."""
        self._lay_aside(self.console, n, None, "", reason)

    def lay_event_aside(self, agent: Any, n: int, reason: str) -> None:
        """Keep the event of number `n` of `agent` out of the way, with the reason."""
        events = self._events_of(agent)
        if events is not None:
            self._lay_aside(events, n, agent, agent.role, reason)

    def dead_items(self) -> list[DeadItem]:
        """What could not be delivered, oldest first."""
        found = []
        for number, entry in enumerate(self.aside or ()):
            if entry is None:
                continue
            target = f"agent {_decode(entry.role)}" if entry.agent is not None else entry.item.job_id()
            found.append(DeadItem(number, target, _reachable(entry.item), _decode(entry.reason), entry.at_us))
        return found

    def requeue_dead_item(self, number: int) -> None:
        """Push it once more, behind what waits. Raises KeyError when there is none of that number."""
        entry = self._take_dead(number)
        fifo = self.console if entry.agent is None else self._events_of(entry.agent)
        if fifo is None:
            self.agents.append(AgentEvents(entry.agent, self.prefix))
            fifo = self.agents[-1].events
        fifo.items.append(entry.item)
        wakeups.tell()

    def drop_dead_item(self, number: int) -> None:
        """Forget it for good. Raises KeyError when there is none of that number."""
        self._take_dead(number).item.release()

    def peek_agent_events(self, agent: Any, count: int) -> list[tuple[int, Any]]:
        """Up to `count` oldest (number, event) of `agent`; an unknown agent has none. Raises StoreError as above."""
        return [(number, item.content()) for number, item in self.first_events(agent, count)]

    def ack_agent_events(self, agent: Any, n: int) -> None:
        """Remove the event of number `n` of `agent`; removing it twice does nothing."""
        events = self._events_of(agent)
        if events is not None:
            events.remove(n)

    @remote
    def pop_from_job_console(self, count: int, prefix: str | int | None = None) -> list[tuple[str, Any]]:
        """Remove and return up to `count` oldest (job id, message); see `peek_job_console`."""
        found = self.peek_job_console(count, prefix)
        for number, _, _ in found:
            self.ack_job_console(number)
        return [(job, message) for _, job, message in found]

    @remote
    def pop_from_agent_queue(self, agent: Any, count: int) -> list[Any]:
        """Remove and return up to `count` oldest events of `agent`."""
        found = self.peek_agent_events(agent, count)
        for number, _ in found:
            self.ack_agent_events(agent, number)
        return [event for _, event in found]

    def is_empty(self) -> bool:
        """Are there no messages for jobs? Events do not count."""
        return bool(self.console.is_empty())

    def has_agent_events(self, agent: Any) -> bool:
        """Does `agent` have events? Makes no queue for it."""
        events = self._events_of(agent)
        return events is not None and not events.is_empty()

    def has_job(self, job_uuid: str, max_scan: int = 100) -> bool | None:
        """Is there a message for that job? None when `max_scan` messages were looked at without an answer."""
        for seen, (_, item) in enumerate(self.console.live()):
            if seen >= max_scan:
                return None
            if item.job_id() == job_uuid:
                return True
        return False

    def _lay_aside(self, fifo: Fifo, n: int, agent: Any, role: str, reason: str) -> None:
        item = fifo.get(n)
        if item is None:
            return
        if self.aside is None:
            self.aside = []
        self.aside.append(LaidAside(item, agent, role, reason, self.prefix))
        fifo.remove(n, release=False)

    def _take_dead(self, number: int) -> LaidAside:
        entries = self.aside or ()
        entry = entries[number] if 0 <= number < len(entries) else None
        if entry is None:
            raise KeyError(f"there is no dead item {number}")
        self.aside[number] = None
        return cast("LaidAside", entry)

    def _events_of(self, agent: Any) -> Fifo | None:
        return next((entry.events for entry in self.agents if entry.belongs_to(agent)), None)

    def _prefix_of_job(self, job_id: str) -> tuple[str, int]:
        """Name and uuid of the prefix of a job."""
        found = db0.get_prefix_of(db0.fetch(job_id) if db0.exists(job_id) else self)
        return found.name, found.uuid


@contextmanager
def written_together() -> Iterator[None]:
    """Changes that reach each prefix's file with one commit. Never await inside."""
    with db0.locked():
        yield


def find_queue(prefix: str | int) -> StatekPushQueue | None:
    """The queue on `prefix` (name, or uuid as dbzero tells it), None when there is none; makes nothing."""
    if isinstance(prefix, str):
        name: str | None = _plain_name(prefix)
    else:
        name = next((known.name for known in db0.get_prefixes() if known.uuid == prefix), None)
    found = None if name is None else db0.find_singleton(StatekPushQueue, prefix=name)
    return cast("StatekPushQueue | None", found)


def _reachable(item: PushedItem) -> Any:
    try:
        return item.content()
    except StoreError:
        return None


def prefix_matches(found: tuple[str, int], wanted: str | int) -> bool:
    """Is the prefix of that name and uuid the wanted one?"""
    name, uuid = found
    return uuid == wanted if isinstance(wanted, int) else name == _plain_name(wanted)


def _plain_name(prefix: str) -> str:
    """Prefix name as dbzero keeps it: it drops leading slashes."""
    return prefix.lstrip("/")


def _first(found: Iterator[tuple[int, PushedItem]], count: int) -> list[tuple[int, PushedItem]]:
    return list(itertools.islice(found, max(count, 0)))


def _pack(content: Any, prefix: str) -> tuple[str, bytes, Any]:
    """Kind, body and reference of what was pushed."""
    if type(content) is str:
        return "text", _encode(content), None
    if not isinstance(content, type) and db0.is_memo(content):
        home = db0.get_prefix_of(content).name
        return ("memo", b"", content) if home == prefix else ("held", b"", _held(content, home))
    return "json", _json(content).encode(), None


def _held(content: Any, home: str) -> Held:
    held = Held(content, home)
    db0.tags(held).add(HELD)
    return held


def _json(content: Any) -> str:
    """JSON text that reads back as the same data. Raises TypeError for anything but plain data."""
    _check_plain(content, "message", ())
    try:
        return json.dumps(content)
    except (ValueError, RecursionError) as error:
        raise TypeError(f"the message cannot be written as JSON: {error}") from error


def _check_plain(content: Any, where: str, inside: tuple[int, ...]) -> None:
    """Exact types only: json would turn a tuple into a list and the key 1 into "1"."""
    kind = type(content)
    if kind in (str, int, float, bool, type(None)):
        return
    if kind not in (dict, list):
        raise TypeError(
            f"{where} is of type {kind.__name__}: only text, stored objects and plain data (dict, list, str, int, "
            "float, bool, None) can be pushed"
        )
    if id(content) in inside or len(inside) > 500:
        raise TypeError(f"{where[:80]} is nested in itself or too deep to be pushed")
    for key in content if kind is dict else ():
        if type(key) is not str:
            raise TypeError(f"{where} has the key {key!r} of type {type(key).__name__}: keys must be str")
    for key, value in content.items() if kind is dict else enumerate(content):
        _check_plain(value, f"{where}[{key!r}]", (*inside, id(content)))


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _decode(body: bytes) -> str:
    return body.decode("utf-8", "surrogatepass")
