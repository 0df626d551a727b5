"""A compiler that is asked again and again gives what one that begins anew gives, whatever was edited between."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statek.compiler.project import Compilation, Compiler, compile_project
from statek.spec.problems import Problem, SpecProblems
from tests.compiler.test_mistakes import AGENT, GOOD, MISTAKES, Mistake, write

EXAMPLES = Path(__file__).parents[1] / "examples" / "valid"
NAMES = ("help-desk", "inheritance", "research-desk", "queue-feeds-warmup", "language-3")


def result(compiler: Compiler | None, root: Path) -> Compilation | tuple[Problem, ...]:
    """What is compiled of a project, or what is wrong with its settings."""
    try:
        return compile_project(root) if compiler is None else compiler.compile(root)
    except SpecProblems as error:
        return error.problems


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(MISTAKES), st.booleans()), min_size=1, max_size=6))
def test_mistakes_come_and_go(steps: list[tuple[Mistake, bool]]) -> None:
    """Each edit makes a mistake in one file, or takes back all that were made in it."""
    compiler = Compiler()
    with tempfile.TemporaryDirectory() as folder:
        root, files = Path(folder), dict(GOOD)
        write(root, files)
        for mistake, undo in steps:
            old = GOOD[mistake.file] if undo else files[mistake.file].replace(mistake.old, mistake.new, 1)
            files[mistake.file] = old
            write(root, files)
            assert result(compiler, root) == result(None, root)


@settings(max_examples=25)
@given(st.sampled_from(NAMES), st.lists(st.tuples(st.integers(0), st.integers(0, 4)), min_size=1, max_size=6))
def test_files_come_go_and_change(name: str, steps: list[tuple[int, int]]) -> None:
    """A file is taken away, brought back, changed, or put in the place of another."""
    compiler = Compiler()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, name)
        shutil.copytree(EXAMPLES / name, root, ignore=shutil.ignore_patterns("__pycache__"))
        whole = {path: path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
        for where, how in steps:
            path, other = (list(whole)[number % len(whole)] for number in (where, where // 7))
            change(path, how, whole[path], whole[other])
            assert result(compiler, root) == result(None, root)


def change(path: Path, how: int, before: bytes, other: bytes) -> None:
    """One edit of one file."""
    if how == 0:
        path.unlink(missing_ok=True)
    elif how == 1:
        path.write_bytes(before)
    elif how == 2:
        path.write_bytes(before + b"\nOne more line.\n")
    elif how == 3:
        path.write_bytes(other)
    else:
        path.write_bytes(before.replace(b"desk", b"dask").replace(b"turns: ", b"turns: 1"))


@pytest.mark.parametrize("between", ["", "{{ no end"], ids=["at once", "broken meanwhile"])
def test_what_did_not_change_is_not_made_again(tmp_path: Path, between: str) -> None:
    """The very same objects, but for the agent that was edited, also when an edit between was wrong."""
    compiler = Compiler()
    write(tmp_path, GOOD)
    before = {(one.kind, one.name): one for one in compiler.compile(tmp_path).objects}
    write(tmp_path, {AGENT: GOOD[AGENT] + between})
    assert bool(compiler.compile(tmp_path).objects) != bool(between)
    write(tmp_path, {AGENT: GOOD[AGENT] + "One more line.\n"})
    after = {(one.kind, one.name): one for one in compiler.compile(tmp_path).objects}
    assert {key for key in after if after[key] is not before[key]} == {("Agent", "triage")}


@pytest.mark.parametrize("file", ["agents/_tone.md", "warmups/triage.py", "agents/tools.yaml", "pyproject.toml"])
def test_what_an_agent_takes_from_others_makes_it_anew(tmp_path: Path, file: str) -> None:
    """Partials, warmups, tools and variables are part of the compiled agent."""
    edits = {"short": "long", '"Ticket:"': '"The ticket:"', "effect: read": "effect: write", '"eu"': '"us"'}
    compiler = Compiler()
    write(tmp_path, GOOD)
    before = compiler.compile(tmp_path)
    text = GOOD[file]
    for old, new in edits.items():
        text = text.replace(old, new)
    write(tmp_path, {file: text})
    after = compiler.compile(tmp_path)
    revisions = [{one.name: one.revision for one in found.objects if one.kind == "Agent"} for found in (before, after)]
    assert revisions[0]["triage"] != revisions[1]["triage"]
    assert revisions[0]["reader"] == revisions[1]["reader"]
