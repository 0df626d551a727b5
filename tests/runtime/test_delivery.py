"""Push queues of a host application: nothing is lost, nothing comes twice, nothing bad stands in the way."""

import logging
from typing import Any

import dbzero as db0
import pytest

from statek.ledger import inbox
from statek.runtime import delivery
from statek.store.agent import SupervisedAgent
from statek.store.job import JobStatus, jobs_with
from statek.store.prompt import make_system_prompt
from statek.store.queue import StatekPushQueue
from statek.testing import LocalFleet, answer
from tests.runtime import desk
from tests.runtime.conftest import OpenDesk

HOME = ["statek"]


@pytest.fixture
def fleet(open_desk: OpenDesk) -> LocalFleet:
    """A fleet with a job "clerk/1" that has ended and answers a message with all it was told."""
    opened = open_desk(answer("exit('again')", last="more"), answer("exit('first')"))
    opened.submit("clerk")
    opened.run()
    return opened


def forward(fleet: LocalFleet, *prefixes: str) -> bool:
    """Take what was pushed."""
    return delivery.forward_messages(fleet.ledger, fleet.clock.now_us(), queue_prefixes=prefixes or HOME)


def told(fleet: LocalFleet, job: str = "clerk/1") -> list[str]:
    """The messages that a job was told."""
    return [item["text"] for item in fleet.show(job)["chat"] if item["kind"] == "user"]


def helper(role: str, warmup: str = "print(event)") -> SupervisedAgent:
    """An agent made in Python."""
    agent = SupervisedAgent(
        role=role, _system_prompt=make_system_prompt("Help."), _tools=[], _metadata={"MODEL": "openai/gpt-5-mini"}
    )
    agent.update_warmup_def(warmup)
    return agent


def test_messages_wake_a_finished_job_in_order(fleet: LocalFleet) -> None:
    """By the ledger, each once, in the order in which they were pushed."""
    queue = StatekPushQueue()
    for text in ("one", "two", "more"):
        queue.push_to_job_console("clerk/1", text)
    forward(fleet)
    fleet.run()
    assert (told(fleet), queue.is_empty()) == (["one", "two", "more"], True)
    assert fleet.job("clerk/1").exit_value == "again"


def test_a_message_that_comes_again_is_not_told_again(fleet: LocalFleet) -> None:
    """A kill between the ledger and the queue's file gives us the message twice, the job once."""
    queue = StatekPushQueue()
    queue.push_to_job_console("clerk/1", "more")
    item = queue.console.items[0]
    forward(fleet)
    fleet.run()
    queue.console.items, queue.console.head, queue.console.base = [item], 0, 0
    forward(fleet)
    fleet.run()
    assert (told(fleet), queue.is_empty()) == (["more"], True)


def test_a_replay_tells_the_same_messages(fleet: LocalFleet, open_desk: OpenDesk) -> None:
    """Messages entered by the ledger are told again to a store that is brought up from nothing."""
    StatekPushQueue().push_to_job_console("clerk/1", "more")
    forward(fleet)
    fleet.run()
    before, ledger = desk.state(fleet), fleet.ledger.path
    fleet.close()
    (ledger.parent / "statek.db0").unlink()
    assert desk.differences(before, desk.state(open_desk())) == []


def test_objects_never_overtake_texts(fleet: LocalFleet) -> None:
    """An object waits until the texts before it are in; it is delivered with its queue, in one transaction."""
    queue = StatekPushQueue()
    box = desk.Box(7)
    queue.push_to_job_console("clerk/1", "one")
    queue.push_to_job_console("clerk/1", box)
    queue.push_to_job_console("clerk/1", {"two": 2})
    assert forward(fleet) is True
    fleet.run()
    assert forward(fleet) is False
    fleet.run()
    assert [text[:6] for text in told(fleet)] == ["one", str(box)[:6], "{'two'"]


def test_a_message_for_nobody_is_laid_aside(fleet: LocalFleet) -> None:
    """With the reason, where refused inputs are shown and on its queue; it can be put back. The next one arrives."""
    queue = StatekPushQueue()
    queue.push_to_job_console("clerk/9", "lost")
    queue.push_to_job_console("clerk/1", "more")
    forward(fleet)
    fleet.run()
    dead = queue.dead_items()
    assert [(item.target, item.content, item.reason) for item in dead] == [
        ("clerk/9", "lost", "there is no job 'clerk/9'")
    ]
    assert [line["target"] for line in fleet.refused] == ["clerk/9"]
    assert told(fleet) == ["more"]
    queue.requeue_dead_item(dead[0].number)
    assert (queue.dead_items(), queue.peek_job_console(9)[0][1:]) == ([], ("clerk/9", "lost"))


def test_the_documented_function_delivers_at_once(fleet: LocalFleet, caplog: pytest.LogCaptureFixture) -> None:
    """Without a ledger, each message in one transaction with its acknowledgement; what fails is laid aside."""
    queue = StatekPushQueue()
    queue.push_to_job_console("nobody", "lost")
    queue.push_to_job_console("clerk/1", "more")
    with caplog.at_level(logging.CRITICAL):
        delivery.process_push_notifications(queue_prefixes=HOME)
    assert (told(fleet), queue.is_empty(), len(queue.dead_items())) == (["more"], True, 1)
    assert fleet.job("clerk/1").job_status == JobStatus.STARTED


