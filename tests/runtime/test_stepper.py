"""Single steps by hand: what the caller is told of what goes wrong."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import dbzero as db0
import pytest

from statek.exceptions import LLM_HarnessError, StatekError
from statek.runtime.stepper import job_worker, run_job_step
from statek.settings import LLM_API_Settings, StatekSettings, set_statek_settings
from statek.store.agent import SupervisedAgent
from statek.store.job import Job, JobStatus
from tests.loopback_llm import Canned, LoopbackLLM


@pytest.fixture
def llm() -> Iterator[LoopbackLLM]:
    """A model that says something, is not there once, and then ends the job."""
    with LoopbackLLM(["print('once')", Canned(400), "exit('done')"]) as server:
        yield server


@pytest.fixture
def job(tmp_path: Path, llm: LoopbackLLM) -> Iterator[Job]:
    """A job in an application's open store."""
    api = LLM_API_Settings(api_url=llm.url, api_key="test")
    set_statek_settings(StatekSettings(llm_api_settings={"OPENROUTER": api}, max_turns=1))
    db0.init(str(tmp_path), prefix="t", autocommit=False)
    try:
        yield Job(SupervisedAgent("clerk", "Hi.", [], _metadata={"MODEL": "f/m"}).create_job_def())
    finally:
        db0.close()
        set_statek_settings(None)


def step(job: Job) -> bool:
    """One step."""
    return asyncio.run(run_job_step(job))


def test_a_model_that_cannot_be_asked(job: Job) -> None:
    """The caller is told; what ran is not run again, and the next step asks again."""
    job.job_def.agent.update_metadata({"MODEL": "f/m", "MAX_TURNS": "5"})
    job = Job(job.job_def.agent.create_job_def())
    step(job)
    with pytest.raises(StatekError, match="400"):
        step(job)
    assert (job.status, list(job.py_env.console)) == (JobStatus.STARTED, ["once"])
    assert [step(job), step(job)] == [False, True]
    assert (job.exit_value, list(job.py_env.console)) == ("done", ["once"])


def test_a_limit(job: Job) -> None:
    """The caller is told, once; the job has ended with it."""
    step(job)
    with pytest.raises(LLM_HarnessError, match="limit turns: 2 would be used, 1 are allowed"):
        step(job)
    assert job.error.error_message.startswith("LLM_HarnessError: limit turns")
    assert step(job) is True


def test_a_worker_ends_the_job(job: Job, llm: LoopbackLLM) -> None:
    """A worker of one step ends a job whose model cannot be asked, and raises nothing."""
    llm.answers = [Canned(400)]
    asyncio.run(job_worker(asyncio.Semaphore(1), job))
    assert job.status == JobStatus.DONE
    assert "400" in job.error.error_message
