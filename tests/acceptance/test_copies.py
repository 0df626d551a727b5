"""Kept copies at work: a ruined store comes back from one although the ledger was pruned, whoever is killed."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.checks import nothing_lost_nothing_twice
from tests.acceptance.conftest import EVENTS, copy_of, hurry, slow_down
from tests.acceptance.projects import Project, Worker, as_lines, events, until

pytestmark = pytest.mark.timeout(300)
HOLDING = """\
import sys, time
from pathlib import Path
held, holding = Path({held!r}), Path({holding!r})
while "statek.worker.probe" in sys.orig_argv and held.exists():
    holding.touch()
    time.sleep(0.01)
"""


@pytest.fixture(scope="module")
def copied_once(applied_once: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The desk, whose worker copies all the time and keeps two copies. Two thirds of 60 events are done, and pruned."""
    desk = copy_of(applied_once, tmp_path_factory.mktemp("copied") / "desk")
    desk.environ |= {"STATEK_COPY_SECONDS": "0.1", "STATEK_COPIES_KEPT": "2"}
    submit(desk, 0)
    with desk.worker("--no-watch", "-o", "json") as worker:
        until(lambda: copies(desk), "the first copy")
        submit(desk, 1)
        until(lambda: is_idle(worker, EVENTS * 2 // 3) and is_at_rest(desk), "two copies, and the ledger is pruned")
        worker.kill()
    submit(desk, 2)
    return desk


@pytest.fixture
def copied(copied_once: Project, tmp_path: Path) -> Project:
    """That desk, as the kill left it, in a folder of the test's own."""
    return copy_of(copied_once, tmp_path / "desk")


def submit(desk: Project, third: int) -> None:
    """Put a third of the events into the queue."""
    found = events(EVENTS)[third * EVENTS // 3 : (third + 1) * EVENTS // 3]
    desk.do("submit", "--queue", "quakes", "--from", "-", "--key", "id", stdin=as_lines(found))


def copies(desk: Project) -> list[Path]:
    """The kept copies, oldest first."""
    return sorted((desk.store / "copies").glob("*.ok"), key=lambda path: int(path.stem))


def is_idle(worker: Worker, events: int) -> bool:
    """Whether nothing waits or runs any more."""
    found = worker.reports()[-1]
    return found["done"] >= events and found["waiting"] == found["running"] == 0


def is_at_rest(desk: Project) -> bool:
    """Whether the newest of two copies holds everything, so that there will be no other, and records were pruned."""
    with closing(sqlite3.connect(desk.store / "ledger.sqlite")) as ledger:
        [[last]] = ledger.execute("SELECT max(seq) FROM rec")
        [[low]] = ledger.execute("SELECT value FROM meta WHERE name = 'low'")
    found = copies(desk)
    return len(found) == 2 and int(found[-1].stem) == last and low == int(found[0].stem)


def work_until(desk: Project, look: Callable[[], object], what: str) -> None:
    """Work until something is so, then kill."""
    with desk.worker("--no-watch", "-o", "json") as worker:
        until(lambda: look() or worker.process.poll() is not None, what)
        assert worker.process.poll() is None, worker.said
        worker.kill()


def finish(desk: Project) -> str:
    """Run the rest and look at the end; what was said."""
    ran = desk.do("work", "--until-idle", "--no-watch")
    nothing_lost_nothing_twice(desk, EVENTS)
    return ran.err


def ruin(path: Path) -> None:
    """Cut a file short."""
    os.truncate(path, 50_000)


def test_a_deleted_store_comes_back_from_a_copy(copied: Project) -> None:
    """Nothing is lost, nothing done twice, and status told of the copies and of what was pruned."""
    found = copied.do("status", "-o", "json").json["safety"]
    assert found["copies"]["count"] == 2
    assert found["ledger"]["removed"] > 0
    (copied.store / "statek.db0").unlink()
    assert "a copy that ends at record" in finish(copied)


def test_two_damages_in_a_row(copied: Project) -> None:
    """Store and newest copy are ruined: the older copy takes the place; then the store once more."""
    for path in (copied.store / "statek.db0", copies(copied)[-1]):
        ruin(path)
    aside = copied.store / "copies" / "set-aside"
    work_until(copied, lambda: aside.exists() and len(copies(copied)) == 2, "there are two copies again")
    assert len(list(aside.iterdir())) == 1
    ruin(copied.store / "statek.db0")
    assert "a copy that ends at record" in finish(copied)


def test_without_any_good_copy_of_a_pruned_ledger_somebody_is_told(copied: Project) -> None:
    """Exit code 9 and what to do; nothing is moved or made."""
    for path in (copied.store / "statek.db0", *copies(copied)):
        ruin(path)
    ran = copied.run("work", "--until-idle", "--no-watch")
    assert (ran.code, "statek restore" in ran.err) == (9, True), ran.told
    assert (copied.store / "statek.db0").stat().st_size == 50_000
    assert len(copies(copied)) == 2
    assert not (copied.store / "set-aside").exists()


def test_a_kill_while_a_copy_is_made_does_no_harm(copied: Project) -> None:
    """The half-made copy is none, and goes when the next worker starts."""
    slow_down(copied, "10/m")  # for a minute there is always something new to copy
    unfinished, held, holding = copied.store / "copies" / "unfinished", copied.root / "held", copied.root / "holding"
    tools = HOLDING.format(held=str(held), holding=str(holding)) + (copied.root / "quakes/tools.py").read_text()
    copied.write("quakes/tools.py", tools)
    with copied.worker("--no-watch", "-o", "json") as worker:
        until(worker.reports, "the worker's first report")
        held.touch()
        until(holding.exists, "a copy is about to be proved")
        worker.kill()
    assert unfinished.exists()
    assert len(copies(copied)) == 2
    held.unlink()
    hurry(copied)
    finish(copied)
    with copied.worker("--no-watch", "-o", "json") as worker:
        until(lambda: not unfinished.exists() and copies(copied), "there are whole copies and nothing else")
        worker.terminate()


def test_a_store_ruined_after_a_clean_end_needs_nobody(copied: Project) -> None:
    """Nobody looks into a file that was closed well until it cannot be opened; then it is replaced, without a word."""
    finish(copied)
    ruin(copied.store / "statek.db0")
    assert "could not be trusted" in finish(copied)


def state_of(desk: Project) -> tuple[object, object]:
    """Everything that is shown of the jobs, and everything that the application keeps."""
    return desk.do("ps", "--all", "--limit", "1000", "-o", "json").json["jobs"], desk.look("records")


def test_every_copy_gives_the_same_state(copied: Project) -> None:
    """A replay from the oldest copy, from the newest, and the live store are one state."""
    finish(copied)
    live = state_of(copied)
    for copy in copies(copied):
        for path in (copied.store / "statek.db0", *copies(copied)):
            if path != copy:
                path.rename(path.with_name(f"{path.name}.away"))
        assert state_of(copied) == live, copy.name
        for path in (copied.store / "copies").glob("*.away"):
            path.rename(path.with_name(path.name.removesuffix(".away")))


def test_a_full_replay_gives_the_same_state(worked: Project) -> None:
    """As long as nothing was pruned the ledger alone is enough."""
    nothing_lost_nothing_twice(worked, EVENTS)
    live = state_of(worked)
    (worked.store / "statek.db0").unlink()
    assert state_of(worked) == live
