"""Items on their way: keys, urgency, ids of tries."""

import pytest

from statek.ledger import compiled, items
from statek.ledger.compiled import Backoff, Retry
from statek.testing import declare_queue


@pytest.mark.parametrize("number", [1, 2, 17])
def test_the_id_of_a_try_says_which_one_it_is(number: int) -> None:
    """From the id of a job follows that of the first try, and back."""
    assert items.first_and_number(items.try_id("in:a~b", number)) == ("in:a~b", number)


def test_a_path_may_begin_with_the_variable_of_the_item() -> None:
    """`event.customer` is `customer` of an item that is delivered as `event`."""
    queue = declare_queue("in", "clerk", deliver_as="event", key="event.customer")
    assert items.key_of(queue, {"customer": 7}) == items.key_of(queue, {"event": {"customer": 7}}) == "int 7"
    assert items.key_of(queue, {"customer": "7"}) != "int 7"
    assert items.key_of(queue, {}) is None


def test_urgency() -> None:
    """A higher number is more urgent; words come as listed; what is neither comes last."""
    queue = declare_queue("in", "clerk", order="priority", priority="p")
    ranks = [items.rank_of(queue, item) for item in ({"p": 2}, {"p": 1}, {"p": "x"}, {"p": True}, {}, 7)]
    assert ranks == [-2.0, -1.0, *[float("inf")] * 4]
    words = declare_queue("in", "clerk", order="priority", priority="p", priorities=("high", "low"))
    assert [items.rank_of(words, {"p": word}) for word in ("high", "low", "odd")] == [0.0, 1.0, 2.0]


def test_waits_stay_within_their_bounds() -> None:
    """However often it failed."""
    assert items.wait_us(Retry(9, Backoff(5, 5, 2.0)), 100_000) == 5


def test_objects_written_before_a_field_came_still_read() -> None:
    """A field that came later has its default; unused it is not written, so the revision stays."""
    queue = declare_queue("in", "clerk")
    text = compiled.encode(queue)
    assert "rate" not in text
    assert compiled.decode("Queue", text) == queue
    limited = declare_queue("in", "clerk", rate=compiled.Rate(60, 60_000_000), key="a", per_key=2)
    assert compiled.decode("Queue", compiled.encode(limited)) == limited
