"""The push queue: order, acknowledgement, exact contents, one queue per prefix."""

from pathlib import Path
from typing import Any

import dbzero as db0
import pytest

from statek.exceptions import StoreError
from statek.store import queue as queues
from statek.store.queue import StatekPushQueue, find_queue


@db0.memo(id="tests/Event")
class Event:
    def __init__(self, text: str) -> None:
        self.text = text


@db0.memo(id="tests/QueueAgent")
class QueueAgent:
    def __init__(self, role: str) -> None:
        self.role = role


@pytest.fixture
def queue(store: Path) -> StatekPushQueue:
    """The queue of the prefix "t"."""
    return StatekPushQueue()


def reopen(folder: Path, *prefixes: str) -> None:
    """Close the store and open it again, with these prefixes beside "t"."""
    db0.commit()
    db0.close()
    db0.init(str(folder), prefix="t", autocommit=False)
    for prefix in prefixes:
        db0.open(prefix, "rw")
    db0.open("t", "rw")


def test_one_queue_per_prefix(store: Path) -> None:
    """Every call for a prefix gives the same queue; other prefixes have their own."""
    first = StatekPushQueue(prefix="/acme/jobs")
    db0.open("t", "rw")
    assert StatekPushQueue("/acme/jobs") is first
    assert StatekPushQueue() is not first
    assert db0.get_prefix_of(first).name == "acme/jobs"
    assert db0.get_prefix_of(first.console).name == "acme/jobs"


def test_find_queue_makes_nothing(store: Path) -> None:
    """Looking for a queue finds it by name or uuid, and creates none."""
    assert find_queue("t") is None
    assert find_queue("nowhere") is None
    queue = StatekPushQueue()
    assert find_queue("/t") is queue
    assert find_queue(db0.get_prefix_of(queue).uuid) is queue
    assert find_queue(1) is None


def test_messages_come_out_in_order(queue: StatekPushQueue) -> None:
    """The oldest messages come first, at most as many as asked for."""
    for n in range(3):
        queue.push_to_job_console("job-1", f"m{n}")
    assert queue.pop_from_job_console(2) == [("job-1", "m0"), ("job-1", "m1")]
    assert queue.is_empty() is False
    assert queue.pop_from_job_console(5) == [("job-1", "m2")]
    assert queue.is_empty() is True


def test_peeked_messages_stay_until_acknowledged(queue: StatekPushQueue) -> None:
    """A message that was looked at is delivered again unless it was acknowledged."""
    queue.push_to_job_console("a", "first")
    queue.push_to_job_console("b", "second")
    seen = queue.peek_job_console(2)
    queue.ack_job_console(seen[1][0])
    assert queue.peek_job_console(2) == [(seen[0][0], "a", "first")]


def test_acknowledging_twice_removes_nothing_else(queue: StatekPushQueue) -> None:
    """The number of a removed message never comes to mean another one."""
    queue.push_to_job_console("a", "first")
    number = queue.peek_job_console(1)[0][0]
    queue.ack_job_console(number)
    queue.push_to_job_console("a", "second")
    queue.ack_job_console(number)
    assert queue.pop_from_job_console(1) == [("a", "second")]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "a\0b \ud800 \U0001f600",
        {"z": 1, "a": [10**30, -1, 0.1, -0.0, True, None, {}], "": "\0"},
        [],
        {},
        None,
        False,
        float("inf"),
    ],
)
def test_contents_come_back_exactly(store: Path, content: Any) -> None:
    """Text and plain data are the same after reopening, order of keys included."""
    StatekPushQueue().push_to_job_console("job\0x", content)
    reopen(store)
    ((job, found),) = StatekPushQueue().pop_from_job_console(1)
    assert (job, found, type(found)) == ("job\0x", content, type(content))
    assert repr(found) == repr(content)


def test_stored_objects_are_kept_and_let_go(store: Path) -> None:
    """A pushed object lives as long as it is queued, and no longer."""
    StatekPushQueue().push_to_job_console("j", Event("hello"))
    reopen(store)
    queue = StatekPushQueue()
    ((number, _, event),) = queue.peek_job_console(1)
    assert event.text == "hello"
    del event
    queue.ack_job_console(number)
    db0.commit()
    assert len(db0.find(Event)) == 0


def test_objects_of_another_prefix_are_kept_and_let_go(store: Path) -> None:
    """An object on another prefix lives as long as it is queued, too."""
    db0.open("other", "rw")
    event = Event("far")
    db0.open("t", "rw")
    StatekPushQueue().push_to_job_console("j", event)
    del event
    reopen(store, "other")
    assert [message.text for _, message in StatekPushQueue().pop_from_job_console(1)] == ["far"]
    db0.commit()
    db0.open("other", "rw")
    assert len(db0.find(Event)) == 0
    assert len(db0.find(queues.Held)) == 0


def test_object_of_a_closed_prefix_is_an_error(store: Path) -> None:
    """An object whose prefix is not open is reported, and stays in the queue."""
    db0.open("other", "rw")
    event = Event("far")
    db0.open("t", "rw")
    StatekPushQueue().push_to_job_console("j", event)
    del event
    reopen(store)
    with pytest.raises(StoreError, match="cannot be reached"):
        StatekPushQueue().pop_from_job_console(1)
    assert StatekPushQueue().is_empty() is False


