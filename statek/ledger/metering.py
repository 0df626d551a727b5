"""What models were used for: tokens and money by day, agent and model, counted once and for ever.

The worker adds to it in the transaction that records the answers, an answer whose record was there already not again;
so the figures are as durable as the answers, a replay adds nothing, and neither pruning nor forgetting takes any away.
Costs are those of the moment: another price changes no day that is past. It knows figures, not answers: the runtime
says what one cost. The table is made by the first worker that counts; readers of an older ledger find nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from statek.base.clock import as_text
from statek.exceptions import StatekError
from statek.ledger.file import LedgerFile

By = Literal["agent", "model", "day"]
NANO = 1_000_000_000  # costs are kept in whole billionths of a dollar: sums are exact

_TABLE = """CREATE TABLE IF NOT EXISTS usage (
    day TEXT NOT NULL, agent TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, answers INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL,
    cost_nano INTEGER NOT NULL, unpriced INTEGER NOT NULL, scripted INTEGER NOT NULL,
    PRIMARY KEY (day, agent, provider, model)) WITHOUT ROWID"""
_ADD = """INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    answers = answers + excluded.answers, input_tokens = input_tokens + excluded.input_tokens,
    output_tokens = output_tokens + excluded.output_tokens, cached_tokens = cached_tokens + excluded.cached_tokens,
    cost_nano = cost_nano + excluded.cost_nano, unpriced = unpriced + excluded.unpriced,
    scripted = scripted + excluded.scripted"""
_SUMS = (
    "sum(answers), sum(input_tokens), sum(output_tokens), sum(cached_tokens), sum(cost_nano), sum(unpriced),"
    " sum(scripted)"
)
_GROUPS: dict[By, str] = {"agent": "agent", "model": "provider || '/' || model", "day": "day"}


@dataclass(frozen=True)
class Used:
    """One answer to be counted.

    Attributes:
        agent: the agent's name.
        provider: name of the provider's configuration.
        model: the model as the provider names it.
        input_tokens: with the cached ones.
        output_tokens: what was answered.
        cached_tokens: part of the input.
        cost_usd: None when nobody knows it.
        scripted: no model was asked.
    """

    agent: str
    provider: str
    model: str
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost_usd: float | None
    scripted: bool


@dataclass(frozen=True)
class Sum:
    """What one agent, model or day has used.

    Attributes:
        name: the agent, `provider/model`, or the day in UTC (`2026-01-31`); "" for a total.
        answers: how many there were.
        input_tokens: with the cached ones.
        output_tokens: what was answered.
        cached_tokens: part of the input.
        cost_usd: of the answers whose cost is known.
        unpriced: answers of a model whose cost nobody knows.
        scripted: answers for which no model was asked.
    """

    name: str
    answers: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost_usd: float
    unpriced: int
    scripted: int

    def to_json(self) -> dict[str, object]:
        """As `statek usage -o json` prints it."""
        return {
            "name": self.name, "answers": self.answers, "inputTokens": self.input_tokens,
            "outputTokens": self.output_tokens, "cachedTokens": self.cached_tokens, "costUsd": self.cost_usd,
            "unpriced": self.unpriced, "scripted": self.scripted,
        }  # fmt: skip


def day_of(at_us: int) -> str:
    """The day in UTC, `2026-01-31`."""
    return as_text(at_us)[:10]


class Meter:
    """The counters of one ledger, for its worker."""

    def __init__(self, file: LedgerFile) -> None:
        self._file = file
        self._has_table = False

    def add(self, answers: Iterable[Used], at_us: int) -> None:
        """Count answers that came at `at_us`, inside `file.transaction()`: one write for each agent and model."""
        groups: dict[tuple[str, str, str], list[int]] = {}
        for used in answers:
            sums = groups.setdefault((used.agent, used.provider, used.model), [0] * 7)
            for place, number in enumerate(_numbers(used)):
                sums[place] += number
        if groups and not self._has_table:
            self._file.write(_TABLE)
            self._has_table = True
        for names, sums in sorted(groups.items()):
            self._file.write(_ADD, day_of(at_us), *names, *sums)


def usage(file: LedgerFile, by: By = "agent", since: str | None = None) -> list[Sum]:
    """What was used by each agent, model or day, in the order of their names.

    Args:
        file: the ledger.
        by: "agent", "model" or "day".
        since: the first day that counts, `2026-01-31` in UTC; None: all.
    """
    column = _GROUPS[by]
    return _sums(file, f"{column}, {_SUMS}", since, f" GROUP BY {column} ORDER BY {column}")


def total(file: LedgerFile, since: str | None = None) -> Sum:
    """What was used altogether."""
    found = _sums(file, f"'', {_SUMS}", since, " HAVING count(*) > 0")
    return found[0] if found else Sum("", 0, 0, 0, 0, 0.0, 0, 0)


def check_by(by: str) -> By:
    """What usage can be grouped by. Raises StatekError for anything else."""
    for known in _GROUPS:
        if by == known:
            return known
    raise StatekError(f"usage by {by!r}: expected one of {', '.join(_GROUPS)}")


def check_day(text: str | None) -> str | None:
    """The day as it was given. Raises StatekError for what is no day in the form 2026-01-31."""
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise _no_day(text) from error
    if day.isoformat() != text:  # other spellings of ISO 8601 do not sort as days do
        raise _no_day(text)
    return text


def _no_day(text: str) -> StatekError:
    return StatekError(f"day {text!r}: expected a date such as 2026-01-31")


def _numbers(used: Used) -> tuple[int, ...]:
    cost = 0 if used.cost_usd is None else round(used.cost_usd * NANO)
    unpriced = used.cost_usd is None and not used.scripted
    return (
        1, used.input_tokens, used.output_tokens, used.cached_tokens, cost, int(unpriced), int(used.scripted),
    )  # fmt: skip


def _sums(file: LedgerFile, columns: str, since: str | None, grouping: str) -> list[Sum]:
    if not file.rows("SELECT 1 FROM sqlite_master WHERE name = 'usage'"):
        return []
    sql = f"SELECT {columns} FROM usage WHERE day >= ?{grouping}"  # noqa: S608 - no input
    return [
        Sum(name, answers, sent, got, cached, cost_nano / NANO, unpriced, scripted)
        for name, answers, sent, got, cached, cost_nano, unpriced, scripted in file.rows(sql, since or "")
    ]
