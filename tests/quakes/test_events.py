"""What enters the desk is checked once."""

import pytest

from quakes import events


def test_every_event_of_the_week_is_read(week):
    """The feed is accepted as it is."""
    assert len({events.read(event).id for event in week}) == 1707


def test_a_time_comes_back_as_it_was(week):
    """Reading and showing a time loses nothing."""
    assert [event["time"] for event in week] == [events.show_time(events.parse_time(event["time"])) for event in week]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("mag", None, "event us1: field 'mag' is None, expected a number"),
        ("mag", True, "event us1: field 'mag' is True, expected a number"),
        ("mag", float("nan"), "event us1: field 'mag' is nan, expected a number"),
        ("lat", 91, "event us1: field 'lat' is 91, expected -90 to 90"),
        ("place", "a\0b", "event us1: field 'place' holds a NUL character"),
        ("place", "a\ud800", "event us1: field 'place' holds half a surrogate pair"),
        ("time", "2018-02-06T12:00:00", "has no offset"),
        ("type", 7, "event us1: field 'type' is 7, expected text"),
    ],
)
def test_a_bad_field_is_named(make_event, field, value, message):
    """A value the desk cannot work with is refused, with event and field in the message."""
    with pytest.raises(ValueError, match=message):
        events.read(make_event(**{field: value}))
