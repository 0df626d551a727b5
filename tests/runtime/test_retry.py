"""What becomes of items and submissions whose job fails: other tries after a wait, then the dead letter queue."""

from typing import Any

import pytest

from statek.exceptions import NotApplied
from statek.ledger import compiled, inbox, items
from statek.ledger.inbox import InputKind
from statek.runtime import replay
from statek.testing import LocalFleet, answer, declare_agent, declare_queue
from tests.runtime.conftest import OpenDesk

RETRY = compiled.Retry(3, compiled.Backoff(10_000_000, 60_000_000, 3.0))
FAILS = answer(error="overloaded")
AGENT = declare_agent("clerk", inputs={"n": {"type": "integer"}})


def queues(**fields: Any) -> list[compiled.Queue]:
    """A queue with two more tries, and its dead letter queue."""
    return [declare_queue("in", "clerk", retry=RETRY, dead_letter="dead", **fields), declare_queue("dead", None)]


def outcomes(fleet: LocalFleet, first: str) -> list[tuple[str, str]]:
    """Every try of an item."""
    return [(entry["id"], entry["outcome"]) for entry in fleet.show(first)["tries"]]


def exhaust(fleet: LocalFleet) -> None:
    """Run until no try is left."""
    for seconds in (11, 31, 0):
        fleet.run()
        fleet.clock.advance(seconds)


def test_a_failed_item_is_tried_again_after_a_wait(open_desk: OpenDesk) -> None:
    """A job of another id, not before its time, until one does not fail."""
    fleet = open_desk(FAILS, agents=[AGENT], queues=queues())
    item = fleet.put("in", {"n": 1}, key="a")
    fleet.run()
    fleet.clock.advance(9)
    fleet.run()
    assert inbox.depths(fleet.ledger, InputKind.ITEM_AGAIN) == {"in": 1}
    fleet.apply([AGENT], [answer("exit(n)")], queues=queues())
    fleet.clock.advance(2)
    fleet.run()
    assert outcomes(fleet, item) == [(item, "failed"), (f"{item}~2", "ok")]
    assert fleet.job(f"{item}~2").exit_value == 1


