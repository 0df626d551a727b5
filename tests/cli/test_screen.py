"""Where output goes, and what never gets there."""

import io

from rich.console import Console

from statek.cli.screen import Screen, plain


def screen(width: int, *, terminal: bool) -> Screen:
    """A screen that writes into memory."""
    consoles = [Console(file=io.StringIO(), width=width, force_terminal=terminal, color_system=None) for _ in range(2)]
    return Screen("text", consoles[0], consoles[1])


def lines(shown: Screen) -> list[str]:
    """Lines of the result."""
    assert isinstance(shown.out.file, io.StringIO)
    return shown.out.file.getvalue().splitlines()


def test_columns_stand_below_each_other() -> None:
    """Numbers to the right, no space at the ends of lines, wide characters counted as two."""
    shown = screen(80, terminal=False)
    shown.table(["ID", "N", "ERROR"], [["a", "5", ""], ["日本", "1,000", "bad"]], right=["N"])

    assert lines(shown) == ["ID        N  ERROR", "a         5", "日本  1,000  bad"]


def test_a_terminal_cuts_the_last_column_only() -> None:
    """Ids are there to be copied."""
    shown = screen(45, terminal=True)
    shown.table(["ID", "ERROR"], [["triage/0123456789", "x" * 50]])

    assert lines(shown)[1] == "triage/0123456789  " + "x" * 25 + "…"


def test_a_cell_is_one_line() -> None:
    """Line ends of an error are written as escapes."""
    shown = screen(80, terminal=False)
    shown.table(["ERROR"], [["one\ntwo"]])

    assert lines(shown)[1] == "one\\ntwo"


def test_text_cannot_steer_a_terminal() -> None:
    """Escapes, carriage returns and changes of direction are written out."""
    assert plain("a\x1b[31m\r\u202eb\n\tc") == "a\\x1b[31m\\r\\u202eb\n\tc"
    assert plain("half \ud800 of a pair") == "half \\ud800 of a pair"
