"""The ledger is the truth: onto any older store, or none at all, it brings back the same state, calling nothing."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from statek.ledger import inbox
from statek.ledger.file import LedgerFile
from statek.ledger.records import Kind, Records, unpack
from statek.runtime.fleet import Fleet
from statek.runtime.replay import CHECKPOINT_EVERY
from statek.sandbox.bounds import WATCHDOG
from statek.store.session import Store
from statek.testing import FakeClock, LocalFleet, answer, declare_agent, declare_queue
from statek.worker.forgetting import ask_to_forget
from tests.runtime import desk
from tests.runtime.conftest import OpenDesk

AGENTS = [
    declare_agent("clerk", tools=desk.TOOLS, subagents=("helper",), warmup="start = count('warm')\nprint('warm')"),
    declare_agent("helper", tools=desk.TOOLS, inputs={"n": {"type": "integer"}}),
]
QUEUES = [declare_queue("numbers", "helper", concurrency=1)]


def a_life(open_desk: OpenDesk) -> LocalFleet:
    """A fleet that has seen a bit of everything."""
    fleet = open_desk(
        answer("exit('called back')", agent="helper", last="once more"),
        answer("print(n)\nif n > 3: raise ValueError('too big')\nexit(post(str(n)))", agent="helper", turn=1),
        answer("exit('after an error')", agent="helper", turn=2),
        answer("a = [1]\nb = helper(n=1)\nprint('asked')\nr = [post('x'), b.result, extend(a, 'y')]", turn=1),
        answer("import random, time\nc = [random.random(), time.time(), count('z')]\nwhile start: pass", turn=2),
        answer("try:\n    helper(n=5).result\nexcept Exception as e:\n    print(e)\nset_box(7)\npost('end')", turn=3),
        answer("helper(n=2)\nexit({'a': a, 'r': r, 'v': box()})", turn=4),
        answer("exit({'a': a, 'late': True})", turn=5),
        agents=AGENTS, queues=QUEUES, step_seconds=0.3,
    )  # fmt: skip
    fleet.submit("clerk", key="1")
    fleet.submit("clerk", key="2")
    fleet.submit("helper", {"m": 1}, key="wrong")
    for n in range(3):
        fleet.put("numbers", {"n": n}, key=str(n))
    fleet.run()
    fleet.clock.advance(60)
    fleet.push("numbers:1", "once more")
    fleet.push("nobody", "hello")
    fleet.run()
    return fleet


def replayed(open_desk: OpenDesk, folder: Path, older: Path | None) -> tuple[LocalFleet, dict[str, Any], list[str]]:
    """The fleet opened again with another store file; its state, and what was called outside meanwhile."""
    before = desk.calls()
    open_desk().close()
    (folder / "store" / "statek.db0").unlink()
    if older is not None:
        shutil.copy(older, folder / "store" / "statek.db0")
    fleet = open_desk()
    made = desk.calls()[len(before) :]
    return fleet, desk.state(fleet), [call for call in made if call.startswith("post")]


def test_life_is_as_written(open_desk: OpenDesk) -> None:
    """The life that the tests here replay goes as it reads."""
    fleet = a_life(open_desk)
    outcomes = {job_id: fleet.job(job_id).outcome for job_id in ("clerk/1", "clerk/2", "numbers:0", "numbers:1")}
    assert outcomes == dict.fromkeys(outcomes, "ok"), [fleet.show(job) for job in outcomes]
    assert fleet.job("numbers:1").exit_value == "called back"
    assert "TimeLimit" in "".join(fleet.show("clerk/1")["console"])
    assert fleet.job("clerk/1").exit_value["a"] == [1, "y"]
    assert [line["id"] for line in fleet.refused] == ["helper/wrong", "push nobody 1"]


def test_onto_an_empty_store(open_desk: OpenDesk, tmp_path: Path) -> None:
    """A lost store is made anew from the ledger, equal to the last byte of every job's names, and nothing is called."""
    expected = desk.state(a_life(open_desk))
    fleet, found, called = replayed(open_desk, tmp_path, None)
    assert desk.differences(found, expected) == []
    assert called == []
    assert fleet.replayed > 20
    assert desk.box().value == 7