def test_the_waits_grow(open_desk: OpenDesk) -> None:
    """By the factor, up to the longest."""
    assert [items.wait_us(RETRY, n) // 1_000_000 for n in (1, 2, 3, 4)] == [10, 30, 60, 60]
    assert items.wait_us(RETRY, 10**9) == 60_000_000


def test_an_item_that_fails_for_good_goes_to_the_dead(open_desk: OpenDesk) -> None:
    """With the reason, where it comes from, and what became of each try."""
    fleet = open_desk(FAILS, agents=[AGENT], queues=queues())
    item = fleet.put("in", {"n": 1}, key="a")
    exhaust(fleet)
    dead = inbox.find(fleet.ledger, f"dead:{item}~3")
    assert dead is not None
    assert dead.body["item"] == {"n": 1}
    assert "overloaded" in dead.body["dead"]["reason"]
    assert [failure["job"] for failure in dead.body["dead"]["tries"]["failures"]] == [item, f"{item}~2", f"{item}~3"]


def test_a_requeued_item_has_all_its_tries_again(open_desk: OpenDesk) -> None:
    """Under the next ids; twice it cannot be put back."""
    fleet = open_desk(FAILS, agents=[AGENT], queues=queues())
    item = fleet.put("in", {"n": 1}, key="a")
    exhaust(fleet)
    dead = inbox.find(fleet.ledger, f"dead:{item}~3")
    assert dead is not None
    assert items.requeue(fleet.ledger, [dead], at_us=fleet.clock.now_us()) == [f"{item}~4"]
    with pytest.raises(NotApplied, match="not waiting any more"):
        items.requeue(fleet.ledger, [dead], at_us=fleet.clock.now_us())
    exhaust(fleet)
    assert inbox.find(fleet.ledger, f"dead:{item}~6") is not None
    assert len(outcomes(fleet, item)) == 6


def test_a_cancelled_item_is_not_tried_again(open_desk: OpenDesk) -> None:
    """Whoever ends a job wants it ended."""
    fleet = open_desk(answer("wait = 1", latency=60), agents=[AGENT], queues=queues())
    item = fleet.put("in", {"n": 1}, key="a")
    fleet.cancel(item)
    fleet.run()
    assert fleet.job(item).outcome == "cancelled"
    assert inbox.depths(fleet.ledger, *items.AGAIN, InputKind.ITEM) == {}


def test_a_submission_is_tried_again_by_its_agent(open_desk: OpenDesk) -> None:
    """The retry of an agent counts for jobs that no queue gave."""
    agent = declare_agent("clerk", retry=RETRY, inputs={"n": {"type": "integer"}})
    fleet = open_desk(FAILS, agents=[agent])
    job = fleet.submit("clerk", {"n": 1})
    exhaust(fleet)
    assert outcomes(fleet, job) == [(job, "failed"), (f"{job}~2", "failed"), (f"{job}~3", "failed")]


def test_a_key_waits_for_the_other_try_of_its_item(open_desk: OpenDesk) -> None:
    """With key-fifo the next item of a key comes after the last try of the one before."""
    fleet = open_desk(FAILS, agents=[AGENT], queues=queues(order="key-fifo", key="n"))
    first, second = fleet.put("in", {"n": 1}, key="a"), fleet.put("in", {"n": 1}, key="b")
    fleet.run()
    assert inbox.find(fleet.ledger, second) is not None
    fleet.apply([AGENT], [answer("exit(n)")], queues=queues(order="key-fifo", key="n"))
    fleet.clock.advance(11)
    fleet.run()
    jobs = [fleet.job(name) for name in (f"{first}~2", second)]
    assert [job.outcome for job in jobs] == ["ok", "ok"]
    assert jobs[0].ended_us < jobs[1].started_us


def test_a_full_dead_letter_queue_drops_its_oldest(open_desk: OpenDesk) -> None:
    """Where it says so; otherwise it takes no more."""
    dead = declare_queue("dead", None, max_depth=1, overflow="drop-oldest")
    fleet = open_desk(FAILS, agents=[AGENT], queues=[declare_queue("in", "clerk", dead_letter="dead"), dead])
    for key in "ab":
        fleet.put("in", {"n": 1}, key=key)
        fleet.run()
    assert [entry.id for entry in items.waiting_items(fleet.ledger, "dead")] == ["dead:in:b"]


def test_a_restart_between_tries_loses_and_doubles_nothing(open_desk: OpenDesk) -> None:
    """A store that is brought up from nothing makes the same jobs, and every try once."""
    fleet = open_desk(FAILS, agents=[AGENT], queues=queues())
    item = fleet.put("in", {"n": 1}, key="a")
    fleet.run()
    clock, ledger = fleet.clock, fleet.ledger.path
    fleet.close()
    (ledger.parent / "statek.db0").unlink()
    (ledger.parent / "statek.db0.lock").unlink(missing_ok=True)
    fleet = open_desk(clock=clock)
    assert fleet.replayed > 0
    for seconds in (11, 31, 0):
        clock.advance(seconds)
        fleet.run()
    assert outcomes(fleet, item) == [(item, "failed"), (f"{item}~2", "failed"), (f"{item}~3", "failed")]
    assert [entry.id for entry in items.waiting_items(fleet.ledger, "dead")] == [f"dead:{item}~3"]
    assert replay.replay(fleet.fleet.passes, fleet.fleet.checkpoint).records == 0


ONE_MORE = compiled.Retry(2, compiled.Backoff(10_000_000, 10_000_000, 1.0))
ASKS = answer("try:\n    exit(helper(n=1).result)\nexcept Exception as error:\n    exit(str(error))", agent="clerk")


def family(**fields: Any) -> list[compiled.Agent]:
    """A clerk whose helper is tried once more."""
    helper = declare_agent("helper", retry=ONE_MORE, inputs={"n": {"type": "integer"}}, **fields)
    return [declare_agent("clerk", subagents=("helper",)), helper]


def test_a_child_is_tried_again(open_desk: OpenDesk) -> None:
    """Its parent waits on, over a restart too, and gets the result of the try that succeeds."""
    fleet = open_desk(answer(error="overloaded", agent="helper"), ASKS, agents=family())
    job = fleet.submit("clerk")
    fleet.run()
    first = fleet.show(job)["children"][0]
    assert (fleet.job(first).outcome, str(fleet.job(job).status)) == ("failed", "SUSPENDED")
    fleet = open_desk(answer("exit(n + 1)", agent="helper"), ASKS, agents=family())
    fleet.run()
    assert str(fleet.job(job).status) == "SUSPENDED"
    fleet.clock.advance(11)
    fleet.run()
    assert fleet.job(job).exit_value == 2
    assert fleet.show(job)["children"] == [f"{first}~2"]
    assert [entry["outcome"] for entry in fleet.show(first)["tries"]] == ["failed", "ok"]


def test_a_child_that_fails_for_good(open_desk: OpenDesk) -> None:
    """The parent learns why the last try failed, once."""
    fleet = open_desk(answer(error="overloaded", agent="helper"), ASKS, agents=family())
    job = fleet.submit("clerk")
    exhaust(fleet)
    assert "overloaded" in fleet.job(job).exit_value
    assert inbox.depths(fleet.ledger, *items.AGAIN) == {}


def test_no_other_try_for_a_parent_that_was_cancelled(open_desk: OpenDesk) -> None:
    """What waits for another try is refused when its time comes."""
    fleet = open_desk(answer(error="overloaded", agent="helper"), ASKS, agents=family())
    job = fleet.submit("clerk")
    fleet.run()
    fleet.cancel(job)
    exhaust(fleet)
    assert fleet.job(job).outcome == "cancelled"
    child = fleet.show(job)["children"][0]
    assert [line["reason"] for line in fleet.refused] == [f"the parent of job {child} was ended"]


def test_other_tries_of_children_are_replayed(open_desk: OpenDesk) -> None:
    """An empty store comes to the same from the ledger."""
    fleet = open_desk(answer(error="overloaded", agent="helper"), ASKS, agents=family())
    job = fleet.submit("clerk")
    fleet.run()
    fleet.apply(family(), [answer("exit(n + 1)", agent="helper"), ASKS])
    fleet.clock.advance(11)
    fleet.run()
    before = fleet.show(job)
    fleet.close()
    (fleet._folder / "statek.db0").unlink()  # the store is lost
    fleet = open_desk()
    after = fleet.show(job)
    assert [after[name] for name in ("outcome", "children", "console")] == [
        before[name] for name in ("outcome", "children", "console")
    ]
    assert fleet.job(job).exit_value == 2
