"""Rows of jobs as text: cells of a table, and one job whole. Pure; the JSON is printed as it comes."""

import json
from collections.abc import Sequence
from typing import Any

from statek.base.clock import as_text

JobData = dict[str, Any]
COLUMNS = ("ID", "AGENT", "STATUS", "TURNS", "TOKENS", "COST", "CREATED", "WAITS FOR OR ERROR")
NUMBERS = ("TURNS", "TOKENS", "COST")
_ERROR = 60  # characters of an error in a table


def job_cells(row: JobData) -> tuple[str, ...]:
    """The cells of one job for COLUMNS."""
    usage = row["usage"]
    return (
        row["id"],
        row["agent"],
        standing(row),
        str(row["turns"]),
        f"{usage['inputTokens'] + usage['outputTokens']:,}",
        cost(usage["costUsd"], scripted=row["scripted"]),
        moment(row["createdAt"]),
        waits_for(row) or shortened(row["error"] or "", _ERROR),
    )


def standing(row: JobData) -> str:
    """The outcome of a job that ended, else its status."""
    return str(row["outcome"] or row["status"])


def waits_for(row: JobData) -> str:
    """`future: ...`, or nothing."""
    waiting = row["waitingFor"]
    if waiting is None:
        return ""
    if isinstance(waiting, str):
        return waiting
    return ": ".join(str(part) for part in (waiting["kind"], waiting.get("detail")) if part)


def moment(value: int | str | None) -> str:
    """A time: microseconds as ISO text, text as it is."""
    return as_text(value) if isinstance(value, int) else value or ""


def cost(usd: float | None, *, scripted: bool) -> str:
    """Money, or why there is none."""
    if scripted:
        return "scripted"
    return "unknown" if usd is None else f"${usd:.4f}"


def dollars(usd: float, answers: int, unpriced: int, scripted: int) -> str:
    """What several answers cost, and how many of them have no known price."""
    if answers and scripted == answers:
        return "scripted"
    if unpriced and unpriced + scripted == answers:
        return "unknown"
    return f"${usd:.4f}" + (f" + {unpriced:,} unknown" if unpriced else "")


def shortened(text: str, longest: int) -> str:
    """The first line, cut."""
    line = text.strip().partition("\n")[0]
    return line if len(line) <= longest else f"{line[: longest - 3]}..."


def job_facts(row: JobData) -> list[tuple[str, str]]:
    """Names and values of the head of `statek show`."""
    usage = row["usage"]
    tokens = f"{usage['inputTokens']:,} in, {usage['outputTokens']:,} out, {usage['cachedTokens']:,} cached"
    facts = [
        ("agent", row["agent"]),
        ("status", standing(row)),
        ("waits for", waits_for(row)),
        ("queue", row["queue"] or ""),
        ("release", row["release"] or ""),
        ("inputs", json.dumps(row["inputs"], ensure_ascii=False)),
        ("tries", ", ".join(f"{entry['id']} {entry['outcome'] or 'now'}" for entry in row.get("tries") or ())),
        ("turns", str(row["turns"])),
        ("usage", f"{tokens}, {cost(usage['costUsd'], scripted=row['scripted'])}"),
        ("created", moment(row["createdAt"])),
        ("ended", moment(row["endedAt"])),
        ("result", "" if row.get("exit") is None else _value_text(row["exit"])),
        ("stands", row.get("stands") or ""),
    ]
    return [(name, value) for name, value in facts if value]


def section_lines(value: Any) -> list[str]:
    """A section of `statek show` as lines: text as it is, a list entry by entry, anything else as JSON."""
    if isinstance(value, str):
        return value.rstrip("\n").split("\n")
    if isinstance(value, Sequence):
        return [line for entry in value for line in _entry_lines(entry)]
    if isinstance(value, dict):
        return [f"{name} = {_value_text(item)}" for name, item in value.items()]
    return [_value_text(value)]


def _entry_lines(entry: Any) -> list[str]:
    """An entry of a chat as `[answer]` with its text below; anything else as text."""
    if not (isinstance(entry, dict) and "kind" in entry):
        return _value_text(entry).rstrip("\n").split("\n")
    notes = [_value_text(call) for call in entry.get("calls") or ()]
    text = str(entry.get("text") or "").rstrip("\n")
    lines = [*(text.split("\n") if text else ()), *notes]
    return [f"[{entry['kind']}]{_author(entry)}", *(f"  {line}" for line in lines)]


def _author(entry: JobData) -> str:
    if entry.get("scripted"):
        return " from a script"
    return f" of {entry['model']}" if entry.get("model") else ""


def _value_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def one_row_of(rows: Sequence[JobData]) -> str:
    """The id of the first row; empty when there is none."""
    return str(rows[0]["id"]) if rows else ""
