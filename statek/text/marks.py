"""The tokens of a prompt template with their places, and what can be said about them before any parsing.

Jinja2's tree knows lines only; its tokens rebuild the source, so every token gets an offset here, and an offset is a
line and a column. Tags that are unknown, stray or never closed are found here, on the tokens, because here their place
is exact. No jinja2: `template.py` hands the raw tokens in and is the only caller.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from statek.base.nearest import nearest
from statek.exceptions import BugError
from statek.text.steps import Step

TAGS = ("if", "elif", "else", "endif", "for", "endfor", "include", "raw", "endraw")
RAW_HINT = "doubled braces that are plain text go between {% raw %} and {% endraw %}"
_OPEN = {"variable_begin": "variable_end", "block_begin": "block_end", "raw_begin": "raw_end"}
_ESCAPES = re.compile(r"\\(?![\\'\"nt]).?", re.DOTALL)
_OTHER_SIGN = re.compile(r"unexpected char '([\u2018-\u201f\u00ab\u00bb&!?])'")
_SIGNS, _QUOTES = {"&": "`and`", "!": "`not`", "?": "`a if test else b`"}, "\" or '"
_ELIF = {"elseif", "elsif", "else_if", "elsefi", "elseIf", "elIf"}
_MAX_DIGITS = 30
_MAX_NESTING = 20  # of brackets and of tags: the parser calls itself for each


class TemplateProblem(NamedTuple):
    """Something wrong in a template.

    Attributes:
        line, column, end_column: the place, counted from 1; `end_column` is exclusive, on the same line.
        suggestion: the full name of what may be meant.
        text: what would stand in the place then; empty without a suggestion.
        asked: what is asked of a name that nobody knows and that may be meant as an input; None for all else.
        is_of_loop: it is the variable of a loop, used where that does not exist.
    """

    code: str
    message: str
    line: int
    column: int
    end_column: int
    suggestion: str | None
    text: str = ""
    asked: tuple[Step, ...] | None = None
    is_of_loop: bool = False


class Token(NamedTuple):
    """One token as written; `offset` counts characters from 0."""

    offset: int
    kind: str
    text: str

    @property
    def end(self) -> int:
        """Offset just behind the token."""
        return self.offset + len(self.text)


class Places:
    """Turns offsets of one source into lines and columns."""

    def __init__(self, source: str) -> None:
        """Note where the lines of `source` begin."""
        self._starts = [0, *(found.end() for found in re.finditer("\n", source))]

    def at(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def span(self, start: int, end: int) -> tuple[int, int, int]:
        """Line, column and exclusive end column; a span over several lines is one character wide."""
        line, column = self.at(start)
        last, end_column = self.at(end)
        return line, column, end_column if last == line and end > start else column + 1

    def problem(
        self, code: str, message: str, start: int, end: int, *, suggestion: str | None = None
    ) -> TemplateProblem:
        """A problem at the characters from `start` to `end`, which `suggestion` would replace."""
        hint = f"; did you mean '{suggestion}'?" if suggestion else ""
        return TemplateProblem(code, message + hint, *self.span(start, end), suggestion, suggestion or "")


def place(source: str, raw: Iterable[tuple[str, str]]) -> Iterator[Token]:
    """Give every (kind, text) its offset. White space that `{%-` swallows is in no token, so it is stepped over."""
    offset = 0
    for kind, text in raw:
        while not source.startswith(text, offset):
            offset += 1
            if offset > len(source):
                raise BugError(f"the tokens of a template do not rebuild it: {text!r} is missing")
        yield Token(offset, kind, text)
        offset += len(text)


def check_tokens(tokens: tuple[Token, ...], places: Places, failure: str | None) -> list[TemplateProblem]:
    """What is wrong with the tokens themselves; `failure` is why the lexer stopped early, if it did."""
    problems = [*_check_literals(tokens, places), *_check_brackets(tokens, places), *_check_tags(tokens, places)]
    unclosed = _unclosed(tokens)
    sign = _OTHER_SIGN.search(failure or "")
    if sign is not None and tokens:
        message = f"`{sign[1]}` is no sign of templates; write {_SIGNS.get(sign[1], _QUOTES)} in its place"
        return [places.problem("STK302", message, tokens[-1].end, tokens[-1].end + 1)]
    if unclosed is not None:
        return [*(p for p in problems if p.code != "STK302"), _never_closed(unclosed, places, failure)]
    if failure is not None:
        end = tokens[-1].end if tokens else 0
        problems.append(places.problem("STK302", f"the template cannot be read here: {failure}", end, end + 1))
    return problems


def _unclosed(tokens: tuple[Token, ...]) -> Token | None:
    open_: Token | None = None
    for token in tokens:
        if token.kind in _OPEN:
            open_ = token
        elif open_ is not None and token.kind == _OPEN[open_.kind]:
            open_ = None
    return open_


def _never_closed(token: Token, places: Places, failure: str | None) -> TemplateProblem:
    opener = token.text.strip()
    if token.kind == "raw_begin":
        message = f"`{opener}` is never closed; write {{% endraw %}} where the plain text ends"
        return places.problem("STK302", message, token.offset, token.offset + len(token.text.rstrip()))
    why = f" ({failure})" if failure else ""
    message = f"`{opener}` opens here and is never closed, or does not hold an expression{why}; {RAW_HINT}"
    return places.problem("STK302", message, token.offset, token.end)


def _check_literals(tokens: tuple[Token, ...], places: Places) -> Iterator[TemplateProblem]:
    for token in tokens:
        if token.kind == "string" and (found := _ESCAPES.search(token.text[1:-1])):
            start = token.offset + 1 + found.start()
            message = f"`{found.group()}` is not an escape that templates know; a backslash is written `\\\\`"
            yield places.problem("STK302", message, start, start + len(found.group()))
        elif token.kind in {"integer", "float"} and len(token.text) > _MAX_DIGITS:
            message = f"a number of {len(token.text)} characters; at most {_MAX_DIGITS} are allowed"
            yield places.problem("STK307", message, token.offset, token.end)


def _check_brackets(tokens: tuple[Token, ...], places: Places) -> Iterator[TemplateProblem]:
    depth = 0
    for token in tokens:
        if token.kind == "operator":
            depth += (token.text in "([{") - (token.text in ")]}")
            if depth > _MAX_NESTING:
                yield places.problem("STK307", f"brackets inside {_MAX_NESTING} others", token.offset, token.end)
                return


def _check_tags(tokens: tuple[Token, ...], places: Places) -> Iterator[TemplateProblem]:
    stack: list[tuple[str, Token]] = []
    refused: set[str] = set()
    for token in _tags(tokens):
        tag = token.text
        if tag not in TAGS:
            refused.add(tag)
            if tag.removeprefix("end") in refused - {tag}:
                continue
            yield _unknown_tag(token, places, stack[-1][0] if stack else None)
        elif tag in {"if", "for"}:
            stack.append((tag, token))
            if len(stack) > _MAX_NESTING:
                yield places.problem("STK307", f"a tag inside {_MAX_NESTING} others", token.offset, token.end)
                return
        elif tag.startswith("end") and stack and tag == f"end{stack[-1][0]}":
            stack.pop()
        elif refused and tag.startswith(("end", "el")):
            return  # what it belongs to may be the tag that is none
        elif tag != "include" and not (tag in {"elif", "else"} and stack):
            inside = f"`{{% {stack[-1][0]} %}}` is still open" if stack else "nothing is open"
            message = f"`{{% {tag} %}}` does not fit here: {inside}"
            yield places.problem("STK302", message, token.offset, token.end)
            return
    for tag, token in stack if not any(word.startswith("end") for word in refused) else ():
        message = f"`{{% {tag} %}}` is never closed; write {{% end{tag} %}} where it ends"
        yield places.problem("STK302", message, token.offset, token.end)


def _unknown_tag(token: Token, places: Places, block: str | None) -> TemplateProblem:
    """`block`: the tag that is open around it."""
    message = f"`{{% {token.text} %}}` is not a tag of prompts; known are {', '.join(TAGS)}; {RAW_HINT}"
    close = "elif" if token.text in _ELIF else nearest(token.text, TAGS)
    if token.text.startswith("end") and block is not None:
        close = f"end{block}" if token.text == "end" or close is not None else None
    return places.problem("STK307", message, token.offset, token.end, suggestion=close)


def _tags(tokens: tuple[Token, ...]) -> Iterator[Token]:
    """The name of every block tag; a tag without a name is left to the parser."""
    opened = False
    for token in tokens:
        if opened and token.kind != "whitespace":
            opened = False
            if token.kind == "name":
                yield token
        opened = opened or token.kind == "block_begin"
