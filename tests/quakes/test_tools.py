"""What agents may call: grading, looking around, filing once."""

import inspect
import json

import dbzero as db0
import pytest
import yaml

from quakes import tools
from quakes.records import Desk

from .conftest import ROOT, file_event


def tool_set():
    """The tools as `agents/quakes.yaml` declares them."""
    entries = yaml.safe_load((ROOT / "agents/quakes.yaml").read_text())["spec"]["tools"]
    return {entry["python"].removeprefix("quakes.tools:"): entry["effect"] for entry in entries}


def test_every_public_function_is_declared_and_nothing_else():
    """The tool set and the module name the same functions."""
    public = {name for name, value in vars(tools).items() if inspect.isfunction(value) and not name.startswith("_")}
    assert public == set(tool_set())


def test_what_writes_is_declared_as_writing():
    """A write that is declared as a read would be done twice or not at all."""
    writes = {"file_record", "drop_event", "hold_event", "file_bulletin"}
    assert {name for name, effect in tool_set().items() if effect == "write"} == writes


def test_every_parameter_is_documented():
    """A model knows a tool by its docstring only."""
    missing = [
        f"{name}({parameter})"
        for name in tool_set()
        for parameter in inspect.signature(getattr(tools, name)).parameters
        if f"\n        {parameter}: " not in (getattr(tools, name).__doc__ or "")
    ]
    assert missing == []


@pytest.mark.parametrize(
    ("event_type", "kind"),
    [
        ("earthquake", "earthquake"),
        ("quarry blast", "blast"),
        ("explosion", "blast"),
        ("chemical explosion", "blast"),
        ("nuclear explosion", "unclear"),
        ("ice quake", "unclear"),
        ("other event", "unclear"),
        ("Earthquake", "unclear"),
    ],
)
def test_only_what_is_known_to_be_a_blast_is_one(event_type, kind):
    """A type the desk was not taught about goes to a person."""
    assert tools.classify(event_type) == kind


@pytest.mark.parametrize(
    ("facts", "grade"),
    [
        ({"mag": -0.8, "depth_km": 2}, "micro"),
        ({"mag": 4.9, "depth_km": 10}, "light"),
        ({"mag": 5.0, "depth_km": 10}, "moderate"),
        ({"mag": 6.4, "depth_km": 10.64, "felt": 261, "mmi": 6.7, "alert": "green"}, "major"),
        ({"mag": 6.1, "depth_km": 191, "felt": 438, "mmi": 4.02, "alert": "green"}, "strong"),
        ({"mag": 5.6, "depth_km": 246, "mmi": 3.18}, "light"),
        ({"mag": 3.1, "depth_km": 11, "felt": 935}, "light"),
        ({"mag": 9.1, "depth_km": 29, "alert": "red"}, "great"),
    ],
)
def test_a_grade_is_magnitude_moved_by_depth_and_by_people(facts, grade):
    """At most one step up for having been noticed, one down for depth."""
    assert tools.grade(**facts)["grade"] == grade


def test_a_week_has_the_known_grades_and_28_dropped(filed_week):
    """1,707 events: 13 quarry blasts and 15 explosions dropped, the rest graded."""
    expected = {"micro": 1462, "minor": 112, "light": 74, "moderate": 26, "strong": 3, "major": 2, "dropped": 28}
    assert filed_week.grades == expected


def test_an_id_is_filed_once(make_event, desk_store):
    """The second filing changes nothing and says what is on record."""
    first = tools.file_record(make_event(), "minor")
    again = tools.file_record(make_event(mag=7.0), "great")
    assert (first["new"], again, len(Desk().records)) == (True, {**first, "new": False}, 1)


def test_what_was_dropped_is_not_filed_later(make_event, desk_store):
    """Whoever comes second learns what the first decided."""
    tools.drop_event(make_event(type="explosion"), "a quarry")
    known = tools.file_record(make_event(), "minor")
    assert (known["status"], known["reason"], known["new"]) == ("dropped", "a quarry", False)


def test_an_earthquake_cannot_be_dropped(make_event, desk_store):
    """A model that is wrong about a type does not lose an earthquake."""
    with pytest.raises(ValueError, match=r"event us1 is 'earthquake'; only .* are dropped"):
        tools.drop_event(make_event(), "does not look like one")


def test_a_blast_is_not_filed_as_an_earthquake(make_event, desk_store):
    """Blasts stay out of sequences."""
    with pytest.raises(ValueError, match="'quarry blast', not an earthquake"):
        tools.file_record(make_event(type="quarry blast"), "micro")


def test_a_held_event_takes_no_part_in_sequences(make_event, desk_store):
    """Asking what it belongs to is answered with why there is no answer."""
    tools.hold_event(make_event(type="ice quake"), "is it our business?")
    with pytest.raises(ValueError, match=r"us1 was held \(is it our business\?\)"):
        tools.related("us1")


def test_one_bulletin_for_each_event(make_event, desk_store):
    """The second bulletin is not published; the first is returned."""
    tools.file_record(make_event(), "minor")
    tools.file_bulletin("us1", "It shook.")
    assert tools.file_bulletin("us1", "It shook much.") == {"event_id": "us1", "text": "It shook.", "new": False}


def test_no_bulletin_on_an_unknown_event(desk_store):
    """A bulletin names an event on record."""
    with pytest.raises(ValueError, match="no event 'us9' is on record"):
        tools.file_bulletin("us9", "It shook.")


def test_looking_makes_no_desk(make_event, desk_store):
    """A read on an empty store leaves it empty."""
    assert (tools.nearby(make_event()), db0.exists(Desk)) == ([], False)


def test_nearby_looks_both_ways_and_leaves_the_event_out(make_event, desk_store):
    """Neighbours before and after, the strongest first, with signed days; too late and too far are left out."""
    event = make_event("centre", mag=5.0)
    others = [
        make_event("before", time="2018-02-05T00:00:00Z", mag=3.0),
        make_event("after", time="2018-02-07T00:00:00Z", mag=4.0),
        make_event("late", time="2018-02-20T00:00:00Z"),
        make_event("far", lon=122.65),
    ]
    for each in [event, *others]:
        file_event(each)
    assert [(e["id"], e["days"]) for e in tools.nearby(event)] == [("after", 0.5), ("before", -1.5)]


def test_a_sequence_is_the_same_for_every_member(make_event, desk_store):
    """Main shock and followers tell one story."""
    file_event(make_event("fore", time="2018-02-05T00:00:00Z", mag=4.0))
    file_event(make_event("main", mag=6.0))
    file_event(make_event("after", time="2018-02-09T00:00:00Z", mag=5.0))
    found = tools.sequence("after")
    assert [tools.sequence(name) for name in ("fore", "main")] == [found, found]
    assert (found["main"]["id"], found["foreshocks"], found["aftershocks"]) == ("main", 1, 1)
    assert found["largest_aftershock"]["id"] == "after"


def test_results_are_plain_data(make_event, desk_store):
    """A job may keep what a tool returned: nothing in it is a durable object."""
    file_event(make_event("other"))
    event = make_event()
    results = [
        tools.file_record(event, "minor"),
        tools.nearby(event),
        tools.related("us1"),
        tools.sequence("us1"),
        tools.file_bulletin("us1", "It shook."),
    ]
    assert json.loads(json.dumps(results)) == results
