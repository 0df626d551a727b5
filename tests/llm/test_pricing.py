"""What a call costs."""

import pytest

from statek.ledger.compiled import Price
from statek.llm.messages import Usage
from statek.llm.pricing import cost, estimate_tokens


@pytest.mark.parametrize(
    ("price", "usage", "usd"),
    [
        (Price(2.0, 8.0, 0.5), Usage(1_000_000, 500_000, 400_000, None), 1.2 + 0.2 + 4.0),
        (Price(2.0, 8.0, None), Usage(1_000_000, 0, 400_000, None), 2.0),
        (Price(10.0, 0.0, 1.0), Usage(100, 0, 90, 7.0), (10 * 10 + 90) / 1e6),
        (None, Usage(1, 1, 0, 0.25), 0.25),
        (None, Usage(1, 1, 0, None), None),
    ],
    ids=["cached", "cached without a price", "price beats report", "reported", "unknown"],
)
def test_cost(price, usage, usd):
    """Price times tokens, cached ones apart; else what the provider reported; else unknown."""
    assert cost(price, usage) == (None if usd is None else pytest.approx(usd))


def test_cost_is_never_negative():
    """More cached than input tokens, as some report, do not make a call earn money."""
    assert cost(Price(1.0, 1.0, 0.0), Usage(10, 0, 100, None)) == 0.0


def test_estimate():
    """Four bytes are a token."""
    assert estimate_tokens(4003) == 1000
