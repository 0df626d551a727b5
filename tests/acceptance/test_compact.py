"""Old jobs leave, the file is written anew, and everything that waits goes on as if nothing had happened."""

from pathlib import Path

import pytest

from tests.acceptance.checks import nothing_lost_nothing_twice
from tests.acceptance.conftest import EVENTS, put_events
from tests.acceptance.projects import Project, make_project, until

pytestmark = pytest.mark.timeout(300)

_CODE = """\
import dbzero as db0
from statek.exceptions import FutureError
from statek.future import FutureResult, temporal

@db0.memo(id="records/Album", singleton=True)
class Album:
    def __init__(self):
        self.plays = 0
        self.word = ""

@db0.memo(id="records/Ticket")
class Ticket:
    def __init__(self, album):
        self.album = album

def ready(future):
    return bool(future.deps.word)

def word(future):
    if not future.deps.word:
        raise FutureError(future)
    return future.deps.word

def album():
    return Album()

def ticket():
    return Ticket(Album())

@temporal(complement=word, condition=ready)
def wait_for(album):
    return FutureResult(album, 0)

def play(ticket):
    ticket.album.plays += 1
    return ticket.album.plays

def open_all():
    Album().word = "open"
    return "done"
"""
_LISTENER = """\
---
description: Waits until it opens, then plays.
model: m
tools: [records/*]
limits: {turns: 3}
---
Listen.
"""
_MODELS = """\
apiVersion: statek/v1
kind: ToolSet
metadata: {name: records}
spec:
  tools:
    - {python: "records:album", effect: write}
    - {python: "records:ticket", effect: write}
    - {python: "records:wait_for", effect: write}
    - {python: "records:play", effect: write}
    - {python: "records:open_all", effect: write}
---
apiVersion: statek/v1
kind: Provider
metadata: {name: p}
spec: {driver: scripted}
---
apiVersion: statek/v1
kind: Model
metadata: {name: m}
spec: {provider: p, id: s}
---
apiVersion: statek/v1
kind: Script
metadata: {name: s}
spec:
  rules:
    - when: {agent: listener, turn: 1}
      reply:
        code: |
          mine, disc = ticket(), album()
          heard = wait_for(album=disc)
          number = play(ticket=mine)
          exit(f"{heard} {number} {mine.album.plays == disc.plays}")
    - when: {agent: opener, turn: 1}
      reply: {code: exit(open_all())}
"""


@pytest.fixture
def records(tmp_path: Path) -> Project:
    """Agents that wait for an object of the application, applied."""
    project = make_project(tmp_path / "records", {
        "pyproject.toml": '[tool.statek]\nproject = "records"\n', "records.py": _CODE,
        "agents/listener.md": _LISTENER, "agents/opener.md": _LISTENER, "agents/models.yaml": _MODELS,
    })  # fmt: skip
    project.do("apply", ".", "--yes")
    return project


def exits(project: Project) -> dict[str, str]:
    """What each job gave at its end."""
    return {job["id"]: project.do("show", job["id"], "-o", "json").json["job"]["exit"] for job in project.jobs()}


def test_jobs_that_wait_go_on_after_a_compaction(records: Project) -> None:
    """Their ids stay, they hold the same object as before and as each other, and what they do to it adds up."""
    one, two = (records.do("submit", "listener", "-o", "json").json["ids"][0] for _ in range(2))
    with records.serving("--no-watch") as worker:
        until(lambda: [(job["waitingFor"] or {}).get("kind") for job in records.jobs()] == ["future"] * 2, "both wait")
        assert worker.terminate() == 0
    before = records.jobs()
    done = records.do("compact", "-o", "json").json
    assert (done["objects"]["Job"], done["objects"]["Album"], done["objects"]["Ticket"]) == (2, 1, 2)
    assert records.jobs() == before
    records.do("submit", "opener")
    records.do("work", "--until-idle", "--no-watch")
    found = exits(records)
    assert sorted([found[one], found[two]]) == ["open 1 True", "open 2 True"]
    assert not list(records.store.glob("*.before-compaction"))


def test_a_desk_is_the_same_after_forgetting_and_compaction(worked: Project) -> None:
    """The application's records are untouched, ids stay known, a repeated event is no new job."""
    records = worked.look("records")
    worked.do("compact")
    nothing_lost_nothing_twice(worked, EVENTS)
    finished = len(worked.jobs())
    shown = worked.do("gc", "--older-than", "0s", "--keep", "10", "--dry-run", "-o", "json").json
    gone = worked.do("gc", "--older-than", "0s", "--keep", "10", "-o", "json").json
    assert (gone["jobs"], gone["finished"]) == (shown["jobs"], finished)
    worked.do("work", "--until-idle", "--no-watch", "--compact")
    assert len(worked.jobs()) == finished - len(gone["jobs"]) >= 10
    assert worked.look("records") == records
    told = worked.run("show", gone["jobs"][0])
    assert (told.code, "was forgotten at" in told.err) == (1, True)
    assert "was forgotten at" in worked.run("push", gone["jobs"][0], "hello").err
    put_events(worked, EVENTS)
    worked.do("work", "--until-idle", "--no-watch")
    assert len(worked.jobs()) == finished - len(gone["jobs"])


def test_forgetting_and_compaction_survive_the_loss_of_the_store(worked: Project) -> None:
    """Rebuilt from the ledger the store has forgotten the same jobs."""
    worked.do("gc", "--older-than", "0s", "--keep", "10")
    worked.do("work", "--until-idle", "--no-watch")
    left, records = worked.jobs(), worked.look("records")
    for file in worked.store.glob("statek.db0*"):
        file.unlink()
    worked.do("work", "--until-idle", "--no-watch")
    assert (worked.jobs(), worked.look("records")) == (left, records)


def test_status_tells_size_and_what_a_compaction_would_leave(worked: Project) -> None:
    """Also when no worker runs; the estimate is right within a factor of three."""
    told = worked.do("status", "-o", "json").json["storage"]
    assert told["store"] == (worked.store / "statek.db0").stat().st_size
    after = worked.do("compact", "-o", "json").json["after"]
    assert after / 3 < told["live"] < after * 3
    assert "would leave about" in worked.do("status").out


def test_a_running_worker_is_not_compacted(applied: Project) -> None:
    """The command says so and ends with the code of a store that cannot be used."""
    with applied.serving("--no-watch"):
        ran = applied.run("compact")
    assert (ran.code, "already runs" in ran.err) == (9, True)
