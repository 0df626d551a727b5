"""References in texts, `${scheme:NAME}`: which kinds may hold them, and what a variable looks like. Pure."""

import re
from dataclasses import replace
from typing import Any

from statek.spec.positions import inside
from statek.spec.problems import Problem

REFERRING = frozenset({"Provider", "ToolSet", "Fleet", "Queue"})  # kinds whose texts may hold references
SCHEMES = ("secret", "env", "var")
REFERENCE = re.compile(r"\$\{((?:secret|env|var):[A-Za-z_][A-Za-z0-9_]*)\}")  # one that can be read
VARIABLE = re.compile(r"\$\{var:([A-Za-z_][A-Za-z0-9_]*)\}")


def awaits_variable(value: Any) -> bool:
    """Whether it is a text that a variable is still to be filled into: what it becomes is checked then."""
    return isinstance(value, str) and VARIABLE.search(value) is not None


def at_part(problem: Problem, text: str, found: re.Match[str]) -> Problem:
    """The problem of a value at the part of its `text` that it is about."""
    return problem if found[0] == text else replace(problem, range=inside(problem.range, text, *found.span()))