@pytest.mark.parametrize("content", ["more", {"more": 1}])
def test_a_queue_on_its_own_prefix(fleet: LocalFleet, content: Any) -> None:
    """Its file is not the job's: what comes again after a kill is recognised by its number."""
    queue = StatekPushQueue(prefix="/host/app")
    db0.open("statek", "rw")
    queue.push_to_job_console("clerk/1", content)
    item = queue.console.items[0]
    for _ in range(2):
        forward(fleet, "host/app")
        fleet.run()
        queue.console.items, queue.console.head, queue.console.base = [item], 0, 0
    assert len(told(fleet)) == 1


def test_an_object_on_another_prefix_comes_once(fleet: LocalFleet) -> None:
    """The job itself remembers the last object it had from a queue of another file."""
    queue = StatekPushQueue(prefix="/host/app")
    db0.open("statek", "rw")
    box = desk.Box(1)
    queue.push_to_job_console("clerk/1", box)
    item = queue.console.items[0]
    forward(fleet, "host/app")
    queue.console.items, queue.console.head, queue.console.base = [item], 0, 0
    forward(fleet, "host/app")
    assert (len(told(fleet)), queue.is_empty()) == (1, True)


def test_an_event_becomes_one_job(fleet: LocalFleet) -> None:
    """However often it comes: the id of its job follows from its number."""
    agent, queue = helper("helper"), StatekPushQueue()
    queue.push_to_agent_queue(agent, {"n": 1})
    item = queue.agents[0].events.items[0]
    for _ in range(2):
        assert delivery.take_agent_events(None, 9, HOME) == 1
        events = queue.agents[0].events
        events.items, events.head, events.base = [item], 0, 0
    jobs = [job for job in jobs_with(JobStatus.READY) if job.agent is agent]
    assert [job.py_env.local_state["event"] for job in jobs] == [{"n": 1}]


def test_events_of_an_agent_that_takes_none_stay(fleet: LocalFleet, caplog: pytest.LogCaptureFixture) -> None:
    """They stop nobody and are told of once; when the warmup is mended they are taken."""
    deaf, good, queue = helper("deaf", "print(1)"), helper("good"), StatekPushQueue()
    queue.push_to_agent_queue(deaf, "a")
    queue.push_to_agent_queue(good, "b")
    with caplog.at_level(logging.ERROR):
        assert [delivery.take_agent_events(None, 9, HOME) for _ in range(3)] == [1, 0, 0]
    assert len([line for line in caplog.messages if "exactly one external local" in line]) == 1
    deaf.update_warmup_def("print(event)")
    assert delivery.take_agent_events(None, 9, HOME) == 1


def test_an_event_whose_object_is_out_of_reach_is_laid_aside(fleet: LocalFleet, open_desk: OpenDesk) -> None:
    """The next event goes on; the one that failed keeps its reason."""
    agent, queue = helper("helper"), StatekPushQueue()
    db0.open("other", "rw")
    box = desk.Box(1)
    db0.open("statek", "rw")
    queue.push_to_agent_queue(agent, box)
    queue.push_to_agent_queue(agent, "good")
    del box
    fleet = open_desk()
    queue = StatekPushQueue()
    assert delivery.take_agent_events(None, 9, HOME) == 2
    assert [(item.target, item.content) for item in queue.dead_items()] == [("agent helper", None)]
    assert [job.py_env.local_state["event"] for job in jobs_with(JobStatus.READY)] == ["good"]
    assert "cannot be reached" in fleet.refused[0]["reason"]


def test_what_is_not_in_the_file_of_its_queue_does_not_leave_it(fleet: LocalFleet) -> None:
    """After a kill the next message would get its number, and pass for it: so the file is written first."""
    queue, seen = StatekPushQueue(), []

    def commit() -> None:
        seen.append((queue.is_empty(), inbox.depth(fleet.ledger, "push")))
        db0.commit()

    queue.push_to_job_console("clerk/1", "one")
    delivery.forward_messages(fleet.ledger, fleet.clock.now_us(), queue_prefixes=HOME, commit=commit)
    assert (seen, inbox.depth(fleet.ledger, "push")) == ([(False, 0)], 1)


def test_an_event_of_another_file_is_acknowledged_when_its_job_is_written(fleet: LocalFleet) -> None:
    """The two files are not written together: one could lose the event before the other has the job."""
    agent = helper("helper")
    db0.open("other", "rw")
    db0.open("statek", "rw")
    queue, seen = StatekPushQueue(prefix="other"), []
    queue.push_to_agent_queue(agent, "x")

    def commit() -> None:
        seen.append((queue.has_agent_events(agent), sum(job.agent is agent for job in jobs_with(JobStatus.READY))))
        db0.commit()

    assert delivery.take_agent_events(None, 9, ["other"], commit=commit) == 1
    assert (seen, queue.has_agent_events(agent)) == ([(True, 0), (True, 1)], False)
