"""Definitions: frozen, shared, found again by what they say."""

from pathlib import Path

import dbzero as db0
import pytest

from statek.settings import ChatStyle
from statek.store import root
from statek.store.agent import SupervisedAgent
from statek.store.job_def import JobDef, JobDefError, definition_digest, warmup_data
from statek.text.warmup import CallSpec, CodeBlock


@pytest.fixture
def agent(store: Path) -> SupervisedAgent:
    """An agent with a model."""
    return SupervisedAgent("clerk", None, [], _metadata={"MODEL": "acme/family/small", "CHAT_STYLE": "markdown"})


def test_model_is_needed(agent: SupervisedAgent) -> None:
    """A definition without a model is refused and names the agent."""
    with pytest.raises(ValueError, match="no MODEL metadata for agent 'clerk'"):
        JobDef(agent, metadata={})


def test_metadata_is_frozen(agent: SupervisedAgent) -> None:
    """What the agent's metadata becomes later does not reach a definition that was made before."""
    definition = JobDef(agent)
    agent.update_metadata({"MODEL": "other"})
    assert definition.model == "acme/family/small"


@pytest.mark.parametrize(
    ("model", "provider", "family"),
    [("p/f/m", "p", "f"), ("f/m", None, "f"), ("m", None, None), ("p/f/m/x", "p", "f"), ("/m", None, None)],
)
def test_parts_of_the_model_string(agent: SupervisedAgent, model: str, provider: str, family: str) -> None:
    """Provider and family are read from the model string."""
    definition = JobDef(agent, metadata={"MODEL": model})
    assert (definition.named_provider, definition.model_family) == (provider, family)
    assert definition.provider == (provider or "OPENROUTER")


def test_provider_metadata_fills_in(agent: SupervisedAgent) -> None:
    """Where the model string names no provider, the metadata may."""
    assert JobDef(agent, metadata={"MODEL": "f/m", "PROVIDER": "q"}).provider == "q"


def test_chat_style(agent: SupervisedAgent) -> None:
    """The definition's own style counts before the metadata's."""
    definition = JobDef(agent)
    assert definition.chat_style == ChatStyle.MARKDOWN
    definition.set_chat_style(ChatStyle.DIRECT)
    assert definition.chat_style == ChatStyle.DIRECT
    definition.set_chat_style(None)
    assert definition.chat_style == ChatStyle.MARKDOWN


def test_errors_are_kept(agent: SupervisedAgent) -> None:
    """Errors are recorded in order, with frames unless told not to, and can be forgotten."""
    definition = JobDef(agent)
    try:
        raise ValueError("first")
    except ValueError as error:
        definition.set_error(error)
    definition.set_error(KeyError("second"), collect_traceback=False)
    first, second = definition.get_errors()
    assert (first.error_message, second.traceback) == ("first", None)
    assert "raise ValueError" in "".join(first.traceback or [])
    definition.clear_errors()
    assert not definition.has_errors()


def test_error_text_is_exact(store: Path) -> None:
    """An error's text survives whatever characters it has."""
    assert JobDefError(ValueError("nul \0 \ud800")).error_message == "nul \0 \ud800"


def test_equal_definitions_are_found(agent: SupervisedAgent) -> None:
    """A definition is found by agent, metadata, parameters, warmup, style and locale; any difference makes another."""
    definition = JobDef(agent, job_params={"a": 1}, warmup_code="x = 1", locale="de")
    meta = {"CHAT_STYLE": "markdown", "MODEL": "acme/family/small"}
    same = definition_digest(agent, meta, {"a": 1}, warmup_data("x = 1"), "", "de")
    assert root.find_job_def(same) is definition
    assert root.find_job_def(definition_digest(agent, meta, {"a": 2}, warmup_data("x = 1"), "", "de")) is None


def test_warmup_with_calls_survives(agent: SupervisedAgent, store: Path) -> None:
    """Blocks with formal calls come back equal after a restart."""
    block = CodeBlock("y = 1", [CallSpec("STATEK-001", "f", [1], {"a": "b"})])
    address = db0.uuid(JobDef(agent, warmup_code=[block, "z = 2"]))
    root.current_root().jobs.append(db0.fetch(address))
    db0.commit()
    db0.close()
    db0.init(str(store), prefix="t", autocommit=False)
    assert db0.fetch(address).warmup_code == [block, "z = 2"]


def test_a_changed_definition_moves(agent: SupervisedAgent) -> None:
    """A definition whose warmup or style changed is found by what it is now, not by what it was."""
    first = agent.create_job_def(a=1)
    assert agent.create_job_def(a=1) is first
    first.update_warmup_code("x = 1")
    second = agent.create_job_def(a=1)
    assert second is not first
    assert agent.create_job_def(warmup_code="x = 1", a=1) is first
    second.set_chat_style(ChatStyle.DIRECT)
    assert agent.create_job_def(a=1) is not second
    second.set_chat_style(None)
    assert agent.create_job_def(a=1) is not first


def test_difficulties_share_a_definition(agent: SupervisedAgent) -> None:
    """A mapping of models is kept as it was written and found again; the agent's own metadata stays untouched."""
    agent.update_metadata({"MODEL": "L:p/f/a,MH:q/f/b"})
    first = agent.create_job_def()
    assert agent.create_job_def() is first
    assert (first.model, first.model_family, first.named_provider) == ("L:p/f/a,M:q/f/b,H:q/f/b", "f", None)
    assert agent.metadata == {"MODEL": "L:p/f/a,MH:q/f/b"}
    agent.update_metadata({"MODEL": "L:a"})
    with pytest.raises(ValueError, match="leaves out M, H"):
        agent.create_job_def()


def test_many_definitions_stay_cheap(agent: SupervisedAgent) -> None:
    """Finding or making a definition does not get slower with the number of them: nothing is gone through."""
    for n in range(1_000):
        agent.create_job_def(request=n)
    slots = root.current_root().job_defs
    assert len(slots) == len(root.current_root().def_index) == 1_000
    assert agent.create_job_def(request=7) is slots[7]
