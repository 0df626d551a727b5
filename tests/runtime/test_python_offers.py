"""Agents made in Python: what their jobs are offered is kept while it is the same, and anew as soon as it is not."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dbzero as db0
import pytest

from statek.runtime.catalog import MADE, Catalog, PythonOffers
from statek.runtime.delegation import create_new_job
from statek.runtime.offer import DOCUMENTED_LIMITS
from statek.runtime.stepper import run_job_step
from statek.settings import LLM_API_Settings, StatekSettings, set_statek_settings
from statek.store.agent import SupervisedAgent
from statek.store.job import Job
from tests.loopback_llm import LoopbackLLM

code = {"now": "exit('done')"}


@pytest.fixture
def llm() -> Iterator[LoopbackLLM]:
    """A model that writes the code of the moment."""
    with LoopbackLLM(lambda _: code["now"]) as server:
        yield server


@pytest.fixture(autouse=True)
def store(tmp_path: Path, llm: LoopbackLLM) -> Iterator[None]:
    """An application's open store, with settings for the model."""
    api = LLM_API_Settings(api_url=llm.url, api_key="test")
    set_statek_settings(StatekSettings(llm_api_settings={"OPENROUTER": api}, max_turns=50))
    db0.init(str(tmp_path), prefix="t", autocommit=False)
    try:
        yield
    finally:
        db0.close()
        set_statek_settings(None)


def one() -> str:
    """The first."""
    return "one"


def two() -> str:
    """The second."""
    return "two"


def clerk(*tools: Any, **context: Any) -> SupervisedAgent:
    """An agent."""
    return SupervisedAgent("clerk", "You are a clerk.", tools, _metadata={"MODEL": "f/m"}, _X__context=context)


def step(job: Job) -> bool:
    """One step."""
    return asyncio.run(run_job_step(job))


def run(agent: SupervisedAgent, text: str) -> Any:
    """What a job with this code exits with."""
    code["now"] = text
    job = create_new_job(agent)
    while not step(job):
        pass
    return job.exit_value


def test_kept_while_the_same() -> None:
    """Definitions that differ in parameters only have one offer, and environments go from job to job."""
    agent, catalog = clerk(one, fact=1), Catalog(None)
    first, second = (catalog.of(create_new_job(agent, topic=topic)) for topic in ("a", "b"))
    assert first is second
    environment = catalog.borrow(first)
    catalog.give_back(first, environment)
    assert catalog.borrow(second) is environment


def test_changed_context_is_seen() -> None:
    """A value or a function put into the context, or replaced there, is what the next job finds."""
    agent = clerk(fact="old", call=one)
    assert run(agent, "exit([fact, call()])") == ["old", "one"]
    agent.context.update(fact="new", call=two)
    assert run(agent, "exit([fact, call()])") == ["new", "two"]
    del agent.context["call"]
    assert run(agent, "try:\n    call()\nexcept NameError:\n    exit('gone')") == "gone"


def test_new_tool_is_seen_by_the_next_step() -> None:
    """A tool that an agent gets between two steps can be called by the job that is at work."""
    agent = clerk(one)
    code["now"] = "x = one()"
    job = create_new_job(agent)
    step(job)
    agent.append_tool(two)
    code["now"] = "exit([x, two()])"
    assert not step(job)
    assert step(job)
    assert job.exit_value == ["one", "two"]


def test_new_prompt_and_style_are_seen_by_the_next_step(llm: LoopbackLLM) -> None:
    """The next request has the prompt, the tools in it and the chat style that there are then."""
    agent = clerk(one)
    job = create_new_job(agent)
    code["now"] = "x = 1"
    step(job)
    agent.update_system_prompt("You are a cook. {tools}")
    job.job_def.set_chat_style(None)
    step(job)
    assert [request["messages"][0]["content"][:14] for request in llm.requests] == ["You are a cler", "You are a cook"]


def test_two_agents_of_one_role() -> None:
    """What one of them has the other does not see."""
    first, second = clerk(fact=1), clerk(fact=2)
    assert [run(agent, "exit(fact)") for agent in (first, second, first)] == [1, 2, 1]


def test_few_are_kept() -> None:
    """The offers of long ago go, with their environments."""
    agent, known = clerk(one), PythonOffers()
    definitions = [agent.create_job_def(warmup_code=f"x = {n}") for n in range(MADE + 2)]
    made = [known.of_def(definition, DOCUMENTED_LIMITS) for definition in definitions]
    assert known.of_def(definitions[-1], DOCUMENTED_LIMITS) is made[-1]
    assert known.of_def(definitions[0], DOCUMENTED_LIMITS) is not made[0]
    environment = known.pools.borrow(made[0])
    known.pools.give_back(made[0], environment)
    assert known.pools.borrow(made[0]) is not environment
