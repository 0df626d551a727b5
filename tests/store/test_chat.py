"""History records survive as bytes, exactly."""

from datetime import UTC, datetime

import pytest

from statek.store.chat import ChatItem, decode_item, encode_item

ITEMS = [
    ChatItem("user", 5, 2, "hello"),
    ChatItem(
        "answer", 1, 0, None, ({"id": "1", "name": "f", "arguments": {"b": 1, "a": [None]}},), note={"model": "m"}
    ),
    ChatItem("tool", 1, 3, "", call_id="1", error=True),
    ChatItem("warmup", 2**53, 0, "nul \0 and half a pair \ud800 and ü", hidden=True),
]


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.kind)
def test_round_trip(item: ChatItem) -> None:
    """Every field comes back, whatever characters its text has."""
    assert decode_item(encode_item(item)) == item


def test_key_order_of_arguments_is_kept() -> None:
    """Arguments of a call keep their order, which the store itself would lose."""
    found = decode_item(encode_item(ITEMS[1]))
    assert list(found.calls[0]["arguments"]) == ["b", "a"]


def test_defaults_cost_nothing() -> None:
    """Fields at their default are not written."""
    assert encode_item(ChatItem("user", 5, 2, "hi")) == b'{"kind":"user","at_us":5,"console_pos":2,"text":"hi"}'


def test_readings() -> None:
    """Time as aware UTC; text as message or as answer."""
    assert ITEMS[0].timestamp == datetime(1970, 1, 1, 0, 0, 0, 5, tzinfo=UTC)
    assert (ITEMS[0].message, ITEMS[0].llm_resp) == ("hello", None)
    assert ChatItem("answer", 1, 0, "code").llm_resp == "code"
