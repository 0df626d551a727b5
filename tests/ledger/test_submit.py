"""Submissions: checked whole, then written whole; ids from keys."""

import dataclasses

import pytest

from statek.exceptions import NotApplied
from statek.ledger import inbox, releases
from statek.ledger.compiled import Agent, Backoff, Json, Limits, Queue, Reload, Retry, encode
from statek.ledger.file import LedgerFile
from statek.ledger.records import Records
from statek.ledger.releases import Release, StoredObject
from statek.ledger.submit import BadInputs, QueueFull, Submitted, Target, cancel, id_of_key, push, submit

RETRY = Retry(1, Backoff(1, 2, 2.0))
AGENT = Agent(
    name="triage", description="d", prompt="p", prompt_path="agents/triage.md", prompt_line=4, partials={},
    model=("fast",), params={}, inputs={"event": {"type": "object", "properties": {"id": {"type": "string"}}}},
    output=None, vars={}, tools=(), subagents=(), warmup=None,
    limits=Limits(50, 200_000, None, 3_600_000_000, None, 10, 3, 0, 1), max_running=None, retry=RETRY,
    reload=Reload("on-resume", "next-job", "next-job", "next-job", "tighten-now"),
    chat_style="console", imports=(), locale=None, metadata={},
)  # fmt: skip
QUEUE = Queue("quakes", "triage", "event", None, None, None, "refuse", RETRY, None, False)
TO_AGENT, TO_QUEUE = Target("Agent", "triage"), Target("Queue", "quakes")


def release(queue: Queue = QUEUE) -> Release:
    """A release with the agent and a queue."""
    objects = {
        f"{kind}/{value.name}": StoredObject(kind, value.name, f"{value.name}@1", encode(value), "f", 1, "desk/agents")
        for kind, value in (("Agent", AGENT), ("Queue", queue))
    }
    return Release(releases.release_id("dev", objects), "dev", objects)


def send(ledger: LedgerFile, target: Target, *items: Json, queue: Queue = QUEUE, **more: Json) -> Submitted:
    """Submit items at time 7."""
    return submit(ledger, release(queue), target, items, at_us=7, **more)


def event(n: int) -> Json:
    """An event with an id."""
    return {"id": f"e{n}"}


def test_a_submission_waits_under_the_id_of_its_job(ledger: LedgerFile) -> None:
    """Agent, slash, key; the inputs as they were given."""
    done = send(ledger, TO_AGENT, {"event": event(1)}, key="event.id")

    entry = inbox.find(ledger, "triage/e1")
    assert done == Submitted(("triage/e1",), 1, 0, 0)
    assert entry is not None
    assert (entry.kind, entry.target, entry.body, entry.at_us) == (
        "submit",
        "triage",
        {"inputs": {"event": event(1)}},
        7,
    )


def test_an_item_waits_under_queue_and_key(ledger: LedgerFile) -> None:
    """A queue's own dedupe key needs not to be given."""
    queue = dataclasses.replace(QUEUE, dedupe_key="id")

    assert send(ledger, TO_QUEUE, event(1), event(2), queue=queue).ids == ("quakes:e1", "quakes:e2")
    assert [entry.body for entry in inbox.waiting(ledger, kinds=["item"])] == [{"item": event(1)}, {"item": event(2)}]


def test_without_a_key_every_submission_is_another(ledger: LedgerFile) -> None:
    """The ending is random."""
    first, second = (send(ledger, TO_AGENT, {"event": {}}).ids[0] for _ in range(2))

    assert first.startswith("triage/")
    assert first != second


def test_a_key_is_taken_once(ledger: LedgerFile) -> None:
    """Within one call and over calls, also after the worker took it in."""
    first = send(ledger, TO_QUEUE, event(1), event(1), key="id")
    with ledger.transaction():
        inbox.take(ledger, Records(ledger), inbox.waiting(ledger)[0])

    assert (first.new, first.known) == (1, 1)
    assert send(ledger, TO_QUEUE, event(1), key="id") == Submitted(("quakes:e1",), 0, 1, 0)


def test_one_bad_item_keeps_all_out(ledger: LedgerFile) -> None:
    """Every problem is told with the place of its item, and nothing is written."""
    with pytest.raises(BadInputs) as caught:
        send(ledger, TO_QUEUE, event(1), 5, {"id": 6}, places=["f:1", "f:2", "f:3"])

    assert caught.value.problems == ("f:2: event: expected an object, got 5", "f:3: event.id: expected text, got 6")
    assert inbox.waiting(ledger) == []


def test_a_missing_key_is_a_problem(ledger: LedgerFile) -> None:
    """An item that cannot be told from others is not taken."""
    with pytest.raises(BadInputs, match=r"id: the key must be text or a number, got nothing"):
        send(ledger, TO_QUEUE, {}, key="id")


def test_another_key_than_the_queues_is_refused(ledger: LedgerFile) -> None:
    """Two ways of knowing an item would let it in twice."""
    with pytest.raises(BadInputs, match="knows its items by 'id'"):
        send(ledger, TO_QUEUE, event(1), key="other", queue=dataclasses.replace(QUEUE, dedupe_key="id"))


