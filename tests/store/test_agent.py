"""Agents made in Python: prompt, tools by name, metadata, warmup; and the stored side of compiled ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dbzero as db0
import pytest

from statek.store import root
from statek.store.agent import Agent, SupervisedAgent, WarmupDef, spec_agent
from statek.text.warmup import CodeBlock

META = {"MODEL": "acme/small"}


def greet(name: str) -> str:
    """Greet somebody."""
    return f"hello {name}"


def _inside(name: str) -> str:
    """Not shown."""
    return name


def reopen(folder: Path) -> None:
    """Close the store and open it again."""
    db0.commit()
    db0.close()
    db0.init(str(folder), prefix="t", autocommit=False)


def supervised(**more: Any) -> SupervisedAgent:
    """An agent with a model."""
    return SupervisedAgent("clerk", more.pop("prompt", "Be kind."), more.pop("tools", [greet]), _metadata=META, **more)


def test_an_agent_is_found_with_its_tools(store: Path) -> None:
    """Role, metadata, description and importable tools come back after a restart."""
    supervised(_description="kind")
    reopen(store)
    agent = root.find_agent(role="clerk")
    assert agent is not None
    assert (agent.metadata, agent.description) == (META, "kind")
    assert [tool("you") for tool in agent.tools] == ["hello you"]


def test_internal_tools_are_not_shown(store: Path) -> None:
    """A tool whose name begins with an underscore can be called but is not shown."""
    agent = supervised(_internal_tools=[_inside])
    assert [tool.__name__ for tool in agent.tools] == ["greet"]
    assert [tool.__name__ for tool in agent.all_tools] == ["greet", "_inside"]


def test_nested_functions_belong_to_the_process(store: Path) -> None:
    """A function without an import name is a tool in this process and left out after a restart."""

    def nested() -> int:
        return 1

    agent = supervised(tools=[greet, nested])
    assert agent.context["nested"] is nested
    assert [tool.__name__ for tool in agent.all_tools] == ["greet", "nested"]
    address = db0.uuid(agent)
    reopen(store)
    _contexts_of_a_new_process()
    assert [tool.__name__ for tool in db0.fetch(address).all_tools] == ["greet"]


def _contexts_of_a_new_process() -> None:
    from statek.store import agent as module

    module._contexts.clear()


@pytest.mark.parametrize(
    ("method", "new"),
    [("update_system_prompt", "Be brief."), ("update_metadata", {"MODEL": "b"}), ("update_description", "new")],
)
def test_updates_say_whether_they_changed(store: Path, method: str, new: Any) -> None:
    """An update is True the first time and False when it changes nothing."""
    update: Callable[[Any], bool] = getattr(supervised(), method)
    assert (update(new), update(new), update(None)) == (True, False, True)


def test_system_prompt(store: Path) -> None:
    """Placeholders are filled with parameters; one without a value is an error that names it."""
    agent = supervised(prompt="For {who}.")
    assert agent.system_prompt(job_params={"who": "you"}) == "For you."
    with pytest.raises(KeyError, match="who"):
        agent.system_prompt(job_params={"whom": "you"})


def test_warmup_update(store: Path) -> None:
    """Warmup text is parsed; the same text again changes nothing, None takes it away."""
    agent = supervised()
    text = "#STATEK: hidden = True\nx = load(a)\nprint(x)"
    assert (agent.update_warmup_def(text), agent.update_warmup_def(text)) == (True, False)
    assert agent.warmup_def is not None
    assert agent.warmup_def.hidden is True
    assert agent.referenced_locals == ["a"]
    assert (agent.update_warmup_def(None), agent.warmup_def) == (True, None)


def test_bad_directive_is_refused(store: Path) -> None:
    """A directive that does not follow the grammar is refused and changes nothing."""
    agent = supervised()
    with pytest.raises(ValueError, match="STATEK"):
        agent.update_warmup_def("#STATEK: what\nx = 1")
    assert agent.warmup_def is None


def test_hidden_is_only_the_boolean(store: Path) -> None:
    """Only the boolean True hides a warmup."""
    assert WarmupDef("x = 1", {"hidden": True}).hidden
    assert not WarmupDef("x = 1", {"hidden": "yes"}).hidden


def test_job_def_runs_dynamic_warmup_first(store: Path) -> None:
    """A definition has the warmup that was given before the agent's own."""
    agent = supervised(warmup_def=WarmupDef("own = 1"))
    assert agent.create_job_def(warmup_code="given = 1").warmup_code == ["given = 1", "own = 1"]
    assert agent.create_job_def().warmup_code == "own = 1"


def test_blocks_keep_their_metadata(store: Path) -> None:
    """Blocks with calls or metadata come back as blocks."""
    block = CodeBlock("x = 1", None, {"hidden": True})
    assert WarmupDef([block, "y = 2"]).warmup_code == [block, "y = 2"]


def test_a_definition_needs_a_model(store: Path) -> None:
    """Without MODEL metadata no definition is made."""
    agent = SupervisedAgent("dumb", None, [])
    with pytest.raises(ValueError, match="'dumb' has no MODEL metadata"):
        agent.create_job_def()


def test_compiled_agents_are_made_once(store: Path) -> None:
    """The stored side of a revision is made once and found by it."""
    first = spec_agent("clerk", "clerk@1", "scripted")
    assert spec_agent("clerk", "clerk@1", "scripted") is first
    assert spec_agent("clerk", "clerk@2", "scripted") is not first
    assert first.revision == "clerk@1"


def test_plain_agents_have_jobs_too(store: Path) -> None:
    """An agent that is not supervised has definitions without a warmup of its own."""
    agent = Agent("helper", None, [greet], _metadata={"MODEL": "m"})
    assert agent.create_job_def().warmup_code is None
    assert agent.prompt is None
