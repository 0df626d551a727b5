"""Which waiting items become jobs: order, keys, rate, age, pauses, bounds, and who has room."""

import json
import statistics
import time
from typing import Any

from statek.ledger import compiled, inbox
from statek.ledger.inbox import InputKind
from statek.testing import LocalFleet, answer, declare_agent, declare_queue
from tests.runtime import desk
from tests.runtime.conftest import OpenDesk

MINUTE = 60_000_000
CODE = "post_slowly(f'begin {event}')\npost_slowly(f'end {event}')\nexit()"


def clerk(**fields: Any) -> compiled.Agent:
    """An agent that takes anything as its event."""
    return declare_agent("clerk", tools=desk.TOOLS, inputs={"event": {"type": "object"}}, **fields)


def queue(name: str = "in", **fields: Any) -> compiled.Queue:
    """A queue of events for the clerk."""
    return declare_queue(name, "clerk", deliver_as="event", **fields)


def put(fleet: LocalFleet, *events: dict[str, Any], to: str = "in") -> list[str]:
    """Put events on a queue, under their `id`."""
    return [fleet.put(to, event, key=str(event["id"])) for event in events]


def begun(fleet: LocalFleet) -> list[str]:
    """Ids of the jobs in the order in which they began."""
    jobs = [fleet.store.root.jobs[slot] for slot in range(len(fleet.store.root.jobs))]
    return [job.id.partition(":")[2] for job in sorted(jobs, key=lambda job: job.started_us) if job.started_us]


def test_the_most_urgent_item_is_next(open_desk: OpenDesk) -> None:
    """By a number the higher first, of equals the older; without one last."""
    fleet = open_desk(
        answer("exit()"), agents=[clerk()], queues=[queue(order="priority", priority="event.p", concurrency=1)]
    )
    put(fleet, {"id": "a", "p": 1}, {"id": "b"}, {"id": "c", "p": 9}, {"id": "d", "p": 1})
    fleet.run()
    assert begun(fleet) == ["c", "a", "d", "b"]


def test_urgency_in_words(open_desk: OpenDesk) -> None:
    """Values that are listed come in the order of the list."""
    rules: dict[str, Any] = {"order": "priority", "priority": "p", "priorities": ("high", "low")}
    fleet = open_desk(answer("exit()"), agents=[clerk()], queues=[queue(concurrency=1, **rules)])
    put(fleet, {"id": "a", "p": "low"}, {"id": "b", "p": "odd"}, {"id": "c", "p": "high"})
    fleet.run()
    assert begun(fleet) == ["c", "a", "b"]


def test_items_of_one_key_go_one_after_the_other(open_desk: OpenDesk) -> None:
    """While a key is at work its next item waits, and other keys go on."""
    fleet = open_desk(answer(CODE), agents=[clerk()], queues=[queue(order="key-fifo", key="event.who")])
    put(fleet, {"id": 1, "who": "x"}, {"id": 2, "who": "x"}, {"id": 3, "who": "y"})
    fleet.run()
    lines = [(line.split()[1], json.loads(line.split(" ", 2)[2])["id"]) for line in desk.calls()]
    assert lines.index(("end", 1)) < lines.index(("begin", 2))
    assert lines.index(("begin", 3)) < lines.index(("end", 1))


def test_a_bound_for_each_key(open_desk: OpenDesk) -> None:
    """Of one key no more jobs are unfinished than the queue allows."""
    fleet = open_desk(answer("exit()"), agents=[clerk()], queues=[queue(key="who", per_key=2)])
    fleet.run()
    ids = put(fleet, *({"id": n, "who": "x"} for n in range(5)), {"id": 9, "who": "y"})
    passes = fleet.fleet.passes
    assert passes.admission is not None
    passes.admission.look()
    assert [entry.id for entry in passes._choose().entries] == [ids[0], ids[1], ids[5]]
    passes.admission.end_job(ids[0])
    assert [entry.id for entry in passes._choose().entries] == [ids[2]]


def test_a_rate_lets_so_many_through(open_desk: OpenDesk) -> None:
    """As many at once as the rate counts, then one each time its share has passed."""
    fleet = open_desk(answer("exit()"), agents=[clerk()], queues=[queue(rate=compiled.Rate(2, MINUTE))])
    put(fleet, *({"id": n} for n in range(5)))
    fleet.run()
    assert begun(fleet) == ["0", "1"]
    due_us = fleet.fleet.passes.next_due_us
    assert due_us is not None
    assert due_us - fleet.clock.now_us() == 30_000_000
    fleet.clock.advance(30)
    fleet.run()
    assert begun(fleet) == ["0", "1", "2"]


def test_a_rate_outlives_a_restart(open_desk: OpenDesk) -> None:
    """A new worker knows what was taken by the one before."""
    fleet = open_desk(answer("exit()"), agents=[clerk()], queues=[queue(rate=compiled.Rate(2, MINUTE))])
    put(fleet, *({"id": n} for n in range(5)))
    fleet.run()
    clock = fleet.clock
    fleet = open_desk(clock=clock)
    fleet.run()
    assert begun(fleet) == ["0", "1"]
    clock.advance(3600)
    fleet.run()
    assert begun(fleet) == ["0", "1", "2", "3"]


