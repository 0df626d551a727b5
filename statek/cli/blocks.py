"""A problem in a file as people read it: code, place, the line with the token underlined, what to do.

The text of a file is read again for its line: when the file has changed meanwhile, the place is still named.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

from rich.cells import cell_len
from rich.text import Text

from statek.cli.screen import plain
from statek.spec.problems import Problem
from statek.spec.reading.listing import MAX_BYTES

_STYLES = {"error": "bold red", "warning": "bold yellow"}
_LONGEST = 160  # characters of a line that are shown
_BEFORE = 60  # of them before the token, when the line is longer


@dataclass
class Sources:
    """Lines of the project's files, each file read once."""

    root: Path
    _lines: dict[str, list[str]] = field(default_factory=dict)

    def line(self, file: str, number: int) -> str | None:
        """A line without its end; None when the file has no such line or cannot be read as text."""
        if file not in self._lines:
            self._lines[file] = _read_lines(self.root, file)
        lines = self._lines[file]
        return lines[number - 1] if number <= len(lines) else None


def _read_lines(root: Path, file: str) -> list[str]:
    """The lines of a file that could be a spec; none of one that is refused unread, as a pipe is."""
    real = Path(os.path.realpath(root / file))
    try:
        if not real.is_relative_to(os.path.realpath(root)) or not real.is_file() or real.stat().st_size > MAX_BYTES:
            return []
        text = real.read_bytes().decode("utf-8-sig", "replace")
    except OSError:
        return []  # the problem is that it cannot be read: there is no line to show
    return text.replace("\r\n", "\n").split("\n")


def block(problem: Problem, sources: Sources) -> Text:
    """One problem, several lines."""
    headline, aside = _split_hint(problem.message)
    start, end = problem.range.start, problem.range.end
    line = sources.line(problem.file, start.line)
    gutter = " " * len(str(start.line))
    style = _STYLES[problem.severity]
    shown = Text()
    shown.append(f"{problem.severity}[{problem.code}]", style).append(f": {plain(headline)}\n", "bold")
    place = f":{start.line}:{start.column}" if line is not None else ""
    shown.append(f"{gutter}--> ", "blue").append(f"{plain(problem.file)}{place}\n")
    if line is None and aside:
        shown.append(f"{gutter} = ", "blue").append(f"{aside}\n")
    elif line is not None:
        length = end.column - start.column if end.line == start.line else len(line) - start.column + 1
        text, before, carets = _window(line, start.column - 1, max(1, length))
        shown.append(f"{gutter} |\n{start.line} | ", "blue").append(f"{text}\n")
        shown.append(f"{gutter} | ", "blue").append(f"{before}{carets}", style).append(
            f" {aside}".rstrip() + "\n", style
        )
    for note in _notes(problem):
        shown.append(f"{gutter} = ", "blue").append(f"{plain(note)}\n")
    return shown


def _split_hint(message: str) -> tuple[str, str]:
    """The message, and the part of it that stands beside the token."""
    head, mark, hint = message.rpartition("; did you mean ")
    return (head, f"did you mean {plain(hint)}") if mark else (message, "")


def _window(line: str, start: int, length: int) -> tuple[str, str, str]:
    """The part of a line around the token, the space before the token, and its carets, in columns of a terminal."""
    begin = start - _BEFORE if len(line) > _LONGEST and start > _BEFORE else 0
    text = "".join(_visible(char) for char in line[begin : begin + _LONGEST])
    lead = "..." if begin else ""
    before = " " * cell_len(lead + text[: start - begin])
    token = text[start - begin : start - begin + length]
    tail = "..." if begin + _LONGEST < len(line) else ""
    return f"{lead}{text}{tail}", before, "^" * max(1, cell_len(token))


def _visible(char: str) -> str:
    """One character for one, so that columns stay: a tab is a space, what a terminal would obey is a box."""
    if char == "\t":
        return " "
    return char if plain(char) == char else "\N{REPLACEMENT CHARACTER}"


def _notes(problem: Problem) -> list[str]:
    notes = [
        f"{other.message} ({other.file}:{other.range.start.line}:{other.range.start.column})"
        for other in problem.related
    ]
    return [*notes, *(fix.title for fix in problem.fixes), f"explain: statek explain {problem.code}"]
