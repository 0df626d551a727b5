"""Work handed to another agent: what the caller gets, of a failure too, and what the child takes over."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from statek.runtime.delegated import (
    create_future_task,
    delegate_mute_dialog,
    delegate_mute_task,
    delegate_task,
    start_dialog,
)
from statek.store import root
from statek.store.agent import SupervisedAgent
from statek.store.job import Job, find_job
from statek.store.task_future import TaskFutureResult
from statek.testing import LocalFleet, answer, declare_agent, declare_tool
from statek.tools.registry import tool
from tests.runtime import desk
from tests.runtime.conftest import OpenDesk

OpenPair = Callable[..., LocalFleet]


@tool(effect="read")
def worker(**kwargs: Any) -> Any:
    """The agent that work is given to."""
    return root.find_agent(role="worker")


@tool(effect="write")
def wrapped(order: str, **kwargs: Any) -> Any:
    """A tool of the application that hands work on; the warmup reads its local names."""
    place = f"place of {order}"  # noqa: F841 - the warmup reads it
    return create_future_task(worker(), None, None, "print(place)")


TOOLS = (
    declare_tool(worker, effect="read"),
    *(
        declare_tool(function, effect="write")
        for function in (wrapped, delegate_task, delegate_mute_task, delegate_mute_dialog, start_dialog)
    ),
)


@pytest.fixture
def open_pair(open_desk: OpenDesk) -> OpenPair:
    """A fleet with an agent "clerk" that may hand work to "worker"."""

    def start(*answers: Any, style: str = "CONSOLE", **limits: Any) -> LocalFleet:
        clerk = declare_agent("clerk", tools=(*desk.TOOLS, *TOOLS), limits={"subjobs": 9, "depth": 3, **limits})
        fleet = open_desk(*answers, agents=[clerk])
        metadata = {"MODEL": "scripted", "CHAT_STYLE": style}
        SupervisedAgent("worker", "Work on {topic}.", [desk.post, desk.cancel], _metadata=metadata)
        return fleet

    return start


def run(fleet: LocalFleet) -> Job:
    """Run one job of the clerk."""
    job = fleet.submit("clerk")
    fleet.run()
    return fleet.job(job)


def at_work(code: str) -> Any:
    """An answer of the worker."""
    return answer(code, agent="worker")


@pytest.mark.parametrize("call", ["delegate_task", "delegate_mute_task"])
def test_exit_status_and_job(open_pair: OpenPair, call: str) -> None:
    """The value is what the child gave to `exit`, and the child."""
    code = f"status, job = {call}(worker(), topic='x')\nexit([status, job.id, job.exit_value])"
    job = run(open_pair(at_work("exit({'n': 7})"), answer(code)))
    assert job.exit_value == [{"n": 7}, "clerk/1.1.0.1", {"n": 7}]


def test_the_caller_goes_on_meanwhile(open_pair: OpenPair) -> None:
    """Only a use of the value waits; several children run at the same time."""
    code = "a = delegate_task(worker(), topic='a')\nb = delegate_task(worker(), topic='b')\npost('first')\n"
    code += "exit([a[0], b[0]])"
    job = run(open_pair(at_work("post('child')\nexit('done')"), answer(code)))
    assert (job.exit_value, desk.calls()) == (["done", "done"], ["post first", "post child", "post child"])


def test_a_failure_reaches_the_caller(open_pair: OpenPair) -> None:
    """A child that failed raises where its value is used, with its id and the reason."""
    code = "t = delegate_task(worker(), topic='x')\ntry:\n    print(t)\nexcept Exception as e:\n"
    code += "    exit(f'{type(e).__name__}: {e}')"
    value = run(open_pair(answer(error="no-key", agent="worker"), answer(code))).exit_value
    assert value.startswith("TaskFailed: job clerk/1.1.0.1 of agent worker: ")
    assert "no-key" in value


def test_names_and_parameters(open_pair: OpenPair) -> None:
    """The child has the shared names and those of the caller that its warmup reads; only parameters are told of."""
    code = "mine = 5\nt = delegate_task(worker(), 'double = mine * 2', shared_vars={'given': 1}, topic='tea')"
    code += "\nexit(t[0])"
    job = run(open_pair(at_work("exit([double, given])"), answer(code)))
    assert job.exit_value == [10, 1]
    (handler,) = job.children
    assert handler.job.job_def.job_params == {"topic": "tea"}
    assert "given" not in handler.job.records[0].text


def test_from_a_tool_of_the_application(open_pair: OpenPair) -> None:
    """A tool that makes such a future gives it to the code that called; the warmup has the tool's local names."""
    job = run(open_pair(at_work("exit(place)"), answer("exit(wrapped('A1')[0])")))
    assert job.exit_value == "place of A1"


