"""Child jobs: started like a call, waited for at their result, bounded, and honest about failures."""

from typing import Any

import pytest

from statek.runtime.sides import MAX_STILL
from statek.store.job import JobStatus, count_with
from statek.testing import answer, declare_agent
from tests.runtime import desk
from tests.runtime.conftest import OpenDesk


def parent_and_helper(**limits: Any) -> list[Any]:
    """An agent that may start helpers, and the helper."""
    inputs = {"n": {"type": "integer", "optional": True}}
    helper = declare_agent("helper", tools=desk.TOOLS, inputs=inputs, subagents=("helper",), limits=limits)
    return [declare_agent("clerk", tools=desk.TOOLS, subagents=("helper",), limits=limits), helper]


def test_wait_resumes_at_the_statement(open_desk: OpenDesk) -> None:
    """A statement that waited for a child goes on as if it had stood still: no call and no print is repeated."""
    code = "h = helper(n=1)\nr = [print('in'), count('w'), post('x'), h.result]\nexit(r)"
    fleet = open_desk(answer("exit(n + 1)", agent="helper"), answer(code), agents=parent_and_helper())
    job = fleet.submit("clerk")
    fleet.run()
    assert fleet.job(job).exit_value == [None, 1, "posted x", 2]
    assert fleet.show(job)["console"] == ["in"]
    assert desk.calls() == ["count w", "post x"]


def test_children_work_together(open_desk: OpenDesk) -> None:
    """Children started in one statement all work before any of them is waited for."""
    code = "hs = [helper(n=n) for n in range(5)]\nexit([h.result for h in hs])"
    fleet = open_desk(answer("exit(n * n)", agent="helper"), answer(code), agents=parent_and_helper())
    job = fleet.submit("clerk")
    fleet.run()
    assert fleet.job(job).exit_value == [0, 1, 4, 9, 16]
    assert len(fleet.show(job)["children"]) == 5


def test_restart_while_waiting(open_desk: OpenDesk) -> None:
    """A parent that waits for a child over a restart is woken by the child's end."""
    code = "exit([count('w'), helper().result])"
    fleet = open_desk(answer("exit(pause())", agent="helper"), answer(code), agents=parent_and_helper())
    job = fleet.submit("clerk")
    fleet.run()
    assert str(fleet.job(job).status) == "SUSPENDED"
    fleet = open_desk()
    fleet.run()
    assert fleet.job(job).exit_value == [1, "paused"]
    assert desk.calls() == ["count w"]


def test_failed_child_raises(open_desk: OpenDesk) -> None:
    """A child that failed raises TaskError with the reason where its result is read."""
    code = "try:\n    helper().result\nexcept Exception as e:\n    exit([type(e).__name__, str(e)])"
    fleet = open_desk(answer(error="no-key", agent="helper"), answer(code), agents=parent_and_helper())
    job = fleet.submit("clerk")
    fleet.run()
    kind, text = fleet.job(job).exit_value
    assert kind == "TaskError"
    assert "no-key" in text


def test_wrong_inputs_start_no_child(open_desk: OpenDesk) -> None:
    """A child's inputs are checked where it is started."""
    code = "try:\n    helper(n='x')\nexcept TypeError as e:\n    exit(str(e))"
    fleet = open_desk(answer(code), agents=parent_and_helper())
    job = fleet.submit("clerk")
    fleet.run()
    assert "expected a whole number" in fleet.job(job).exit_value
    assert fleet.show(job)["children"] == []


def test_number_of_children_is_bounded(open_desk: OpenDesk) -> None:
    """Of children as many start as are allowed; the next one is refused with the name of the limit."""
    start = (
        "    try:\n        hs.append(helper(n=n))\n    except Exception as e:\n        r = [n, str(e)]\n        break\n"
    )
    code = f"hs = []\nfor n in range(9):\n{start}[h.result for h in hs]\nexit(r)"
    fleet = open_desk(answer("exit()", agent="helper"), answer(code), agents=parent_and_helper(subjobs=2))
    job = fleet.submit("clerk")
    fleet.run()
    assert fleet.job(job).exit_value == [2, "limit subjobs: 2 are allowed"]


def test_depth_is_bounded(open_desk: OpenDesk) -> None:
    """Children of children go as deep as is allowed."""
    code = "try:\n    exit(helper().result + 1)\nexcept Exception as e:\n    exit(0)"
    fleet = open_desk(answer(code), agents=parent_and_helper(depth=3))
    job = fleet.submit("clerk")
    fleet.run()
    assert fleet.job(job).exit_value == 3


