"""Passes: how many jobs work at once, what is recorded, and what waits for stored values."""

from typing import Any

from statek.ledger.records import Kind, Records
from statek.runtime import passes
from statek.testing import LocalFleet, answer, declare_agent, declare_queue
from tests.runtime import desk
from tests.runtime.conftest import OpenDesk


def records(fleet: LocalFleet) -> list[tuple[str, str | None]]:
    """Kind and key of everything in the ledger."""
    return [(record.kind, record.key) for record in Records(fleet.ledger).after(0)]


def test_the_order_of_the_record(open_desk: OpenDesk) -> None:
    """What enters, what ran, what was about to be called, what came back, what was told: in the order of happening."""
    fleet = open_desk(answer("exit(post('x'))"))
    fleet.submit("clerk")
    fleet.run()
    kinds = [kind for kind, _ in records(fleet)]
    assert kinds == ["in", "in", "ran", "model", "ran", "intent", "result", "ran", "said"]


def test_keys_are_written_once(open_desk: OpenDesk) -> None:
    """Inputs, answers, calls and results each have a key of their own."""
    fleet = open_desk(answer("exit([post('x'), post('x'), post('y')])"))
    fleet.submit("clerk")
    fleet.run()
    keys = [key for _, key in records(fleet) if key is not None]
    assert len(keys) == len(set(keys)) == 2 + 1 + 3 + 3 + 1


def test_inline_tools_leave_no_record(open_desk: OpenDesk) -> None:
    """Reads and writes of this store are computed again, not recorded."""
    fleet = open_desk(answer("exit([count('x'), long_text(3)])"))
    fleet.submit("clerk")
    fleet.run()
    assert Kind.INTENT not in [kind for kind, _ in records(fleet)]


def test_failed_answers_can_be_asked_for_again(open_desk: OpenDesk) -> None:
    """A question that failed is no answer: the job, brought back by a message, asks the same turn again."""
    agents = [declare_agent("clerk", tools=desk.TOOLS)]
    fleet = open_desk(answer("exit('well')", last="again"), answer(error="no-key"), agents=agents)
    job = fleet.submit("clerk")
    fleet.run()
    assert fleet.job(job).outcome == "failed"
    fleet.push(job, "again")
    fleet.run()
    expected = desk.state(fleet)
    file = fleet.store.file
    fleet.close()
    assert file is not None
    file.unlink()
    fleet = open_desk()
    assert fleet.job(job).exit_value == "well"
    assert desk.differences(desk.state(fleet), expected) == []


def test_late_answer_to_a_former_question(open_desk: OpenDesk) -> None:
    """A job that was cancelled and brought back takes the answer to what it asks now, never the one it asked before."""
    agents = [declare_agent(name, tools=desk.TOOLS) for name in ("clerk", "other")]
    code = "cancel('clerk/1')\npost('x')\npush('clerk/1', 'again')\npost('y')\nexit(pause_late())"
    fleet = open_desk(
        answer(code, agent="other"), answer("exit('new')", last="again", latency=20.0),
        answer("exit('old')", latency=10.0), agents=agents,
    )  # fmt: skip
    job = fleet.submit("clerk")
    fleet.submit("other")
    fleet.run()
    fleet.run()
    expected = desk.state(fleet)
    assert fleet.job(job).exit_value == "new"
    assert fleet.store.file is not None
    fleet.close()
    fleet.store.file.unlink()
    assert desk.differences(desk.state(open_desk()), expected) == []


def test_waiting_for_a_stored_value(open_desk: OpenDesk) -> None:
    """A job that waits for a stored value goes on when another job has given it."""
    agents = [declare_agent(name, tools=desk.TOOLS) for name in ("waiter", "giver")]
    fleet = open_desk(
        answer("exit([count('w'), wait_for_box()])", agent="waiter"), answer("exit(set_box(5))", agent="giver"),
        agents=agents,
    )  # fmt: skip
    job = fleet.submit("waiter")
    fleet.submit("giver")
    fleet.run()
    assert fleet.job(job).exit_value == [1, 5]
    assert desk.calls() == ["count w"]


def test_waiting_for_a_stored_value_over_a_restart(open_desk: OpenDesk) -> None:
    """The same when the worker is started anew in between."""
    agents = [declare_agent(name, tools=desk.TOOLS) for name in ("waiter", "giver")]
    fleet = open_desk(
        answer("exit([count('w'), wait_for_box()])", agent="waiter"),
        answer("pause()", agent="giver", turn=1), answer("exit(set_box(5))", agent="giver"),
        agents=agents,
    )  # fmt: skip
    job = fleet.submit("waiter")
    fleet.submit("giver")
    fleet.run()
    assert (fleet.job(job).waiting_for or {})["kind"] == "future"
    fleet = open_desk()
    fleet.run()
    assert fleet.job(job).exit_value == [1, 5]


def test_more_jobs_than_one_pass_runs(open_desk: OpenDesk) -> None:
    """Every job gets its turn when there are more than one pass takes."""
    number = passes.MAX_STRETCHES + 5
    agents = [declare_agent("clerk")]
    fleet = open_desk(answer("exit(1)"), agents=agents)
    fleet.fleet._max_concurrency = number
    for n in range(number):
        fleet.submit("clerk", key=str(n))
    fleet.run()
    assert fleet.fleet.counts()["outcomes"] == {"ok": number}


def test_questions_are_not_held_up_by_many_stretches(open_desk: OpenDesk) -> None:
    """A pass ends when enough questions wait to be asked, and the next one goes on where it ended."""
    fleet = open_desk(answer("exit(1)", latency=5.0))
    fleet.run()
    for n in range(passes.MAX_ASKS + 3):
        fleet.submit("clerk", key=str(n))
    first, second = (fleet.fleet.passes.run() for _ in range(2))
    assert (len(first.asks), first.is_cut, len(second.asks), second.is_cut) == (passes.MAX_ASKS, True, 3, False)


def test_the_store_is_never_ahead_of_the_record(open_desk: OpenDesk) -> None:
    """Between a question and the record of the turn that asks it, a commit of the store writes the record first."""
    fleet = open_desk(answer("exit(1)", latency=5.0))
    fleet.run()
    job = fleet.submit("clerk")
    done = fleet.fleet.passes.begin()
    assert [asked for asked, _ in done.asks] == [job]
    assert [kind for kind, _ in records(fleet)] == ["in", "in"]
    fleet.fleet.checkpoint()
    assert [kind for kind, _ in records(fleet)] == ["in", "in", "ran"]
    assert fleet.store.root.seq == Records(fleet.ledger).last()[0]
    fleet.fleet.passes.settle()
    assert [kind for kind, _ in records(fleet)] == ["in", "in", "ran"]


def test_queue_concurrency_over_a_restart(open_desk: OpenDesk) -> None:
    """Jobs of a queue that are under way at a restart count against its concurrency."""
    agents: list[Any] = [declare_agent("clerk", tools=desk.TOOLS, inputs={"n": {"type": "integer"}})]
    queue = declare_queue("numbers", "clerk", concurrency=1)
    code = "post_slowly(f'begin {n}')\npause()\npost_slowly(f'end {n}')\nexit()"
    fleet = open_desk(answer(code), agents=agents, queues=[queue])
    for n in range(2):
        fleet.put("numbers", {"n": n}, key=str(n))
    for _ in range(3):
        fleet.run()
        fleet = open_desk()
    assert desk.calls() == [f"post {word} {n}" for n in range(2) for word in ("begin", "end")]
