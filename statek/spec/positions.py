"""From offsets in a text to lines and columns. Only a line feed ends a line, whatever other libraries think."""

import bisect
from dataclasses import dataclass

from statek.spec.problems import Position, Range


@dataclass(frozen=True, slots=True)
class LineTable:
    """Offsets of line starts of one text; `first_line` and `first_column` say where the text begins in its file."""

    starts: tuple[int, ...]
    first_line: int = 1

    @classmethod
    def of(cls, text: str, first_line: int = 1) -> "LineTable":
        """The table of `text`, whose first line is `first_line` of its file."""
        starts = [0]
        starts.extend(index + 1 for index, char in enumerate(text) if char == "\n")
        return cls(tuple(starts), first_line)

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
