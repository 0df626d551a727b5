"""Durations, tokens and names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statek.spec.formats import FORMATS, duration_us, token_count


@pytest.mark.parametrize(
    ("text", "us"),
    [("500ms", 500_000), ("30s", 30_000_000), ("1h30m", 5_400_000_000), ("7d", 604_800_000_000), ("0s", 0)],
)
def test_a_duration_is_whole_microseconds(text, us):
    """The documented durations have their length."""
    assert duration_us(text) == us


@pytest.mark.parametrize("text", ["", "30", "s", "30 s", "1:30", "30m1h", "30s\n", "-1s", "1.5h", "٣s"])
def test_what_is_no_duration_is_refused(text):
    """Nothing but the documented form is read as a duration."""
    with pytest.raises(ValueError, match="not a duration"):
        duration_us(text)


@pytest.mark.parametrize(("value", "count"), [(60000, 60000), ("60k", 60000), ("2M", 2_000_000)])
def test_tokens_have_two_spellings(value, count):
    """Numbers and short forms mean the same."""
    assert token_count(value) == count


@given(name=st.sampled_from(sorted(FORMATS)), text=st.text(max_size=40))
def test_an_example_fits_and_no_text_breaks_a_format(name, text):
    """The example in a message is always correct, and every text has an answer."""
    assert FORMATS[name].fits(FORMATS[name].example)
    assert FORMATS[name].fits(text) in {True, False}
