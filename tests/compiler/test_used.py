"""What a job uses, under the names that files have for it."""

import pytest

from statek.compiler.used import duration_text
from statek.spec.formats import duration_us


@pytest.mark.parametrize("text", ["1ms", "500ms", "30s", "1h30m", "7d", "1d2h3m4s5ms"])
def test_a_duration_reads_as_it_was_written(text):
    """Microseconds and back."""
    assert duration_text(duration_us(text)) == text


def test_no_time_at_all_is_a_duration():
    """A latency may be nothing."""
    assert duration_text(0) == "0s"
