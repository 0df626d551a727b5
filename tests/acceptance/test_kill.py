"""`kill -9` at any moment: what was acknowledged is done once, whatever has to be done again to get there."""

import random
import time

import pytest

from tests.acceptance.checks import nothing_lost_nothing_twice, report_prints
from tests.acceptance.conftest import EVENTS
from tests.acceptance.projects import Project, Worker, until

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def dice() -> random.Random:
    """Randomness whose seed is printed, for the case that a test fails."""
    seed = random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}")
    return random.Random(seed)


def test_every_event_is_done_once_although_the_worker_is_killed_again_and_again(
    filled: Project, dice: random.Random
) -> None:
    """Kill supervisor and child in the middle, several times: no event is lost, none is done twice."""
    kills = 0
    for number in range(4):
        with filled.worker("--until-idle", "--no-watch", "--max-concurrency", "4", "-o", "json") as worker:
            begun = _lives_to_work(worker)
            time.sleep(dice.uniform(0.0, 0.6))
            kills += begun and worker.process.poll() is None
            worker.kill(child_too=bool(number % 2))
    assert kills > 1
    filled.do("work", "--until-idle", "--no-watch")
    nothing_lost_nothing_twice(filled, EVENTS)
    report_prints(filled, EVENTS)


def _lives_to_work(worker: Worker) -> bool:
    """Wait until the store's process reports for the first time; False when everything was done by then."""
    until(lambda: worker.reports() or worker.process.poll() is not None, "the worker's first report")
    return worker.process.poll() is None
