"""The records settle themselves: whatever the order of filing, the same relations."""

import random
import tempfile
from pathlib import Path

import dbzero as db0
from hypothesis import given, settings
from hypothesis import strategies as st

from quakes import events, relations
from quakes.records import FILED, Desk, Record
from quakes.relations import Shock

from .conftest import file_event, open_store, relations_of_all

HUALIEN = "us1000chhc"


def brute_force(filed):
    """Relations by the definition, comparing everything with everything: no order, no cubes, no store."""
    read = [events.read(event) for event in filed]
    shocks = {e.id: Shock(e.id, e.when, e.mag, *relations.position(e.lon, e.lat)) for e in read}
    anchors = {}
    for shock in shocks.values():
        heads = [other for other in shocks.values() if relations.covers(other, shock)]
        anchors[shock.id] = max(heads, key=relations.rank).id if heads else None

    def relation(name):
        main = name
        while anchors[main] is not None:
            main = anchors[main]
        if main != name:
            return relations.role_of(shocks[name].when, shocks[main].when), main
        return "main shock" if name in anchors.values() else "single", main

    return {name: relation(name) for name in shocks}


CENTRES = st.sampled_from([(121.6, 24.1), (179.95, 0.0), (-10.0, 89.9), (0.0, -0.05)])


@st.composite
def swarms(draw):
    """Up to ten events near one place, some of them alike in magnitude or time, and an order to file them in."""
    lon, lat = draw(CENTRES)
    found = []
    for number in range(draw(st.integers(1, 10))):
        east = lon + draw(st.sampled_from([-0.9, -0.3, 0.0, 0.05, 0.2, 0.5]))
        north = lat + draw(st.sampled_from([-0.5, -0.2, 0.0, 0.1]))
        found.append({
            "id": f"e{number}", "time": f"2018-02-{draw(st.integers(1, 9)):02d}T0{draw(st.integers(0, 3))}:00:00Z",
            "mag": draw(st.sampled_from([-0.5, 1.0, 2.5, 3.9, 4.0, 5.0, 6.4, 8.0])), "place": "somewhere",
            "lon": east - 360 if east > 180 else east, "lat": north, "depth_km": 5, "type": "earthquake",
            "felt": None, "mmi": None, "alert": None,
        })  # fmt: skip
    return draw(st.permutations(found))


@settings(max_examples=40, deadline=None)
@given(swarms())
def test_relations_depend_on_what_is_filed_and_not_on_the_order(swarm):
    """Filed in any order, the records say what the definition says of the whole set."""
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder)):
        for event in swarm:
            file_event(event)
        assert brute_force(swarm) == relations_of_all()


def test_followers_are_counted_right_after_any_order(week, file_all):
    """Moving a shock from one anchor to a stronger one keeps both counts true."""
    shuffled = random.Random(3).sample([event for event in week if event["type"] == "earthquake"], 400)

    def look():
        records = Desk().records
        return [(r.followers, sum(o.anchor == r.id for o in records)) for r in records]

    assert [pair for pair in file_all(shuffled, look) if pair[0] != pair[1]] == []


def test_a_week_gives_the_same_relations_in_three_orders(week, file_all, filed_week):
    """Oldest first, newest first and shuffled end in one and the same state."""
    oldest_first = file_all(week, relations_of_all)
    shuffled = file_all(random.Random(11).sample(week, len(week)), relations_of_all)
    assert len(oldest_first) == 1679
    assert [oldest_first, shuffled] == [filed_week.relations] * 2


def test_the_larger_events_of_the_week_are_related_as_defined(week, file_all):
    """On real places and times the cubes find what a comparison of everything with everything finds."""
    larger = [event for event in week if event["mag"] >= 2.5 and event["type"] == "earthquake"]
    assert brute_force(larger) == file_all(larger, relations_of_all)


def test_hualien_has_its_foreshocks_and_aftershocks(filed_week):
    """The M 6.1 two days before is a foreshock of the M 6.4, the M 5.4 hours after it an aftershock."""
    found = filed_week.relations
    expected = [("main shock", HUALIEN), ("foreshock", HUALIEN), ("aftershock", HUALIEN)]
    assert expected == [found[name] for name in (HUALIEN, "us1000cfn6", "us1000chln")]
    assert sum(main == HUALIEN for _, main in found.values()) == 20


def test_a_rolled_back_filing_leaves_nothing(make_event, desk_store):
    """When the transaction of the caller is undone, so is every change to neighbours."""
    file_event(make_event("small", mag=3.0))
    with db0.atomic() as transaction:
        desk = Desk()
        large = events.read(make_event("large", mag=6.0))
        desk.add_shock(Record(large, FILED, grade="strong", reason=None))
        transaction.cancel()
    assert relations_of_all() == {"small": ("single", "small")}


def test_filing_survives_closing_the_store(make_event, tmp_path):
    """What was committed is there, and settles with newcomers, after the store was closed and opened again."""
    with open_store(tmp_path):
        file_event(make_event("small", mag=3.0))
        db0.commit()
    with open_store(tmp_path):
        file_event(make_event("large", mag=6.0, time="2018-02-07T00:00:00Z"))
        assert relations_of_all()["small"] == ("foreshock", "large")