def test_replay_sees_no_difference(open_desk: OpenDesk, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Every stretch of the replay does what its record says."""
    a_life(open_desk)
    replayed(open_desk, tmp_path, None)
    assert caplog.messages == []


def test_onto_an_older_copy(open_desk: OpenDesk, tmp_path: Path) -> None:
    """An older copy of the store is brought up to the ledger."""
    fleet = open_desk(
        answer("a = post('x')\npause()\nprint(a)\nb = helper(n=1).result", agent="clerk", turn=1),
        answer("exit(a + b)", agent="clerk", turn=2),
        answer("exit(post(str(n)))", agent="helper"),
        agents=AGENTS,
    )  # fmt: skip
    job = fleet.submit("clerk")
    fleet.run()
    fleet.close()
    older = shutil.copy(tmp_path / "store" / "statek.db0", tmp_path / "older")
    fleet = open_desk()
    fleet.run()
    expected = desk.state(fleet)
    assert expected[job]["outcome"] == "ok"
    _, found, called = replayed(open_desk, tmp_path, Path(older))
    assert (desk.differences(found, expected), called) == ([], [])


def test_history_with_restarts(open_desk: OpenDesk, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Restarts in the middle of statements leave nothing in the ledger that a replay would trip over.

    Only the bytes of the names differ: they say which equal texts were one object.
    """
    code = "import time\nprint('a')\nr = [count('x'), pause(), time.time(), post('y'), print('b'), pause(), post('z')]"
    fleet = open_desk(answer(code, turn=1), answer("pause()\nexit(r)", turn=2))
    job = fleet.submit("clerk")
    while not (len(fleet.store.root.jobs) and fleet.job(job).outcome):
        fleet.clock.advance(10)
        fleet.run()
        expected = desk.state(fleet)
        clock = fleet.clock
        fleet = open_desk(clock=clock)
    _, found, called = replayed(open_desk, tmp_path, None)
    assert (desk.differences(found, expected, but=("snapshot",)), called) == ([], [])
    assert caplog.messages == []


def test_restarts_count_no_call_twice(open_desk: OpenDesk) -> None:
    """A statement that is run again after restarts has made no more calls than it made; its limit says so."""
    agents = [declare_agent("clerk", tools=desk.TOOLS, limits={"tool_calls": 5})]
    fleet = open_desk(answer("exit([post('x'), pause(), count('w'), post('y'), pause()])"), agents=agents)
    job = fleet.submit("clerk")
    for _ in range(3):
        fleet.run()
        fleet = open_desk()
    assert (fleet.job(job).outcome, fleet.job(job).tool_calls) == ("ok", 5)


def test_wrong_output_that_is_no_data(open_desk: OpenDesk, tmp_path: Path) -> None:
    """A job that ends with what does not fit fails; what its code had done stays, after a replay too."""
    agents = [declare_agent("clerk", tools=desk.TOOLS, output={"type": "integer"}, subagents=["helper"]), AGENTS[1]]
    code = "class Odd:\n    n = 1\nset_box(7)\nchild = helper(n=3)\nexit(Odd())"
    fleet = open_desk(answer(code, agent="clerk"), answer("exit(post(str(n)))", agent="helper"), agents=agents)
    job = fleet.submit("clerk")
    fleet.run()
    assert "type Odd" in fleet.show(job)["error"]
    expected = desk.state(fleet)
    assert len(expected) == 4  # the child has run
    assert all(value["status"] == "DONE" for value in expected.values() if isinstance(value, dict))
    _, found, _ = replayed(open_desk, tmp_path, None)
    assert (desk.differences(found, expected), desk.box().value) == ([], 7)


def test_time_limit_of_a_warmup_is_the_same_again(open_desk: OpenDesk, tmp_path: Path) -> None:
    """A job whose first stretch was given up has begun at the same time when that is replayed."""
    agents = [declare_agent("clerk", warmup="while True: pass")]
    fleet = open_desk(agents=agents, step_seconds=0.2)
    fleet.submit("clerk")
    fleet.run()
    expected = desk.state(fleet)
    _, found, _ = replayed(open_desk, tmp_path, None)
    assert desk.differences(found, expected) == []


def test_answer_on_record_is_not_asked_for_again(open_desk: OpenDesk) -> None:
    """An answer that came in while the worker stopped is used at the next start, not paid for again."""
    rules = [answer("exit(pause_late())", agent="a"), answer("exit(2)", agent="b", latency=30.0)]
    fleet = open_desk(*rules, agents=_two_agents())
    first, second = fleet.submit("a"), fleet.submit("b")
    fleet.run()
    asked = fleet.fleet.tally.input_tokens
    assert (fleet.job(second).waiting_for or {})["kind"] == "provider"
    fleet = open_desk()
    fleet.run()
    assert [fleet.job(job).exit_value for job in (first, second)] == ["paused", 2]
    assert (asked > 0, fleet.fleet.tally.input_tokens) == (True, 0)


def test_a_client_hears_of_a_refusal_after_a_kill(open_desk: OpenDesk) -> None:
    """An input that was taken in, but not yet refused when the process died, is answered by the next one, once."""
    fleet = open_desk()
    fleet.run()
    entry_id, records = fleet.submit("nobody"), Records(fleet.ledger)
    with fleet.ledger.transaction():
        inbox.take(fleet.ledger, records, inbox.find(fleet.ledger, entry_id))
    for _ in range(2):
        fleet = open_desk()
        told = [unpack(record.body) for record in Records(fleet.ledger).after(0) if record.kind == Kind.SAID]
        assert [line["outcome"] for line in told] == ["refused"]
    assert [line["id"] for line in fleet.refused] == [entry_id]


def _two_agents() -> list[Any]:
    return [declare_agent(name, tools=desk.TOOLS) for name in ("a", "b")]


def test_late_answer_of_a_cancelled_job(open_desk: OpenDesk, tmp_path: Path) -> None:
    """The answer to a question of a job that was cancelled meanwhile is used neither live nor on replay."""
    fleet = open_desk(
        answer("exit(cancel('b/1'))", agent="a"), answer("exit('late')", agent="b", turn=1, last="begin"),
        answer("exit('anew')", agent="b", last="hello"),
        agents=_two_agents(),
    )  # fmt: skip
    fleet.submit("a")
    job = fleet.submit("b")
    fleet.run()
    fleet.push(job, "hello")
    fleet.run()
    expected = desk.state(fleet)
    _, found, _ = replayed(open_desk, tmp_path, None)
    assert desk.differences(found, expected) == []


def test_lost_writes_of_an_outside_call(open_desk: OpenDesk, tmp_path: Path) -> None:
    """What an outside call wrote to a store that is gone cannot come back: the job is told that nobody knows."""
    code = "try:\n    r = set_box_outside(5)\nexcept Exception as e:\n    r = type(e).__name__\nexit(r)"
    fleet = open_desk(answer(code))
    job = fleet.submit("clerk")
    fleet.run()
    assert fleet.job(job).exit_value == 5
    fleet, _, _ = replayed(open_desk, tmp_path, None)
    assert fleet.job(job).exit_value == "OutcomeUnknown"


def test_clock_never_goes_back(open_desk: OpenDesk) -> None:
    """After a restart with a clock that stands still or runs behind, later things still happen later."""
    fleet = open_desk(answer("import time\na = time.time()\npause()\nexit(a < time.time())"))
    job = fleet.submit("clerk")
    fleet.run()
    fleet = open_desk()
    fleet.run()
    assert fleet.job(job).exit_value is True


def test_the_clock_after_a_replay_without_stretches(open_desk: OpenDesk) -> None:
    """Records of inputs alone do not set the stored clock back."""
    fleet = open_desk(answer("exit(1)"))
    fleet.submit("clerk")
    fleet.run()
    before = fleet.store.root.clock_us
    entry_id = fleet.submit("clerk", key="2")
    with fleet.ledger.transaction():
        inbox.take(fleet.ledger, Records(fleet.ledger), inbox.find(fleet.ledger, entry_id))
    assert open_desk().store.root.clock_us >= before


def test_stored_object_of_an_outside_call(open_desk: OpenDesk) -> None:
    """A stored object that an outside call gave is the same object after a restart."""
    fleet = open_desk(answer("b = box_outside()\npause()\nset_box(3)\nexit(b)"))
    job = fleet.submit("clerk")
    fleet.run()
    fleet = open_desk()
    fleet.run()
    assert fleet.job(job).exit_value is desk.box()


def test_lost_object_of_an_outside_call(open_desk: OpenDesk, tmp_path: Path) -> None:
    """When the object is gone with its store, the job is told that nobody knows; the worker starts all the same."""
    fleet = open_desk(answer("try:\n    b = box_outside()\nexcept Exception as e:\n    b = type(e).__name__\nexit(b)"))
    job = fleet.submit("clerk")
    fleet.run()
    fleet, _, called = replayed(open_desk, tmp_path, None)
    assert (fleet.job(job).exit_value, called) == ("OutcomeUnknown", [])


def test_part_of_a_stored_object_is_no_result(open_desk: OpenDesk) -> None:
    """An outside call that gives a part of a stored object is told to give plain data."""
    fleet = open_desk(answer("try:\n    list_outside()\nexcept TypeError as e:\n    exit(str(e))"))
    job = fleet.submit("clerk")
    fleet.run()
    assert "return plain data" in fleet.job(job).exit_value


def test_what_does_not_repeat_is_stopped(open_desk: OpenDesk, tmp_path: Path) -> None:
    """A job that calls with other arguments than recorded fails with Diverged; nothing is called, others go on."""
    agents = [declare_agent(name, tools=desk.TOOLS) for name in ("rogue", "clerk")]
    fleet = open_desk(answer("exit(post(str(rogue())))", agent="rogue"), answer("exit(post('x'))"), agents=agents)
    bad, good = fleet.submit("rogue"), fleet.submit("clerk")
    fleet.run()
    assert fleet.job(bad).outcome == "ok"
    fleet, _, called = replayed(open_desk, tmp_path, None)
    assert [fleet.job(job).outcome for job in (bad, good)] == ["failed", "ok"]
    assert "Diverged" in fleet.show(bad)["error"]
    assert called == []


def test_definitions_that_went_are_made_again(open_desk: OpenDesk, tmp_path: Path) -> None:
    """When all jobs of an agent were forgotten its definition is, too: the next job has one of its own."""
    fleet = open_desk(answer("exit(count('x'))"))
    for key in "123":
        job = fleet.submit("clerk", key=key)
        fleet.run()
        assert fleet.job(job).job_def.agent.role == "clerk"
        ask_to_forget(fleet.ledger, [[job]], 1)
        fleet.submit("nobody", key=key)  # the fleet looks at inputs that make jobs
        fleet.run()
        fleet.fleet.checkpoint()
    job = fleet.submit("clerk", key="4")
    fleet.run()
    expected = desk.state(fleet)
    _, found, _ = replayed(open_desk, tmp_path, None)
    assert desk.differences(found, expected) == []


def test_calls_in_another_order(open_desk: OpenDesk, tmp_path: Path) -> None:
    """Calls for the members of a set of objects, which comes in another order each time, are answered from the record.

    The fleet stopped between two such statements, and goes on with the second one after the replay.
    """
    code = (
        "class P:\n    def __init__(self, n):\n        self.n = n\n"
        "r = [post(str(p.n)) for p in {P(n) for n in range(6)}]\npause()\n"
        "q = {post(str(p.n)) for p in {P(n) for n in range(6)}}\nexit(sorted(r) + sorted(q))"
    )
    fleet = open_desk(answer(code))
    job = fleet.submit("clerk")
    fleet.run()
    fleet, _, called = replayed(open_desk, tmp_path, None)
    assert called == []
    fleet.run()
    assert (fleet.job(job).outcome, fleet.job(job).exit_value) == ("ok", 2 * [f"posted {n}" for n in range(6)])
    assert len([call for call in desk.calls() if call.startswith("post")]) == 12


def test_long_replay_may_be_cut(open_desk: OpenDesk, tmp_path: Path) -> None:
    """What a replay commits on its way says how far it has come, not how far it is to go."""
    fleet = open_desk(answer("exit()"))
    refused = [inbox.NewEntry(f"x{n}", "submit", "nobody", {"inputs": {}}, 1) for n in range(CHECKPOINT_EVERY + 50)]
    inbox.append(fleet.ledger, refused)
    fleet.run()
    fleet.close()
    (tmp_path / "store" / "statek.db0").unlink()
    seen: list[int] = []
    with LedgerFile.open(fleet.ledger.path) as ledger, Store.open(tmp_path / "store", ledger.store_id) as store:
        cut = Fleet(
            store=store, ledger=ledger, clock=FakeClock(), secret=lambda _: None, watchdog=WATCHDOG,
            checkpoint=lambda: seen.append(store.root.seq),
        )  # fmt: skip
        last = cut.recover()
    assert seen == [*range(CHECKPOINT_EVERY, last, CHECKPOINT_EVERY), last]  # a refusal is two records
