"""What arrives: one seismic event as the USGS feed tells it, checked and turned into plain values.

Pure: no store, no files, no clock. Used by the tools, which get an event as the dict that lay in the queue. The one
idea: an event is checked once, where it enters, so nothing behind this module meets a missing or absurd value.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

EARTHQUAKE = "earthquake"
BLASTS = frozenset(
    {
        "quarry blast",
        "explosion",
        "chemical explosion",
        "mining explosion",
        "industrial explosion",
        "experimental explosion",
        "accidental explosion",
    }
)  # a nuclear explosion is not among them on purpose: a person must see that one

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `when` is in microseconds since 1970 UTC, `lon` and `lat` in degrees, `depth_km` grows downward."""

    id: str
    when: int
    mag: float
    place: str
    lon: float
    lat: float
    depth_km: float
    felt: int | None  # reports by people
    mmi: float | None  # estimated intensity, 1 to 10
    alert: str | None  # green, yellow, orange, red
    type: str


def read(data: Mapping[str, Any]) -> Event:
    """The event in `data`, an object of the feed.

    Raises:
        ValueError: a field is missing, of the wrong type or out of range; the message names event and field.
    """
    name = _text(data, "id", "event")
    where = f"event {name}"
    return Event(
        id=name,
        when=parse_time(_text(data, "time", where)),
        mag=_number(data, "mag", where, low=-5, high=10),
        place=_text(data, "place", where),
        lon=_number(data, "lon", where, low=-180, high=180),
        lat=_number(data, "lat", where, low=-90, high=90),
        depth_km=_number(data, "depth_km", where, low=-100, high=1000),
        felt=None if data.get("felt") is None else int(_number(data, "felt", where, low=0, high=10**9)),
        mmi=None if data.get("mmi") is None else _number(data, "mmi", where, low=0, high=12),
        alert=None if data.get("alert") is None else _text(data, "alert", where),
        type=_text(data, "type", where),
    )


def parse_time(text: str) -> int:
    """Microseconds since 1970 UTC for an ISO 8601 time with an offset. Raises ValueError without an offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"time {text!r} has no offset; expected UTC such as 2018-02-06T15:50:42.400Z")
    return (moment - _EPOCH) // _MICROSECOND


def show_time(when: int) -> str:
    """`when` as the feed writes it, in UTC with milliseconds."""
    moment = _EPOCH + when * _MICROSECOND
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def storable(text: str, where: str) -> str:
    r"""`text` itself, if the store gives back exactly this text.

    Raises:
        ValueError: it holds a NUL or half a surrogate pair, which the store would cut off without a word.
    """
    if "\0" in text:
        raise ValueError(f"{where} holds a NUL character, which cannot be stored")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{where} holds half a surrogate pair, which cannot be stored") from error
    return text


def _text(data: Mapping[str, Any], field: str, where: str) -> str:
    value = data.get(field)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{where}: field {field!r} is {value!r}, expected text")
    return storable(value, f"{where}: field {field!r}")


def _number(data: Mapping[str, Any], field: str, where: str, *, low: float, high: float) -> float:
    value = data.get(field)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{where}: field {field!r} is {value!r}, expected a number")
    if not low <= value <= high:
        raise ValueError(f"{where}: field {field!r} is {value}, expected {low} to {high}")
    return float(value)
