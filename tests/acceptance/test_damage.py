"""The store's file is ruined after a kill: the ledger gives it back, and nobody notices but for a line on stderr."""

import os
from pathlib import Path

import pytest

from tests.acceptance.checks import nothing_lost_nothing_twice
from tests.acceptance.conftest import EVENTS, copy_of, put_events
from tests.acceptance.projects import Project, Ran, until

pytestmark = pytest.mark.timeout(300)
NOISE = 65_536


@pytest.fixture(scope="module")
def killed_once(applied_once: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The desk, killed after some of its events had been stored."""
    desk = copy_of(applied_once, tmp_path_factory.mktemp("killed") / "desk")
    put_events(desk, EVENTS)
    with desk.worker("--no-watch", "--max-concurrency", "4", "-o", "json") as worker:
        until(lambda: any(report.get("done", 0) >= 10 for report in worker.reports()), "ten events are done")
        worker.kill()
    return desk


@pytest.fixture
def killed(killed_once: Project, tmp_path: Path) -> Project:
    """That desk, as the kill left it, in a folder of the test's own."""
    return copy_of(killed_once, tmp_path / "desk")


def store_file(desk: Project) -> Path:
    """The file that is ruined."""
    return desk.store / "statek.db0"


def overwrite(desk: Project, start: int) -> None:
    """Put noise into the file."""
    with store_file(desk).open("r+b") as file:
        file.seek(start)
        file.write(os.urandom(NOISE))


def finish(desk: Project) -> Ran:
    """Run the rest, and look at the end."""
    ran = desk.do("work", "--until-idle", "--no-watch")
    nothing_lost_nothing_twice(desk, EVENTS)
    return ran


def was_set_aside(desk: Project, ran: Ran) -> bool:
    """Whether the damaged file was kept, and stderr says where."""
    kept = list((desk.store / "set-aside").glob("*.db0"))
    return len(kept) == 1 and f"moved to {kept[0]}" in ran.err and "rebuilt from the ledger" in ran.err


def test_a_truncated_store_is_rebuilt(killed: Project) -> None:
    """A store file that was cut short is set aside and everything is replayed."""
    os.truncate(store_file(killed), 32_768)  # inside its logs; further back it may not hold anything committed yet
    assert was_set_aside(killed, finish(killed))


def test_a_store_with_noise_at_its_beginning_is_rebuilt(killed: Project) -> None:
    """A store file of which the first 64 KB were overwritten is set aside and everything is replayed."""
    overwrite(killed, 0)
    assert was_set_aside(killed, finish(killed))


def test_noise_in_the_middle_of_a_store_does_no_harm(killed: Project) -> None:
    """Whether the 64 KB in the middle were in use, and the store is rebuilt, or not: the end is the same."""
    overwrite(killed, store_file(killed).stat().st_size // 2)
    finish(killed)


def test_a_deleted_store_is_rebuilt(killed: Project) -> None:
    """Without its file the store is replayed, and stderr says so."""
    store_file(killed).unlink()
    assert "there is no store file" in finish(killed).err


def test_a_reader_repairs_too(killed: Project) -> None:
    """`ps` right after the damage shows what a worker would begin with, calls nothing, and says what it did."""
    store_file(killed).unlink()
    ran = killed.do("ps", "--all", "--status", "ok", "-o", "json")
    assert ran.json["total"] >= 10
    assert "recovered" in ran.err
    finish(killed)


def test_damage_after_a_clean_end_is_noticed_by_whoever_reads(killed: Project) -> None:
    """Nobody probes a store that was closed properly: what cannot be read in it is recovered all the same."""
    finish(killed)
    for number, words in enumerate((("ps", "--all"), ("backup", "kept"), ("compact",))):
        overwrite(killed, (0, 81_920, 0)[number])
        said = killed.do(*words).err
        assert "could not be trusted" in said
        assert "Traceback" not in said
    nothing_lost_nothing_twice(killed, EVENTS)
