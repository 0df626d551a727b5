"""What the mark tells after a process has died."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from statek.base.mark import SIZE, Mark, mark_path
from statek.exceptions import BugError, StoreError

DIE = """
import os, sys
from pathlib import Path
from statek.base.mark import Mark
mark = Mark(Path(sys.argv[1]))
mark.begin_commit(); mark.begin_stretch("jób-1", 3, 7); mark.beat(123456789)
os.kill(os.getpid(), 9)
"""


def test_a_new_mark_says_nothing(tmp_path: Path) -> None:
    """A mark that was never written: no commit, no stretch, no beat, no clean end."""
    with Mark(tmp_path / "p.mark") as mark:
        assert (mark.in_commit, mark.running(), mark.last_beat(), mark.clean_end) == (False, None, 0, False)


def test_the_mark_outlives_a_killed_process(tmp_path: Path) -> None:
    """After `kill -9` the next process reads what the dead one was doing."""
    root = Path(__file__).parents[2]
    dead = subprocess.run([sys.executable, "-c", DIE, str(tmp_path / "p.mark")], cwd=root, timeout=60)
    assert dead.returncode == -signal.SIGKILL
    with Mark(tmp_path / "p.mark") as mark:
        assert (mark.in_commit, mark.running(), mark.last_beat()) == (True, ("jób-1", 3, 7), 123456789)


def test_two_holders_see_each_other_at_once(tmp_path: Path) -> None:
    """What the child writes, the supervisor reads without anybody closing or syncing."""
    with Mark(tmp_path / "p.mark") as child, Mark(tmp_path / "p.mark") as supervisor:
        child.beat(5)
        child.begin_stretch("j", 1, 2)
        assert (supervisor.last_beat(), supervisor.running()) == (5, ("j", 1, 2))


def test_an_ended_commit_and_stretch_are_gone(tmp_path: Path) -> None:
    """Ending says that nothing is under way."""
    with Mark(tmp_path / "p.mark") as mark:
        mark.begin_commit()
        mark.begin_stretch("j", 1, 2)
        mark.end_commit()
        mark.end_stretch()
        assert (mark.in_commit, mark.running()) == (False, None)


def test_reset_keeps_the_clean_end(tmp_path: Path) -> None:
    """Resetting forgets commit and stretch, not how the last process ended."""
    with Mark(tmp_path / "p.mark") as mark:
        mark.set_clean_end(True)
        mark.begin_commit()
        mark.begin_stretch("j", 1, 2)
        mark.reset()
        assert (mark.in_commit, mark.running(), mark.clean_end) == (False, None, True)


def test_the_clean_end_can_be_taken_back(tmp_path: Path) -> None:
    """A process that starts says that its end is open."""
    with Mark(tmp_path / "p.mark") as mark:
        mark.set_clean_end(True)
        mark.set_clean_end(False)
        assert not mark.clean_end


def test_half_a_stretch_record_is_no_stretch(tmp_path: Path) -> None:
    """A record that does not fit its checksum names no job."""
    with Mark(tmp_path / "p.mark") as mark:
        mark.begin_stretch("job", 1, 2)
        content = bytearray(mark.path.read_bytes())
        content[35] ^= 1
        mark.path.write_bytes(content)
        assert mark.running() is None


@pytest.mark.parametrize("name", ["", "x" * 100, "ż" * 50])
def test_job_ids_up_to_the_limit_fit(tmp_path: Path, name: str) -> None:
    """Ids of 0 to 100 bytes come back as they were."""
    with Mark(tmp_path / "p.mark") as mark:
        mark.begin_stretch(name, 2**40, -1)
        assert (name, 2**40, -1) == mark.running()


def test_a_longer_job_id_is_refused(tmp_path: Path) -> None:
    """An id that does not fit is an error, never cut."""
    with Mark(tmp_path / "p.mark") as mark, pytest.raises(BugError, match="102 bytes"):
        mark.begin_stretch("ż" * 51, 1, 1)


def test_another_file_is_not_taken_for_a_mark(tmp_path: Path) -> None:
    """A file that holds something else is refused and left as it is."""
    other = tmp_path / "p.mark"
    other.write_bytes(b"x" * SIZE)
    with pytest.raises(StoreError, match="not a mark file"):
        Mark(other)
    assert other.read_bytes() == b"x" * SIZE


def test_closing_twice_is_harmless(tmp_path: Path) -> None:
    """Both the owner and its cleanup may close."""
    mark = Mark(mark_path(tmp_path / "p.db0"))
    mark.close()
    mark.close()
    assert (tmp_path / "p.mark").exists()
