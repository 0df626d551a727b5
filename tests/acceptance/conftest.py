"""The desk's project in a folder of the test's own.

What most tests begin with is made once and copied. A copy is what a user has who moves the whole folder: the store
knows nothing of where it lies, and whatever is done to it is done to the copy alone.
"""

import re
import shutil
from pathlib import Path

import pytest

from tests.acceptance.projects import Project, as_lines, events, make_desk

EVENTS = 60
QUEUE = "  agent: triage"


def copy_of(made: Project, folder: Path) -> Project:
    """The project with everything that lies in its folder, and its settings, in another folder."""
    return Project(shutil.copytree(made.root, folder), dict(made.environ))


@pytest.fixture
def desk(tmp_path: Path) -> Project:
    """The quake desk, nothing applied."""
    return make_desk(tmp_path / "desk")


@pytest.fixture(scope="session")
def applied_once(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The quake desk, applied; to be copied."""
    made = make_desk(tmp_path_factory.mktemp("applied") / "desk")
    made.do("apply", ".", "--yes")
    return made


@pytest.fixture
def applied(applied_once: Project, tmp_path: Path) -> Project:
    """The quake desk, applied."""
    return copy_of(applied_once, tmp_path / "desk")


@pytest.fixture
def filled(applied: Project) -> Project:
    """The quake desk, applied, with 60 events in its queue."""
    put_events(applied, EVENTS)
    return applied


@pytest.fixture(scope="session")
def worked_once(applied_once: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The quake desk after 60 events; to be copied."""
    made = copy_of(applied_once, tmp_path_factory.mktemp("worked") / "desk")
    put_events(made, EVENTS)
    made.do("work", "--until-idle", "--no-watch")
    return made


@pytest.fixture
def worked(worked_once: Project, tmp_path: Path) -> Project:
    """The quake desk after 60 events, its worker ended well."""
    return copy_of(worked_once, tmp_path / "desk")


def put_events(desk: Project, count: int) -> None:
    """Put `count` events into the desk's queue, which lie in `events.jsonl` too."""
    desk.write("events.jsonl", as_lines(events(count)))
    desk.do("submit", "--queue", "quakes", "--from", "events.jsonl", "--key", "id")


def slow_down(desk: Project, rate: str) -> None:
    """Let the desk's queue give out no more than that, such as `4/s`: on any machine its work lasts."""
    desk.edit("queues/quakes.yaml", QUEUE, f"{QUEUE}\n  rate: {rate}")
    desk.do("apply", ".", "--yes")


def hurry(desk: Project) -> None:
    """Undo `slow_down`."""
    path = desk.root / "queues/quakes.yaml"
    desk.write("queues/quakes.yaml", re.sub(r"\n  rate: \S+", "", path.read_text()))
    desk.do("apply", ".", "--yes")


def fill(desk: Project, count: int) -> None:
    """Apply the desk and put `count` events into its queue."""
    desk.do("apply", ".", "--yes")
    put_events(desk, count)
