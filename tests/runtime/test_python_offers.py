"""Agents made in Python: what their jobs are offered is kept while it is the same, and anew as soon as it is not."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dbzero as db0
import pytest

from statek.exceptions import StatekError
from statek.runtime.catalog import MADE, Catalog, PythonOffers
from statek.runtime.delegation import create_new_job
from statek.runtime.offer import DOCUMENTED_LIMITS
from statek.runtime.stepper import run_job_step
from statek.settings import LLM_API_Settings, StatekSettings, get_statek_settings, set_statek_settings
from statek.store.agent import SupervisedAgent
from statek.store.job import Job
from statek.tools.registry import tool
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


@tool(hidden=True)
def concealed(**_: Any) -> str:
    """Seen by nobody."""
    return "done"


def allow(**fields: Any) -> None:
    """Change the settings."""
    set_statek_settings(get_statek_settings().model_copy(update=fields))


def test_hidden_tools_of_the_settings() -> None:
    """Code may call the hidden tools that the operator names, by another name too, and no others."""
    agent = clerk(concealed)
    asked = "try:\n    exit(concealed())\nexcept Exception as error:\n    exit(type(error).__name__)"
    assert run(agent, asked) == "Refused"
    allow(python_sandbox_allowed_tools="other, concealed")
    assert run(agent, asked) == "done"
    assert run(agent, "also = concealed\nexit(also())") == "done"
    assert "concealed" not in create_new_job(agent).system_prompt()


@pytest.mark.parametrize(
    ("fields", "text", "said"),
    [
        ({"python_sandbox_allowed_imports": "math"}, "import math\nimport json", "json"),
        ({"python_sandbox_max_ast_nodes": 10}, "x = [1, 2, 3, 4, 5, 6, 7, 8]", "at most 10"),
        ({"python_sandbox_max_source_bytes": 50}, f"x = '{'a' * 50}'", "at most 50"),
    ],
)
def test_bounds_of_the_settings(fields: dict[str, Any], text: str, said: str) -> None:
    """What the settings do not allow is refused with the reason, and the job goes on."""
    allow(**fields)
    job, code["now"] = create_new_job(clerk()), text
    step(job)
    code["now"] = "exit(1)"
    step(job)
    assert said in job.py_env.console[-1]


def test_modules_that_an_operator_adds() -> None:
    """A module that the kit does not know can be imported where the settings name it."""
    allow(python_sandbox_allowed_imports="math,colorsys")
    assert run(clerk(), "import colorsys\nexit(colorsys.rgb_to_hsv(0, 0, 0)[0])") == 0


def test_box_around_the_console(llm: LoopbackLLM) -> None:
    """What code printed stands in the tag that the settings name, what a user says does not."""
    allow(xml_box_console="output")
    job, code["now"] = create_new_job(clerk()), "print('seen')"
    job.push_user_message("hello")
    step(job)
    step(job)
    said = [message["content"] for message in llm.requests[1]["messages"]]
    assert "<output>\nseen\n</output>" in said
    assert "hello" in said


@pytest.mark.parametrize("text", ["hot", "-1", "nan", "inf"])
def test_a_temperature_that_is_none(text: str) -> None:
    """It is named, with the agent, where the job begins."""
    clerk = SupervisedAgent("clerk", "Hi.", [], _metadata={"MODEL": "f/m", "TEMPERATURE": text})
    with pytest.raises(StatekError, match=f"TEMPERATURE '{text}' of 'clerk': expected a number"):
        PythonOffers().of_def(clerk.create_job_def(), DOCUMENTED_LIMITS)
