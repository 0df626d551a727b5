"""The same files give the same diagnostics wherever the project lies: no message holds a folder of the machine."""

import json
import shutil
from pathlib import Path

import pytest

from statek.compiler.project import compile_project
from statek.spec.problems import SpecProblems, to_json

EXAMPLES = Path(__file__).parents[1] / "examples" / "invalid"
MODULES = {"missing.yaml": "lost:run", "broken.yaml": "half:run", "outside.yaml": "beyond:run"}


def told(project: Path) -> str:
    """Everything that is wrong with a project, as the bytes that are printed."""
    try:
        found = compile_project(project).obstacles
    except SpecProblems as error:
        found = error.problems
    return json.dumps([to_json(problem) for problem in found])


def in_two_folders(tmp_path: Path, source: Path) -> list[str]:
    """What is told of a project in one folder, and in another one much deeper."""
    places = [tmp_path / "near" / "desk", tmp_path / "far" / "away" / "from" / "there" / "desk"]
    for place in places:
        shutil.copytree(source, place, symlinks=True)
    return [told(place) for place in places]


@pytest.mark.parametrize("folder", sorted(EXAMPLES.iterdir()), ids=lambda path: path.name)
def test_an_example_is_told_with_the_same_bytes_in_two_folders(tmp_path, folder):
    """Compiled here or there, an invalid project gives the same output."""
    here, there = in_two_folders(tmp_path, folder)
    assert here == there
    assert str(tmp_path) not in here


def test_links_and_modules_are_told_with_the_same_bytes_in_two_folders(tmp_path):
    """What lies outside of the project is named as the project names it."""
    source = tmp_path / "source"
    (source / "agents" / "linked").mkdir(parents=True)
    (source / "pyproject.toml").write_text('[tool.statek]\nproject = "desk"\npython_path = [".", "../lib"]\n')
    (source / "half.py").write_text("def run(:\n")
    (source / "agents" / "a.md").symlink_to("../../a.md")
    (source / "agents" / "b.md").symlink_to("/proc/self/environ")
    (source / "agents" / "more").symlink_to("linked")
    (source / "tests").symlink_to("../tests")
    for name, target in MODULES.items():
        spec = f"spec:\n  tools:\n    - python: {target}\n"
        head = f"apiVersion: statek/v1\nkind: ToolSet\nmetadata: {{name: {name[:-5]}}}\n"
        (source / "agents" / name).write_text(head + spec)
    for place in ("near", "far/away/from/there"):
        (tmp_path / place / "lib").mkdir(parents=True)
        (tmp_path / place / "lib" / "beyond.py").write_text("def run(:\n")
        (tmp_path / place / "tests").mkdir()
    here, there = in_two_folders(tmp_path, source)
    assert here == there
    assert [code for code in ("STK011", "STK501") if code not in here] == []
    assert str(tmp_path) not in here


@pytest.mark.parametrize("roots", ['["away"]', '["../other"]', '["none"]'])
def test_roots_are_told_with_the_same_bytes_in_two_folders(tmp_path, roots):
    """A root that leaves the project or is not there is named as it is written."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "away").symlink_to("../other")
    (source / "pyproject.toml").write_text(f'[tool.statek]\nproject = "desk"\nroots = {roots}\n')
    for place in ("near", "far/away/from/there"):
        (tmp_path / place / "other").mkdir(parents=True)
    here, there = in_two_folders(tmp_path, source)
    assert here == there
    assert str(tmp_path) not in here