def test_an_item_that_waited_too_long_is_refused(open_desk: OpenDesk) -> None:
    """It becomes no job, also when its queue is paused, and the reason is shown."""
    fleet = open_desk(answer("exit()"), agents=[clerk()], queues=[queue(paused=True, ttl_us=MINUTE)])
    old = put(fleet, {"id": "old"})
    fleet.run()
    fleet.clock.advance(59)
    put(fleet, {"id": "young"})
    fleet.run()
    assert fleet.refused == []
    fleet.clock.advance(2)
    fleet.run()
    assert [(line["id"], line["reason"]) for line in fleet.refused] == [(old[0], "waited longer than its ttl of 60 s")]
    assert inbox.depths(fleet.ledger, InputKind.ITEM) == {"in": 1}


def test_an_item_that_does_not_fit_goes_to_the_dead(open_desk: OpenDesk) -> None:
    """With a dead letter queue nothing is refused: the item waits there with the reason."""
    queues = [queue(dead_letter="dead"), declare_queue("dead", None)]
    fleet = open_desk(answer("exit()"), agents=[clerk()], queues=queues)
    item = fleet.put("in", "no object", key="1")
    fleet.run()
    found = inbox.find(fleet.ledger, f"dead:{item}")
    assert found is not None
    assert "event: expected an object" in found.body["dead"]["reason"]
    assert fleet.refused == []


def test_an_applied_release_changes_what_waits(open_desk: OpenDesk) -> None:
    """Items that wait follow the rules of the release that is applied meanwhile."""
    fleet = open_desk(answer("exit()"), agents=[clerk()], queues=[queue(paused=True)])
    put(fleet, {"id": "a", "p": 1}, {"id": "b", "p": 2}, {"id": "c", "p": 3})
    fleet.run()
    fleet.apply([clerk()], [answer("exit()")], queues=[queue(order="priority", priority="p", concurrency=1)])
    fleet.run()
    assert begun(fleet) == ["c", "b", "a"]


def test_one_queue_starves_no_other(open_desk: OpenDesk) -> None:
    """Queues take turns for the room there is."""
    fleet = open_desk(answer("exit()"), agents=[clerk()], queues=[queue("a"), queue("b")])
    put(fleet, *({"id": f"a{n}"} for n in range(50)), to="a")
    put(fleet, {"id": "b0"}, to="b")
    fleet.fleet.max_concurrency = 2
    fleet.run()
    assert "b0" in begun(fleet)[:3]


def test_direct_submissions_starve_no_queue(open_desk: OpenDesk) -> None:
    """However many jobs of an agent wait to begin, a queue has its turn."""
    fleet = open_desk(answer("exit()"), agents=[clerk(), declare_agent("other")], queues=[queue()])
    for n in range(300):
        fleet.submit("other", key=str(n))
    put(fleet, {"id": "item"})
    fleet.fleet.max_concurrency = 2
    fleet.run()
    assert "item" in begun(fleet)[:4]


def test_an_agent_runs_as_many_jobs_as_it_says(open_desk: OpenDesk) -> None:
    """From whatever source: submissions, queues."""
    fleet = open_desk(answer(CODE), agents=[clerk(max_running=1)], queues=[queue()])
    fleet.submit("clerk", {"event": {"id": 1}})
    put(fleet, {"id": 2}, {"id": 3})
    fleet.run()
    words = [line.split()[1] for line in desk.calls()]
    assert words == ["begin", "end"] * 3


def test_an_agent_bounds_jobs_of_one_key(open_desk: OpenDesk) -> None:
    """Jobs of one value of an input run one after the other, also when they were submitted directly."""
    fleet = open_desk(answer(CODE), agents=[clerk(per_key=compiled.PerKey("event.who", 1))])
    for n in range(3):
        fleet.submit("clerk", {"event": {"who": "x"}}, key=str(n))
    fleet.run()
    assert [line.split()[1] for line in desk.calls()] == ["begin", "end"] * 3


def test_ten_thousand_waiting_items_cost_a_pass_nothing(open_desk: OpenDesk) -> None:
    """A pass over a long queue without room, or over one sorted by urgency, takes no longer than others."""
    queues = [queue("long", concurrency=1), queue("sorted", concurrency=1, order="priority", priority="id")]
    fleet = open_desk(answer("exit(wait_for_box())"), agents=[clerk()], queues=queues)
    fleet.run()
    spent = []
    for count in (1, 10_000):
        for name in ("long", "sorted"):
            entries = [
                inbox.NewEntry(f"{name}:{count}-{n}", InputKind.ITEM, name, {"item": {"id": n}}, 0)
                for n in range(count)
            ]
            inbox.append(fleet.ledger, entries)
        fleet.fleet.passes.run()
        spent.append(statistics.median(seconds_of_a_pass(fleet) for _ in range(100)))
    assert spent[1] < spent[0] * 5 + 0.0005


def seconds_of_a_pass(fleet: LocalFleet) -> float:
    """What one pass takes."""
    started = time.thread_time()
    fleet.fleet.passes.run()
    return time.thread_time() - started
