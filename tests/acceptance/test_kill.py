"""`kill -9` at any moment: what was acknowledged is done once, whatever has to be done again to get there."""

import random
import time

import pytest

from tests.acceptance.checks import nothing_lost_nothing_twice, report_prints
from tests.acceptance.conftest import EVENTS, hurry, slow_down
from tests.acceptance.projects import Project, until

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def dice() -> random.Random:
    """The same chance in every run; `make crash` takes others."""
    return random.Random(20)


def test_every_event_is_done_once_although_the_worker_is_killed_again_and_again(
    filled: Project, dice: random.Random
) -> None:
    """Kill supervisor and child in the middle, several times: no event is lost, none is done twice."""
    slow_down(filled, "8/s")  # not all can be done before the last kill
    for number in range(4):
        with filled.worker("--no-watch", "--max-concurrency", "4", "-o", "json") as worker:
            until(worker.reports, "the worker's first report")
            time.sleep(dice.uniform(0.0, 0.6))
            assert worker.process.poll() is None, worker.said
            worker.kill(child_too=bool(number % 2))
    hurry(filled)
    filled.do("work", "--until-idle", "--no-watch")
    nothing_lost_nothing_twice(filled, EVENTS)
    report_prints(filled, EVENTS)
