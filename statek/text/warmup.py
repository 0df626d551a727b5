"""Warmup text: blocks of Python between dashed lines, with directives in comments.

It splits and reads, it runs nothing and knows no file, tool or input. The idea: one grammar with two outcomes.
`parse_warmup_code` gives what a job executes; `split_blocks` gives the same blocks with the lines they stand on, so
that errors point into the file. Called by the compiler, the store and the documented import paths; names that code
reads are found by `names.py` and handed out here.
"""

import ast
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from statek.text.names import (
    Binding,
    NameUse,
    bindings,
    free_names,
    names_bound_by,
    parse_python,
    referenced_names,
    searched_name,
)

__all__ = [
    "Binding",
    "CallSpec",
    "CodeBlock",
    "DirectiveError",
    "LocatedBlock",
    "NameUse",
    "bindings",
    "free_names",
    "names_bound_by",
    "parse_python",
    "parse_warmup_code",
    "referenced_names",
    "searched_name",
    "split_blocks",
]

_SEPARATOR = re.compile(r"\n#[ \t]*-{10,}[ \t]*\n")
_MARK = "#STATEK:"
_TOOL_CALL = re.compile(r"\s*(?P<call>[^#\s].*?)\s*#STATEK: as tool\s*")
_METADATA = re.compile(r"\s*#STATEK:\s*(?P<key>[A-Za-z_]\w*)\s*=\s*(?P<value>\S.*?)\s*")
_Scalar = str | int | float | bool | None


@dataclass(frozen=True, eq=False)
class CallSpec:
    """A tool call written out. No arguments may be None or empty; both are equal."""

    id: str
    func_name: str
    args: list[Any] | None = None
    kwargs: dict[str, Any] | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CallSpec):
            return NotImplemented
        mine = (self.id, self.func_name, self.args or [], self.kwargs or {})
        return mine == (other.id, other.func_name, other.args or [], other.kwargs or {})

    def __hash__(self) -> int:
        return hash((self.id, self.func_name))

    def format(self) -> str:
        """The call as Python text: `lookup("x", days=3)`."""
        named = (f"{name}={value!r}" for name, value in (self.kwargs or {}).items())
        return f"{self.func_name}({', '.join([*map(repr, self.args or []), *named])})"


@dataclass(eq=False)
class CodeBlock:
    """A block with tool calls or metadata. One without either equals its code as a plain text."""

    code: str | None = None
    tool_calls: list[CallSpec] | None = None
    metadata: dict[str, Any] | None = None

    __hash__ = None  # type: ignore[assignment]  # blocks are mutable

    @property
    def hidden(self) -> bool:
        """True when the block runs without being shown to the model."""
        return (self.metadata or {}).get("hidden") is True

    def __eq__(self, other: object) -> bool:
        if isinstance(other, CodeBlock):
            mine, theirs = ((b.code, b.tool_calls or [], b.metadata or {}) for b in (self, other))
            return mine == theirs
        if other is None or isinstance(other, str):
            return not self.tool_calls and not self.metadata and self.code == other
        return NotImplemented


class LocatedBlock(NamedTuple):
    """A block and the line, from 1, on which its code begins. Directive lines are left as empty lines in `code`."""

    code: str
    line: int
    hidden: bool
    label: str | None
    calls: tuple[CallSpec, ...]


class DirectiveError(ValueError):
    """A `#STATEK:` line that does not follow the grammar. `line` counts from 1 in the text it was found in."""

    def __init__(self, message: str, line: int) -> None:
        """Keep where it happened."""
        super().__init__(f"line {line}: {message}")
        self.line = line


@dataclass
class _Block:
    """A block while it is read: its lines without directives, and what the directives said."""

    lines: list[str]
    line: int
    calls: list[tuple[int, str, list[Any], dict[str, Any]]] = field(default_factory=list)
    metadata: dict[str, _Scalar] = field(default_factory=dict)
    directives: set[int] = field(default_factory=set)


def parse_warmup_code(
    code: str | CodeBlock | Sequence[str | CodeBlock] | None,
) -> str | CodeBlock | list[str | CodeBlock] | None:
    """Blocks that a job executes: None, the only one, or a list.

    Text is split at lines of `#` and ten or more dashes; a sequence counts as already split. Blank blocks vanish,
    CodeBlocks pass through unchanged. Calls are numbered STATEK-001, STATEK-002, ... over all blocks.

    Raises:
        ValueError: a `#STATEK:` line that is neither `key = literal` nor `call(...) #STATEK: as tool`.
        SyntaxError: the text before `#STATEK: as tool` is not an expression.
    """
    if code is None or isinstance(code, CodeBlock):
        return code
    pieces = [text for text, _ in _pieces(code)] if isinstance(code, str) else list(code)
    ids = _free_ids(pieces)
    blocks = [piece if isinstance(piece, CodeBlock) else _finish(_read(piece, 1), ids) for piece in pieces]
    found = [block for block in blocks if isinstance(block, CodeBlock) or block]
    if len(found) < 2:
        return found[0] if found else None
    return found


