"""Reading the files of a project: what is read, what is ignored, what is refused before it is opened."""

import dataclasses
import os
import socket
from pathlib import Path

import pytest

from statek.spec.reading.listing import MAX_BYTES
from statek.spec.reading.project import load_project
from statek.spec.reading.snapshot import Snapshot, take_snapshot


@pytest.fixture
def folder(tmp_path):
    """A project with one file."""
    root = tmp_path / "project"
    (root / "agents").mkdir(parents=True)
    (root / "pyproject.toml").write_text("[tool.statek]\nexclude = ['*.draft.md', 'agents/old/**']\n")
    (root / "agents" / "a.md").write_text("one")
    return root


def snapshot_of(folder: Path) -> Snapshot:
    """What is read of a project."""
    return take_snapshot(load_project(folder))


def codes(folder: Path) -> list[tuple[str, str]]:
    """Code and file of every problem of reading."""
    return [(problem.code, problem.file) for problem in snapshot_of(folder).problems]


def test_only_files_of_the_language_are_read(folder):
    """Other endings, hidden files, README.md and excluded files are left alone."""
    for name in ("b.txt", ".b.md", "README.md", "b.draft.md", "b.md~"):
        (folder / "agents" / name).write_text("x")
    (folder / "agents" / "old").mkdir()
    (folder / "agents" / "old" / "c.md").write_text("x")
    found = snapshot_of(folder)
    assert [file.path for file in found.files] == ["agents/a.md"]
    assert found.problems == ()


def test_a_link_inside_of_the_root_is_read(folder):
    """Files that are swapped by a link, as mounted configuration is, are followed."""
    (folder / "agents" / ".data").mkdir()
    (folder / "agents" / ".data" / "b.md").write_text("two")
    (folder / "agents" / "b.md").symlink_to(".data/b.md")
    assert [(file.path, file.raw) for file in snapshot_of(folder).files][1] == ("agents/b.md", b"two")


@pytest.mark.parametrize("target", ["/etc/passwd", "../pyproject.toml", "/proc/self/environ", "../../outside.md"])
def test_a_link_that_leaves_the_root_is_refused(folder, target):
    """Nothing outside of a root is ever read."""
    (folder.parent / "outside.md").write_text("secret")
    (folder / "agents" / "b.md").symlink_to(target)
    assert codes(folder) == [("STK011", "agents/b.md")]


def test_a_linked_folder_is_refused(folder):
    """A folder that is a link is an error, never left out without a word."""
    (folder / "agents" / "more").symlink_to("/etc")
    assert codes(folder) == [("STK011", "agents/more")]


def test_a_root_that_leaves_the_project_is_refused(folder):
    """A root cannot lie outside of the project."""
    (folder.parent / "other").mkdir()
    (folder / "pyproject.toml").write_text("[tool.statek]\nroots = ['../other']\n")
    assert codes(folder) == [("STK011", "pyproject.toml")]


def test_evals_are_read_from_one_folder(folder):
    """Only `*.eval.yaml` of `tests`, not deeper; whatever else lies there is not looked at."""
    for name in ("a.eval.yaml", "b.yaml", "test_c.py", "notes.md", "deep/d.eval.yaml", "README.md", "old.yml"):
        (folder / "tests" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "tests" / name).write_text("x")
    assert [file.path for file in snapshot_of(folder).files] == ["agents/a.md", "tests/a.eval.yaml"]
    assert codes(folder) == []


def test_an_eval_with_another_ending_is_refused(folder):
    """An eval that would not be read is never left out without a word."""
    (folder / "tests").mkdir()
    (folder / "tests" / "a.eval.yml").write_text("x")
    assert codes(folder) == [("STK014", "tests/a.eval.yml")]


def test_a_folder_of_evals_that_leaves_the_project_is_refused(folder):
    """Neither a link to elsewhere nor one to nothing is taken for a folder without evals."""
    (folder / "tests").symlink_to("/etc")
    assert codes(folder) == [("STK011", "tests")]
    (folder / "tests").unlink()
    (folder / "tests").symlink_to("gone")
    assert codes(folder) == [("STK021", "tests")]


def test_pipes_and_sockets_are_never_opened(folder):
    """What is no regular file is refused without waiting for it."""
    os.mkfifo(folder / "agents" / "b.md")
    here = Path.cwd()
    os.chdir(folder / "agents")  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("c.yaml")
    os.chdir(here)
    assert codes(folder) == [("STK009", "agents/b.md"), ("STK009", "agents/c.yaml")]


def test_a_folder_with_the_name_of_a_file_is_refused(folder):
    """A folder called `b.md` is an error."""
    (folder / "agents" / "b.md").mkdir()
    assert codes(folder) == [("STK009", "agents/b.md")]


def test_a_large_file_is_refused_by_its_size(folder):
    """A sparse file of a gigabyte is not read."""
    with (folder / "agents" / "b.md").open("wb") as file:
        file.truncate(1_000_000_000)
    assert codes(folder) == [("STK009", "agents/b.md")]
    os.truncate(folder / "agents" / "b.md", MAX_BYTES)
    assert codes(folder) == []


def test_a_broken_link_is_refused(folder):
    """A link to nothing is an error."""
    (folder / "agents" / "b.md").symlink_to("nowhere.md")
    assert codes(folder) == [("STK021", "agents/b.md")]


def test_no_root_at_all_is_an_error(folder):
    """A project without any of the default folders is not an empty project."""
    (folder / "agents" / "a.md").unlink()
    (folder / "agents").rmdir()
    assert codes(folder) == [("STK021", "pyproject.toml")]


def test_a_listed_root_must_exist(folder):
    """A root that is listed and missing is an error even when others exist."""
    (folder / "pyproject.toml").write_text("[tool.statek]\nroots = ['agents', 'gone']\n")
    assert codes(folder) == [("STK021", "pyproject.toml")]


def test_files_that_keep_changing_are_given_up(folder):
    """A folder that is never at rest gives one problem and no files."""
    config = load_project(folder)

    class Restless(tuple):
        """Names of roots; looking at them changes a file."""

        __slots__ = ()

        def __iter__(self):
            path = folder / "agents" / "a.md"
            path.write_text(path.read_text() + "x")
            return super().__iter__()

    found = take_snapshot(dataclasses.replace(config, roots=Restless(("agents",))))
    assert (found.files, [problem.code for problem in found.problems]) == ((), ["STK020"])
