"""Reading foreign JSON, and parameters."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statek.llm import anthropic, gemini, openai_style, wire
from statek.llm.errors import ProviderError


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"a": NaN}', "NaN"),
        (b"[-Infinity]", "Infinity"),
        (b"[1e999]", "out of range"),
        (b'{"a": 1, "a": 2}', "repeats"),
        (b"[" * 200_000, "recursion"),
        (b"[" * 150 + b"]" * 150, "100 deep"),
        (b"\xff", "decode"),
        (b"[" + b"9" * 5000 + b"]", "limit"),
        (b"", "empty"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_load_refuses(body, reason):
    """Each way of not being strict JSON is refused with its own reason."""
    with pytest.raises(ProviderError, match=reason) as caught:
        wire.load(body)
    assert caught.value.code == "bad-answer"


def test_half_a_pair_is_written_out():
    """What was cut in the middle of a pair, as an emoji may be, reads as code would write it; whole pairs are whole."""
    body = b'{"k\\ud83d": ["a\\ud83d b", "\\ud83d\\ude00"]}'
    assert wire.load(body) == {"k\\ud83d": ["a\\ud83d b", "\U0001f600"]}


@pytest.mark.parametrize("cost", [-1, -0.001, 1e7, 10**400])
def test_what_is_no_cost_is_a_bad_answer(cost):
    """Money below nothing, or more than any answer costs."""
    with pytest.raises(ProviderError, match="expected 0 to 1,000,000") as caught:
        wire.cost_of(cost)
    assert (caught.value.code, wire.cost_of(0.5), wire.cost_of(None)) == ("bad-answer", 0.5, None)


@pytest.mark.parametrize("data", [{"a": [1, 1.5, None, "\U0001f600"]}, [[{}] * 200], "x"], ids=["mix", "wide", "text"])
def test_load_reads(data):
    """Ordinary JSON is read, escaped pairs of surrogates and many brackets too."""
    assert wire.load(json.dumps(data).encode()) == data


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
WORDS = st.sampled_from(
    """choices message content tool_calls function name arguments usage id text type tool_use input candidates parts
    functionCall args usageMetadata error code promptFeedback thinking""".split()  # noqa: SIM905 - shorter to read
)
ODD = st.recursive(JSON, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5))


@settings(deadline=None, max_examples=200)
@given(ODD)
def test_odd_answers_never_crash(data):
    """Whatever JSON an answer is, an adapter understands it or raises ProviderError."""
    for adapter in (openai_style.ADAPTER, anthropic.ADAPTER, gemini.ADAPTER):
        try:
            adapter.decode(data, "p")
        except ProviderError as error:
            assert error.code in ("bad-answer", "bad-request", "auth", "rate", "server", "timeout")  # noqa: PT017


@pytest.mark.parametrize(
    ("raw", "arguments"),
    [
        ('{"a": 1}', {"a": 1}),
        ({"a": 1}, {"a": 1}),
        ("", {}),
        (None, {}),
        ("{oops", {"malformed_arguments": "{oops"}),
        ("[1]", {"malformed_arguments": "[1]"}),
        ([1], {"malformed_arguments": "[1]"}),
    ],
)
def test_arguments(raw, arguments):
    """Arguments that are no object are kept as the one argument no tool takes."""
    assert wire.arguments_of(raw) == arguments


@pytest.mark.parametrize("params", [{"top_k": 3}, {"temperature": "hot"}, {"seed": True}, {"max_output_tokens": "8k"}])
def test_bad_params(request_for, params):
    """An unknown parameter, or one that is no number, is refused and not dropped."""
    with pytest.raises(ProviderError, match=next(iter(params))):
        wire.params_of(request_for(params=params))


@pytest.mark.parametrize(
    ("value", "effort"),
    [
        ("high", "high"),
        (0, None),
        (1, "low"),
        (33, "low"),
        (34, "medium"),
        ("66", "medium"),
        (67, "high"),
        (100, "high"),
    ],
)
def test_effort(value, effort):
    """Reasoning is a word or a level, the levels in thirds."""
    assert wire.effort_of(value) == effort


@pytest.mark.parametrize("value", ["very", 101, -1, True, 1.5])
def test_bad_effort(value):
    """Any other reasoning is refused."""
    with pytest.raises(ProviderError, match="reasoning"):
        wire.effort_of(value)


@pytest.mark.parametrize("body", [{"a": float("nan")}, {"a": "\ud800"}, {"a": {1, 2}}], ids=["nan", "surrogate", "set"])
def test_dump_refuses(body):
    """A request that has no JSON form is refused before it is sent."""
    with pytest.raises(ProviderError) as caught:
        wire.dump(body)
    assert caught.value.code == "bad-request"
