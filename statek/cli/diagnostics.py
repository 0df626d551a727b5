"""Problems in files, shown in the form that was asked for: to people, as JSON, as lines for other programs.

It only shows; which problems there are is decided below.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from statek.cli.annotations import annotation
from statek.cli.screen import Screen
from statek.spec.problems import Problem, brief, to_json


def validation(problems: Sequence[Problem], *, ok: bool) -> dict[str, Any]:
    """The document that `statek validate -o json` prints, without its head."""
    return {"ok": ok, "diagnostics": [to_json(problem) for problem in problems]}


def show_validation(screen: Screen, problems: Sequence[Problem], root: Path, *, ok: bool) -> None:
    """Write the result of checking files: the document that is asked for to stdout, and the problems for people."""
    if screen.json:
        screen.document("Validation", validation(problems, ok=ok))
    elif screen.output == "sarif":
        from statek.cli.sarif import sarif  # it asks for the version, which takes longer than a small project

        screen.foreign(sarif(problems))
    show_problems(screen, problems, root)


def show_problems(screen: Screen, problems: Sequence[Problem], root: Path) -> None:
    """Write problems to stderr, with their lines from the files under `root`; a line each to stdout where asked for."""
    if screen.output in ("compact", "github"):
        for problem in problems:
            screen.line(brief(problem) if screen.output == "compact" else annotation(problem, root))
        return
    if problems:
        from statek.cli.blocks import Sources, block  # good files need none of it, nor rich

        sources = Sources(root)
        for problem in problems:
            screen.err.print(block(problem, sources))
        screen.note(_summary(problems))


def _summary(problems: Iterable[Problem]) -> str:
    found = list(problems)
    counts = []
    for severity in ("error", "warning"):
        count = sum(problem.severity == severity for problem in found)
        counts += [f"{count} {severity}{'s' if count > 1 else ''}"] if count else []
    files = len({problem.file for problem in found})
    return f"{', '.join(counts)} in {files} file{'s' if files > 1 else ''}"
