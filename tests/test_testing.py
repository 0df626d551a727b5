"""The shipped fakes do what they say."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from statek.base.clock import Clock
from statek.exceptions import NotApplied, TimeLimit
from statek.sandbox.restrict import SourceRefused
from statek.store.current import get_current_agent, get_current_job
from statek.testing import (
    START_US,
    FakeClock,
    answer,
    declare_agent,
    declare_queue,
    declare_tool,
    open_fleet,
    run_snippet,
    statek_context,
)
from statek.tools.registry import error_handler, tool
from statek.utils import perm_ctx_set


def double(n: int) -> int:
    """Twice as much."""
    return 2 * n


@tool(effect="read", idempotent=True)
def marked(**_: Any) -> None:
    """A tool that says itself what it does."""


released: list[Any] = []


@error_handler
def _release(context: Any, error: BaseException | None = None) -> None:
    released.append(context)


@tool(error_handler=_release)
def claim(name: str, **_kwargs: Any) -> str:
    """Claim something."""
    return f"claim {name}"


@tool(error_handler=_release)
async def claim_later(name: str, **_kwargs: Any) -> str:
    """Claim something."""
    return f"claim {name}"


def test_clock_stands_still() -> None:
    """Time passes only when it is told to, and never back."""
    clock: Clock = FakeClock()
    assert (clock.now_us(), clock.monotonic()) == (START_US, START_US / 1_000_000)
    fake = FakeClock(5)
    fake.advance(1.5)
    assert fake.now_us() == 1_500_005
    with pytest.raises(ValueError, match="does not go back"):
        fake.advance(-1)


async def test_sleepers_wake_in_order() -> None:
    """Who sleeps wakes when the time has come, the earlier one first, not before."""
    clock, woken = FakeClock(), []

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    tasks = [asyncio.create_task(sleep(seconds)) for seconds in (3, 1, 2)]
    await asyncio.sleep(0)
    assert clock.sleepers == 3
    clock.advance(2)
    await asyncio.sleep(0)
    assert woken == [1, 2]
    clock.advance(1)
    await asyncio.gather(*tasks)
    assert (woken, clock.sleepers) == ([1, 2, 3], 0)


async def test_cancelled_sleepers_are_forgotten() -> None:
    """A sleeper that was cancelled is no obstacle."""
    clock = FakeClock()
    task = asyncio.create_task(clock.sleep(1))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    clock.advance(2)
    assert clock.sleepers == 0


async def test_no_time_at_all() -> None:
    """Sleeping for no time returns by itself."""
    await FakeClock().sleep(0)


def test_snippet() -> None:
    """A snippet gives its console and leaves its names."""
    names: dict[str, Any] = {"a": 1}
    assert run_snippet("b = a + 1\nprint(b)\nb", names) == (["2", "2"], None)
    assert names["b"] == 2


@pytest.mark.parametrize(
    ("source", "kind"), [("1/0", ZeroDivisionError), ("import os", SourceRefused), ("if", SourceRefused)]
)
def test_snippet_errors(source: str, kind: type[BaseException]) -> None:
    """What ended a snippet is given, not raised."""
    console, error = run_snippet(source)
    assert isinstance(error, kind)
    assert console == []


def test_snippet_may_exit() -> None:
    """`exit` is no error and what follows does not run."""
    assert run_snippet("print(1)\nexit(2)\nprint(3)") == (["1"], None)
    assert not isinstance(run_snippet("exit()")[1], TimeLimit)


def test_declared_tools_read_their_marks() -> None:
    """What is not said about a tool comes from the function."""
    plain, said = declare_tool(double), declare_tool(marked)
    assert (plain.effect, plain.idempotent, plain.target.rpartition(":")[2]) == ("external", False, "double")
    assert (said.effect, said.idempotent) == ("read", True)
    assert declare_tool(double, name="twice", effect="write", timeout=1.5).timeout_us == 1_500_000


def test_tools_need_a_name_to_be_found_by() -> None:
    """A function that no release could name is refused."""
    with pytest.raises(ValueError, match="top level"):
        declare_tool(lambda: 1)


def test_a_fleet_in_a_folder(tmp_path: Path) -> None:
    """An agent with a tool and a script runs; closed and opened again, what it did is there."""
    agents = [declare_agent("clerk", tools=[double], warmup="n = 20")]
    with open_fleet(tmp_path, agents=agents, answers=[answer("exit(double(n) + 2)")]) as fleet:
        job = fleet.submit("clerk")
        fleet.run()
        assert fleet.job(job).exit_value == 42
    with open_fleet(tmp_path) as fleet:
        assert fleet.show(job)["outcome"] == "ok"


def test_reopen_keeps_clock_and_folder(tmp_path: Path) -> None:
    """`reopen` goes on where the fleet before it was."""
    fleet = open_fleet(tmp_path, agents=[declare_agent("clerk")], answers=[answer("exit(1)")])
    job = fleet.submit("clerk")
    with fleet.reopen() as again:
        again.run()
        assert again.job(job).exit_value == 1
        assert again.clock is fleet.clock


def test_time_of_the_fleet_is_the_clock_s(tmp_path: Path) -> None:
    """Jobs are as old as the fake clock says."""
    with open_fleet(tmp_path, agents=[declare_agent("clerk")], answers=[answer("exit()")]) as fleet:
        fleet.clock.advance(3600)
        job = fleet.submit("clerk")
        fleet.run()
        assert fleet.job(job).created_us == START_US + 3_600_000_000
        assert fleet.show(job)["createdAt"] == "2026-01-01T01:00:00Z"


def test_queues_and_messages(tmp_path: Path) -> None:
    """Items, messages and cancellations go in as clients send them."""
    agents, queues = [declare_agent("clerk", inputs={"n": {"type": "integer"}})], [declare_queue("in", "clerk")]
    rules = [answer("exit('more')", last="go on"), answer("exit(n)")]
    with open_fleet(tmp_path, agents=agents, answers=rules, queues=queues) as fleet:
        job, gone = fleet.put("in", {"n": 4}, key="a"), fleet.put("in", {"n": 5}, key="b")
        fleet.run()
        fleet.push(job, "go on")
        fleet.run()
        assert (fleet.job(job).exit_value, fleet.job(gone).exit_value) == ("more", 5)


def test_unknown_jobs_are_explained(tmp_path: Path) -> None:
    """A job that was refused is explained with the reason, one nobody asked for with that."""
    with open_fleet(tmp_path, agents=[declare_agent("clerk")], answers=[answer("exit()")]) as fleet:
        job = fleet.submit("clerk", {"x": 1})
        fleet.run()
        with pytest.raises(NotApplied, match="has no such input"):
            fleet.job(job)
        with pytest.raises(NotApplied, match="no input of that id"):
            fleet.job("clerk/9")


def test_a_failed_start_leaves_the_folder_free(tmp_path: Path) -> None:
    """When the release cannot be applied, everything is closed again."""
    with pytest.raises(TypeError):
        open_fleet(tmp_path, agents=[declare_agent("clerk")], answers=[answer("exit()", calls=[{"name": object()}])])
    open_fleet(tmp_path).close()


def test_a_context_for_functions_that_ask_for_their_job() -> None:
    """The innermost one counts; it ends with its block, also after an error."""
    job = SimpleNamespace(job_def=SimpleNamespace(agent="its agent"))
    with statek_context(job) as given:
        assert (get_current_job(), get_current_agent(), given) == (job, "its agent", {"job": job})
        with statek_context(agent="another"):
            assert (get_current_job(), get_current_agent()) == (None, "another")
        with pytest.raises(KeyError), statek_context():
            raise KeyError
        assert get_current_job() is job
    assert get_current_job() is None


def test_error_handlers_of_tools_in_a_context(tmp_path: Path) -> None:
    """A job that is current is cleaned up after with what its tools gave; no other is."""
    with open_fleet(tmp_path, agents=[declare_agent("clerk")], answers=[answer("exit()")]) as fleet:
        job_id = fleet.submit("clerk")
        fleet.run()
        job = fleet.job(job_id)
        with statek_context(job):
            assert (claim("a"), asyncio.run(claim_later("b"))) == ("claim a", "claim b")
            with statek_context():
                claim("c")
        claim("d")
        released.clear()
        job.notify_handlers()
        assert released == ["claim a", "claim b"]


def test_what_a_job_is_given_in_a_context_stays(tmp_path: Path) -> None:
    """Names and persistent context that functions give to the current job are there inside and afterwards."""
    with open_fleet(tmp_path, agents=[declare_agent("clerk")], answers=[answer("exit()")]) as fleet:
        job_id = fleet.submit("clerk")
        fleet.run()
        job = fleet.job(job_id)
        with statek_context(job), statek_context(job):
            job.add_locals(a=1)
            perm_ctx_set(b=2)
            assert (job.py_env.local_state["a"], job.py_env.perm_ctx) == (1, {"b": 2})
        assert (job.py_env.local_state["a"], job.py_env.perm_ctx) == (1, {"b": 2})
