"""A few kills of the small fleet: nothing acknowledged is lost, nothing is done twice, no call is repeated.

The long form is `make crash`, with seeds of its own.
"""

import random
from pathlib import Path

import pytest

from tests.crash.campaign import Campaign

SEED = 20


@pytest.mark.timeout(300)
def test_a_few_kills_do_no_harm(tmp_path: Path) -> None:
    """Whoever is killed, in a commit or not, and whatever is done to the store file: nothing is wrong at the end."""
    figures = Campaign(tmp_path / "small", random.Random(SEED), prune=True).run(4, thoroughly=False)
    assert figures.are_good, str(figures)
