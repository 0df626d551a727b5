"""Which revision a job uses: its own, but for the prompt as its reload policy says."""

from typing import Any

import pytest

from statek.exceptions import NotApplied
from statek.ledger import compiled
from statek.runtime.catalog import Catalog
from statek.testing import answer, declare_agent
from tests.runtime import desk
from tests.runtime.conftest import OpenDesk

POLICIES = {"next-job": ["one", "one"], "on-resume": ["one", "two"], "next-turn": ["two", "two"]}


@pytest.mark.parametrize("policy", POLICIES)
def test_prompt_reload(open_desk: OpenDesk, policy: Any) -> None:
    """A job at work takes over a new prompt never, when it wakes from a wait, or in its next turn."""
    reload = compiled.Reload(policy, "next-job", "next-job", "next-job", "next-job")

    def speaking(word: str) -> list[Any]:
        return [declare_agent("clerk", tools=desk.TOOLS, prompt=word, reload=reload)]

    fleet = open_desk(answer("pause()"), agents=speaking("one"))
    job = fleet.job(_run(fleet, "clerk"))
    catalog = fleet.fleet.catalog
    catalog.use(fleet.apply(speaking("two")))
    found = [catalog.prompt_offer(catalog.of(job), woke=woke).prompt(job) for woke in (False, True)]
    assert found == POLICIES[policy]


def test_the_rest_stays_with_the_job(open_desk: OpenDesk) -> None:
    """Tools and limits of a job at work are those it began with."""
    fleet = open_desk(answer("pause()"))
    job = fleet.job(_run(fleet, "clerk"))
    fleet.fleet.catalog.use(fleet.apply([declare_agent("clerk", limits={"turns": 1})]))
    offer = fleet.fleet.catalog.of(job)
    assert ("post" in offer.tools, offer.limits.turns) == (True, 20)


def test_jobs_of_one_revision_share_a_definition(open_desk: OpenDesk) -> None:
    """A thousand jobs share one definition."""
    fleet = open_desk(answer("exit()"))
    first, second = fleet.submit("clerk", key="1"), fleet.submit("clerk", key="2")
    fleet.run()
    assert fleet.job(first).job_def is fleet.job(second).job_def


def test_unknown_agent_is_named(open_desk: OpenDesk) -> None:
    """An agent that is not applied is refused with what is."""
    fleet = open_desk(answer("exit()"))
    fleet.run()
    with pytest.raises(NotApplied, match="there is no agent 'clark'") as caught:
        fleet.fleet.catalog.stored_agent("clark")
    assert "clerk" in caught.value.hint


def test_nothing_applied() -> None:
    """Without a release there are no agents."""
    catalog = Catalog(None)
    assert (catalog.agent_names, catalog.fleet) == ([], None)


def test_environments_are_lent_once(open_desk: OpenDesk) -> None:
    """An environment that was given back serves the next job; two jobs at work never share one."""
    fleet = open_desk(answer("pause()"))
    catalog, job = fleet.fleet.catalog, fleet.job(_run(fleet, "clerk"))
    offer = catalog.of(job)
    first, second = catalog.borrow(offer), catalog.borrow(offer)
    assert first is not second
    catalog.give_back(offer, first)
    assert catalog.borrow(offer) is first


def _run(fleet: Any, agent: str) -> str:
    job: str = fleet.submit(agent)
    fleet.run()
    return job
