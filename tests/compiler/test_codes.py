"""The texts of `statek explain CODE` are true: every example is compiled."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from statek.compiler.project import Compilation, compile_project
from statek.spec.codes.table import CODES, find_code
from statek.spec.problems import RULES, SpecProblems
from statek.spec.reading.lint import SETTABLE

GROUND = {
    "agents/models.yaml": """\
apiVersion: statek/v1
kind: Provider
metadata: {name: house}
spec: {driver: scripted}
---
apiVersion: statek/v1
kind: Script
metadata: {name: talk}
spec: {rules: [{reply: {text: Done.}}]}
---
apiVersion: statek/v1
kind: Model
metadata: {name: fast}
spec: {provider: house, id: talk}
---
apiVersion: statek/v1
kind: Model
metadata: {name: deep}
spec: {provider: house, id: talk}
""",
    "agents/ticketing.yaml": """\
apiVersion: statek/v1
kind: ToolSet
metadata: {name: ticketing}
spec:
  tools:
    - {python: "shop.tickets:lookup", effect: read}
    - {python: "shop.tickets:close", effect: write}
""",
    "agents/reader.md": """\
---
description: Reads about one topic.
model: deep
inputs:
  topic: {type: string}
---
Read about {{ inputs.topic }}.
""",
    "shop/__init__.py": "",
    "shop/tickets.py": "def lookup(id: str) -> str:\n    return id\n\n\ndef close(id: str) -> None:\n    pass\n",
}
SHOWN = sorted(code for code in CODES if CODES[code].wrong)


def compiled(root: Path, files: Mapping[str, str]) -> Compilation:
    """The project of the examples with these files."""
    for name, text in {**GROUND, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return compile_project(root)


def codes(root: Path, files: Mapping[str, str]) -> list[str]:
    """The codes of all problems, those of what this build does not run left out unless there is nothing else."""
    try:
        found = compiled(root, files)
    except SpecProblems as error:
        return [problem.code for problem in error.problems]
    return [problem.code for problem in found.problems]


def test_every_code_has_its_text() -> None:
    """And there is no text for a code that is not."""
    assert set(CODES) == set(RULES)
    for code, text in CODES.items():
        assert bool(text.wrong) == bool(text.right) != bool(text.unshown), code


@pytest.mark.parametrize("code", [code for code in SHOWN if code != "STK100"])
def test_the_wrong_example_gives_its_code_once(tmp_path: Path, code: str) -> None:
    """And nothing else."""
    assert codes(tmp_path, CODES[code].wrong) == [code]


@pytest.mark.parametrize("code", SHOWN)
def test_the_right_example_gives_nothing(tmp_path: Path, code: str) -> None:
    """Not even a warning."""
    assert codes(tmp_path, CODES[code].right) == []


def test_what_is_not_run_yet_is_no_problem_of_the_files(tmp_path: Path) -> None:
    """The wrong example of STK100 is valid, but cannot be applied."""
    found = compiled(tmp_path, CODES["STK100"].wrong)
    assert ([problem.code for problem in found.later], found.problems) == (["STK100"], ())


@pytest.mark.parametrize("word", ["STK301", "stk301", "unknown-input", "Unknown-Input"])
def test_a_code_is_found_by_its_rule_too(word: str) -> None:
    """In any case."""
    assert find_code(word) == "STK301"


@pytest.mark.parametrize("code", sorted(SETTABLE))
def test_what_may_be_switched_off_can_be(tmp_path: Path, code: str) -> None:
    """By its rule, as the text says."""
    settings = {"pyproject.toml": f'[tool.statek.lint]\nrules = {{{RULES[code]} = "off"}}\n'}
    assert codes(tmp_path, {**CODES[code].wrong, **settings}) == []
