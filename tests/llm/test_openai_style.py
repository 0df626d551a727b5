"""The chat-completions format."""

import json

import pytest

from statek.llm.errors import ProviderError
from statek.llm.messages import Call, Message
from statek.llm.openai_style import address, decode, encode
from statek.llm.wire import Endpoint
from tests.loopback_llm import completion

SPEC = {"name": "look", "description": "Looks.", "parameters": {"type": "object", "properties": {}}}


def sent(request, base_url="https://example.test/v1", key="k"):
    """The POST for a request."""
    return encode(Endpoint("p", base_url, key, {"X-Title": "t"}), request)


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1/chat/completions"),
        ("https://openrouter.ai/api/v1/", "https://openrouter.ai/api/v1/chat/completions"),
        ("https://openrouter.ai/api/v1/chat/completions", "https://openrouter.ai/api/v1/chat/completions"),
        ("https://x.test/deploy?api-version=1", "https://x.test/deploy/chat/completions?api-version=1"),
    ],
)
def test_address(base_url, url):
    """A base url and a whole address both work."""
    assert address(base_url) == url


def test_headers(request_for):
    """The key goes as a bearer token, beside the configured headers; no key, no header."""
    assert sent(request_for()).headers == {"Authorization": "Bearer k", "X-Title": "t"}
    assert sent(request_for(), key=None).headers == {"X-Title": "t"}


def test_conversation(request_for):
    """Every kind of message keeps its place and its words."""
    call = Call("c1", "look", {"at": "é"})
    messages = [
        Message("system", "s"), Message("user", "u"), Message("assistant", None, (call,)),
        Message("tool", "r", call_id="c1"), Message("system", "reminder"),
    ]  # fmt: skip
    body = sent(request_for(*messages, tools=(SPEC,))).body
    assert [m["role"] for m in body["messages"]] == ["system", "user", "assistant", "tool", "system"]
    function = body["messages"][2]["tool_calls"][0]["function"]
    assert (function["name"], json.loads(function["arguments"])) == ("look", {"at": "é"})
    assert body["messages"][3] == {"role": "tool", "tool_call_id": "c1", "content": "r"}
    assert body["tools"] == [{"type": "function", "function": SPEC}]


def test_params(request_for):
    """Parameters keep their names but the bound on the answer, which OpenAI alone calls otherwise."""
    request = request_for(params={"temperature": 0.1, "seed": 7, "top_p": None, "max_output_tokens": 50})
    assert {"temperature": 0.1, "seed": 7, "max_tokens": 50}.items() <= sent(request).body.items()
    assert "top_p" not in sent(request).body
    assert sent(request, "https://api.openai.com/v1").body["max_completion_tokens"] == 50


@pytest.mark.parametrize(
    ("base_url", "value", "expected"),
    [
        ("https://openrouter.ai/api/v1", "high", {"reasoning": {"effort": "high"}}),
        ("https://api.openai.com/v1", 20, {"reasoning_effort": "low"}),
        ("https://api.openai.com/v1", {"max_tokens": 5}, {"reasoning": {"max_tokens": 5}}),
    ],
)
def test_reasoning(request_for, base_url, value, expected):
    """Reasoning goes out the way the service wants it, and a mapping as it is."""
    assert expected.items() <= sent(request_for(params={"reasoning": value}), base_url).body.items()


def test_own_reasoning_goes_back_to_its_provider_only(request_for):
    """What a provider thought is given back to it, and to nobody else."""
    message = completion("hi")["choices"][0]["message"] | {"reasoning_details": [{"text": "hm"}]}
    thought = decode({"choices": [{"message": message}]}, "p").reasoning
    for_it = sent(request_for(Message("assistant", "hi", reasoning=thought))).body["messages"][0]
    other = sent(request_for(Message("assistant", "hi", reasoning={**thought, "provider": "q"}))).body["messages"][0]
    assert (for_it["reasoning_details"], "reasoning_details" in other) == ([{"text": "hm"}], False)


def test_decode():
    """Text, calls and counts are read."""
    usage = {
        "prompt_tokens": 10, "completion_tokens": 2, "cost": 0.5, "prompt_tokens_details": {"cached_tokens": 4},
    }  # fmt: skip
    reply = decode(completion("hi", calls=[("look", {"at": 1})], usage=usage), "p")
    assert (reply.text, reply.calls, reply.model) == ("hi", (Call("c1", "look", {"at": 1}),), "loopback-1")
    assert (reply.tokens.input, reply.tokens.output, reply.tokens.cached, reply.tokens.cost_usd) == (10, 2, 4, 0.5)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": None}, None),
        ({"content": None, "refusal": "no"}, "no"),
        ({"content": [{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}]}, "ab"),
    ],
    ids=["null", "refusal", "parts"],
)
def test_content_shapes(message, text):
    """Null content, a refusal and a list of parts are understood; so is a null usage."""
    reply = decode({"choices": [{"message": message}], "usage": None}, "p")
    assert (reply.text, reply.tokens) == (text, None)


@pytest.mark.parametrize(("status", "code"), [(429, "rate"), (502, "server"), (402, "auth"), ("odd", "bad-answer")])
def test_error_inside_a_success(status, code):
    """A gateway's error object in an answer with status 200 is that error."""
    with pytest.raises(ProviderError, match="overloaded") as caught:
        decode({"error": {"code": status, "message": "overloaded"}}, "p")
    assert caught.value.code == code
