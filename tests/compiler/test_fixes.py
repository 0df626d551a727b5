"""Safe fixes over all examples of mistakes: what they change is right afterwards, and nothing else breaks."""

import shutil
from pathlib import Path

import pytest

from statek.compiler.project import compile_project
from statek.spec.fixing import apply_safe_fixes
from statek.spec.problems import Problem, SpecProblems
from tests.compiler.test_examples import INVALID, problems_of

FIXABLE = [folder for folder in INVALID if any(fix.safe for problem in problems_of(folder) for fix in problem.fixes)]
ROUNDS = 10
UNREADABLE = "STK00"  # a file that cannot be read hides everything else that is wrong in it


def fix_all(root: Path) -> tuple[list[Problem], tuple[Problem, ...]]:
    """Fix until nothing is left to fix: the problems that were fixed, and those that remain."""
    fixed: list[Problem] = []
    for _ in range(ROUNDS):
        found = compile_project(root)
        wanted = [problem for problem in found.problems if any(fix.safe for fix in problem.fixes)]
        if not apply_safe_fixes(root, wanted, found.sources).fixed:
            return fixed, found.problems
        fixed += wanted
    raise AssertionError(f"there is no end to it: {fixed}")


@pytest.mark.parametrize("folder", FIXABLE, ids=lambda path: path.name)
def test_a_safe_fix_removes_its_problem_and_makes_none(folder: Path, tmp_path: Path) -> None:
    """What was fixed is gone, no file became unreadable, and what remains was there before or was hidden."""
    root = shutil.copytree(folder, tmp_path / "project")
    before = {(problem.code, problem.message) for problem in problems_of(folder)}

    fixed, left = fix_all(root)

    told = {(problem.code, problem.message) for problem in left}
    assert fixed
    assert not told & {(problem.code, problem.message) for problem in fixed}
    new = [problem for problem in left if (problem.code, problem.message) not in before]
    assert not [problem for problem in new if problem.code.startswith(UNREADABLE)]
    if not any(problem.code.startswith(UNREADABLE) for problem in fixed):
        places = {(problem.file, problem.range.start.line) for problem in fixed}
        assert not [problem for problem in new if (problem.file, problem.range.start.line) in places]


@pytest.mark.parametrize("folder", INVALID, ids=lambda path: path.name)
def test_a_fix_is_a_place_in_its_file_and_changes_it(folder: Path) -> None:
    """Start and end of every fix, safe or not, lie in the file that the problem is about."""
    for problem in problems_of(folder):
        lines = (folder / problem.file).read_bytes().decode("utf-8-sig", "replace").replace("\r\n", "\n").split("\n")
        for fix in problem.fixes:
            assert fix.range.start <= fix.range.end
            for place in (fix.range.start, fix.range.end):
                assert place.column <= len(lines[place.line - 1]) + 1
            assert fix.range.start != fix.range.end or fix.text


@pytest.mark.parametrize("path", ["tests/examples/invalid/103-yes"])
def test_settings_with_an_error_stop_before_any_fix(path: str, tmp_path: Path) -> None:
    """Nothing is written when the settings cannot be used."""
    root = shutil.copytree(path, tmp_path / "project")
    (root / "pyproject.toml").write_text("[tool.statek]\nrots = []\n")

    with pytest.raises(SpecProblems):
        fix_all(root)

    assert "yes" in (root / "queues/q.yaml").read_text()
