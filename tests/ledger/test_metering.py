"""Counters of what models were used for."""

from contextlib import suppress

import pytest

from statek.exceptions import StatekError
from statek.ledger import metering
from statek.ledger.file import LedgerFile
from statek.ledger.metering import Meter, Used

DAY_US = 86_400_000_000
START_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z


def used(agent: str = "a", model: str = "m", cost: float | None = 0.1, *, scripted: bool = False) -> Used:
    """An answer of ten tokens in, two out."""
    return Used(agent, "p", model, 10, 2, 4, cost, scripted)


def add(ledger: LedgerFile, *answers: Used, at_us: int = START_US) -> None:
    """Count as a worker that has just begun does."""
    with ledger.transaction():
        Meter(ledger).add(answers, at_us)


def test_an_older_ledger_has_used_nothing(ledger: LedgerFile) -> None:
    """Without the table there are no rows and a total of zero."""
    assert metering.usage(ledger, "day") == []
    assert metering.total(ledger).answers == 0


def test_answers_are_summed_by_agent_model_and_day(ledger: LedgerFile) -> None:
    """Each view has the sums of all passes."""
    add(ledger, used(), used("b"), used("b", "n"))
    add(ledger, used(), at_us=START_US + DAY_US)
    agents = [(found.name, found.answers, found.input_tokens) for found in metering.usage(ledger, "agent")]
    models = [(found.name, found.answers) for found in metering.usage(ledger, "model")]
    days = [(found.name, found.answers) for found in metering.usage(ledger, "day")]
    assert agents == [("a", 2, 20), ("b", 2, 20)]
    assert (models, days) == ([("p/m", 3), ("p/n", 1)], [("2026-01-01", 3), ("2026-01-02", 1)])


def test_a_hundred_dimes_are_ten_dollars(ledger: LedgerFile) -> None:
    """Money is summed in whole numbers: nothing is lost by adding."""
    for _ in range(100):
        add(ledger, used(cost=0.1))
    assert metering.total(ledger).cost_usd == 10.0


def test_since_leaves_out_the_days_before(ledger: LedgerFile) -> None:
    """The first day that counts is the given one."""
    add(ledger, used())
    add(ledger, used(), used(), at_us=START_US + DAY_US)
    assert metering.total(ledger, "2026-01-02").answers == 2
    assert metering.total(ledger, "2026-01-03").answers == 0


def test_the_last_microsecond_of_a_day_belongs_to_it(ledger: LedgerFile) -> None:
    """Days are those of UTC."""
    add(ledger, used(), at_us=START_US + DAY_US - 1)
    assert [found.name for found in metering.usage(ledger, "day")] == ["2026-01-01"]


def test_an_unknown_price_is_said_and_a_script_has_none(ledger: LedgerFile) -> None:
    """Answers without a price are counted apart from those of scripts."""
    add(ledger, used(cost=None), used(cost=None, scripted=True), used())
    total = metering.total(ledger)
    assert (total.unpriced, total.scripted, total.cost_usd) == (1, 1, 0.1)


def test_what_is_not_committed_is_not_counted(ledger: LedgerFile) -> None:
    """Counting is part of the transaction that records the answers."""
    with suppress(KeyError), ledger.transaction():
        Meter(ledger).add([used()], START_US)
        raise KeyError
    assert metering.total(ledger).answers == 0


@pytest.mark.parametrize("text", ["yesterday", "2026-1-1", "20260101", "2026-02-30", ""])
def test_a_wrong_day_is_refused(text: str) -> None:
    """Only the one form that sorts as days do."""
    with pytest.raises(StatekError, match="expected a date such as"):
        metering.check_day(text)
