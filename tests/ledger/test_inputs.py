"""Inputs against what an agent declares."""

import dataclasses

import pytest

from statek.ledger.compiled import Agent, Backoff, Json, Limits, Reload, Retry
from statek.ledger.inputs import check_inputs, fill_defaults

AGENT = Agent(
    name="triage", description="d", prompt="p", prompt_path="agents/triage.md", prompt_line=4, partials={},
    model=("fast",), params={}, inputs={}, output=None, vars={}, tools=(), subagents=(), warmup=None,
    limits=Limits(50, 200_000, None, 3_600_000_000, None, 10, 3, 0, 1), max_running=None,
    retry=Retry(1, Backoff(1, 2, 2.0)), reload=Reload("on-resume", "next-job", "next-job", "next-job", "tighten-now"),
    chat_style="console", imports=(), locale=None, metadata={},
)  # fmt: skip


def agent(**inputs: Json) -> Agent:
    """An agent with these inputs."""
    return dataclasses.replace(AGENT, inputs=inputs)


EVENT = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string"},
        "mag": {"type": "number"},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
}


def test_inputs_that_fit_have_no_problems() -> None:
    """Declared types, and properties nobody declared, pass."""
    assert check_inputs(agent(event=EVENT), {"event": {"id": "a", "mag": 5, "felt": None, "tags": ["x"]}}) == []


@pytest.mark.parametrize(
    ("kind", "value"),
    [("string", 5), ("number", "5"), ("number", True), ("number", float("nan")), ("integer", 1.5), ("integer", 1.0),
     ("integer", True), ("boolean", 1), ("object", []), ("array", {})],
)  # fmt: skip
def test_a_wrong_type_is_told_with_its_path(kind: str, value: Json) -> None:
    """Nothing is converted: what is not of the type is a problem."""
    found = check_inputs(agent(it={"type": kind}), {"it": value})

    assert len(found) == 1
    assert found[0].startswith("it: expected ")


def test_a_nested_problem_has_the_whole_path() -> None:
    """Property and index stand in the message."""
    found = check_inputs(agent(event=EVENT), {"event": {"id": "a", "mag": "big", "tags": ["x", 1]}})

    assert found == ['event.mag: expected a number, got "big"', "event.tags[1]: expected text, got 1"]


def test_a_missing_required_input_is_a_problem() -> None:
    """Inputs are required unless they say otherwise."""
    assert check_inputs(agent(name={"type": "string"}), {}) == ["name: required text is missing"]


@pytest.mark.parametrize("more", [{"optional": True}, {"default": "x"}])
def test_an_optional_input_may_be_absent_or_null(more: Json) -> None:
    """So may one with a default."""
    shape = agent(name={"type": "string", **more})

    assert check_inputs(shape, {}) + check_inputs(shape, {"name": None}) == []


def test_a_required_property_may_not_be_null() -> None:
    """Null counts as absent."""
    assert check_inputs(agent(event=EVENT), {"event": {"id": None}}) == ["event.id: required property is missing"]


def test_an_unknown_input_gets_the_nearest_name() -> None:
    """An agent takes no more inputs than it declares."""
    found = check_inputs(agent(event={"type": "string", "optional": True}), {"evnt": "x"})

    assert found == ["evnt: agent 'triage' has no such input; did you mean 'event'?"]


def test_a_value_outside_of_an_enum_is_a_problem() -> None:
    """The allowed ones are listed; True is not 1."""
    found = check_inputs(agent(n={"type": "integer", "enum": [1, 2]}), {"n": 3})

    assert found == ["n: expected one of 1, 2, got 3"]


def test_inputs_must_be_an_object() -> None:
    """Anything else is one problem."""
    assert len(check_inputs(agent(), [1])) == 1


def test_defaults_fill_what_was_not_given() -> None:
    """Given values win, null counts as not given."""
    shape = agent(a={"type": "integer", "default": 1}, b={"type": "integer", "default": 2}, c={"type": "integer"})

    assert fill_defaults(shape, {"a": None, "c": 3}) == {"a": 1, "b": 2, "c": 3}