def split_blocks(text: str) -> tuple[LocatedBlock, ...]:
    """The blocks of a warmup file with the line each begins on. Raises as `parse_warmup_code`, with a line."""
    ids = _free_ids([])
    return tuple(_locate(_read(piece, line), ids) for piece, line in _pieces(text) if piece.strip())


def _pieces(text: str) -> Iterator[tuple[str, int]]:
    """Texts between separators, with their first lines."""
    start, line = 0, 1
    for separator in _SEPARATOR.finditer(text):
        yield text[start : separator.start()], line
        line += text.count("\n", start, separator.end())
        start = separator.end()
    yield text[start:], line


def _read(text: str, line: int) -> _Block:
    """Take the directives out of a block whose first line is `line`."""
    block = _Block(text.split("\n"), line)
    for n, content in enumerate(block.lines):
        if not content.isspace() and _directive(block, n, content):
            block.lines[n] = ""
            block.directives.add(n)
    return block


def _directive(block: _Block, n: int, content: str) -> bool:
    """Read line `n` if it is a directive."""
    if content.lstrip().startswith(_MARK):
        key, value = _metadata(content, block.line + n)
        block.metadata[key] = value
        return True
    if (found := _TOOL_CALL.fullmatch(content)) is not None:
        block.calls.append((block.line + n, *_call(found["call"], block.line + n)))
        return True
    return False


def _metadata(content: str, line: int) -> tuple[str, _Scalar]:
    found = _METADATA.fullmatch(content)
    if found is None:
        expected = "`#STATEK: key = literal` or `call(...) #STATEK: as tool`"
        raise DirectiveError(f"found `{content.strip()}`, expected {expected}", line)
    value = _literal(found["value"], line, f"`{found['key']}`")
    if value is not None and not isinstance(value, str | int | float | bool):
        raise DirectiveError(f"`{found['key']}` is a {type(value).__name__}; expected text, number, bool or None", line)
    return found["key"], value


def _literal(source: str | ast.expr, line: int, what: str) -> Any:
    try:
        return ast.literal_eval(source)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        text = source if isinstance(source, str) else ast.unparse(source)
        raise DirectiveError(f"{what} is `{text}`, expected a literal such as 3 or 'x'", line) from error


def _call(text: str, line: int) -> tuple[str, list[Any], dict[str, Any]]:
    """Name and arguments of `call(...)`; of a dotted name the last part counts."""
    call = _expression(text, line)
    if not isinstance(call, ast.Call):
        raise DirectiveError(f"`{text}` is marked as tool but is not a call", line)
    func = call.func
    if not isinstance(func, ast.Name | ast.Attribute):
        raise DirectiveError(f"`{text}` does not call a tool by its name", line)
    if any(keyword.arg is None for keyword in call.keywords):
        raise DirectiveError(f"`{text}`: `**` cannot be used in a tool call", line)
    args = [_argument(value, line) for value in call.args]
    kwargs = {str(keyword.arg): _argument(keyword.value, line) for keyword in call.keywords}
    return func.id if isinstance(func, ast.Name) else func.attr, args, kwargs


def _expression(text: str, line: int) -> ast.expr:
    try:
        tree = parse_python(text).body
    except SyntaxError as error:
        raise SyntaxError(f"line {line}: {error.msg}", ("warmup", line, error.offset, text)) from error
    if len(tree) != 1 or not isinstance(tree[0], ast.Expr):
        message = f"line {line}: `{text}` is marked as tool but is a statement"
        raise SyntaxError(message, ("warmup", line, 1, text))
    return tree[0].value


def _argument(value: ast.expr, line: int) -> Any:
    return value.id if isinstance(value, ast.Name) else _literal(value, line, "an argument")


def _free_ids(pieces: Sequence[str | CodeBlock]) -> Iterator[str]:
    """STATEK-001, STATEK-002, ... without those that ready blocks already use."""
    taken = {call.id for piece in pieces if isinstance(piece, CodeBlock) for call in piece.tool_calls or []}
    return (name for name in (f"STATEK-{n:03}" for n in itertools.count(1)) if name not in taken)


def _calls(block: _Block, ids: Iterator[str]) -> list[CallSpec]:
    return [CallSpec(next(ids), name, args or None, kwargs or None) for _, name, args, kwargs in block.calls]


def _finish(block: _Block, ids: Iterator[str]) -> str | CodeBlock:
    """The block as it is executed: plain text, or a CodeBlock when directives said something."""
    kept = "\n".join(line for n, line in enumerate(block.lines) if n not in block.directives).strip()
    if not block.calls and not block.metadata:
        return kept
    return CodeBlock(kept, _calls(block, ids) or None, block.metadata or None)


def _locate(block: _Block, ids: Iterator[str]) -> LocatedBlock:
    text = "\n".join(block.lines)
    blank = text[: len(text) - len(text.lstrip())].count("\n") if text.strip() else min(block.directives)
    label = block.metadata.get("label")
    return LocatedBlock(
        code=text.strip(),
        line=block.line + blank,
        hidden=block.metadata.get("hidden") is True,
        label=label if isinstance(label, str) else None,
        calls=tuple(_calls(block, ids)),
    )
