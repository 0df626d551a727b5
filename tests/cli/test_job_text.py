"""Rows of jobs as text."""

from typing import Any

from statek.cli.job_text import COLUMNS, cost, job_cells, section_lines, shortened, waits_for

ROW: dict[str, Any] = {
    "id": "triage/1", "agent": "triage", "status": "SUSPENDED", "outcome": None,
    "waitingFor": {"kind": "future", "detail": "report"}, "queue": None, "inputs": {}, "release": "r-1", "turns": 2,
    "usage": {"inputTokens": 1000, "outputTokens": 234, "cachedTokens": 0, "costUsd": 0.5},
    "createdAt": "2026-01-31T10:00:00Z", "endedAt": None, "error": None, "scripted": False,
}  # fmt: skip


def test_a_row_has_a_cell_for_each_column() -> None:
    """With what it waits for, tokens and money."""
    assert dict(zip(COLUMNS, job_cells(ROW), strict=True)) == {
        "ID": "triage/1", "AGENT": "triage", "STATUS": "SUSPENDED", "TURNS": "2",
        "TOKENS": "1,234", "COST": "$0.5000", "CREATED": "2026-01-31T10:00:00Z", "WAITS FOR OR ERROR": "future: report",
    }  # fmt: skip


def test_an_answer_of_a_script_costs_no_money() -> None:
    """It says scripted, never a price."""
    assert cost(0.0, scripted=True) == "scripted"


def test_a_price_nobody_knows_is_not_zero() -> None:
    """A model without a price."""
    assert cost(None, scripted=False) == "unknown"


def test_who_waits_for_nothing_has_an_empty_cell() -> None:
    """No placeholder."""
    assert waits_for({"waitingFor": None}) == ""


def test_a_long_error_is_one_short_line() -> None:
    """For a table; `show` has it whole."""
    assert shortened("first " + "x" * 100 + "\nsecond", 20) == "first xxxxxxxxxxx..."


def test_a_chat_is_shown_entry_by_entry() -> None:
    """Who said it, and that a script did."""
    chat = [{"kind": "answer", "text": "one\ntwo", "scripted": True}, {"kind": "print", "text": "3"}]

    assert section_lines(chat) == ["[answer] from a script", "  one", "  two", "[print]", "  3"]
