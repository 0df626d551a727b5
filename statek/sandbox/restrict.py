"""Source text -> checked, guarded, compiled statements. Runs nothing. Called by the runner, the compiler and `keep`.

One parse, one transform (`transform.py`), one compile per top-level statement: what is executed is what was checked.
All problems of a block are reported together, with their place.
"""

import ast
import functools
import hashlib
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from types import CodeType
from typing import NamedTuple

from statek.exceptions import Refused
from statek.sandbox import sources
from statek.sandbox.bounds import JOB_PREFIX
from statek.sandbox.bounds import is_job_source as is_job_source  # re-exported
from statek.sandbox.lazy import MARK, LazyTransform
from statek.sandbox.policy import Policy
from statek.sandbox.transform import Found, Transform

_QUIET_CALLS = frozenset({"print", "exit"})
_UNREADABLE = re.compile("[\r\0\ud800-\udfff]")


class SourceProblem(NamedTuple):
    """One reason why a block is not run.

    Attributes:
        code: STK401 syntax, STK402 refused construct or name, STK403 refused import.
        line: in the block, from 1.
        column: in characters, from 1; `end_column` is one past the end.
    """

    code: str
    message: str
    line: int
    column: int
    end_column: int


class SourceRefused(Refused):
    """This code is not run."""

    def __init__(self, problems: Sequence[SourceProblem]) -> None:
        """Keep all problems; the message lists them by line."""
        self.problems = tuple(problems)
        super().__init__("; ".join(f"line {p.line}: {p.message}" for p in self.problems))


@dataclass(frozen=True)
class Statement:
    """One top-level statement, compiled.

    Attributes:
        digest: of the statement's own text.
        is_expression: its code is to be evaluated, and the value echoed.
        quiet: a bare call of `print` or `exit`, which echoes nothing when it gives None.
    """

    index: int
    line: int
    source: str
    digest: str
    code: CodeType
    is_expression: bool
    quiet: bool


class Block(NamedTuple):
    """A source text and its statements."""

    source: str
    digest: str
    statements: tuple[Statement, ...]


def digest_of(source: str) -> str:
    """Name of a text: 32 hex digits of its SHA-256."""
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def with_placeholders(source: str) -> str:
    """The source of code that may hold placeholders, to be compiled with a guard at every first use."""
    return source + MARK


def compile_block(source: str, policy: Policy = Policy()) -> Block:  # noqa: B008 - frozen
    """Check and compile a block; equal blocks are compiled once.

    Raises:
        SourceRefused: with every problem of the block.
    """
    block = _compiled(source.replace("\r\n", "\n"), policy)
    sources.register(block.source, block.digest, [s.code for s in block.statements])
    return block


@functools.lru_cache(maxsize=512)
def _compiled(source: str, policy: Policy) -> Block:
    digest = digest_of(source)
    tree = _parsed(source, policy)
    kinds = [(s.lineno, _text_of(source, s), isinstance(s, ast.Expr), _is_quiet(s)) for s in tree.body]
    guarded = _transformed(tree, source, policy)
    filename = f"{JOB_PREFIX}{digest}>"
    statements = []
    for index, ((line, text, is_expression, quiet), nodes) in enumerate(zip(kinds, guarded, strict=True)):
        code = _code_of(nodes, filename, is_expression=is_expression)
        statements.append(Statement(index, line, text, digest_of(text), code, is_expression, quiet))
    return Block(source, digest, tuple(statements))


def _parsed(source: str, policy: Policy) -> ast.Module:
    if (bad := _UNREADABLE.search(source)) is not None:
        line = source.count("\n", 0, bad.start()) + 1
        raise _refused("STK401", f"the character {bad[0]!r} does not belong in code", line)
    size = len(source.encode())
    if size > policy.max_source_bytes:
        raise _refused("STK402", f"{size} bytes of code in one block; at most {policy.max_source_bytes} are run")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            tree = ast.parse(source)
            nodes = sum(1 for _ in ast.walk(tree))
    except SyntaxError as error:
        raise SourceRefused([_syntax_problem(error)]) from None
    except (RecursionError, MemoryError, ValueError) as error:
        raise _refused("STK401", f"this code is nested too deeply to be read ({type(error).__name__})") from None
    if nodes > policy.max_nodes:
        raise _refused("STK402", f"{nodes} syntax nodes in one block; at most {policy.max_nodes} are run")
    return tree


def _transformed(tree: ast.Module, source: str, policy: Policy) -> list[list[ast.stmt]]:
    kind = LazyTransform if source.endswith(MARK) else Transform
    transform = kind(policy, digest_of(source)[:12])
    try:
        guarded = [transform.statement(node) for node in tree.body]
    except RecursionError:
        raise _refused("STK401", "this code is nested too deeply to be read") from None
    if transform.found:
        lines = source.split("\n")
        raise SourceRefused([_located(found, lines) for found in sorted(transform.found)])
    return guarded


def _code_of(nodes: list[ast.stmt], filename: str, *, is_expression: bool) -> CodeType:
    tree: ast.Module | ast.Expression
    tree = ast.Expression(nodes[0].value) if is_expression and isinstance(nodes[0], ast.Expr) else ast.Module(nodes, [])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            code: CodeType = compile(tree, filename, "eval" if is_expression else "exec", dont_inherit=True)
    except SyntaxError as error:
        raise SourceRefused([_syntax_problem(error)]) from None
    except (RecursionError, MemoryError, ValueError) as error:
        raise _refused("STK401", f"this code cannot be compiled: {error}", nodes[0].lineno) from None
    return code


def _is_quiet(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id in _QUIET_CALLS
    )


def _text_of(source: str, node: ast.stmt) -> str:
    """Whole lines of a statement, its decorators included."""
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(d.lineno for d in decorators)])
    return "\n".join(source.split("\n")[first - 1 : node.end_lineno])


def _syntax_problem(error: SyntaxError) -> SourceProblem:
    column = max(error.offset or 1, 1)
    same_line = error.end_lineno in (None, error.lineno)
    end = (error.end_offset or column + 1) if same_line else column + 1
    return SourceProblem("STK401", error.msg or "invalid syntax", error.lineno or 1, column, max(end, column + 1))


def _located(found: Found, lines: list[str]) -> SourceProblem:
    """Turn the byte columns of the parser into characters."""
    text = lines[found.line - 1].encode() if found.line <= len(lines) else b""
    column = len(text[: found.column].decode("utf-8", "ignore")) + 1
    end = len(text[: found.end_column].decode("utf-8", "ignore")) + 1
    return SourceProblem(found.code, found.message, found.line, column, max(end, column + 1))


def _refused(code: str, message: str, line: int = 1) -> SourceRefused:
    return SourceRefused([SourceProblem(code, message, line, 1, 2)])
