"""The desk's project in a folder of the test's own."""

from pathlib import Path

import pytest

from tests.acceptance.projects import Project, as_lines, events, make_desk


@pytest.fixture
def desk(tmp_path: Path) -> Project:
    """The quake desk, nothing applied."""
    return make_desk(tmp_path / "desk")


@pytest.fixture
def filled(desk: Project) -> Project:
    """The quake desk, applied, with 60 events in its queue."""
    fill(desk, 60)
    return desk


def fill(desk: Project, count: int) -> None:
    """Apply the desk and put `count` events into its queue, which lie in `events.jsonl` too."""
    desk.write("events.jsonl", as_lines(events(count)))
    desk.do("apply", ".", "--yes")
    desk.do("submit", "--queue", "quakes", "--from", "events.jsonl", "--key", "id")