def test_language(open_pair: OpenPair) -> None:
    """A language that is named wins; else it is the parent's."""
    code = "a = delegate_task(worker(), topic='a', locale='pl')\nexit(a[1].id)"
    child = find_job(run(open_pair(at_work("exit()"), answer(code))).exit_value)
    assert child is not None
    assert child.job_def.locale == "PL"
    future = create_future_task(worker(), None, child)
    assert future.job.job_def.locale == "PL"


def test_replies(open_pair: OpenPair) -> None:
    """A dialog gives what the child said; one that failed gives the reason as text."""
    fleet = open_pair(
        answer(text="It is\nfive.", agent="worker", last="time"), answer(error="no-key", agent="worker"),
        answer("exit([delegate_mute_dialog(worker(), m, topic='') + '!' for m in ('what time', 'boom')])"),
        style="DIRECT",
    )  # fmt: skip
    first, second = run(fleet).exit_value
    assert first == "It is\nfive.!"
    assert "no-key" in second


def test_started_dialog(open_pair: OpenPair) -> None:
    """A started dialog has its first message, and nobody waits for it."""
    fleet = open_pair(
        answer(text="hello", agent="worker", last="good day"),
        answer("exit(start_dialog(worker(), 'good day', topic='').id)"), style="DIRECT",
    )  # fmt: skip
    child = find_job(run(fleet).exit_value)
    assert child is not None
    assert ([item.text for item in child.records], child.outcome) == (["good day", "hello"], "ok")


def test_the_end_is_told_to_nobody(open_pair: OpenPair) -> None:
    """A caller that has ended is not brought back, and gets no note."""
    fleet = open_pair(at_work("exit(1)"), answer("delegate_task(worker(), topic='x')\nexit('early')"))
    job = run(fleet)
    assert (job.exit_value, job.num_completions) == ("early", None)
    assert [item.kind for item in job.records] == ["answer"]
    assert find_job("clerk/1.1.0.1").exit_value == 1  # type: ignore[union-attr]


def test_cancelled_with_the_caller(open_pair: OpenPair) -> None:
    """Who cancels the caller cancels what it has delegated."""
    code = "cancel('clerk/1')\nexit(post('never'))"
    job = run(open_pair(at_work(code), answer("exit(delegate_task(worker(), topic='x')[0])")))
    (handler,) = job.children
    assert (job.outcome, handler.job.outcome, desk.calls()) == ("cancelled", "cancelled", [])


def test_cancelled_child(open_pair: OpenPair) -> None:
    """A child that is cancelled fails for its caller, which goes on."""
    code = "t = delegate_task(worker(), topic='x')\ntry:\n    t[0]\nexcept Exception as e:\n    exit(str(e))"
    job = run(open_pair(at_work("cancel('clerk/1.1.0.1')\npost('never')"), answer(code)))
    assert job.exit_value == "job clerk/1.1.0.1 of agent worker: cancelled from outside"


def test_bounds_count(open_pair: OpenPair) -> None:
    """Delegated jobs count as children of their caller."""
    code = "for n in range(2):\n    try:\n        print(delegate_task(worker(), topic='x')[0])\n"
    code += "    except Exception as e:\n        print(str(e))"
    job = run(open_pair(at_work("exit('one')"), answer(code, turn=1, agent="clerk"), answer("exit()"), subjobs=1))
    assert job.read_console() == ["one", "limit subjobs: 1 are allowed"]


def test_outside_of_a_job(open_pair: OpenPair) -> None:
    """An application may delegate too, and ask the future; before the end there is no value."""
    fleet = open_pair(at_work("exit(local)"), answer("exit()"))
    fleet.run()
    local = 3
    future = delegate_task(worker(), "print(local)", topic="x")
    assert isinstance(future, TaskFutureResult)
    assert (future.job.parent_job, future.deps, future.check_condition()) == (None, future.job, False)
    fleet.fleet.passes.ready.add_new(future.job.id)
    fleet.run()
    assert future.value == (local, future.job)


def test_a_replay_comes_to_the_same(open_pair: OpenPair, open_desk: OpenDesk, tmp_path: Path) -> None:
    """Run again from the ledger, caller and child are the same."""
    fleet = open_pair(
        at_work("post('child')\nexit(7)"), answer("t = delegate_task(worker(), 'x = 1', topic='t')\npost('m')", turn=1),
        answer("exit(t[0])"),
    )  # fmt: skip
    fleet.close()
    older = shutil.copy(tmp_path / "store" / "statek.db0", tmp_path / "older")
    fleet = open_desk()
    assert run(fleet).exit_value == 7
    expected = desk.state(fleet)
    fleet.close()
    shutil.copy(older, tmp_path / "store" / "statek.db0")
    assert desk.differences(desk.state(open_desk()), expected) == []
