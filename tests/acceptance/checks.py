"""What has to be true of a desk that has worked through its events, however often it was killed meanwhile."""

import sys
from collections import Counter

from tests.acceptance.projects import Project, events


def nothing_lost_nothing_twice(desk: Project, count: int) -> None:
    """Every event has one record and one job, all jobs went well, and every large earthquake has one bulletin."""
    wanted = events(count)
    found = desk.look("records")
    ids = Counter(record[0] for record in found["records"])
    events_of = Counter(event["id"] for event in wanted)
    assert ids == events_of, f"missing {events_of - ids}, too many {ids - events_of}"
    large = {event["id"] for event in wanted if event["mag"] >= 5 and event["type"] == "earthquake"}
    assert Counter(name for name, _ in found["bulletins"]) == Counter(large)
    jobs = Counter(job["id"] for job in desk.jobs() if job["agent"] == "triage")
    assert jobs == Counter(f"quakes:{event['id']}" for event in wanted)
    assert {job["outcome"] for job in desk.jobs()} == {"ok"}


def report_prints(desk: Project, count: int) -> None:
    """The report that `make run` ends with says how many events there are."""
    ran = desk.call([sys.executable, "-m", "quakes.report"])
    assert ran.code == 0, ran.told
    assert f"{count} events: " in ran.out, ran.told