@pytest.mark.parametrize("target", [Target("Agent", "trige"), Target("Queue", "quake")])
def test_an_unknown_name_gets_the_nearest(ledger: LedgerFile, target: Target) -> None:
    """What the release does not have cannot be started."""
    with pytest.raises(NotApplied, match=r"did you mean '(triage|quakes)'"):
        send(ledger, target, {})


def test_a_full_queue_refuses_all(ledger: LedgerFile) -> None:
    """With `refuse` not even what would fit is written."""
    queue = dataclasses.replace(QUEUE, max_depth=2)
    send(ledger, TO_QUEUE, event(1), queue=queue)

    with pytest.raises(QueueFull, match=r"would hold 3"):
        send(ledger, TO_QUEUE, event(2), event(3), queue=queue)

    assert inbox.depth(ledger, "item", "quakes") == 1


def test_known_items_pass_a_full_queue(ledger: LedgerFile) -> None:
    """What is there already takes no room."""
    queue = dataclasses.replace(QUEUE, max_depth=1)
    send(ledger, TO_QUEUE, event(1), queue=queue, key="id")

    assert send(ledger, TO_QUEUE, event(1), queue=queue, key="id").known == 1


def test_drop_oldest_makes_room(ledger: LedgerFile) -> None:
    """The newest wait, and the number of those that left is told."""
    queue = dataclasses.replace(QUEUE, max_depth=2, overflow="drop-oldest")

    done = send(ledger, TO_QUEUE, event(1), event(2), event(3), queue=queue, key="id")

    assert (done.new, done.dropped) == (3, 1)
    assert [entry.id for entry in inbox.waiting(ledger)] == ["quakes:e2", "quakes:e3"]


def test_drop_newest_takes_what_fits(ledger: LedgerFile) -> None:
    """The oldest wait, known ones are not counted as dropped."""
    queue = dataclasses.replace(QUEUE, max_depth=2, overflow="drop-newest")

    done = send(ledger, TO_QUEUE, *(event(n) for n in (1, 1, 2, 3, 2)), queue=queue, key="id")

    assert (done.new, done.known, done.dropped) == (2, 2, 1)
    assert [entry.id for entry in inbox.waiting(ledger)] == ["quakes:e1", "quakes:e2"]


@pytest.mark.parametrize(("value", "ending"), [("us7000.a_b-c", "us7000.a_b-c"), (42, "42"), (1.5, "1.5")])
def test_a_plain_key_is_the_ending(value: Json, ending: str) -> None:
    """Short and plain values are readable in the id."""
    assert id_of_key(value) == ending


@pytest.mark.parametrize("value", ["a b", "..", "x" * 65, "../x", "é", "\ud800", "h-" + "0" * 24])
def test_any_other_key_is_hashed(value: str) -> None:
    """So is a value that looks like a hash; none of them meets a plain one."""
    ending = id_of_key(value)

    assert ending is not None
    assert ending.startswith("h-")
    assert ending != value


@pytest.mark.parametrize("value", [None, "", True, [], {}])
def test_what_identifies_nothing_is_no_key(value: Json) -> None:
    """Only text and numbers do."""
    assert id_of_key(value) is None


def test_messages_are_all_kept(ledger: LedgerFile) -> None:
    """The same text twice is two messages."""
    push(ledger, "triage/1", "hi", at_us=7)
    push(ledger, "triage/1", "hi", at_us=7)

    assert [entry.body for entry in inbox.waiting(ledger, kinds=["push"], target="triage/1")] == [{"text": "hi"}] * 2


def test_a_job_is_cancelled_once(ledger: LedgerFile) -> None:
    """Asking again changes nothing and says so."""
    assert [cancel(ledger, "triage/1", at_us=7) for _ in range(2)] == [True, False]


def keep(ledger: LedgerFile, at_us: int, *items: Json) -> Submitted:
    """Submit at a time to a queue that remembers keys for 100 microseconds."""
    queue = dataclasses.replace(QUEUE, dedupe_key="id", dedupe_keep_us=100)
    return submit(ledger, release(queue), TO_QUEUE, items, at_us=at_us)


def test_a_key_is_forgotten_after_its_time(ledger: LedgerFile) -> None:
    """Within it the item is the same one, waiting or taken in; after it another."""
    first = keep(ledger, 1_000, event(1), event(1))
    assert (first.new, first.known, first.ids[0]) == (1, 1, first.ids[1])
    assert keep(ledger, 1_099, event(1)) == Submitted(first.ids[:1], 0, 1, 0)
    records = Records(ledger)
    with ledger.transaction():
        for entry in inbox.waiting(ledger):
            inbox.take(ledger, records, entry)
    assert keep(ledger, 1_099, event(1)).known == 1
    second = keep(ledger, 1_100, event(1), event(2))
    assert (second.new, second.ids[0] != first.ids[0]) == (2, True)
    assert keep(ledger, 1_199, event(1)).ids == second.ids[:1]


def test_a_key_that_was_kept_for_ever_stays_known(ledger: LedgerFile) -> None:
    """A release that forgets keys does not make old items new."""
    queue = dataclasses.replace(QUEUE, dedupe_key="id")
    submit(ledger, release(queue), TO_QUEUE, [event(1)], at_us=1)
    assert keep(ledger, 9_999, event(1)).known == 1
