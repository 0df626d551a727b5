"""One snapshot after the other: each is what a first one would be, whatever happened on the disk between."""

import dataclasses
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from statek.spec.reading.project import ProjectConfig, load_project
from statek.spec.reading.snapshot import Snapshot, Snapshots, take_snapshot
from tests.compiler.test_incremental import LaterClock

NAMES = ("a.md", "a.md", "a.md", "b.md", "b.md", "c.eval.yaml", "d.yml", "README.md", ".e.md", "sub")


def place(chance: random.Random, root: Path) -> Path:
    """A path below a root; nothing lies there any more."""
    path = root / chance.choice(["agents", "agents", "agents/sub", "tests"]) / chance.choice(NAMES)
    if path.parent.is_symlink() or not path.parent.is_dir():
        path.parent.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    return path


def write(chance: random.Random, root: Path) -> None:
    """A file of a length of its own."""
    place(chance, root).write_text("x" * chance.randrange(10_000))


def link(chance: random.Random, root: Path) -> None:
    """A link, to what is there or not, inside of the root or outside."""
    place(chance, root).symlink_to(chance.choice(["a.md", "../agents/b.md", "sub", "/etc/passwd", "nowhere.md", "."]))


def folder(chance: random.Random, root: Path) -> None:
    """A folder, also with the name of a file."""
    place(chance, root).mkdir()


def pipe(chance: random.Random, root: Path) -> None:
    """No plain file."""
    os.mkfifo(place(chance, root))


def nothing(chance: random.Random, root: Path) -> None:
    """Something goes."""
    place(chance, root)


def swap(chance: random.Random, root: Path) -> None:
    """One name gets what another one had."""
    found = sorted(path for path in root.rglob("*.md") if path.is_file() and not path.is_symlink())
    if len(found) > 1:
        one, other = chance.sample(found, 2)
        one.replace(other)


HOW: tuple[Callable[[random.Random, Path], None], ...] = (write, write, write, link, folder, pipe, nothing, swap)


def seen(snapshot: Snapshot) -> object:
    """What a snapshot says."""
    files = [(file.path, file.root, file.raw, file.sha256) for file in snapshot.files]
    return files, sorted((problem.file, problem.code, problem.message) for problem in snapshot.problems)


def config_of(root: Path, chance: random.Random) -> ProjectConfig:
    """Settings that may exclude something."""
    return dataclasses.replace(load_project(root), exclude=chance.choice([(), (), ("b.*",)]))


@pytest.mark.parametrize("seed", range(8))
def test_each_is_as_a_first_one(tmp_path: Path, seed: int) -> None:
    """Files, links, folders, pipes come and go and take each other's names."""
    chance, snapshots = random.Random(seed), Snapshots(LaterClock() if seed % 4 else None)
    for name in ("agents", "warmups"):
        (tmp_path / name).mkdir()
    (tmp_path / "pyproject.toml").write_text("[tool.statek]\n")
    for _ in range(40):
        for change in chance.sample(HOW, chance.choice([0, 1, 2])):
            change(chance, tmp_path)
        for name in ("agents", "warmups"):
            (tmp_path / name).mkdir(exist_ok=True)
        config = config_of(tmp_path, chance)
        assert seen(snapshots.take(config)) == seen(take_snapshot(config))


def test_what_is_as_it_was_is_the_very_same_object(tmp_path: Path) -> None:
    """So that nothing that was made of it is made again."""
    (tmp_path / "agents").mkdir()
    for name in ("a.md", "b.md"):
        (tmp_path / "agents" / name).write_text("one")
    snapshots, config = Snapshots(), load_project(tmp_path)
    before = snapshots.take(config).files
    (tmp_path / "agents" / "b.md").write_text("other")
    after = snapshots.take(config).files
    assert (after[0] is before[0], after[1].raw) == (True, b"other")
