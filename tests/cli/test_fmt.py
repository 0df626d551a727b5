"""`statek fmt`: which files it writes, what it says, how it ends."""

import os
from pathlib import Path

from tests.cli.conftest import Statek

CROOKED = """\
# Guests.
kind: Queue
apiVersion: statek/v1
metadata: {name: guests}   # ours
spec:
    deliver_as: name
    agent:   greeter
"""
STRAIGHT = """\
# Guests.
apiVersion: statek/v1
kind: Queue
metadata: {name: guests}   # ours
spec:
  agent: greeter
  deliver_as: name
"""


def bend(project: Path) -> Path:
    """Give the project one file without the form."""
    path = project / "queues/guests.yaml"
    path.write_text(CROOKED)
    return path


def test_a_new_project_has_the_form(statek: Statek, project: Path) -> None:
    """What `statek init` writes needs no formatting."""
    done = statek("fmt", "--check", cwd=project)

    assert (done.code, done.out) == (0, "")
    assert "0 files would be formatted" in done.err


def test_files_are_written_and_named(statek: Statek, project: Path) -> None:
    """Each on a line of stdout; a second run has nothing to do, and the project is still valid."""
    path = bend(project)

    done = statek("fmt", cwd=project)

    assert (done.code, done.out) == (0, "queues/guests.yaml\n")
    assert path.read_text() == STRAIGHT
    assert statek("fmt", cwd=project).out == ""
    assert statek("validate", cwd=project).code == 0


def test_check_writes_nothing_and_ends_with_1(statek: Statek, project: Path) -> None:
    """It names the files that would change."""
    path = bend(project)

    done = statek("fmt", "--check", cwd=project)

    assert (done.code, done.out) == (1, "queues/guests.yaml\n")
    assert path.read_text() == CROOKED


def test_diff_writes_nothing_and_shows_the_lines(statek: Statek, project: Path) -> None:
    """A unified diff; with `--check` it ends with 1, too."""
    path = bend(project)

    done = statek("fmt", "--diff", cwd=project)

    assert done.code == 0
    assert done.out.startswith("--- a/queues/guests.yaml\n+++ b/queues/guests.yaml\n@@ ")
    assert "-    agent:   greeter\n" in done.out
    assert "+  agent: greeter\n" in done.out
    assert statek("fmt", "--diff", "--check", cwd=project).code == 1
    assert path.read_text() == CROOKED


def test_only_files_under_the_paths_are_formatted(statek: Statek, project: Path) -> None:
    """Others stay as they are."""
    path = bend(project)

    assert statek("fmt", "agents", cwd=project).out == ""
    assert path.read_text() == CROOKED
    assert statek("fmt", "queues/guests.yaml", cwd=project).out == "queues/guests.yaml\n"


def test_a_file_that_cannot_be_read_is_shown_and_left(statek: Statek, project: Path) -> None:
    """Exit code 1; the other files are formatted all the same."""
    bend(project)
    broken = project / "agents/models.yaml"
    broken.write_text("a: [1\n")

    done = statek("fmt", cwd=project)

    assert (done.code, done.out) == (1, "queues/guests.yaml\n")
    assert "error[STK001]" in done.err
    assert broken.read_text() == "a: [1\n"


def test_the_document_has_the_documented_shape(statek: Statek, project: Path) -> None:
    """What changed, with the diff if it was asked for."""
    bend(project)

    shown = statek("fmt", "--diff", "-o", "json", cwd=project).document("Formatted")
    written = statek("fmt", "-o", "json", cwd=project).document("Formatted")

    assert (shown["ok"], shown["written"]) == (True, False)
    assert shown["changed"][0]["diff"].startswith("--- a/queues/guests.yaml")
    assert (written["written"], written["changed"]) == (True, [{"file": "queues/guests.yaml", "diff": None}])


def test_nothing_is_written_through_a_link(statek: Statek, project: Path) -> None:
    """A link within a root is read, but never written."""
    path = bend(project)
    real = project / "queues/.real"
    path.rename(real)
    path.symlink_to(real)

    done = statek("fmt", cwd=project)

    assert (done.code, done.out) == (1, "")
    assert "is a link" in done.err
    assert real.read_text() == CROOKED


def test_the_mode_of_a_file_stays(statek: Statek, project: Path) -> None:
    """And nothing is left beside it."""
    path = bend(project)
    path.chmod(0o600)

    statek("fmt", cwd=project)

    assert path.stat().st_mode & 0o777 == 0o600
    assert not [name for name in os.listdir(path.parent) if name.startswith(".")]  # noqa: PTH208


def test_windows_line_ends_become_line_feeds(statek: Statek, project: Path) -> None:
    """Of prompts, too; their text stays as it is."""
    path = project / "agents/greeter.md"
    before = path.read_bytes()
    path.write_bytes(before.replace(b"\n", b"\r\n"))

    assert statek("fmt", cwd=project).out == "agents/greeter.md\n"
    assert path.read_bytes() == before
