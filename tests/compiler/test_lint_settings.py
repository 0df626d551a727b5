"""Lint settings in a whole project: what they leave, and where their own mistakes are."""

import pytest

from statek.compiler.project import compile_project
from statek.spec.problems import SpecProblems

AGENT = "---\ndescription: One.\nmodel: fast/one\nlimits: {exceptions: 2, consecutive_exceptions: 5}\n---\nHello.\n"


def project(folder, lint):
    """A project with two agents whose limits contradict."""
    (folder / "pyproject.toml").write_text(f"[tool.statek]\n\n{lint}")
    for name in ("a", "old/b"):
        file = folder / "agents" / f"{name}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(AGENT)
    return folder


@pytest.mark.parametrize(
    ("lint", "severities", "objects"),
    [
        ("", {"agents/a.md": "error", "agents/old/b.md": "error"}, 0),
        ('[tool.statek.lint]\nrules = {STK601 = "warn"}', {"agents/a.md": "warning", "agents/old/b.md": "warning"}, 2),
        ('[tool.statek.lint.rules]\nlimits-contradict = "off"', {}, 2),
        ('[[tool.statek.lint.paths]]\nfiles = ["old/"]\nrules = {STK601 = "off"}',
         {"agents/a.md": "error", "agents/old/b.md": "error"}, 0),
        ('[[tool.statek.lint.paths]]\nfiles = ["agents/old/**"]\nrules = {STK601 = "off"}',
         {"agents/a.md": "error"}, 0),
    ],
)  # fmt: skip
def test_a_project_says_how_severe_a_rule_is(tmp_path, lint, severities, objects):
    """An object whose problem is no error any more is compiled like any other."""
    found = compile_project(project(tmp_path, lint))
    assert {problem.file: problem.severity for problem in found.problems} == severities
    assert len(found.objects) == objects


def test_a_mistake_in_the_settings_stands_at_its_word(tmp_path):
    """In an inline table of the second entry, too."""
    lint = (
        '[[tool.statek.lint.paths]]\nfiles = ["a"]\nrules = {STK601 = "off"}\n\n'
        '[[tool.statek.lint.paths]]\nfiles = ["a"]\nrules = {STK601 = "off", STK802 = "off"}\n'
    )
    with pytest.raises(SpecProblems) as caught:
        compile_project(project(tmp_path, lint))
    (problem,) = caught.value.problems
    start, end = problem.range.start, problem.range.end
    assert (problem.code, start.line, start.column, end.column) == ("STK104", 9, 26, 32)
