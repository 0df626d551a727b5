"""A model's reply as text: which part of it runs, and which part is said to the user.

It compiles nothing, calls nothing and never raises. The idea: fences decide. In console style a reply without fences is
code; with fences, what is inside them is code and the rest becomes comments. In the other styles only a ```python fence
is code. A fence that is never closed ends with the text, as in CommonMark. Called by the runtime, which alone knows
whether the reply also had tool calls.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from statek.text.names import parse_python

_BEGINS_WITH_A_NAME = re.compile(r"""(?:\s|#[^\r\n]*+)*+(?![rRbBuUfF]{1,2}["'])[A-Za-z_]""")
_OPENING = re.compile(r"(?P<indent> {0,3})(?P<mark>`{3,}|~{3,})(?P<info>.*)")


@dataclass(frozen=True)
class Reply:
    """`code` is what runs, None when there was no text for it; `dialog` is what the user is told, or None."""

    code: str | None
    dialog: str | None


@dataclass(frozen=True)
class _Part:
    """A run of lines: the inside of a fence, or what stands between fences."""

    lines: tuple[str, ...]
    language: str | None  # None: not fenced
    source: tuple[str, ...]  # the lines as written, with the fence


@lru_cache(maxsize=64)  # a reply is read where it comes in, and again where it is shown
def read_reply(text: str | None, style: str | None) -> Reply:
    """Read a reply by chat style: "console" (or None), "markdown", "md_dialog", "direct".

    In "direct" style nothing of the text runs. A reply without text gives neither code nor dialog.
    """
    if text is None or not text.strip():
        return Reply(None, None)
    match style:
        case "direct":
            return Reply(None, extract_dialog(text))
        case "md_dialog":
            return Reply(strip_markup(text, strict=True), extract_dialog(text))
        case "markdown":
            return Reply(strip_markup(text, strict=True), None)
        case _:
            return Reply(strip_markup(text, strict=False), None)


def strip_markup(text: str, *, strict: bool) -> str:
    """Code of a reply, with all other lines as comments.

    Strict: only fences marked exactly `python` are code. Otherwise every fence is, and a text without fences is
    returned unchanged.
    """
    parts = list(_parts(text))
    if not strict and all(part.language is None for part in parts):
        return text
    return "\n".join(_as_code(part, strict=strict) for part in parts).strip("\n")


def extract_dialog(text: str) -> str | None:
    """The text outside all fences, None when there is none. Lines are kept, runs of blank lines become one."""
    said = "\n".join("\n".join(part.lines) if part.language is None else "" for part in _parts(text))
    return re.sub(r"\n\s*\n", "\n\n", said).strip() or None


def block_comment(text: str) -> str:
    """Every line as a Python comment; blank lines stay blank."""
    return "\n".join(f"# {line}".rstrip() if line.strip() else "" for line in _lines(text))


def has_statements(code: str | None) -> bool:
    """False when there is nothing to run: blank, comments, or bare text literals. Broken code counts as something."""
    if code is None or not code.strip():
        return False
    if _BEGINS_WITH_A_NAME.match(code):
        return True  # nothing is parsed twice: what is wrong with it, running it tells
    try:
        # Characters that no file can hold make the parser fail as a whole, even in a comment.
        body = parse_python(code.encode("utf-8", "replace").decode()).body
    except SyntaxError:
        return True  # running it tells the model what is wrong
    return not all(_is_text(statement) for statement in body)


def _is_text(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.Expr):
        return False
    return isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str)


def _as_code(part: _Part, *, strict: bool) -> str:
    is_code = part.language == "python" if strict else part.language is not None
    return "\n".join(part.lines) if is_code else block_comment("\n".join(part.source))


def _parts(text: str) -> Iterator[_Part]:
    between: list[str] = []
    lines = _lines(text)
    n = 0
    while n < len(lines):
        opening = _opening(lines[n])
        if opening is None:
            between.append(lines[n])
            n += 1
            continue
        if between:
            yield _Part(tuple(between), None, tuple(between))
            between = []
        close = next((m for m in range(n + 1, len(lines)) if _closes(lines[m], opening["mark"])), len(lines))
        inside = tuple(_dedented(line, len(opening["indent"])) for line in lines[n + 1 : close])
        words = opening["info"].split()
        yield _Part(inside, words[0] if words else "", tuple(lines[n : close + 1]))
        n = close + 1
    if between:
        yield _Part(tuple(between), None, tuple(between))


def _lines(text: str) -> list[str]:
    # \r alone ends a line for Python, so it must not hide the end of a comment
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _opening(line: str) -> re.Match[str] | None:
    found = _OPENING.fullmatch(line)
    # a backtick behind backticks is inline code: ```x = 1```
    return None if found is None or (found["mark"][0] == "`" and "`" in found["info"]) else found


def _closes(line: str, mark: str) -> bool:
    closing = line.strip()
    indent = len(line) - len(line.lstrip(" "))
    return indent <= 3 and len(closing) >= len(mark) and set(closing) == {mark[0]}


def _dedented(line: str, width: int) -> str:
    blank = len(line) - len(line.lstrip(" "))
    return line[min(width, blank) :]
