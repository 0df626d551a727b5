"""Warmups: code before the first question, seen by the model as its own; in blocks, some of them hidden."""

import inspect
from typing import Any

import pytest

from statek.runtime.delegation import create_new_job
from statek.store.agent import SupervisedAgent
from statek.store.job import Job, find_job
from statek.testing import LocalFleet, answer, declare_agent, declare_tool
from tests.runtime import desk
from tests.runtime.conftest import OpenDesk

LINE = "\n# ------------\n"


def told(job: Job) -> list[str | None]:
    """What the model is told."""
    return [item.content for item in job.get_chat_history()]


def with_worker(open_desk: OpenDesk, *rules: Any, warmup: str | None = None) -> tuple[LocalFleet, SupervisedAgent]:
    """A fleet, and an agent made in Python."""
    fleet = open_desk(*rules, answer("exit(1)"))
    worker = SupervisedAgent("worker", "Work.", [desk.count, desk.box_value, desk.box], _metadata={"MODEL": "scripted"})
    worker.update_warmup_def(warmup)
    return fleet, worker


def run(fleet: LocalFleet, job: Job) -> Job:
    """Run a job that was made in Python."""
    fleet.fleet.passes.ready.add_new(job.id)
    fleet.run()
    return job


def test_blocks_are_told_in_order(open_desk: OpenDesk) -> None:
    """Each block is one thing the model has done, with its output; hidden ones are not told but have run."""
    hidden, last = "#STATEK: hidden = True\nprint('secret')\ny = 2", "#STATEK: label = 'last'\nprint('b')"
    warmup = LINE.join(["print('a')\nx = 1", hidden, last])
    fleet = open_desk(answer("exit(x + y)"), agents=[declare_agent("clerk", warmup=warmup)])
    job = fleet.submit("clerk")
    fleet.run()
    assert fleet.job(job).exit_value == 3
    assert told(fleet.job(job))[:4] == ["print('a')\nx = 1", "a", "print('b')", "b"]
    assert [item.hidden for item in fleet.job(job).records if item.kind == "warmup"] == [False, True, False]


def test_a_block_that_waits_is_told_once(open_desk: OpenDesk) -> None:
    """A block that waited, in its first or a later statement, is told once and repeats nothing."""
    warmup = f"a = helper().result{LINE}b = count('b')\nc = [count('c'), helper().result]"
    agents = [declare_agent("clerk", tools=desk.TOOLS, warmup=warmup, subagents=("helper",)), declare_agent("helper")]
    fleet = open_desk(answer("exit(5)", agent="helper"), answer("exit([a, b, c])"), agents=agents)
    job = fleet.submit("clerk")
    fleet.run()
    assert fleet.job(job).exit_value == [5, 1, [2, 5]]
    assert desk.calls() == ["count b", "count c"]
    assert sum(item.kind == "warmup" for item in fleet.job(job).records) == 2


def test_dynamic_code_comes_first(open_desk: OpenDesk) -> None:
    """Code given for one job runs before the agent's own; names of the caller that it reads are copied."""
    fleet, worker = with_worker(open_desk, answer("exit([n, m, own])"), warmup="own = n + m")
    n, m, unread = 1, 10, object()  # `n` is read by the warmup below, and there only
    job = create_new_job(worker, {"m": 2}, warmup_code="print(n)\nm = m + 1\nunread = 3")
    assert job.py_env.local_state == {"n": 1, "m": 2}
    assert run(fleet, job).exit_value == [1, 3, 4]
    assert (n, m, unread) != (1, 2, None)


def test_another_frame(open_desk: OpenDesk) -> None:
    """`caller_frame` says whose names are copied."""
    _, worker = with_worker(open_desk)
    there = 7

    def inside() -> Job:
        frame = inspect.currentframe()
        assert frame is not None
        return create_new_job(worker, warmup_code="print(there)", caller_frame=frame.f_back)

    assert inside().py_env.local_state == {"there": there}


def test_calls_as_tools(open_desk: OpenDesk) -> None:
    """A line marked as tool is a formal call that runs before the block's code."""
    fleet, worker = with_worker(open_desk, warmup='count("w") #STATEK: as tool\nx = 1')
    job = run(fleet, create_new_job(worker))
    assert (job.outcome, desk.calls()) == ("ok", ["count w"])
    assert job.job_def.warmup_blocks[0]["calls"][0]["id"] == "STATEK-001"


def test_a_call_as_tool_that_fails(open_desk: OpenDesk) -> None:
    """It is told, and the block goes on."""
    text = 'count() #STATEK: as tool\nnobody(1) #STATEK: as tool\ncount("w") #STATEK: as tool\nprint("on")'
    fleet, worker = with_worker(open_desk, warmup=text)
    job = run(fleet, create_new_job(worker))
    assert (job.outcome, desk.calls(), job.exception_count, job.job_def.has_errors()) == ("ok", ["count w"], 0, False)
    assert [line.partition(":")[0] for line in job.py_env.console] == ["TypeError", "NameError", "1", "on"]


def test_a_failed_warmup_ends_its_job_only(open_desk: OpenDesk) -> None:
    """The error is kept with the definition and ends the job without asking; another job of it goes on."""
    fleet, worker = with_worker(open_desk, warmup="1 / n")
    broken, fine = create_new_job(worker, {"n": 0}), create_new_job(worker, {"n": 1})
    fleet.fleet.passes.ready.add_new(fine.id)
    run(fleet, broken)
    assert broken.job_def is fine.job_def
    assert ((broken.outcome, broken.turn), (fine.outcome, fine.turn)) == (("failed", 0), ("ok", 1))
    (error,) = broken.job_def.get_errors()
    assert error.error_message == "ZeroDivisionError: division by zero"


def test_exit_in_a_warmup(open_desk: OpenDesk) -> None:
    """A warmup may end the job; later blocks do not run."""
    fleet, worker = with_worker(open_desk, warmup=f"exit('soon'){LINE}count('never')")
    job = run(fleet, create_new_job(worker))
    assert (job.exit_value, job.turn, desk.calls()) == ("soon", 0, [])


def test_a_warmup_that_waits_for_a_future(open_desk: OpenDesk) -> None:
    """A job whose warmup waits stays WARMING_UP, and goes on at its statement without repeating anything."""
    rules = [answer("exit(v)", agent="worker"), answer("seen = status_of(job)\nset_box(4)\nexit(seen)", agent="clerk")]
    fleet, worker = with_worker(open_desk, *rules, warmup=f"count('a'){LINE}b = box_value()\nv = b + 0")
    job = create_new_job(worker)
    tools = [*desk.TOOLS, declare_tool(status_of, effect="read")]
    fleet.apply([declare_agent("clerk", tools=tools, inputs={"job": {"type": "string"}})], rules)
    fleet.submit("clerk", {"job": job.id}, key="looker")
    run(fleet, job)
    assert (job.exit_value, desk.calls()) == (4, ["count a"])
    assert fleet.job("clerk/looker").exit_value == "WARMING_UP"
    assert sum(item.kind == "warmup" for item in job.records) == 2


def status_of(job: str) -> str:
    """How another job stands."""
    found = find_job(job)
    return str(found.status) if found is not None else ""


@pytest.mark.parametrize("text", ["call( #STATEK: as tool", "#STATEK: what"])
def test_bad_directives(open_desk: OpenDesk, text: str) -> None:
    """A directive that cannot be read is refused where the warmup is given."""
    _, worker = with_worker(open_desk)
    with pytest.raises((ValueError, SyntaxError)):
        create_new_job(worker, warmup_code=text)
