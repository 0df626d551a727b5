"""Answers by rule."""

import pytest

from statek.ledger.compiled import Rule, Script
from statek.llm.errors import ProviderError
from statek.llm.messages import Call, Message
from statek.llm.scripted import ScriptedProvider

CLI = {"name": "python_cli", "description": "Runs.", "parameters": {"properties": {"python_code": {"type": "string"}}}}


def rule(**changes) -> Rule:
    """A rule that says nothing but what is told."""
    empty = {"agent": None, "turn": None, "last": None, "text": None, "code": None, "tool_calls": (), "usage": {},
             "latency_us": 0, "error": None}  # fmt: skip
    return Rule(**(empty | changes))


@pytest.fixture
def answer(clock, request_for):
    """Asks a Script of the given rules."""

    async def ask(*rules, messages=(), **changes):
        provider = ScriptedProvider("demo", {"s": Script("s", rules)}, clock)
        return await provider.ask(request_for(*messages, **({"model": "s"} | changes)))

    return ask


async def test_first_match_wins(answer):
    """Of two rules that fit, the first answers."""
    assert (await answer(rule(text="one"), rule(text="two"))).text == "one"


@pytest.mark.parametrize("condition", [{"agent": "other"}, {"turn": 2}, {"last": "^bye"}], ids=lambda c: next(iter(c)))
async def test_conditions(answer, condition):
    """A rule whose agent, turn or text does not fit is passed over."""
    assert (
        await answer(rule(text="no", **condition), rule(text="yes", agent="triage", turn=1, last="hel+o"))
    ).text == "yes"


async def test_last_looks_at_the_newest_user_or_tool_text(answer):
    """`last` sees what the user, the console or a tool said last, not the model or the system."""
    messages = [Message("user", "old"), Message("tool", "new", call_id="c"), Message("assistant", "old"),
                Message("system", "old")]  # fmt: skip
    assert (await answer(rule(text="no", last="old"), rule(text="yes", last="new"), messages=messages)).text == "yes"


async def test_no_rule(answer):
    """No fitting rule is an error that names agent, job and turn, and is not tried again."""
    with pytest.raises(ProviderError, match="agent 'triage', job j1, turn 1") as caught:
        await answer(rule(turn=2))
    assert (caught.value.code, caught.value.retryable) == ("no-rule", False)


async def test_unknown_script(answer):
    """A model id that names no Script is an error that lists those there are."""
    with pytest.raises(ProviderError, match="there are: s"):
        await answer(rule(text="x"), model="t")


@pytest.mark.parametrize(
    ("text", "said"),
    [("Look:", "Look:\n\n```python\nprint(1)\n```"), (None, "```python\nprint(1)\n```")],
)
async def test_code_stands_in_a_fence(answer, text, said):
    """Text then code in one python fence is what the model is taken to have said."""
    assert (await answer(rule(text=text, code="print(1)\n"))).text == said


async def test_code_is_a_call_where_python_cli_is_offered(answer):
    """In direct style the code is one call, with the parameter that the tool declares."""
    got = await answer(rule(text="Look:", code="print(1)"), tools=(CLI,))
    assert (got.text, got.calls) == ("Look:", (Call("scripted-1-1", "python_cli", {"python_code": "print(1)"}),))


async def test_tool_calls(answer):
    """Declared calls are made, with ids that are the same every time."""
    calls = ({"name": "look", "arguments": {"at": 1}}, {"name": "go"})
    got = await answer(rule(tool_calls=calls), turn=3)
    assert got.calls == (Call("scripted-3-1", "look", {"at": 1}), Call("scripted-3-2", "go", {}))


async def test_it_says_that_it_is_scripted_and_free(answer):
    """No scripted answer passes for a model's or costs anything."""
    got = await answer(rule(text="x"))
    assert (got.scripted, got.usage.cost_usd, got.provider) == (True, 0.0, "demo")


async def test_usage(answer):
    """Tokens are those of the rule, and by size where it gives none."""
    got = await answer(rule(text="x" * 400, usage={"input_tokens": 77}))
    assert got.usage.input_tokens == 77
    assert got.usage.output_tokens == got.bytes_received // 4 > 100


async def test_latency_passes_on_the_clock(answer, clock):
    """Latency is waited on the given clock and shows as the call's seconds."""
    got = await answer(rule(text="x", latency_us=2_500_000))
    assert (clock.slept, got.seconds) == ([2.5], 2.5)


@pytest.mark.parametrize(("text", "code"), [("rate", "rate"), ("auth", "auth"), ("the model is overloaded", "server")])
async def test_error(answer, clock, text, code):
    """A rule may fail: by a code's name, else as a server error with its text, after the latency."""
    with pytest.raises(ProviderError, match=text) as caught:
        await answer(rule(error=text, latency_us=1_000_000))
    assert (caught.value.code, clock.slept) == (code, [1.0])
