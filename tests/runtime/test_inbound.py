"""Messages wait for the jobs they are for, and hold up nobody else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from statek.ledger import inbox, items
from statek.ledger.file import LedgerFile
from statek.ledger.inbox import InputKind, NewEntry
from statek.ledger.records import Records
from statek.runtime.inbound import LOOKED_AFTER, LOOKED_AT, MAX_INPUTS, Inbound
from statek.testing import LocalFleet, answer, declare_agent, declare_queue
from tests.runtime.conftest import OpenDesk


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[LedgerFile]:
    """A new, open ledger."""
    with LedgerFile.create(tmp_path / "ledger.db") as file:
        yield file


def put(ledger: LedgerFile, *lines: str) -> None:
    """Inputs as `KIND ID [TARGET]`, in this order."""
    for line in lines:
        kind, entry_id, *target = line.split()
        inbox.append(ledger, [NewEntry(entry_id, kind, target[0] if target else "clerk", {}, 1000)])


def take(ledger: LedgerFile, inbound: Inbound, *items_now: str) -> list[str]:
    """Ids in the order in which one pass takes them in, the given items first."""
    with ledger.transaction():
        found = [inbox.find(ledger, item) for item in items_now]
        entries = [entry for entry in found if entry is not None] + inbound.choose(items_now, inbox.last(ledger))
        for entry in entries:
            inbox.take(ledger, Records(ledger), entry)
    return [entry.id for entry in entries]


def take_all(ledger: LedgerFile, inbound: Inbound) -> list[str]:
    """Ids in the order in which passes take them in until nothing more can be."""
    taken: list[str] = []
    while inbound.has_more():
        taken += take(ledger, inbound)
    return taken


def open_paused(open_desk: OpenDesk, *, paused: bool = True) -> LocalFleet:
    """A fleet with a queue that may be paused."""
    agents = [declare_agent("clerk", inputs={"event": {"type": "object", "optional": True}})]
    queues = [declare_queue("in", "clerk", deliver_as="event", paused=paused)]
    return open_desk(answer("exit('heard')", last="hello"), answer("exit('deaf')"), agents=agents, queues=queues)


def test_messages_to_paused_items_hold_up_nobody(open_desk: OpenDesk) -> None:
    """However many messages wait for items of a paused queue, a submission behind them is taken in."""
    fleet = open_paused(open_desk)
    item = fleet.put("in", {"id": 1}, key="1")
    for number in range(MAX_INPUTS + 20):
        fleet.push(item, "hello", key=str(number))
    job = fleet.submit("clerk")
    fleet.run()
    assert fleet.job(job).outcome == "ok"


def test_messages_come_with_their_item(open_desk: OpenDesk) -> None:
    """What was sent to an item of a paused queue is heard by its job once the queue goes on, also after a restart."""
    fleet = open_paused(open_desk)
    item = fleet.put("in", {"id": 1}, key="1")
    fleet.push(item, "hello")
    fleet.run()
    fleet = open_paused(open_desk, paused=False)
    fleet.run()
    assert (fleet.job(item).exit_value, fleet.refused) == ("heard", [])


def test_message_before_its_submission(ledger: LedgerFile) -> None:
    """A message that was sent before the job it is for is taken in right behind it, and before later ones."""
    put(ledger, "push early x", "submit a", "submit x", "push late x", "submit b")
    inbound = Inbound(ledger)
    assert take_all(ledger, inbound) == ["a", "x", "early", "late", "b"]


def test_messages_stay_in_order(ledger: LedgerFile) -> None:
    """More messages to one item than a pass takes in, and one that came meanwhile: all in their order, once each."""
    sent = [f"m{number}" for number in range(MAX_INPUTS + 3)]
    put(ledger, "item x q", *(f"push {name} x" for name in sent))
    inbound = Inbound(ledger)
    assert take_all(ledger, inbound) == []
    put(ledger, "push last x")
    first = take(ledger, inbound, "x")
    assert [*first, *take_all(ledger, inbound)] == ["x", *sent, "last"]


def test_messages_to_a_dropped_item(ledger: LedgerFile) -> None:
    """A message whose item a person drops waits no longer, whichever of many items it was."""
    names = [f"x{number}" for number in range(3 * LOOKED_AFTER)]
    put(ledger, *(f"item {name} q" for name in names), *(f"push m-{name} {name}" for name in names))
    inbound = Inbound(ledger)
    assert take_all(ledger, inbound) == []
    dropped: Any = inbox.find(ledger, names[-1])
    items.drop(ledger, [dropped])
    assert take_all(ledger, inbound) == [f"m-{names[-1]}"]


def test_cancelling_takes_its_item_along(ledger: LedgerFile) -> None:
    """An item that is cancelled is taken in at once, with the messages to it before the cancelling and behind it."""
    put(ledger, "item x q", "push m x", "submit a", "cancel c x", "push late x")
    assert take_all(ledger, Inbound(ledger)) == ["a", "x", "m", "c", "late"]


def test_cancelling_what_begins_now(ledger: LedgerFile) -> None:
    """An item that becomes a job in the same pass is taken in once, and its messages and cancelling behind it."""
    put(ledger, "item x q", "push m x", "cancel c x")
    assert take(ledger, Inbound(ledger), "x") == ["x", "m", "c"]


def test_an_item_of_a_paused_queue_is_cancelled(open_desk: OpenDesk) -> None:
    """It ends as cancelled without a turn of its model, and the next item of its key is not held up by it."""
    fleet = open_paused(open_desk)
    item = fleet.put("in", {"id": 1}, key="1")
    fleet.push(item, "hello")
    fleet.run()
    fleet.cancel(item)
    fleet.run()
    assert (fleet.job(item).outcome, fleet.job(item).turn) == ("cancelled", 0)
    fleet = open_paused(open_desk, paused=False)
    after = fleet.put("in", {"id": 2}, key="2")
    fleet.run()
    assert (fleet.job(after).outcome, fleet.refused) == ("ok", [])


def test_a_new_process_reads_again_what_was_laid_aside(ledger: LedgerFile) -> None:
    """What one process laid aside the next one finds."""
    put(ledger, "item x q", "push m x", "submit a")
    assert take_all(ledger, Inbound(ledger)) == ["a"]
    assert take(ledger, Inbound(ledger), "x") == ["x", "m"]


def test_all_other_inputs_are_known(ledger: LedgerFile) -> None:
    """Whatever is no item is taken in, in the order of arrival."""
    kinds = [InputKind.SUBMIT, InputKind.PUSH, InputKind.CANCEL, InputKind.RELEASE, InputKind.FORGET, "poison"]
    put(ledger, *(f"{kind} {place}" for place, kind in enumerate(kinds)), "item x q", "submit-again y")
    assert take_all(ledger, Inbound(ledger)) == [str(place) for place in range(len(kinds))]


def test_what_is_laid_aside_takes_no_turn(ledger: LedgerFile) -> None:
    """The first look of a process that finds many messages to a waiting item gets to what came behind them."""
    put(ledger, "item x q", *(f"push m{number} x" for number in range(10 * MAX_INPUTS)), "submit a")
    inbound = Inbound(ledger)
    assert (take(ledger, inbound), inbound.is_behind) == (["a"], False)


def test_a_look_is_bounded(ledger: LedgerFile) -> None:
    """One look reads so many, says that there are more, and the next one goes on there."""
    put(ledger, "item x q", *(f"push m{number} x" for number in range(LOOKED_AT + MAX_INPUTS)), "submit a")
    inbound = Inbound(ledger)
    assert (take(ledger, inbound), inbound.is_behind) == ([], True)
    assert (take(ledger, inbound), inbound.is_behind) == (["a"], False)
