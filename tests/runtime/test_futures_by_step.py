"""Futures and functions as values in an application's own store, worked on by single steps."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dbzero as db0
import pytest

from statek.exceptions import CannotKeep
from statek.runtime.delegation import create_new_job
from statek.runtime.stepper import run_job_step, unsuspend_jobs
from statek.settings import LLM_API_Settings, StatekSettings, set_statek_settings
from statek.store.agent import SupervisedAgent
from statek.store.future import FutureResult
from statek.store.job import Job, JobStatus
from tests.loopback_llm import LoopbackLLM
from tests.runtime import desk, later


@pytest.fixture
def llm() -> Iterator[LoopbackLLM]:
    """A model whose first answer is `code`, and which then gives up."""
    with LoopbackLLM(lambda body: "exit('given up')" if len(body["messages"]) > 3 else code["now"]) as server:
        yield server


code = {"now": "exit('done')"}


@pytest.fixture(autouse=True)
def store(tmp_path: Path, llm: LoopbackLLM) -> Iterator[Path]:
    """An application's open store, with settings for the model."""
    desk.use(tmp_path)
    code["now"] = "exit('done')"
    api = LLM_API_Settings(api_url=llm.url, api_key="test")
    set_statek_settings(StatekSettings(llm_api_settings={"OPENROUTER": api}))
    db0.init(str(tmp_path), prefix="t", autocommit=False)
    try:
        yield tmp_path
    finally:
        db0.close()
        set_statek_settings(None)


def make(warmup: str, **given: Any) -> Job:
    """A job of this warmup with these names."""
    agent = SupervisedAgent("clerk", "You are a clerk.", [], _metadata={"MODEL": "f/m"})
    agent.update_warmup_def(warmup)
    return create_new_job(agent, given)


def step(job: Job) -> bool:
    """One step."""
    return asyncio.run(run_job_step(job))


def test_function_as_a_value() -> None:
    """A function given to a job is called like a tool, and is itself when looked at from outside."""
    job = make("task = fetch('a')\nprint(task)", fetch=later.wait_for)
    assert job.py_env.local_state["fetch"] is later.wait_for
    assert not step(job)
    assert (job.status, job.next_instr_num) == (JobStatus.WARMING_UP, 1)
    assert isinstance(job.awaited_result, FutureResult)
    later.put("a", 5)
    step(job)
    assert job.py_env.console == ["5"]
    assert job.py_env.local_state["fetch"] is later.wait_for
    assert job.py_env.local_state["task"] == 5


def test_the_place_to_go_on_at_stays_until_it_does() -> None:
    """A job that was let go on tells where, until its next step."""
    job = make("task = fetch('a')\nprint(task)", fetch=later.wait_for)
    step(job)
    later.put("a", 5)
    unsuspend_jobs()
    assert (job.awaited_result, job.next_instr_num) == (None, 1)
    step(job)
    assert job.next_instr_num is None


def test_function_under_another_name() -> None:
    """Names, lists and parameters of the job's own functions may hold the function."""
    job = make("def call(f):\n    return f('a') + 1\nmine = [fetch]\nprint(call(mine[0]))", fetch=later.wait_for)
    later.put("a", 5)
    step(job)
    assert job.py_env.console == ["6"]
    assert job.py_env.local_state["mine"] == [later.wait_for]


@pytest.mark.parametrize(
    "source", ["print(f.tool)", "print(f.source)", "print(f.__globals__)", "f.x = 1", "print(f._environment)"]
)
def test_function_shows_nothing(source: str) -> None:
    """Code cannot look into a function it was given."""
    job = make(source, f=later.wait_for)
    assert step(job)
    assert "Refused" in job.py_env.console[0]


def test_what_cannot_be_found_again_is_refused() -> None:
    """A lambda, a nested function and one that is not written in Python have no lasting name."""
    for function in (lambda: 1, _nested(), print):
        with pytest.raises(CannotKeep):
            make("print(1)", f=function)


def _nested() -> Any:
    def inner() -> None:
        return None

    return inner


def test_unsuspend_lets_it_go_on() -> None:
    """A job that waits is put back to work when its condition holds, not before, and then goes on where it was."""
    code["now"] = "x = fetch('b')\nexit(x + 1)"
    job = make("print('begin')", fetch=later.wait_for)
    assert not step(job)
    assert not step(job)
    assert job.status == JobStatus.SUSPENDED
    unsuspend_jobs()
    assert job.status == JobStatus.SUSPENDED
    later.put("b", 1)
    unsuspend_jobs()
    assert (job.status, job.awaited_result) == (JobStatus.STARTED, None)
    assert step(job)
    assert job.exit_value == 2


def test_condition_that_fails_ends_the_job() -> None:
    """An error of the condition is the end of that job, with the error told."""
    job = make("print(fetch('c'))", fetch=later.wait_for)
    step(job)
    later.put("c", "no condition")
    unsuspend_jobs()
    assert step(job)
    assert (job.outcome, "KeyError in a condition" in job.error.error_message) == ("failed", True)


def test_function_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that its module has no more is told when it is used."""
    job = make("print(fetch('d'))", fetch=later.wait_for_too)
    monkeypatch.delattr(later, "wait_for_too")
    assert step(job)
    assert "wait_for_too" in job.py_env.console[0]
