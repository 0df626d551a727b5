"""What models were used for, counted with the answers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from statek.ledger import metering
from statek.ledger.pruning import prune
from statek.ledger.records import Kind, Records
from statek.store.job import find_job
from statek.testing import LocalFleet, answer, declare_agent, open_fleet

RULES = [answer("n = 1", turn=1), answer("exit(n)", turn=2)]
DAY = 86_400


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[LocalFleet]:
    """A clerk and a porter, two turns each."""
    agents = [declare_agent("clerk"), declare_agent("porter")]
    with open_fleet(tmp_path, agents=agents, answers=RULES) as found:
        yield found


def used(fleet: LocalFleet, *jobs: str) -> tuple[int, int]:
    """Tokens of these jobs by their own account."""
    found = [find_job(job) for job in jobs]
    return sum(job.used.input_tokens for job in found if job), sum(job.used.output_tokens for job in found if job)


def test_the_counters_say_what_the_jobs_say(fleet: LocalFleet) -> None:
    """By agent: the sum of the jobs' own figures."""
    jobs = [fleet.submit("clerk", key=str(n)) for n in range(3)] + [fleet.submit("porter")]
    fleet.run()
    rows = {row.name: (row.input_tokens, row.output_tokens) for row in metering.usage(fleet.ledger)}
    assert rows == {"clerk": used(fleet, *jobs[:3]), "porter": used(fleet, jobs[3])}
    assert metering.total(fleet.ledger).answers == 8


def test_a_replay_counts_nothing_again(fleet: LocalFleet, tmp_path: Path) -> None:
    """A store that is lost is rebuilt from the records; the counters stay as they are."""
    fleet.submit("clerk")
    fleet.run()
    before = metering.usage(fleet.ledger)
    fleet.close()
    for file in tmp_path.glob("statek.db0*"):
        file.unlink()
    with open_fleet(tmp_path) as again:
        assert again.replayed > 0
        assert metering.usage(again.ledger) == before


def test_pruning_and_forgetting_take_nothing_away(fleet: LocalFleet) -> None:
    """The answers' records are gone, what they cost is not."""
    fleet.submit("clerk")
    fleet.run()
    before = metering.usage(fleet.ledger, "model")
    last = Records(fleet.ledger).last()[0]
    for _ in prune(fleet.ledger, last, at_us=fleet.clock.now_us(), keys_kept_us=0):
        pass
    assert not fleet.ledger.rows("SELECT 1 FROM rec WHERE kind = ?", str(Kind.MODEL))
    assert metering.usage(fleet.ledger, "model") == before


def test_days_are_those_of_the_answers(fleet: LocalFleet) -> None:
    """What comes tomorrow counts for tomorrow."""
    fleet.submit("clerk")
    fleet.run()
    fleet.clock.advance(DAY)
    fleet.submit("porter")
    fleet.run()
    days = [(row.name, row.answers) for row in metering.usage(fleet.ledger, "day")]
    assert days == [("2026-01-01", 2), ("2026-01-02", 2)]
