"""Google's generateContent format."""

import pytest

from statek.llm.errors import ProviderError
from statek.llm.gemini import address, decode, encode
from statek.llm.messages import Call, Message
from statek.llm.wire import Endpoint

CALL = Call("look-1", "look", {"at": 1})
BASE = "https://g.test/v1beta"


def sent(request):
    """The POST for a request."""
    return encode(Endpoint("p", BASE, "k", {}), request)


@pytest.mark.parametrize(
    ("base", "model", "url"),
    [
        (BASE, "flash", f"{BASE}/models/flash:generateContent"),
        (BASE + "/models", "flash", f"{BASE}/models/flash:generateContent"),
        (BASE, "projects/p/x", f"{BASE}/projects/p/x:generateContent"),
        (BASE + "/{model}:generateContent", "flash", f"{BASE}/flash:generateContent"),
        (BASE + "/models/fixed:generateContent", "flash", f"{BASE}/models/fixed:generateContent"),
        (BASE, "a b?x#", f"{BASE}/models/a%20b%3Fx%23:generateContent"),
    ],
)
def test_address(base, model, url):
    """The documented forms of a base url all lead to the model, whose id cannot change the rest."""
    assert address(base, model) == url


def test_conversation(request_for):
    """Roles are joined, results of calls carry the tool's name, and no system text is lost."""
    body = sent(request_for(Message("system", "s"), Message("user", "u"), Message("assistant", "t", (CALL,)),
                            Message("tool", "r", call_id="look-1"), Message("system", "later"))).body  # fmt: skip
    assert body["systemInstruction"] == {"parts": [{"text": "s"}]}
    assert [content["role"] for content in body["contents"]] == ["user", "model", "user"]
    assert body["contents"][1]["parts"] == [{"text": "t"}, {"functionCall": {"name": "look", "args": {"at": 1}}}]
    assert body["contents"][2]["parts"][0] == {"functionResponse": {"name": "look", "response": {"content": "r"}}}
    assert "later" in body["contents"][2]["parts"][1]["text"]


def test_result_without_call_is_refused(request_for):
    """A result that answers no earlier call is an error."""
    with pytest.raises(ProviderError, match="no earlier"):
        sent(request_for(Message("tool", "r", call_id="zzz")))


def test_settings(request_for):
    """Parameters have Google's names; thinking comes on top of the answer's bound."""
    body = sent(request_for(params={"top_p": 0.5, "max_output_tokens": 10, "seed": 3, "reasoning": "low"})).body
    expected = {"topP": 0.5, "maxOutputTokens": 1034, "seed": 3, "thinkingConfig": {"thinkingBudget": 1024}}
    assert body["generationConfig"] == expected


def test_decode():
    """Thoughts are left out of the text and counted as output."""
    parts = [{"text": "hm", "thought": True}, {"text": "a"}, {"functionCall": {"name": "look", "args": {"at": 1}}}]
    usage = {"promptTokenCount": 9, "candidatesTokenCount": 2, "thoughtsTokenCount": 3, "cachedContentTokenCount": 4}
    reply = decode({"candidates": [{"content": {"parts": parts}}], "usageMetadata": usage}, "p")
    assert (reply.text, reply.calls) == ("a", (Call("look-3", "look", {"at": 1}),))
    assert (reply.tokens.input, reply.tokens.output, reply.tokens.cached) == (9, 5, 4)


def test_signed_parts_go_back_as_they_came(request_for):
    """Parts with a thought signature are given back unchanged to the same provider."""
    parts = [{"functionCall": {"name": "look", "args": {}}, "thoughtSignature": "s"}]
    reply = decode({"candidates": [{"content": {"parts": parts}}]}, "p")
    body = sent(request_for(Message("assistant", None, reply.calls, reasoning=reply.reasoning))).body
    assert body["contents"][0]["parts"] == parts


def test_blocked_prompt():
    """An answer without candidates says why."""
    with pytest.raises(ProviderError, match="SAFETY"):
        decode({"promptFeedback": {"blockReason": "SAFETY"}}, "p")
