"""A tool that acts outside: killed at any moment, each call was made once or the job is told that nobody knows."""

import random
import time
from pathlib import Path

import pytest

from tests.acceptance.projects import Project, until
from tests.crash.judge import wrong_numbers
from tests.crash.small import make_small_fleet, put_numbers

pytestmark = pytest.mark.timeout(300)


def test_no_call_is_repeated_however_often_the_worker_is_killed(tmp_path: Path) -> None:
    """Every number was sent once, or its job was told that the outcome is unknown."""
    dice = random.Random(20)
    project = make_small_fleet(tmp_path / "small")
    project.do("apply", ".", "--yes")
    put_numbers(project, range(60))
    for _ in range(3):
        with project.worker("--no-watch") as worker:
            until((project.root / "outside.log").exists, "work has begun")
            time.sleep(dice.uniform(0.0, 0.5))
            worker.kill()
    project.do("work", "--until-idle", "--no-watch")
    assert wrong_numbers(project, range(60)) == []


def test_a_call_that_was_under_way_is_told_as_unknown(tmp_path: Path) -> None:
    """The worker dies within the call: the job sees `OutcomeUnknown`, and the call is not made again."""
    project = slow_fleet(tmp_path / "small")
    put_numbers(project, range(1))
    with project.worker("--no-watch") as worker:
        until((project.root / "outside.log").exists, "the call is under way")
        worker.kill()
    project.do("work", "--until-idle", "--no-watch")
    assert (project.root / "outside.log").read_text() == "send n0 -\n"
    assert project.look("tally") == {"numbers": [0], "doubted": ["n0 OutcomeUnknown"]}


def slow_fleet(folder: Path) -> Project:
    """The small fleet, applied, whose sending outlasts every wait of this file."""
    project = make_small_fleet(folder)
    project.edit("fleet.py", "time.sleep(0.004)", "time.sleep(600)")
    project.do("apply", ".", "--yes")
    return project
