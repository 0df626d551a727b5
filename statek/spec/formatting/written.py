"""YAML as it is written: entries in their order, each value in the author's spelling, each comment at its entry.

`nodes` says what a text means, this says how it looks; `formatting` lays it out anew. The structure comes from the
parser's events, nothing is guessed from indentation. It must only see texts that `nodes` has read without a problem.

The one idea: a comment belongs to the entry it stands above or behind; what stands behind the last entry of a block,
indented like it, is the tail of that block.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from statek.spec.formatting.comments import BLOCK_TEXT, BREAKS, HEADER, Comments, Note

_LOADER: Any = getattr(yaml, "CLoader", yaml.Loader)
_ONLY_IN_FLOW = {"-", "?"}  # text between brackets, something else in a block


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text, number or nothing (no lines). `lines` as written; of block text without its indentation."""

    lines: tuple[str, ...]
    header: str = ""  # of block text: `|`, `>-`, `|2`
    note: Note | None = None  # behind the header


@dataclass(slots=True)
class Collection:
    """A mapping or a list. `tail`: comments behind the last entry; `opening`: those behind an opening bracket."""

    is_mapping: bool
    is_flow: bool
    entries: "list[Entry]" = field(default_factory=list)
    opening: list[Note] = field(default_factory=list)
    tail: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Entry:
    """One key with its value, or one item of a list (`key` is None then). In `lead` and `tail` "" is a blank line."""

    key: str | None
    name: str | None
    value: "Scalar | Collection"
    column: int
    lead: list[str]  # comments above it
    head: list[Note]  # behind the key or dash, when the value stands below
    under: list[str]  # above a value that stands below its key or dash
    beside: list[Note] = field(default_factory=list)  # behind the value
    below: list[str] = field(default_factory=list)  # indented under an entry without value


@dataclass(frozen=True, slots=True)
class Written:
    """One document. `marker`: comments behind its `---`."""

    root: Collection
    marker: list[Note]


def read_written(text: str) -> tuple[Written, ...]:
    """The documents of a text that `nodes.compose` found good."""
    return _Reader(text).documents()


def comments_of(text: str) -> list[str]:
    """Every comment of such a text, sorted."""
    return Comments(text, _events(text)).texts()


def _events(text: str) -> list[Any]:
    return list(yaml.parse(text, Loader=_LOADER))


def _start(event: Any) -> int:
    offset: int = event.start_mark.index
    return offset


def _end(event: Any) -> int:
    offset: int = event.end_mark.index
    return offset


