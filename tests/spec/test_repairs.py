"""Fixes for files that cannot be read: each makes the file readable, or is not offered."""

import time

import pytest

from statek.spec.problems import Fix
from statek.spec.reading.documents import read_documents
from statek.spec.reading.edits import with_fixes
from statek.spec.reading.snapshot import SourceFile

HEAD = "---\ndescription: D.\n"
REPAIRS = {
    "a colon in a description": ("a.yaml", "description: one: two # c\n", 'description: "one: two" # c\n'),
    "a template": ("a.yaml", "a: {{ inputs.a }} and more\n", 'a: "{{ inputs.a }} and more"\n'),
    "a reserved sign": ("a.yaml", "- b\n", None),
    "an at sign": ("a.yaml", "a: @b c\n", 'a: "@b c"\n'),
    "a reference in braces": ("a.yaml", "a: {b: ${env:B}, c: x/${env:C}}\n", 'a: {b: "${env:B}", c: "x/${env:C}"}\n'),
    "a list never closed": ("a.yaml", "a: [b, c\nd: 1\n", None),
    "tabs": ("a.yaml", "a:\n\tb:\n\t\tc: 1\n\td: |\n\t\tx\n", "a:\n  b:\n    c: 1\n  d: |\n    x\n"),
    "tabs in front matter only": ("a.md", f"{HEAD}a:\n\tb: 1\n---\n\tx\n", f"{HEAD}a:\n  b: 1\n---\n\tx\n"),
    "dots for a fence": ("a.md", f"{HEAD}...\nHello.\n", f"{HEAD}---\nHello.\n"),
    "an indented fence": ("a.md", f"{HEAD}  ---\nHello.\n", f"{HEAD}---\nHello.\n"),
    "no fence": ("a.md", f"{HEAD}Hello.\n", None),
    "an indented opening": ("a.md", f"  {HEAD}---\nHello.\n", f"{HEAD}---\nHello.\n"),
    "lines above the fence": ("a.md", f"\n \n{HEAD}---\nHello.\n", f"{HEAD}---\nHello.\n"),
    "text above the fence": ("a.md", f"Hi.\n{HEAD}---\nHello.\n", None),
    "a missing space": ("a.yaml", "kind:Queue\n", "kind: Queue\n"),
    "a directive": ("a.yaml", "%YAML 1.1\n---\na: 1\n", "---\na: 1\n"),
    "a separator too much": ("a.yaml", "a: 1\n---\n", "a: 1\n"),
    "a number as key": ("a.yaml", "a: {1: x}\n", 'a: {"1": x}\n'),
}  # fmt: skip


def fixes_of(path: str, text: str) -> list[Fix]:
    """What is offered for a file."""
    read = read_documents([SourceFile(f"agents/{path}", "agents", text.encode())])
    return [fix for problem in read.problems for fix in problem.fixes]


@pytest.mark.parametrize(("path", "before", "after"), REPAIRS.values(), ids=REPAIRS)
def test_a_repair(path: str, before: str, after: str | None) -> None:
    """The file can be read with it; where nothing is certain nothing is offered."""
    fixes = fixes_of(path, before)

    if after is None:
        assert fixes == []
    else:
        assert with_fixes(before, fixes) == after
        assert read_documents([SourceFile(f"agents/{path}", "agents", after.encode())]).problems == ()
        assert [fix.safe for fix in fixes] == [True]


def test_what_may_be_a_nested_field_is_only_offered() -> None:
    """Quotes are right for a text, but not for a mapping on one line."""
    (fix,) = fixes_of("a.yaml", "limits: turns: 5\n")

    assert not fix.safe


@pytest.mark.parametrize("line", ["a: @" + " " * 900_000 + "x", "a: {b: " + "y" * 900_000, "a: @" + "${" * 400_000])
def test_a_hostile_line_costs_nothing(line: str) -> None:
    """Long lines are not searched for a repair."""
    begin = time.monotonic()

    fixes_of("a.yaml", f"{line}\n")

    assert time.monotonic() - begin < 20
