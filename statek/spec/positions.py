"""From offsets in a text to lines and columns. Only a line feed ends a line, whatever other libraries think."""

import bisect
import itertools
from typing import NamedTuple

from statek.spec.problems import Position, Range


class LineTable(NamedTuple):
    """Offsets of line starts of one text; `first_line` and `first_column` say where the text begins in its file."""

    starts: tuple[int, ...]
    first_line: int = 1

    @classmethod
    def of(cls, text: str, first_line: int = 1) -> "LineTable":
        """The table of `text`, whose first line is `first_line` of its file."""
        lengths = (len(line) + 1 for line in text.split("\n")[:-1])
        return cls(tuple(itertools.accumulate(lengths, initial=0)), first_line)

    def position(self, offset: int) -> Position:
        """Line and column of the character at `offset`."""
        row = bisect.bisect_right(self.starts, offset) - 1
        return Position(self.first_line + row, offset - self.starts[row] + 1)

    def range(self, start: int, end: int) -> Range:
        """The range between two offsets."""
        return Range(self.position(start), self.position(max(start, end)))


def point(where: Range) -> Range:
    """The first character of a range: where a mapping or list starts."""
    return Range(where.start, Position(where.start.line, where.start.column + 1))


def first_line(where: Range) -> Range:
    """A range cut to one character when it goes over several lines."""
    return where if where.start.line == where.end.line and where.start != where.end else point(where)


def inside(where: Range, text: str, start: int, end: int) -> Range:
    """The part of a value from one offset of its `text` to another; the whole when it is not written as it reads."""
    quotes = where.end.column - where.start.column - len(text)
    if where.start.line != where.end.line or quotes not in {0, 2} or end <= start:
        return where
    column = where.start.column + quotes // 2
    return Range(Position(where.start.line, column + start), Position(where.start.line, column + end))
