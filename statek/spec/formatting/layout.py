"""Lays out a document that `written` has read: indentation, spaces, flow or block, comments in their columns.

It decides lines and nothing else: no order of fields, no file. Lines are made first, with the column that each comment
behind a value would like; then the comments of a paragraph that had one column are given one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from statek.spec.formatting.comments import Note
from statek.spec.formatting.written import Collection, Entry, Scalar

WIDTH = 100  # columns up to which a flow collection stays on one line
_STEP = 2
_GAP = 2  # least spaces before a comment behind a value


@dataclass(frozen=True, slots=True)
class _Line:
    """`wanted` is the column that the note would like to have; below 0: any, the same for the lines it goes on for."""

    code: str
    note: str = ""
    wanted: int = 0


_BLANK = _Line("")


def lay_out(root: Collection, header: Sequence[str]) -> str:
    """The text of a document whose top is a mapping, with the comments of its header above it."""
    page = _Page()
    page.comments([*header, *(note.text for note in root.opening)], 0)
    page.block(root, 0)
    return _text(page.lines)


class _Page:
    """Collects lines from top to bottom."""

    def __init__(self) -> None:
        self.lines: list[_Line] = []

    def add(self, code: str, notes: Sequence[Note] = (), moved: int | None = None) -> None:
        """A line with the comment behind it. `moved`: by how many columns the line moved; None: it is a new one."""
        own = -1 - len(self.lines)
        for number, note in enumerate(notes or [Note("")]):
            wanted = own if moved is None or note.offset < 0 else max(0, note.column + moved)
            self.lines.append(_Line("" if number else code, note.text, wanted))

    def comments(self, lines: Sequence[str], indent: int) -> None:
        """Comments on lines of their own; of several blank lines one."""
        for line in lines:
            if line:
                self.lines.append(_Line(" " * indent + line))
            elif self.lines and self.lines[-1] != _BLANK:
                self.lines.append(_BLANK)

    def block(self, collection: Collection, indent: int, prefix: str | None = None) -> None:
        """A mapping or list, an entry on a line; the first one stands behind `prefix`, a dash, when there is one."""
        for number, entry in enumerate(collection.entries):
            begins = number == 0 and (indent > 0 or prefix is not None)
            lead = entry.lead[
                next((n for n, line in enumerate(entry.lead) if line), len(entry.lead)) if begins else 0 :
            ]
            moved = None if collection.is_flow else indent - entry.column
            self.entry(entry, lead, indent, prefix if number == 0 else None, moved)
        self.comments(collection.tail, indent)

    def entry(self, entry: Entry, lead: Sequence[str], indent: int, prefix: str | None, moved: int | None) -> None:
        """One field or item."""
        start = " " * indent if prefix is None else prefix
        code = start + ("-" if entry.key is None else f"{entry.key}:")
        value = self._shown(entry, len(code) + 1, indent)
        lead = [*lead, *_moved_up(entry)] if value is None else lead
        if prefix is not None and lead:
            self.add(prefix.rstrip())
            code = " " * indent + code[indent:]
        self.comments(lead, indent)
        if value is None:
            self._opened(entry, code, indent, moved)
        elif value == Scalar(()):
            self.add(code, [*entry.head, *entry.beside], moved)
            self.comments([*entry.under, *entry.below], indent + _STEP)
        elif entry.head or entry.under:
            self.add(code, entry.head, moved)
            self.comments(entry.under, indent + _STEP)
            self._scalar(" " * (indent + _STEP), value, entry.beside, indent, moved)
        else:
            self._scalar(f"{code} ", value, entry.beside, indent, moved)

    def _shown(self, entry: Entry, column: int, indent: int) -> Scalar | None:
        """What stands behind the key or dash, or under it; None for a block."""
        value = entry.value
        if isinstance(value, Scalar):
            return value
        text = _one_line(value) if value.is_flow and value.entries else None
        begin = indent + _STEP if entry.head or entry.under else column
        if not value.entries:
            text = "{}" if value.is_mapping else "[]"
            inside = [*(note.text for note in value.opening), *(line for line in value.tail if line)]
            if inside:
                entry.beside = [Note(line) for line in [*inside, *(note.text for note in entry.beside)]]
        elif text is not None and begin + len(text) > WIDTH:
            text = None
        return None if text is None else Scalar((text,))

    def _opened(self, entry: Entry, code: str, indent: int, moved: int | None) -> None:
        """A mapping or list under its key, or behind its dash."""
        value = entry.value
        assert isinstance(value, Collection)
        inner = indent + _STEP
        if entry.key is None and not entry.head and not entry.under:
            self.block(value, inner, f"{code} ")
            return
        head, others = (entry.head, value.opening) if entry.head else (value.opening, [])
        closing = entry.beside if entry.key is not None else []
        if entry.key is not None and not head:
            head, closing = closing, []
        self.add(code, head, moved if entry.head else None)
        self.comments([*entry.under, *(note.text for note in others if entry.key is not None)], inner)
        self.block(value, inner)
        self.comments([note.text for note in closing], inner)

    def _scalar(self, start: str, value: Scalar, beside: Sequence[Note], indent: int, moved: int | None) -> None:
        """A value in its spelling; `indent` is that of the key or dash it belongs to."""
        if value.header:
            self.add(start + value.header, [value.note] if value.note else [], moved)
            given = re.search(r"[1-9]", value.header)
            inner = " " * (indent + (int(given[0]) if given else _STEP))
            for line in value.lines:
                self.add(inner + line if line else "")
            return
        for number, line in enumerate(value.lines, 1):
            code = f"{start}{line}" if number == 1 else " " * (indent + _STEP) + line if line else ""
            self.add(code, beside if number == len(value.lines) else (), moved if len(value.lines) == 1 else None)


def _moved_up(entry: Entry) -> list[str]:
    """Comments at the brackets of a list item that becomes a block: they go above its dash."""
    value = entry.value
    if entry.key is not None or not isinstance(value, Collection):
        return []
    return [note.text for note in [*value.opening, *entry.beside]]


def _one_line(value: Collection | Scalar) -> str | None:
    """A flow collection on one line; None when a comment or a text over several lines is in it."""
    if isinstance(value, Scalar):
        return "".join(value.lines) if len(value.lines) <= 1 and not value.header else None
    parts: list[str] = []
    for entry in value.entries:
        inner = _one_line(entry.value)
        noted = entry.head or entry.under or entry.beside or entry.below or any(entry.lead)
        if inner is None or noted:
            return None
        key = "" if entry.key is None else f"{entry.key}: " if inner or entry.key.endswith(":") else entry.key
        parts.append(f"{key}{inner}")
    if value.opening or value.tail:
        return None
    return ("{%s}" if value.is_mapping else "[%s]") % ", ".join(parts)


def _text(lines: Sequence[_Line]) -> str:
    """All lines, paragraph by paragraph."""
    found: list[str] = []
    paragraph: list[_Line] = []
    for line in [*lines, _BLANK]:
        if line != _BLANK:
            paragraph.append(line)
            continue
        found += [*_aligned(paragraph), ""]
        paragraph = []
    return "\n".join(found)


def _aligned(paragraph: Sequence[_Line]) -> list[str]:
    columns: dict[int, int] = {}
    for line in paragraph:
        if line.note:
            least = len(line.code) + _GAP if line.code else 0
            columns[line.wanted] = max(columns.get(line.wanted, line.wanted), least)
    return [line.code.ljust(columns[line.wanted]) + line.note if line.note else line.code for line in paragraph]
