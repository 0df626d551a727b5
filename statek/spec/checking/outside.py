"""Tools that lie outside of Python: what can be wrong with an HTTP call that no schema can say. Reads no file.

Called by `rules` for every tool; whether an OpenAPI file has the operations that are named is for the compiler.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from statek.base.nearest import did_you_mean
from statek.spec.fixes import word_fix
from statek.spec.positions import inside
from statek.spec.problems import Problem
from statek.spec.types import Spec

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_REFERENCE = re.compile(r"\$\{[^}]*\}?")


def check_outside(spec: Spec, index: int, tool: Mapping[str, Any]) -> Iterator[Problem]:
    """Every problem of one tool of a ToolSet that is no Python function."""
    if "python" not in tool and "thread" in tool:
        message = "'thread' is for functions of Python: nothing else runs in a thread; remove it"
        yield spec.at_key("STK101", message, "tools", index, "thread")
    if "http" in tool:
        yield from _placeholders(spec, index, tool["http"])


def _placeholders(spec: Spec, index: int, http: Mapping[str, Any]) -> Iterator[Problem]:
    """`{name}` in the address stands for an input; `${...}` is a reference and no placeholder."""
    inputs, url = http.get("input", {}), http["url"]
    covered = _REFERENCE.sub(lambda found: " " * len(found[0]), url)
    for found in _PLACEHOLDER.finditer(covered):
        if found[1] not in inputs:
            hint = did_you_mean(found[1], inputs, also="declared inputs")
            problem = spec.problem(
                "STK508", f"placeholder '{found[0]}' has no input{hint}", "tools", index, "http", "url"
            )
            where = inside(problem.range, url, *found.span(1))
            fixes = word_fix(where, found[1], inputs) if where != problem.range else ()
            yield replace(problem, range=inside(problem.range, url, *found.span()), fixes=fixes)
