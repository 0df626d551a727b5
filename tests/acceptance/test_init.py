"""`statek init`: what it writes works as it says, offline."""

import re
from pathlib import Path

from tests.acceptance.projects import Project


def test_the_new_project_does_what_its_own_last_line_says(tmp_path: Path) -> None:
    """The commands that `init` prints run one after another as they are typed, and the greeting is there."""
    told = Project(tmp_path).start("init", "hello").err
    assert "statek apply . && statek submit greeter name=Ada && statek work --until-idle" in told
    project = Project(tmp_path / "hello")
    assert project.start("apply", ".").code == 0
    job = project.start("submit", "greeter", "name=Ada").out.strip()
    assert project.start("work", "--until-idle").code == 0
    assert "Hello Ada, what a fine name of 3 letters!" in project.start("show", job).out


def test_its_queue_takes_the_file_that_comes_along(tmp_path: Path) -> None:
    """The guests of the sample file are greeted, each once."""
    project = Project(tmp_path / "hello")
    Project(tmp_path).do("init", "hello")
    project.do("apply", ".", "--yes")
    project.do("submit", "--queue", "guests", "--from", "guests.jsonl")
    project.do("work", "--until-idle")
    assert [job["outcome"] for job in project.jobs()] == ["ok"] * 3


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A second `init` in the same folder is refused, and changes nothing."""
    here = Project(tmp_path)
    here.do("init", "hello")
    before = {path: path.read_bytes() for path in (tmp_path / "hello").rglob("*") if path.is_file()}
    ran = here.run("init", "hello")
    assert ran.code == 1
    assert re.search(r"would be overwritten", ran.err)
    assert {path: path.read_bytes() for path in (tmp_path / "hello").rglob("*") if path.is_file()} == before
