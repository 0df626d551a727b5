"""Problems as the lines that GitHub Actions turns into annotations beside the changed files. Only the wording.

A line is `::error file=...,line=...,col=...,title=...::message`. Files are named from the folder that the command runs
in, which a workflow's checkout is the top of.
"""

import os
from pathlib import Path

from statek.spec.problems import Problem


def annotation(problem: Problem, root: Path) -> str:
    """One line for a problem of the project at `root`."""
    start, end = problem.range.start, problem.range.end
    facts = {
        "file": Path(os.path.relpath(root / problem.file)).as_posix(),
        "line": str(start.line),
        "endLine": str(end.line),
        "col": str(start.column),
        "endColumn": str(end.column),
        "title": f"{problem.code} {problem.rule}",
    }
    if end.line != start.line:
        del facts["col"], facts["endColumn"]  # they are read for places within one line only
    said = ",".join(f"{name}={_escaped(value, fact=True)}" for name, value in facts.items())
    return f"::{problem.severity} {said}::{_escaped(problem.message)}"


def _escaped(text: str, *, fact: bool = False) -> str:
    return "".join(f"%{ord(char):02X}" if char in ("%\r\n:," if fact else "%\r\n") else char for char in text)
