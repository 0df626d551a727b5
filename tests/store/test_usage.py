"""What a job has used, as the documents name it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statek.base.prices import set_model_pricing
from statek.store.usage import LLM_Usage, Used

COUNTS = st.integers(0, 2**62)
MONEY = st.none() | st.floats(allow_nan=False)


def test_cost_by_price_else_as_reported() -> None:
    """Tokens by the price, cached ones by their own; without a price what the provider said; else nobody knows."""
    priced = set_model_pricing("usage", "m", 10, 20, 1)
    assert LLM_Usage.for_model("usage", "m").pricing == priced
    used = LLM_Usage(priced, total_input_tokens=100, total_cached_tokens=90, total_output_tokens=5)
    assert used.total_cost == pytest.approx((10 * 10 + 90 + 5 * 20) / 1e6)
    assert LLM_Usage(priced, total_reported_cost=0.5).total_cost == 0.5
    assert LLM_Usage.for_model("usage", "unknown").total_cost is None


def test_what_was_counted_wins() -> None:
    """A job's cost is the sum of its answers, each by the price of its time."""
    assert LLM_Usage(total_reported_cost=0.5, cost_usd=0.25).total_cost == 0.25


@given(used=st.builds(Used, *[COUNTS] * 7, MONEY, MONEY, st.booleans()))
def test_counters_are_kept_exactly(used: Used) -> None:
    """What a job has used comes back as it was, also that nothing is known of its money; nothing stored is nothing."""
    assert Used.decode(used.encode()) == used
    assert Used.decode(None) == Used()
