"""The report: tables of what is on file, or a clear word why there are none."""

import fcntl
import io

import dbzero as db0
import pytest
from rich.console import Console

from quakes import report, tools

from .conftest import file_event, open_store


@pytest.fixture
def store(tmp_path, make_event):
    """The folder of a closed store with a sequence, a bulletin and a blast."""
    with open_store(tmp_path / "store"):
        file_event(make_event("fore", mag=4.0, time="2018-02-05T00:00:00Z"))
        file_event(make_event("main", mag=6.0))
        file_event(make_event("blast", type="explosion"))
        tools.file_bulletin("main", "It shook.")
        db0.commit()
    return tmp_path / "store"


def shown(store):
    """The report as wide text."""
    console = Console(file=io.StringIO(), width=200)
    report.show(report.load(store), console)
    return console.file.getvalue()


@pytest.mark.parametrize(
    "words",
    [
        ["main shock", "It shook."],
        ["strong", "1"],
        ["main", "6.0", "2018-02-06T12:00", "somewhere", "1", "0"],
        ["dropped", "made by people", "1"],
    ],
)
def test_a_table_shows_it(store, words):
    """Bulletin with today's role, grades, sequences and what was dropped each have a row."""
    rows = [line for line in shown(store).splitlines() if all(word in line for word in words)]
    assert len(rows) >= 1


def test_the_sums_and_the_next_step_are_told(store):
    """The last lines count everything and say where to look."""
    text = shown(store)
    assert "3 events: 2 filed, 1 dropped, 0 held; 1 bulletins." in text
    assert "statek show JOB" in text


def test_no_store_is_no_crash(tmp_path, capsys):
    """Without a store nothing is opened or made, and the message says what to run."""
    assert report.main(["--store", str(tmp_path / "none")]) == 1
    assert "nothing has run there yet" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_a_store_without_a_desk_is_no_crash(tmp_path, capsys):
    """A store of other things is looked at and left alone."""
    with open_store(tmp_path):
        db0.commit()
    assert report.main(["--store", str(tmp_path)]) == 1
    assert "no event was filed yet" in capsys.readouterr().err


def test_it_does_not_read_beside_a_worker(store, capsys):
    """While the worker's lock is held the file is in motion."""
    with (store / "worker.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert report.main(["--store", str(store)]) == 1
    assert "a worker is running" in capsys.readouterr().err


def test_a_lock_file_that_nobody_holds_is_no_worker(store):
    """The file stays behind when a worker ends."""
    (store / "worker.lock").touch()
    assert len(report.load(store)) == 3


def test_looking_changes_nothing(store):
    """The store is the same bytes afterwards."""
    before = (store / "statek.db0").read_bytes()
    report.load(store)
    assert (store / "statek.db0").read_bytes() == before
