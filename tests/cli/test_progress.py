"""What `statek work` shows."""

import io
import json
from typing import Any

import pytest
from rich.console import Console

from statek.cli.progress import SCRIPTED, LiveLine, PlainLines, duration, progress_for
from statek.cli.screen import Screen

EVENT: dict[str, Any] = {
    "kind": "progress", "done": 1200, "waiting": 3, "running": 2, "failed": 1, "total": 1206, "jobsPerSecond": 14.25,
    "elapsedSeconds": 3.0, "inputTokens": 900, "outputTokens": 100, "costUsd": 0.0, "scripted": True,
}  # fmt: skip
FAILED: dict[str, Any] = {
    "id": "triage/9", "agent": "triage", "status": "DONE", "outcome": "failed", "waitingFor": None, "turns": 1,
    "usage": {"inputTokens": 1, "outputTokens": 1, "cachedTokens": 0, "costUsd": 0.0}, "createdAt": None,
    "error": "no rule fits", "scripted": True,
}  # fmt: skip
END = {**EVENT, "kind": "end", "outcomes": {"ok": 1200, "failed": 1}, "failures": [FAILED]}


def screen(*, terminal: bool = False) -> Screen:
    """A screen that writes into memory."""
    consoles = [Console(file=io.StringIO(), width=200, force_terminal=terminal, markup=False) for _ in range(2)]
    return Screen("text", consoles[0], consoles[1])


def written(console: Console) -> str:
    """What a console of `screen` was given."""
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_script_is_never_shown_as_a_model() -> None:
    """The line says so."""
    shown = screen()
    PlainLines(shown)(EVENT)

    assert "1,200 done, 3 waiting, 2 running, 1 failed" in written(shown.err)
    assert SCRIPTED in written(shown.err)


def test_plain_lines_come_every_few_seconds() -> None:
    """Four events a second are not four lines a second."""
    shown = screen()
    lines = PlainLines(shown)
    for n in range(20):
        lines({**EVENT, "elapsedSeconds": n / 4, "done": n})

    assert len(written(shown.err).splitlines()) == 2


def test_the_end_is_a_table_with_failures() -> None:
    """Outcomes, the failed job with its error, where to look next."""
    shown = screen()
    PlainLines(shown)(END)

    assert "no rule fits" in written(shown.out)
    assert "statek show triage/9" in written(shown.err)


def test_a_terminal_gets_a_live_line() -> None:
    """Drawn in place, and gone at the end."""
    shown = screen(terminal=True)
    with LiveLine(shown) as live:
        live(EVENT)
        live(END)

    assert "1,200 done" in written(shown.err)
    assert "OUTCOME" in written(shown.out)


def test_json_lines_are_documents(capsys: pytest.CaptureFixture[str]) -> None:
    """One on each line, with the kind in words."""
    with progress_for(Screen("json")) as progress:
        progress(EVENT)
        progress(END)

    kinds = [json.loads(line)["kind"] for line in capsys.readouterr().out.splitlines()]
    assert kinds == ["Progress", "End"]


@pytest.mark.parametrize(("seconds", "text"), [(0.84, "0.8 s"), (42.4, "42 s"), (185.0, "3 min 05 s")])
def test_a_duration_is_short(seconds: float, text: str) -> None:
    """With the precision that is of interest."""
    assert duration(seconds) == text