@pytest.mark.parametrize(
    ("content", "named"),
    [((1,), "tuple"), ({"a": {1, 2}}, "set"), ({1: 2}, "int"), (b"x", "bytes"), (Event, "type"), (1j, "complex")],
)
def test_other_contents_are_refused_by_name(queue: StatekPushQueue, content: Any, named: str) -> None:
    """What would not come back as it was is refused, naming its type, and nothing is queued."""
    with pytest.raises(TypeError, match=named):
        queue.push_to_job_console("j", content)
    assert queue.is_empty()


def test_data_containing_itself_is_refused(queue: StatekPushQueue) -> None:
    """Cyclic or bottomless data is refused before it reaches the store."""
    cyclic: list[Any] = []
    cyclic.append(cyclic)
    deep: list[Any] = []
    for _ in range(10_000):
        deep = [deep]
    for content in (cyclic, deep):
        with pytest.raises(TypeError, match="too deep"):
            queue.push_to_job_console("j", content)


def test_job_must_be_text(queue: StatekPushQueue) -> None:
    """A job is named by its id, not by the object."""
    with pytest.raises(TypeError, match="id of a job"):
        queue.push_to_job_console(Event("x"), "m")  # type: ignore[arg-type]


def test_filter_by_prefix_leaves_the_others(store: Path) -> None:
    """Messages for jobs on another prefix stay; ids unknown to dbzero count as the queue's own."""
    db0.open("other", "rw")
    far = Event("a job elsewhere")
    db0.open("t", "rw")
    queue = StatekPushQueue()
    queue.push_to_job_console("our-id", "near")
    queue.push_to_job_console(db0.uuid(far), "far")
    assert [job for _, job, _ in queue.peek_job_console(9, prefix="/other")] == [db0.uuid(far)]
    assert queue.pop_from_job_console(9, prefix=db0.get_prefix_of(far).uuid) == [(db0.uuid(far), "far")]
    assert queue.pop_from_job_console(9, prefix="t") == [("our-id", "near")]


def test_events_are_queued_per_agent(queue: StatekPushQueue) -> None:
    """Every agent has its own order of events."""
    first, second = QueueAgent("one"), QueueAgent("one")
    queue.push_to_agent_queue(first, {"n": 1})
    queue.push_to_agent_queue(second, "x")
    queue.push_to_agent_queue(first, {"n": 2})
    assert queue.pop_from_agent_queue(first, 9) == [{"n": 1}, {"n": 2}]
    assert queue.pop_from_agent_queue(second, 9) == ["x"]
    assert queue.is_empty()


def test_unknown_agent_has_no_events(queue: StatekPushQueue) -> None:
    """Asking about an agent without events makes no queue for it."""
    agent = QueueAgent("idle")
    assert (queue.has_agent_events(agent), queue.pop_from_agent_queue(agent, 3)) == (False, [])
    assert len(queue.agents) == 0
    queue.push_to_agent_queue(agent, "e")
    assert queue.has_agent_events(agent) is True


def test_events_survive_reopening(store: Path) -> None:
    """Events are found again for the stored agent, and acknowledged one by one."""
    agent = QueueAgent("one")
    uuid = db0.uuid(agent)
    for n in range(2):
        StatekPushQueue().push_to_agent_queue(agent, n)
    del agent
    reopen(store)
    queue, agent = StatekPushQueue(), db0.fetch(uuid)
    seen = queue.peek_agent_events(agent, 9)
    queue.ack_agent_events(agent, seen[0][0])
    assert queue.peek_agent_events(agent, 9) == seen[1:]


def test_agent_must_be_stored(queue: StatekPushQueue) -> None:
    """Events go to stored agents only."""
    with pytest.raises(TypeError, match="found str"):
        queue.push_to_agent_queue("triage", "e")


def test_has_job_is_bounded(queue: StatekPushQueue) -> None:
    """The search for a job ends with None when its budget is used up."""
    for n in range(5):
        queue.push_to_job_console(f"j{n}", "m")
    assert (queue.has_job("j4"), queue.has_job("j9"), queue.has_job("j4", max_scan=4)) == (True, False, None)


def test_long_backlog_is_compacted(queue: StatekPushQueue) -> None:
    """A queue that never runs empty does not carry its past along, and numbers keep their meaning."""
    total = 2 * queues.COMPACT_AT
    for n in range(total):
        queue.push_to_job_console("j", n)
    last = queue.peek_job_console(total)[-1][0]
    queue.pop_from_job_console(total - 3)
    assert len(queue.console.items) <= queues.COMPACT_AT
    queue.ack_job_console(last)
    assert [message for _, message in queue.pop_from_job_console(9)] == [total - 3, total - 2]


def test_many_items_leave_nothing_behind(queue: StatekPushQueue) -> None:
    """Pushing and popping again and again leaves no objects in the store."""
    for _ in range(20):
        for n in range(50):
            queue.push_to_job_console("j", [n])
        queue.pop_from_job_console(50)
        db0.commit()
    assert len(db0.find(queues.PushedItem)) == 0