def test_cancelled_child_raises(open_desk: OpenDesk) -> None:
    """A parent that waits for a child that is cancelled reads that."""
    code = "try:\n    helper().result\nexcept Exception as e:\n    exit(str(e))"
    fleet = open_desk(
        answer("cancel('clerk/1.1.0.1')\nexit(post('x'))", agent="helper"), answer(code), agents=parent_and_helper()
    )
    job = fleet.submit("clerk")
    fleet.run()
    assert fleet.show(job)["children"] == ["clerk/1.1.0.1"]
    assert fleet.job(job).exit_value == "cancelled from outside"


def test_late_child_brings_its_parent_back(open_desk: OpenDesk) -> None:
    """A parent that ended before its child goes back to work when the child has ended."""
    fleet = open_desk(
        answer("exit(5)", agent="helper"), answer("h = helper()\nexit('early')", turn=1), answer("exit(h.result)"),
        agents=parent_and_helper(),
    )  # fmt: skip
    job = fleet.submit("clerk")
    fleet.run()
    assert fleet.job(job).exit_value == 5


def test_unwaited_child_is_announced(open_desk: OpenDesk) -> None:
    """A child that nobody waited for leaves a note in its parent's history."""
    fleet = open_desk(
        answer("exit(1)", agent="helper"),
        answer("h = helper()", turn=1),
        answer("post('x')", turn=2),
        answer("exit(h.result)"),
        agents=parent_and_helper(),
    )  # fmt: skip
    job = fleet.submit("clerk")
    fleet.run()
    assert fleet.job(job).exit_value == 1
    assert any("completed successfully" in (item["text"] or "") for item in fleet.show(job)["chat"])


@pytest.mark.parametrize("kept", ["x = h.result\nexit(h)", "exit([h.result, h])"])
def test_handler_as_a_value(open_desk: OpenDesk, kept: str) -> None:
    """A handler may be given away like any value; who gets it reads the result."""
    fleet = open_desk(answer("exit(7)", agent="helper"), answer(f"h = helper()\n{kept}"), agents=parent_and_helper())
    job = fleet.submit("clerk")
    fleet.run()
    value = fleet.job(job).exit_value
    handler = value[1] if isinstance(value, list) else value
    assert handler.result == 7


def test_handler_on_the_console(open_desk: OpenDesk) -> None:
    """A child that is started by a bare call shows where it is, not an error for having no result yet."""
    rules = [answer("exit(7)", agent="helper"), answer("helper()", turn=1), answer("exit()")]
    fleet = open_desk(*rules, agents=parent_and_helper())
    job = fleet.submit("clerk")
    fleet.run()
    assert fleet.show(job)["console"] == ["<sub-task clerk/1.1.0.1: waiting>"]


def test_more_parents_wait_than_are_kept_in_memory(open_desk: OpenDesk) -> None:
    """A parent whose code is not kept where it stands while it waits comes to the same: its statement is run again."""
    parents = MAX_STILL + 3
    waits, gives = answer("exit(wait_for_box())", agent="helper"), answer("exit(set_box(5))", agent="giver")
    agents = [*parent_and_helper(), declare_agent("giver", tools=desk.TOOLS)]
    fleet = open_desk(waits, gives, answer("h = helper()\nr = [count('w'), h.result]\nexit(r)"), agents=agents)
    jobs = [fleet.submit("clerk", key=str(n)) for n in range(parents)]
    fleet.fleet.watch = lambda _ran: fleet.stop() if count_with(JobStatus.SUSPENDED) == 2 * parents else None
    fleet.run()
    fleet.fleet.watch = None
    fleet.submit("giver")
    fleet.run()
    assert sorted(fleet.job(job).exit_value for job in jobs) == [[n + 1, 5] for n in range(parents)]
    assert desk.calls() == ["count w"] * parents


def test_names_given_to_a_waiting_parent(open_desk: OpenDesk) -> None:
    """What a child gives to the names of its parent, which waits for it, is there when the parent goes on."""
    code = "x = 1\nr = helper().result\nexit([x, r, note])"
    tell = "tell_parent(note='read me')\nexit('told')"
    fleet = open_desk(answer(tell, agent="helper"), answer(code), agents=parent_and_helper())
    job = fleet.submit("clerk")
    fleet.run()
    assert fleet.job(job).exit_value == [1, "told", "read me"]
