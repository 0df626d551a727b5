"""Where output goes: results to stdout, everything else to stderr, as text or as JSON documents.

Decides no wording. The one idea: text may come from models and outside services, so nothing reaches a terminal that
could steer it, and no secret that this process knows; colour and width are rich's business, which leaves both out
when nobody looks at a terminal.
"""

import json
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TextIO

from statek.base.redaction import SECRETS

if TYPE_CHECKING:  # loaded when there is something to colour or to fit in: most commands that go well have nothing
    from rich.console import Console

FORMAT_VERSION = 1
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")  # and lone surrogates
_GAP = "  "  # between columns
_LEAST = 20  # columns of a terminal that the last column of a table keeps
_WIDE = 400  # columns when the output is no terminal: nothing is cut off


def plain(text: str) -> str:
    """The text without secrets, and with control characters, except line feed and tab, written as escapes."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), SECRETS.text(text))


class _Page:
    """One of the two streams: lines without colour are written as they are, all else is rich's."""

    def __init__(self, stream: TextIO, console: "Console | None") -> None:
        self._stream, self._console = stream, console

    @property
    def console(self) -> "Console":
        if self._console is None:
            from statek.cli.console import console_on

            self._console = console_on(self._stream, None if self._stream.isatty() else _WIDE)
        return self._console

    def line(self, text: str, style: str) -> None:
        if style or "\t" in text or self._console is not None:
            from rich.text import Text

            self.console.print(Text(text, style=style))
        else:
            self._stream.write(text + "\n")
            self._stream.flush()


class Screen:
    """What one command writes to. `output` is `text`, `json`, or for diagnostics `compact`, `sarif`, `github`."""

    def __init__(self, output: str = "text", out: "Console | None" = None, err: "Console | None" = None) -> None:
        """Write to stdout and stderr, or to the consoles given."""
        self.output = output
        self.runs_long = False  # JSON documents take a line each
        self._out, self._err = _Page(sys.stdout, out), _Page(sys.stderr, err)

    @property
    def out(self) -> "Console":
        """Results."""
        return self._out.console

    @property
    def err(self) -> "Console":
        """Everything else."""
        return self._err.console

    @property
    def json(self) -> bool:
        """Whether results are JSON documents."""
        return self.output == "json"

    def document(self, kind: str, data: dict[str, Any]) -> None:
        """One JSON document on stdout; of a command that runs long, on a line of its own and sent at once."""
        indent = None if self.runs_long else 2
        _write(json.dumps(_document(kind, data), indent=indent, ensure_ascii=not _is_utf8()))
        if self.runs_long:
            sys.stdout.flush()

    def foreign(self, data: dict[str, Any]) -> None:
        """One JSON document in a form that others define, without our head."""
        _write(json.dumps(SECRETS.data(data), indent=2, ensure_ascii=not _is_utf8()))

    def line(self, text: str = "", style: str = "") -> None:
        """A line of the result."""
        self._out.line(plain(text), style)

    def note(self, text: str, style: str = "") -> None:
        """A line for the person at the terminal; no part of the result."""
        self._err.line(plain(text), style)

    def table(
        self, columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = (), cut: bool = True
    ) -> None:
        """Rows under headings; columns named in `right` are numbers. A terminal may `cut` the last column to fit."""
        from rich.cells import cell_len

        lines = [list(columns), *([one_line(cell) for cell in row] for row in rows)]
        widths = [max(cell_len(line[n]) for line in lines) for n in range(len(columns))]
        if cut and self.out.is_terminal:
            left = self.out.width - sum(widths[:-1]) - len(_GAP) * len(widths[:-1])
            widths[-1] = min(widths[-1], max(_LEAST, left))
        for number, line in enumerate(lines):
            cells = (_fitted(line[n], width, columns[n] in right) for n, width in enumerate(widths))
            self._out.line(_GAP.join(cells).rstrip(), "" if number else "bold")


def _fitted(text: str, width: int, to_the_right: bool) -> str:
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) > width:
        return set_cell_size(text, width - 1) + "\N{HORIZONTAL ELLIPSIS}"
    return " " * (width - cell_len(text)) + text if to_the_right else set_cell_size(text, width)


def one_line(text: str) -> str:
    """The text for a cell of a table: control characters and line ends written as escapes."""
    return plain(text).replace("\n", "\\n").replace("\t", " ")


def _document(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"formatVersion": FORMAT_VERSION, "kind": kind, **SECRETS.data(data)}


def _write(text: str) -> None:
    # A lone surrogate, which models do send, becomes the escape that JSON has for it.
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def _is_utf8() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
