"""A full disk: what was acknowledged stays, what cannot be kept is refused, and with room again all goes on."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.projects import Project, until
from tests.crash.judge import wrong_numbers
from tests.crash.small import make_small_fleet, put_numbers

pytestmark = pytest.mark.timeout(300)
SIZE = "64m"
QUEUE = "agent: sender, deliver_as: item"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system in memory; the test is left out where nobody may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"mounting is not permitted: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def fleet(tmp_path: Path, disk: Path) -> Project:
    """The small fleet, applied, its stores on the small disk."""
    project = make_small_fleet(tmp_path / "small")
    (project.root / ".statek").symlink_to(disk)
    project.do("apply", ".", "--yes")
    return project


def fill_up(disk: Path) -> Path:
    """Leave no free block; returns the file that takes the room."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for block in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(b"x" * block)
            except OSError:
                continue
    return ballast


def test_a_submission_that_cannot_be_kept_is_refused(fleet: Project, disk: Path) -> None:
    """`submit` on a full disk ends with 9, says what to do, and has kept nothing; with room again it works."""
    ballast = fill_up(disk)
    lines = "".join(f'{{"number": {number}, "filler": "{"x" * 500}"}}\n' for number in range(500))
    ran = fleet.run("submit", "--queue", "numbers", "--from", "-", stdin=lines)
    assert (ran.code, "free space" in ran.err, "Traceback" in ran.told) == (9, True, False), ran.told
    ballast.unlink()
    assert fleet.do("ps", "-o", "json").json["queued"] == {}
    put_numbers(fleet, range(5))
    fleet.do("work", "--until-idle", "--no-watch")
    assert {job["outcome"] for job in fleet.jobs()} == {"ok"}


def test_a_worker_that_cannot_write_ends_and_loses_nothing(fleet: Project, disk: Path) -> None:
    """The disk fills up under load: the worker ends with 9 and a clear message; with room again all is finished."""
    fleet.edit("queues/queues.yaml", QUEUE, f"{QUEUE}, rate: 60/m")  # the work lasts for minutes
    fleet.do("apply", ".", "--yes")
    put_numbers(fleet, range(300))
    with fleet.worker("--no-watch", "--max-concurrency", "4") as worker:
        until((fleet.root / "outside.log").exists, "work has begun")
        ballast = fill_up(disk)
        code = worker.wait()
        assert code == 9, worker.said
        assert "free space" in worker.said, worker.said
        assert "Traceback" not in worker.said, worker.said
    ballast.unlink()
    fleet.edit("queues/queues.yaml", ", rate: 60/m", "")
    fleet.do("apply", ".", "--yes")
    fleet.do("work", "--until-idle", "--no-watch")
    assert wrong_numbers(fleet, range(300)) == []
