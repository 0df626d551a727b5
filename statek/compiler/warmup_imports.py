"""Names of modules that a warmup imports or reads and the sandbox does not offer. Reads syntax, imports nothing.

What the sandbox offers is fixed, so this holds for every agent. Only what fails for certain is told: code that looks
first (`hasattr`), or that may catch what goes wrong, is left to the run.
"""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from statek.base.nearest import did_you_mean
from statek.sandbox.exports import EXPORTS
from statek.spec.problems import Problem, make_problem, span
from statek.spec.reading.documents import Document
from statek.text.warmup import names_bound_by, parse_python, searched_name

_LOOKING = frozenset({"dir", "getattr", "hasattr", "vars"})
_CATCHING = (ast.Try, ast.TryStar, ast.With, ast.AsyncWith)
_LATER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


class _Use(NamedTuple):
    """A name of a module. `line` from 1, `column` in bytes from 0."""

    module: str
    name: str
    line: int
    column: int


def unoffered(document: Document, code: str) -> Iterator[Problem]:
    """Each name of a module that is not offered, at the first place. Raises SyntaxError as Python does."""
    tree, lines, told = parse_python(code), code.split("\n"), set[tuple[str, str]]()
    if any(isinstance(node, ast.Name) and node.id in _LOOKING for node in ast.walk(tree)):
        return
    for use in sorted(_uses(tree), key=lambda use: (use.line, use.column)):
        module, name = use.module, use.name
        if name in EXPORTS[module] or name.startswith(("_", "*")) or (module, name) in told:
            continue
        told.add((module, name))
        message = (
            f"module '{module}' does not offer '{name}' here{did_you_mean(name, EXPORTS[module], also='it offers')}"
        )
        where = span(*searched_name(name, use.line, use.column, lines), len(name))
        yield make_problem("STK403", message, document.file, where, object=f"Warmup/{document.stem}")


def _uses(tree: ast.Module) -> Iterator[_Use]:
    modules = _modules(tree)
    for node in _certain(tree):
        if isinstance(node, ast.ImportFrom) and not node.level and (module := node.module or "") in EXPORTS:
            yield from (_Use(module, alias.name, alias.lineno, alias.col_offset) for alias in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and isinstance(node.value, ast.Name):
            module, line = modules.get(node.value.id, ("", 0))
            if module and node.lineno > line:
                end = (node.end_lineno or node.lineno, (node.end_col_offset or 0) - len(node.attr.encode()))
                yield _Use(module, node.attr, *end)


def _modules(tree: ast.Module) -> dict[str, tuple[str, int]]:
    """Names that are a module from one line on, whatever else runs: imported at the top, and never anything else."""
    found: dict[str, tuple[str, int]] = {}
    for statement in tree.body:
        for alias in statement.names if isinstance(statement, ast.Import) else ():
            if alias.name in EXPORTS and (alias.asname or "." not in alias.name):
                found.setdefault(alias.asname or alias.name, (alias.name, statement.lineno))
    for node in ast.walk(tree):
        for name, module in _given(node):
            if name in found and found[name][0] != module:
                del found[name]
    return found


def _given(node: ast.AST) -> Iterator[tuple[str, str]]:
    """The names that a node binds, with the module that each is; "" for what is no module."""
    if isinstance(node, ast.Import):
        yield from ((alias.asname or alias.name.partition(".")[0], alias.name) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from ((alias.asname or alias.name, "") for alias in node.names)
    elif not isinstance(node, ast.alias):
        yield from ((name, "") for name in names_bound_by(node))


def _certain(tree: ast.Module) -> Iterator[ast.AST]:
    """Every node where nothing catches what goes wrong; functions only when nothing does anywhere."""
    catches = any(isinstance(node, _CATCHING) for node in ast.walk(tree))
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, _CATCHING) and not (catches and isinstance(node, _LATER)):
            waiting.extend(ast.iter_child_nodes(node))
