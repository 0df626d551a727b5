"""Splits the front matter of a Markdown spec from its body.

It finds the two `---` lines and nothing else: it reads no YAML and no file. The idea: a fence that is nearly right is
an error with a position, never an empty front matter, because then the YAML would become the prompt. Called by the
spec ring, which decodes the file and normalises line ends first.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_FENCE = re.compile(r"---[ \t\r]*")
_NEAR_FENCE = re.compile(r"(?:[ \t]+---|[ \t]*(?:\.\.\.|----+|--|\*\*\*|\+\+\+))[ \t\r]*")
_BOM = "\ufeff"


class Fenced(NamedTuple):
    """A spec file in two parts; `yaml_line` and `body_line` are the lines (from 1) on which the parts begin."""

    yaml: str
    yaml_line: int
    body: str
    body_line: int


class FenceError(Exception):
    """The front matter cannot be told from the body.

    Attributes:
        code: "STK002" (never closed) or "STK003" (none, or not on line 1).
        message: what was found and what to write.
        line, column: position from 1.
        related_line: a line that was probably meant as the closing fence, or None.
    """

    def __init__(self, code: str, message: str, line: int, *, column: int = 1, related_line: int | None = None) -> None:
        """Keep the facts; the message is the text of the exception."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line
        self.column = column
        self.related_line = related_line


def split(text: str) -> Fenced:
    """Split `text` at its two `---` lines.

    Args:
        text: a decoded file whose lines end with a newline only; a byte order mark in front is ignored.

    Raises:
        FenceError: the first line is not `---`, or no later line closes it.
    """
    lines = text.removeprefix(_BOM).split("\n")
    if not _FENCE.fullmatch(lines[0]):
        raise _not_opened(lines)
    close = next(_numbers(lines, _FENCE, after=1), None)
    near = next(_numbers(lines if close is None else lines[: close - 1], _NEAR_FENCE, after=1), None)
    if close is None or (near is not None and lines[near - 1].startswith("...")):
        raise _not_closed(lines, near)
    yaml = "".join(line + "\n" for line in lines[1 : close - 1])
    return Fenced(yaml=yaml, yaml_line=2, body="\n".join(lines[close:]), body_line=close + 1)


def _numbers(lines: list[str], pattern: re.Pattern[str], *, after: int) -> Iterator[int]:
    return (number for number, line in enumerate(lines, 1) if number > after and pattern.fullmatch(line))


def _not_opened(lines: list[str]) -> FenceError:
    first = lines[0]
    if first.strip() == "---":
        column = len(first) - len(first.lstrip()) + 1
        return FenceError("STK003", "the opening `---` is indented; it must start in column 1", 1, column=column)
    found = next(_numbers(lines, _FENCE, after=1), None)
    if found is not None:
        message = f"the first `---` is on line {found}; front matter must open with `---` on line 1"
        return FenceError("STK003", message, found)
    if first.lstrip().startswith("{"):
        message = "front matter is YAML between two `---` lines; a file that starts with `{` has none"
        return FenceError("STK003", message, 1)
    return FenceError("STK003", "no front matter; the file must open with `---` on line 1", 1)


def _not_closed(lines: list[str], near: int | None) -> FenceError:
    message = "the front matter that opens on line 1 is never closed; write `---` alone on a line, from column 1"
    if near is not None:
        message += f" (line {near} has `{lines[near - 1].rstrip()}`)"
    return FenceError("STK002", message, 1, related_line=near)
