"""Schedules: a time that comes, a time zone that exists, and inputs that the agent takes. Reads no clock.

Runs after the references are known: whether the agent is there is for `links`.
"""

import functools
from collections.abc import Iterator
from dataclasses import replace

from statek.base.nearest import nearest
from statek.spec.checking.given import check_given
from statek.spec.fixes import word_fix
from statek.spec.positions import inside
from statek.spec.problems import Problem
from statek.spec.types import Spec, SpecSet


def check_schedules(specs: SpecSet) -> Iterator[Problem]:
    """Every problem of every Schedule beyond its schema and its references."""
    yield from specs.told_of_each(_schedule, specs.of("Schedule"))


def _schedule(schedule: Spec, specs: SpecSet) -> Iterator[Problem]:
    yield from _cron(schedule)
    yield from _zone(schedule)
    agent = specs.get("Agent", schedule.data["agent"])
    if agent is not None and not agent.abstract:
        yield from check_given(schedule, ("inputs",), schedule.data.get("inputs", {}), agent)


def _cron(schedule: Spec) -> Iterator[Problem]:
    from statek.spec.checking.cron import CronError, parse_cron  # few projects have a Schedule

    text = schedule.data["cron"]
    try:
        parse_cron(text)
    except CronError as error:
        problem = schedule.problem("STK602", f"cron '{text}': {error}", "cron")
        yield replace(problem, range=inside(problem.range, text, error.start, error.end))


def _zone(schedule: Spec) -> Iterator[Problem]:
    name = schedule.data.get("timezone", "UTC")
    if name not in _zones():
        close = nearest(name, _zones()) or _city(name)
        hint = f"; did you mean '{close}'?" if close else "; expected a name such as 'Europe/Warsaw' or 'UTC'"
        fixes = word_fix(schedule.where("timezone"), name, _zones())
        yield schedule.problem("STK603", f"unknown time zone '{name}'{hint}", "timezone", fixes=fixes)


def _city(name: str) -> str | None:
    """The zone of which only the city, or its beginning, was written."""
    cities = {zone.rpartition("/")[2]: zone for zone in sorted(_zones(), reverse=True) if "/" in zone}
    close = nearest(name.rpartition("/")[2].replace(" ", "_"), cities)
    return cities[close] if close else None


@functools.cache
def _zones() -> frozenset[str]:
    import zoneinfo  # see above

    return frozenset(zoneinfo.available_timezones())
