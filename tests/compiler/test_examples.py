"""The example projects: every folder under `valid` compiles, every one under `invalid` gives what its file expects."""

import contextlib
import re
from pathlib import Path

import pytest

from statek.compiler.project import compile_project
from statek.spec.problems import Problem, SpecProblems

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "tests" / "examples"
VALID = sorted(path for path in (EXAMPLES / "valid").iterdir() if path.is_dir())
EXPECTATIONS = ("expect.txt", "later.txt")
INVALID = sorted(path for path in (EXAMPLES / "invalid").iterdir() if path.is_dir())
NEEDS_A_SPECIAL_FILE = {"STK011", "STK020"}  # links and changing files: tests/spec/test_snapshot.py


def problems_of(folder: Path) -> tuple[Problem, ...]:
    """Everything that is wrong with a project."""
    try:
        return compile_project(folder).problems
    except SpecProblems as error:
        return error.problems


def later_of(folder: Path) -> tuple[Problem, ...]:
    """Everything of a project that is good and not run by this build yet."""
    with contextlib.suppress(SpecProblems):
        return compile_project(folder).later
    return ()


def expected(folder: Path, name: str = "expect.txt") -> list[str]:
    """The lines of a file of expectations; none without it."""
    file = folder / name
    return file.read_text().splitlines() if file.exists() else []


def lines_of(problems: tuple[Problem, ...]) -> list[str]:
    """As `expect.txt` has them."""
    return [f"{p.code} {p.file}:{p.range.start.line}:{p.range.start.column}" for p in problems]


@pytest.mark.parametrize("folder", VALID, ids=lambda path: path.name)
def test_a_valid_project_compiles_without_a_word(folder):
    """A project of the valid examples has no problem at all and gives objects."""
    compilation = compile_project(folder)
    assert compilation.problems == ()
    assert lines_of(compilation.later) == expected(folder, "later.txt")
    assert compilation.objects or compilation.later


@pytest.mark.parametrize("folder", INVALID, ids=lambda path: path.name)
def test_an_invalid_project_gives_exactly_the_expected_problems(folder):
    """Code and position of every problem are those of `expect.txt`, and there is no other."""
    assert lines_of(problems_of(folder)) == expected(folder)


@pytest.mark.parametrize("folder", INVALID, ids=lambda path: path.name)
def test_an_invalid_project_names_exactly_what_is_not_run_yet(folder):
    """What is good and cannot be applied is that of `later.txt`; a project has one of the two files."""
    assert lines_of(later_of(folder)) == expected(folder, "later.txt")
    assert expected(folder) or expected(folder, "later.txt")


@pytest.mark.parametrize("folder", INVALID, ids=lambda path: path.name)
def test_a_problem_points_into_its_file(folder):
    """Start and end of a problem lie within the text it blames, the start before the end."""
    for problem in (*problems_of(folder), *later_of(folder)):
        text = (folder / problem.file).read_bytes().decode("utf-8-sig", "replace").replace("\r\n", "\n")
        lines = text.split("\n")
        assert 1 <= problem.range.start.line <= len(lines)
        assert 1 <= problem.range.start.column <= len(lines[problem.range.start.line - 1]) + 1
        assert problem.range.start < problem.range.end


@pytest.mark.parametrize("folder", INVALID, ids=lambda path: path.name)
def test_an_invalid_project_has_no_objects(folder):
    """Nothing of a project with errors can be applied."""
    with contextlib.suppress(SpecProblems):
        assert compile_project(folder).objects == ()


def test_every_code_that_is_given_out_has_an_example():
    """No diagnostic without a case that shows it."""
    rings = [ROOT / "statek" / ring for ring in ("spec", "compiler", "text", "sandbox")]
    files = [file for ring in rings for file in ring.glob("*.py")]
    source = "\n".join(file.read_text() for file in files if not file.name.startswith(("problems", "codes")))
    given_out = set(re.findall(r'"(STK\d{3})"', source)) - {"STK901"}
    shown = {line[:6] for folder in INVALID for name in EXPECTATIONS for line in expected(folder, name)}
    assert given_out - shown - NEEDS_A_SPECIAL_FILE == set()