class _Reader:
    """Walks the events once and hands out the comments on the way."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.events = _events(text)
        self.comments = Comments(text, self.events)
        self.dashes = iter(self.comments.dashes)
        self.at = 0

    def documents(self) -> tuple[Written, ...]:
        found: list[Written] = []
        for number, event in enumerate(self.events):
            if isinstance(event, yaml.DocumentStartEvent):
                self.at = number + 1
                marker = self.comments.take_behind(_end(event)) if event.explicit and found else []
                root = self._collection(-1)
                root.tail += self.comments.take(self._document_end())
                found.append(Written(root, marker))
        return tuple(found)

    def _document_end(self) -> int:
        end, following = self.events[self.at], self.events[self.at + 1]
        if isinstance(following, yaml.DocumentStartEvent):
            shown = following if following.explicit else end
            return _start(shown)
        return len(self.text)

    def _collection(self, parent: int) -> Collection:
        start = self.events[self.at]
        self.at += 1
        is_mapping = isinstance(start, yaml.MappingStartEvent)
        made = Collection(is_mapping, bool(start.flow_style))
        if made.is_flow and _end(start) > _start(start):
            made.opening = self.comments.take_behind(_end(start))
        column = start.start_mark.column
        while not isinstance(self.events[self.at], yaml.CollectionEndEvent):
            made.entries.append(self._pair(made, column) if is_mapping else self._item(made, column))
        end = self.events[self.at]
        self.at += 1
        if made.is_flow:
            made.tail = self.comments.take(_start(end))
        else:
            least = column if column > parent else column + 1
            made.tail = self.comments.take(self.comments.next_stop(_end(end)), least)
        return made

    def _pair(self, parent: Collection, column: int) -> Entry:
        event = self.events[self.at]
        self.at += 1
        start, end = _start(event), _end(event)
        source = self.text[start:end]
        is_simple = event.style not in BLOCK_TEXT and not set(source) & set(BREAKS)
        key = source if is_simple else json.dumps(event.value, ensure_ascii=False)
        lead = self.comments.take_above(start)
        return self._with_value(Entry(key, event.value, Scalar(()), column, lead, [], []), parent, end)

    def _item(self, parent: Collection, column: int) -> Entry:
        start = _start(self.events[self.at])
        end = start
        if not parent.is_flow:
            start = next(self.dashes)
            end = start + 1
        lead = self.comments.take_above(start)
        return self._with_value(Entry(None, None, Scalar(()), column, lead, [], []), parent, end)

    def _with_value(self, entry: Entry, parent: Collection, end: int) -> Entry:
        """Read the value of an entry whose key or dash ends at `end`."""
        event: Any = self.events[self.at]
        if (entry.key is not None or not parent.is_flow) and self.comments.has_before(_start(event)):
            entry.head = self.comments.take_behind(end)
        if isinstance(event, yaml.CollectionStartEvent) and not event.flow_style:
            entry.value = self._collection(entry.column)
            return entry
        entry.under = [line for line in self.comments.take(_start(event)) if line]
        is_scalar = isinstance(event, yaml.ScalarEvent)
        entry.value = self._scalar(event, entry.column) if is_scalar else self._collection(entry.column)
        finish = _end(self.events[self.at - 1])
        if not (is_scalar and event.style in BLOCK_TEXT):
            entry.beside = self.comments.take_behind(finish)
        if entry.value == Scalar(()) and not parent.is_flow:
            entry.below = self.comments.take(self.comments.next_stop(finish), entry.column + 1)
        return entry

    def _scalar(self, event: Any, column: int) -> Scalar:
        self.at += 1
        if event.style in BLOCK_TEXT:
            return self._block_text(event, column)
        source = self.text[_start(event) : _end(event)]
        if source in _ONLY_IN_FLOW:
            return Scalar((json.dumps(source),))
        lines = source.split("\n") if source else []
        if len(lines) > 1:
            lines = [_stripped(line, first=n == 0, last=n == len(lines) - 1) for n, line in enumerate(lines)]
        return Scalar(tuple(lines))

    def _block_text(self, event: Any, column: int) -> Scalar:
        """Block text without its indentation. What ends without a line feed at the end of the file is made `-`."""
        start, stop = _start(event), _end(event)
        found = HEADER.match(self.text, start)
        assert found is not None
        header = found[1]
        lines = self.text[self.comments.line_end(start) : max(stop, self.comments.line_end(start))].split("\n")
        indent = _indent(header, lines, column)
        if lines[-1][:indent].strip(" ") == "" and len(lines[-1]) <= indent:  # what is behind the last line feed
            lines.pop()
        else:
            header = header.replace("+", "").replace("-", "") + "-"
        lines = [line[indent:] if line[:indent].strip(" ") == "" else line.lstrip(" ") for line in lines]
        while "+" not in header and lines and not lines[-1]:
            lines.pop()
        return Scalar(tuple(lines), header, self.comments.headers.get(start))


def _indent(header: str, lines: Sequence[str], column: int) -> int:
    """How far block text is indented: as its header says, else as its first line with text."""
    given = re.search(r"[1-9]", header)
    if given is not None:
        return column + int(given[0])
    indents = [len(line) - len(line.lstrip(" ")) for line in lines if line.strip(f" {BREAKS}")]
    return indents[0] if indents else max([column + 1, *(len(line) for line in lines)])


def _stripped(line: str, *, first: bool, last: bool) -> str:
    """One line of a text over several lines without the blanks that the parser drops."""
    line = line if first else line.lstrip(" \t")
    if last:
        return line
    short = line.rstrip(" \t")
    escapes = len(short) - len(short.rstrip("\\"))
    return line[: len(short) + 1] if escapes % 2 and len(short) < len(line) else short
