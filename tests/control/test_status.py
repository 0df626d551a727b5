"""Conditions from facts."""

from pathlib import Path

from statek.compiler.project import compile_project
from statek.control.desired import desired_objects
from statek.control.plan import compare
from statek.control.status import Truth, WorkerFacts, ready, synced, valid
from statek.ledger.releases import Head

HEAD = Head("r-1", 1, 5)


def test_good_files_are_valid(project: Path) -> None:
    """Without errors the condition holds."""
    assert valid(compile_project(project).problems).status is Truth.TRUE


def test_a_bad_file_is_to_blame_with_its_line(project: Path) -> None:
    """The first error gives reason and place."""
    agent = project / "agents/triage.md"
    agent.write_text(agent.read_text().replace("model: fast", "modle: fast"))

    found = valid(compile_project(project).problems)

    assert (found.status, found.reason, found.file, found.line) == (Truth.FALSE, "SchemaError", "agents/triage.md", 3)


def test_applied_files_are_synced(project: Path) -> None:
    """The files are what head is at."""
    objects = desired_objects(compile_project(project))
    head = compare(None, objects, env="dev", project="shop").target

    assert synced(compare(head, objects, env="dev", project="shop")).status is Truth.TRUE


def test_an_orphan_is_not_synced(project: Path) -> None:
    """An object whose file is gone is named."""
    objects = desired_objects(compile_project(project))
    head = compare(None, objects, env="dev", project="shop").target
    left = [entry for entry in objects if entry.kind != "Queue"]

    found = synced(compare(head, left, env="dev", project="shop"))

    assert (found.status, found.reason) == (Truth.FALSE, "Orphaned")
    assert "Queue/support" in found.message


def test_bad_files_leave_synced_unknown() -> None:
    """Nobody can say what files with errors want."""
    assert synced(None).status is Truth.UNKNOWN


def test_no_worker_is_not_ready() -> None:
    """Without a worker nothing runs."""
    assert ready(HEAD, None).reason == "NoWorkers"


def test_a_worker_on_head_is_ready() -> None:
    """It gives new jobs the release that head is at."""
    assert ready(HEAD, WorkerFacts("r-1")).status is Truth.TRUE


def test_a_worker_behind_head_is_progressing() -> None:
    """It has not yet seen the move."""
    assert ready(HEAD, WorkerFacts("r-0")).reason == "Progressing"


def test_a_refused_reload_is_not_ready() -> None:
    """What the watcher was refused is the message."""
    found = ready(HEAD, WorkerFacts("r-1", ("no such tool",)))

    assert (found.reason, found.message) == ("Nacked", "no such tool")
