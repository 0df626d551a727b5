"""The comments of a YAML text with their places, taken one after the other by what they belong to.

They are found in what lies between the values that the parser has found, so a `#` inside of a text is none. It knows
lines and columns, not the structure: `written` asks for the comments above, behind and under each entry.
"""

import bisect
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

BREAKS = "\n\u2028\u2029"  # what ends a line for the YAML parser
BLOCK_TEXT = {"|", ">"}
HEADER = re.compile(rf"([|>][0-9+-]*)[ \t]*(#[^{BREAKS}]*)?")
_MARK = re.compile(rf"#[^{BREAKS}]*|-")


@dataclass(frozen=True, slots=True)
class Note:
    """A comment. `offset` is -1 for one that has no place of its own; `column` counts from 0."""

    text: str
    offset: int = -1
    line: int = -1
    column: int = 0
    own_line: bool = False  # nothing but blanks before it
    continues: bool = False  # goes on under a comment that stands behind a value


class Comments:
    """All comments of a text. `dashes` are the offsets of the dashes of its list items, in order."""

    def __init__(self, text: str, events: Sequence[Any]) -> None:
        """Take the text and its events, as the parser gives them."""
        self.text = text
        self.dashes: list[int] = []
        self.headers: dict[int, Note] = {}  # behind the header of block text, by the offset of the header
        self._starts = [0, *(found.end() for found in re.finditer(rf"[{BREAKS}]", text))]
        self._kept: set[int] = set()  # blank lines that are part of a text
        self._notes: list[Note] = []
        self._taken = 0  # so many of them
        stops = self._scan(events)
        self._stops = sorted({*stops, *self.dashes, len(text)})

    def _scan(self, events: Sequence[Any]) -> list[int]:
        """Find comments and dashes in the gaps. Returns where values, brackets and markers begin."""
        stops: list[int] = []
        end = 0
        for event in events:
            start, stop = event.start_mark.index, event.end_mark.index
            if not _is_written(event, self.text):
                continue
            self._scan_gap(end, start)
            stops.append(start)
            end = stop
            if isinstance(event, yaml.ScalarEvent) and event.style in BLOCK_TEXT:
                self._scan_block_text(start, stop)
        self._scan_gap(end, len(self.text))
        return stops

    def _scan_gap(self, start: int, end: int) -> None:
        for found in _MARK.finditer(self.text, start, end):
            if found[0] == "-":
                self.dashes.append(found.start())
            else:
                self._notes.append(self._note(found[0], found.start()))

    def _note(self, text: str, offset: int) -> Note:
        line = self.line(offset)
        column = offset - self._starts[line]
        own_line = self.is_first(offset)
        above = self._notes[-1] if self._notes else None
        continues = own_line and above is not None and (above.continues or not above.own_line)
        continues = continues and above is not None and (above.line, above.column) == (line - 1, column)
        return Note(text.rstrip(), offset, line, column, own_line, continues)

    def _scan_block_text(self, start: int, stop: int) -> None:
        header = HEADER.match(self.text, start)
        assert header is not None
        if header[2]:
            offset, line = header.start(2), self.line(start)
            self.headers[start] = Note(header[2].rstrip(), offset, line, offset - self._starts[line])
        if "+" in header[1]:
            self._kept.update(range(self.line(start), self.line(stop)))

    # -- places

    def line(self, offset: int) -> int:
        """The line of an offset, counted from 0."""
        return bisect.bisect_right(self._starts, offset) - 1

    def line_end(self, offset: int) -> int:
        """Where the line after the one of `offset` begins."""
        line = self.line(offset) + 1
        return self._starts[line] if line < len(self._starts) else len(self.text)

    def is_first(self, offset: int) -> bool:
        """Whether nothing stands before it on its line."""
        return self.text[self._starts[self.line(offset)] : offset].strip(" \t?") == ""

    def next_stop(self, offset: int) -> int:
        """Where the next value, bracket, dash or marker begins, at `offset` or behind it."""
        return self._stops[min(bisect.bisect_left(self._stops, offset), len(self._stops) - 1)]

    def _blank_above(self, line: int) -> bool:
        if line < 1 or line - 1 in self._kept:
            return False
        return self.text[self._starts[line - 1] : self._starts[line]].strip() == ""

    # -- taking

    def texts(self) -> list[str]:
        """Every comment, sorted."""
        return sorted(note.text for note in [*self._notes, *self.headers.values()])

    def has_before(self, offset: int) -> bool:
        """Whether the next one stands before `offset`."""
        return self._taken < len(self._notes) and self._notes[self._taken].offset < offset

    def take(self, until: int, least: int = 0) -> list[str]:
        """The next ones before `until` with a column of at least `least`, as lines, "" for blank lines above them."""
        lines: list[str] = []
        while self.has_before(until) and self._notes[self._taken].column >= least:
            note = self._notes[self._taken]
            lines += [""] * (note.own_line and self._blank_above(note.line))
            lines.append(note.text)
            self._taken += 1
        return lines

    def take_above(self, start: int) -> list[str]:
        """Those above what starts at `start`, and "" for a blank line just above it."""
        lines = self.take(start)
        if self.is_first(start) and self._blank_above(self.line(start)):
            lines.append("")
        return lines

    def take_behind(self, end: int) -> list[Note]:
        """The one behind what ends at `end`, with the lines that it goes on for."""
        found: list[Note] = []
        if self._taken < len(self._notes):
            note = self._notes[self._taken]
            if not note.own_line and self.text[end : note.offset].strip(" \t,:") == "":
                found.append(note)
                self._taken += 1
        while found and self._taken < len(self._notes) and self._notes[self._taken].continues:
            found.append(self._notes[self._taken])
            self._taken += 1
        return found


def _is_written(event: Any, text: str) -> bool:
    """Whether an event stands for characters of the text: a value, a bracket, a document's marker."""
    start, stop = event.start_mark.index, event.end_mark.index
    if isinstance(event, yaml.DocumentStartEvent | yaml.DocumentEndEvent):
        return bool(event.explicit)
    if isinstance(event, yaml.CollectionStartEvent | yaml.CollectionEndEvent):
        return stop > start and text[start] in "[]{}"
    return isinstance(event, yaml.ScalarEvent) and stop > start
