"""Requests and answers as values."""

import dataclasses
import json

import pytest

from statek.exceptions import BugError
from statek.llm.messages import Answer, Call, Message, Request, Usage

CALL = Call("c1", "look", {"where": "here", "deep": [1, None]})
ANSWER = Answer("hi", (CALL,), Usage(3, 4, 1, 0.5), "m", "p", False, {"provider": "p", "fields": {}}, 10, 20, 0.25)
MESSAGES = (Message("user", "hello"), ANSWER.message(), Message("tool", "there", call_id="c1"))
SPEC = {"name": "look", "description": "Looks.", "parameters": {"type": "object", "properties": {}}}
REQUEST = Request("m", MESSAGES, {"temperature": 0.5}, (SPEC,), "triage", "j1", 2, "k1")


@pytest.mark.parametrize("value", [CALL, *MESSAGES, REQUEST, ANSWER, ANSWER.usage], ids=lambda v: type(v).__name__)
def test_json_round_trip(value):
    """What goes to the ledger as JSON text comes back equal."""
    assert type(value).from_json(json.loads(json.dumps(value.to_json()))) == value


def test_other_fields_are_refused():
    """A stored answer with other fields is an error, not a guess."""
    with pytest.raises(BugError, match="Usage"):
        Answer.from_json({**ANSWER.to_json(), "usage": {"input_tokens": 1}})


def test_digest_leaves_the_key_out():
    """The same question has the same digest, whatever its idempotency key."""
    assert REQUEST.digest() == dataclasses.replace(REQUEST, key="other").digest()


@pytest.mark.parametrize(
    "change", [{"model": "n"}, {"messages": MESSAGES[:1]}, {"params": {}}, {"tools": ()}], ids=lambda c: next(iter(c))
)
def test_digest_covers_what_goes_out(change):
    """Another model, conversation, parameter or tool is another question."""
    assert REQUEST.digest() != dataclasses.replace(REQUEST, **change).digest()


def test_digest_is_12_hex_digits_even_for_odd_text():
    """Text that has no UTF-8 form has a digest too."""
    digest = dataclasses.replace(REQUEST, messages=(Message("user", "\ud800"),)).digest()
    assert (len(digest), int(digest, 16) >= 0) == (12, True)
