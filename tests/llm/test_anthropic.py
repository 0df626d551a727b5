"""Anthropic's messages format."""

import pytest

from statek.llm.anthropic import address, decode, encode
from statek.llm.errors import ProviderError
from statek.llm.messages import Call, Message
from statek.llm.wire import Endpoint

CALL = Call("c1", "look", {"at": 1})


def sent(request):
    """The POST for a request."""
    return encode(Endpoint("p", "https://api.anthropic.com", "k", {}), request)


@pytest.mark.parametrize(
    "base", ["https://a.test", "https://a.test/v1", "https://a.test/v1/", "https://a.test/v1/messages"]
)
def test_address(base):
    """The host, its version and the whole address all work."""
    assert address(base) == "https://a.test/v1/messages"


def test_headers(request_for):
    """The key has its own header, beside the version."""
    assert sent(request_for()).headers == {"anthropic-version": "2023-06-01", "x-api-key": "k"}


def test_no_system_text_is_lost(request_for):
    """System texts at the start are the system prompt; a later one stays in place, marked."""
    body = sent(request_for(Message("system", "a"), Message("system", "b"), Message("user", "u"),
                            Message("assistant", "x"), Message("system", "remember"))).body  # fmt: skip
    assert body["system"] == "a\n\nb"
    assert body["messages"][-1] == {
        "role": "user",
        "content": [{"type": "text", "text": "<system>\nremember\n</system>"}],
    }


def test_turns_alternate_and_results_come_first(request_for):
    """Neighbours of one role are one turn, in which results of calls precede text."""
    body = sent(request_for(Message("user", "u"), Message("assistant", "t", (CALL,)), Message("system", "s"),
                            Message("tool", "r", call_id="c1"), Message("user", "more"))).body  # fmt: skip
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    assert [block["type"] for block in body["messages"][1]["content"]] == ["text", "tool_use"]
    assert [block["type"] for block in body["messages"][2]["content"]] == ["tool_result", "text", "text"]


def test_params_and_tools(request_for):
    """The answer is always bounded, thinking comes on top, and a tool's parameters are its input schema."""
    tool = {"name": "look", "description": "Looks.", "parameters": {"type": "object"}}
    body = sent(request_for(params={"max_output_tokens": 100, "reasoning": "low"}, tools=(tool,))).body
    assert (body["max_tokens"], body["thinking"]) == (1124, {"type": "enabled", "budget_tokens": 1024})
    assert body["tools"] == [{"name": "look", "description": "Looks.", "input_schema": {"type": "object"}}]
    assert sent(request_for()).body["max_tokens"] == 4096


def test_seed_is_refused(request_for):
    """A parameter the format does not have is an error, not dropped."""
    with pytest.raises(ProviderError, match="seed"):
        sent(request_for(params={"seed": 1}))


def test_decode():
    """Text blocks are joined, calls read, and what came from the cache counts as input."""
    usage = {"input_tokens": 10, "cache_read_input_tokens": 90, "cache_creation_input_tokens": 5, "output_tokens": 3}
    blocks = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"},
              {"type": "tool_use", "id": "c1", "name": "look", "input": {"at": 1}}]  # fmt: skip
    reply = decode({"content": blocks, "usage": usage, "model": "m"}, "p")
    assert (reply.text, reply.calls, reply.reasoning) == ("ab", (CALL,), None)
    assert (reply.tokens.input, reply.tokens.cached, reply.tokens.output) == (105, 90, 3)


def test_thinking_goes_back_as_it_came(request_for):
    """Blocks of a thinking turn are given back unchanged to the same provider."""
    blocks = [{"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "text", "text": "a"}]
    reply = decode({"content": blocks}, "p")
    body = sent(request_for(Message("user", "u"), Message("assistant", reply.text, reasoning=reply.reasoning))).body
    assert body["messages"][1]["content"] == blocks
