"""Backups as a user makes them: beside a worker at work, and without one; and the way back."""

import json
import shutil
from pathlib import Path

import pytest

from tests.acceptance.checks import nothing_lost_nothing_twice
from tests.acceptance.conftest import EVENTS, hurry, put_events, slow_down
from tests.acceptance.projects import Project, until

pytestmark = pytest.mark.timeout(300)
MANY = 120


def done(desk: Project) -> int:
    """How many jobs have ended."""
    return sum(job["outcome"] is not None for job in desk.jobs())


@pytest.mark.parametrize("name", ["backup.tar", "backup"])
def test_a_backup_of_a_desk_at_work_goes_on_where_it_was(applied: Project, tmp_path: Path, name: str) -> None:
    """Made in the middle, put back on another machine: work goes on from there, and every event is done once."""
    put_events(applied, MANY)
    slow_down(applied, "60/m")  # the work lasts for a minute
    target = tmp_path / name
    with applied.worker("--no-watch", "--max-concurrency", "2", "-o", "json") as worker:
        until(lambda: any(report.get("done", 0) >= 10 for report in worker.reports()), "ten events are done")
        made = applied.do("backup", str(target), "-o", "json").json
        assert worker.process.poll() is None
        worker.kill()
    assert set(made["files"]) == {"statek.db0", "ledger.sqlite"}
    other = Project(tmp_path / "other")
    shutil.copytree(applied.root, other.root, ignore=shutil.ignore_patterns(".statek", ".work-*"))
    assert other.do("restore", str(target), "-o", "json").json["last"] == made["last"]
    assert 10 <= done(other) < MANY
    hurry(other)
    other.do("work", "--until-idle", "--no-watch", "--resume")
    nothing_lost_nothing_twice(other, MANY)


def test_going_back_asks_shows_the_time_and_pauses(worked: Project, tmp_path: Path) -> None:
    """Without a yes nothing happens; with one the files go aside, and work waits for `--resume`."""
    worked.do("backup", str(tmp_path / "b.tar"))
    refused = worked.run("restore", str(tmp_path / "b.tar"))
    assert (refused.code, "--yes" in refused.err) == (4, True), refused.told
    made = worked.do("restore", str(tmp_path / "b.tar"), "--yes", "-o", "json").json
    assert Path(made["aside"], "statek.db0").exists()
    paused = worked.run("work", "--until-idle", "--no-watch")
    assert (paused.code, made["madeAt"] in paused.err) == (4, True), paused.told
    assert worked.do("status", "-o", "json").json["safety"]["pausedAt"] == made["madeAt"]
    nothing_lost_nothing_twice(worked, EVENTS)  # looking is not paused
    worked.do("work", "--until-idle", "--no-watch", "--resume")
    assert worked.do("status", "-o", "json").json["safety"]["pausedAt"] is None


def test_what_was_submitted_and_not_taken_in_is_in_a_backup(filled: Project, tmp_path: Path) -> None:
    """An acknowledged input survives, although no worker has seen it."""
    filled.do("backup", str(tmp_path / "b"))
    shutil.rmtree(filled.store)
    filled.do("restore", str(tmp_path / "b"))
    filled.do("work", "--until-idle", "--no-watch", "--resume")
    nothing_lost_nothing_twice(filled, EVENTS)


def test_a_running_worker_is_not_restored_over(filled: Project, tmp_path: Path) -> None:
    """Exit code 9; the worker goes on."""
    filled.do("backup", str(tmp_path / "b"))
    with filled.serving("--no-watch") as worker:
        ran = filled.run("restore", str(tmp_path / "b"), "--yes")
        assert (ran.code, "another worker" in ran.err) == (9, True), ran.told
        assert worker.process.poll() is None


def test_nothing_is_overwritten_and_a_bad_backup_is_named(filled: Project, tmp_path: Path) -> None:
    """Exit code 9 with a sentence, also as JSON, and no file is left behind."""
    filled.do("backup", str(tmp_path / "b"))
    assert filled.run("backup", str(tmp_path / "b")).code == 9
    manifest = json.loads((tmp_path / "b" / "manifest.json").read_text())
    manifest["files"]["ledger.sqlite"]["sha256"] = "0" * 64
    (tmp_path / "b" / "manifest.json").write_text(json.dumps(manifest))
    ran = filled.run("restore", str(tmp_path / "b"), "--yes", "-o", "json")
    assert (ran.code, ran.json["error"]["code"]) == (9, "StoreError")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "desk"]
