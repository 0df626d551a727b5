"""What the documents say about misuse: each mistake is answered with its documented error, and changes nothing."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from statek import LLM_Harness, LLM_HarnessError, get_llm_harness, start_statek, subtask, tool
from statek.agents.agent import Agent, SupervisedAgent
from statek.exceptions import FutureError
from statek.executors.chat_log_item import LLM_LogItem
from statek.executors.job import Job, JobDef, parse_model_metadata
from statek.executors.utils import process_agent_events, process_push_notifications, run_agentic_loop
from statek.future import FutureResult, get_all_future, get_any_future, temporal
from statek.settings import StatekSettings, set_statek_settings
from statek.statek_push_queue import StatekPushQueue
from statek.store import current
from statek.store.session import Store
from statek.system import get_pending_notifications, panic, send_notification_to
from statek.task import SubTaskHandler, complete_sub_task, create_new_job, create_sub_task
from statek.utils import perm_ctx_get, perm_ctx_set


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[SupervisedAgent]:
    """An agent with a model, in a store."""
    with Store.open(tmp_path, "misuse"):
        yield SupervisedAgent("clerk", "p", [], _metadata={"MODEL": "m"})


@pytest.fixture
def handler(agent: SupervisedAgent) -> SubTaskHandler:
    """A handler of a child that has not ended."""
    parent = create_new_job(agent)
    return create_sub_task(create_new_job(agent, parent_job=parent), id="a")


def test_no_model(agent: SupervisedAgent) -> None:
    """Definitions, jobs and loops need a model."""
    bare = SupervisedAgent("bare", None, [])
    with pytest.raises(ValueError, match="MODEL"):
        JobDef(bare)
    with pytest.raises(ValueError, match=r"'bare'.*MODEL"):
        bare.create_job_def()
    with pytest.raises(ValueError, match="MODEL"):
        create_new_job(Agent("plain", None, []))
    with pytest.raises(ValueError, match="MODEL"):
        asyncio.run(run_agentic_loop(bare, None, int, []))


def test_wrong_mapping_of_models(agent: SupervisedAgent) -> None:
    """A mapping of models that is not whole is refused when a definition is made."""
    for text in ("L:a", "L:a,M:b,H:c,L:d", "L:a,M:b,c"):
        with pytest.raises(ValueError, match="MODEL"):
            JobDef(agent, metadata={"MODEL": text})
    with pytest.raises(ValueError, match="empty"):
        parse_model_metadata("")


def test_start_inside_a_loop() -> None:
    """The blocking start names the other one."""

    async def inside() -> None:
        with pytest.raises(RuntimeError, match="start_statek_async"):
            start_statek()

    asyncio.run(inside())


def test_outcomes(handler: SubTaskHandler) -> None:
    """A child ends once, with a result or an error; its text is its result."""
    with pytest.raises(RuntimeError):
        str(handler)
    with pytest.raises(RuntimeError):
        handler.job.parent_job.push_notification(handler)
    with pytest.raises(RuntimeError, match="'a' has not completed"):
        handler.job.parent_job.find_sub_task_handler(id="a")
    with pytest.raises(ValueError, match="not both"):
        handler.complete(result=1, error="x")
    handler.complete(error="broken")
    with pytest.raises(RuntimeError, match="already"):
        handler.complete(result=1)
    with pytest.raises(RuntimeError, match="broken"):
        str(handler)


def test_completing(handler: SubTaskHandler) -> None:
    """Only a sub-task can complete itself."""
    with pytest.raises(RuntimeError, match="outside of a job"):
        complete_sub_task(1)
    with current.running(handler.job.parent_job), pytest.raises(RuntimeError, match="no sub_task_handler"):
        complete_sub_task(1)
    handler.job.add_locals(sub_task_handler=5)
    with current.running(handler.job), pytest.raises(TypeError, match="int"):
        complete_sub_task(1)


def test_outside_of_a_job(agent: SupervisedAgent) -> None:
    """What is about the running job needs one."""
    for call in (panic, get_pending_notifications, lambda: perm_ctx_set(a=1), lambda: perm_ctx_get("a")):
        with pytest.raises(RuntimeError, match="outside of a job"):
            call()
    assert perm_ctx_get("a", 5) == 5
    with pytest.raises(TypeError, match="Job or a SubTaskHandler"):
        send_notification_to("job-1", "hello")
    job = create_new_job(agent)
    with current.running(job):
        with pytest.raises(KeyError):
            perm_ctx_get("a")
        with pytest.raises(TypeError):
            perm_ctx_get("a", 1, 2)
        panic()
        with pytest.raises(RuntimeError, match="highest"):
            panic()


def test_tools_and_subtasks(agent: SupervisedAgent) -> None:
    """Functions are checked where they are decorated, what a subtask gives where it is called."""

    def plain(x: int) -> int:
        return x

    def named(id: int, **kwargs: Any) -> int:  # noqa: A002 - what is refused
        return id

    for decorate in (tool, subtask):
        with pytest.raises(TypeError, match="kwargs"):
            decorate(plain)
    with pytest.raises(TypeError, match="id"):
        subtask(named)
    with pytest.raises(TypeError, match="error_handler"):
        tool(error_handler=plain)
    with pytest.raises(TypeError, match="must return a Job"):
        wrong_subtask()


@subtask
def wrong_subtask(**kwargs: Any) -> int:
    """Give something else."""
    return 1


def value_of(future: Any) -> int:
    """A complement without a tuple of fixed length."""
    raise FutureError(future)


def is_ready(_future: Any) -> bool:
    """Never."""
    return False


def test_futures(agent: SupervisedAgent) -> None:
    """Combinations of arguments that mean nothing are refused; a future that is no tuple has no elements."""
    with pytest.raises(ValueError, match="temporal"):
        temporal()
    with pytest.raises(ValueError, match="temporal"):
        temporal(complement=value_of)
    with pytest.raises(ValueError, match="not both"):
        temporal(complement=value_of, condition=is_ready, extends=value_of)
    with pytest.raises(ValueError, match="not a temporal"):
        temporal(extends=value_of)
    for combine in (get_any_future, get_all_future):
        with pytest.raises(TypeError):
            combine()
    future = FutureResult("x", None)
    future.set_complement_functions(value_of, is_ready)
    with pytest.raises(FutureError):
        list(future)


def test_events(agent: SupervisedAgent) -> None:
    """An agent that takes events reads exactly one name; prefixes must be given."""
    agent.update_warmup_def("print(a, b)")
    StatekPushQueue().push_to_agent_queue(agent, "x")
    prefix = StatekPushQueue().prefix
    with pytest.raises(ValueError, match="exactly one external local"):
        process_agent_events(queue_prefixes=[prefix])
    for call in (process_agent_events, process_push_notifications):
        with pytest.raises(TypeError):
            call()  # type: ignore[operator]


def test_reading_past_the_end(agent: SupervisedAgent) -> None:
    """Requests and results that are not there."""
    job = Job(JobDef(agent))
    for number in (-1, 0):
        with pytest.raises(IndexError):
            job.get_request_data(number)
    with pytest.raises(KeyError):
        LLM_LogItem().get_tool_result(0)
    with pytest.raises(IndexError):
        LLM_LogItem(tool_log="x").get_tool_result(1)


def test_warmup_directives(agent: SupervisedAgent) -> None:
    """A bad directive is refused and changes nothing."""
    with pytest.raises(ValueError, match="line 1"):
        agent.update_warmup_def("#STATEK: nothing")
    with pytest.raises(SyntaxError):
        agent.update_warmup_def("x = f() #STATEK: as tool")
    assert agent.warmup_def is None


def test_limits(agent: SupervisedAgent) -> None:
    """The process's limits are those of its settings as they are; a limit that is passed is named."""
    set_statek_settings(StatekSettings(max_turns=2, limit_extension_per_completion=0.5))
    try:
        assert get_llm_harness() == LLM_Harness(2, 3, 1, 10_000, 0.5)
    finally:
        set_statek_settings(None)
    job = Job(JobDef(agent))
    job.turn = 2
    with pytest.raises(LLM_HarnessError, match="limit turns"):
        LLM_Harness(2, None, None, None).check(job)
    job.num_completions = 1
    LLM_Harness(2, None, None, None, limit_extension_per_completion=0.5).check(job)
    LLM_Harness(None, None, None, None).check(job)
