"""A few kills of the small fleet: nothing acknowledged is lost, nothing is done twice, no call is repeated.

The long form is `make crash`.
"""

import random
from pathlib import Path

import pytest

from tests.crash.campaign import Campaign


@pytest.mark.timeout(300)
def test_a_few_kills_do_no_harm(tmp_path: Path) -> None:
    """Whoever is killed, in a commit or not, and whatever is done to the store file: nothing is wrong at the end."""
    seed = random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}")
    figures = Campaign(tmp_path / "small", random.Random(seed), prune=seed % 2 == 0).run(4, thoroughly=False)
    assert figures.are_good, str(figures)
