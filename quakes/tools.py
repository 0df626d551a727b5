"""What agents of the desk may call: plain functions over plain data. `agents/quakes.yaml` lists them.

`classify`, `grade`, `nearby`, `related` and `sequence` only look; `file_record`, `drop_event`, `hold_event` and
`file_bulletin` write durable records. They run inside the caller's transaction, so nothing here commits, opens the
store, reads a file, a clock or the network, or draws a random number. Arguments and results are dicts, lists, text and
numbers, never durable objects: a job may keep them as long as it likes.

The docstrings are what a model reads. Each write may be called twice: the second call changes nothing and says so.
"""

from typing import Any

import dbzero as db0

from quakes import events, relations
from quakes.events import Event
from quakes.records import DROPPED, FILED, HELD, Bulletin, Desk, Record
from quakes.relations import DAY_US, Shock

GRADES = ("micro", "minor", "light", "moderate", "strong", "major", "great")
_STEPS = (3.0, 4.0, 5.0, 6.0, 7.0, 8.0)  # the magnitudes at which the second and each later grade begins

Json = dict[str, Any]


def classify(event_type: str) -> str:
    """Say what kind of work an event of this type is.

    Args:
        event_type: The `type` of the event, as the feed calls it, such as "earthquake" or "quarry blast".

    Returns:
        "earthquake"; "blast" when people made it; "unclear" for everything else, which a person must look at.
    """
    if event_type == events.EARTHQUAKE:
        return "earthquake"
    return "blast" if event_type in events.BLASTS else "unclear"


def grade(
    mag: float, depth_km: float, felt: int | None = None, mmi: float | None = None, alert: str | None = None
) -> Json:
    """Grade how severe an earthquake is: by magnitude, then one step up or down for how it reached people.

    Args:
        mag: Magnitude.
        depth_km: Depth in km; below 70 km a quake of magnitude 4 or more counts one grade less.
        felt: How many people reported it, or None; 100 or more count one grade up.
        mmi: Estimated intensity from 1 to 10, or None; 6 or more counts one grade up.
        alert: Impact alert, or None; anything but "green" counts one grade up.

    Returns:
        {"grade": one of micro, minor, light, moderate, strong, major, great; "why": list of reasons}
    """
    level = sum(mag >= step for step in _STEPS)
    why = [f"magnitude {mag:.1f}"]
    noticed = _noticed(felt, mmi, alert)
    if noticed:
        level += 1
        why += noticed
    if depth_km > 70 and mag >= 4:
        level -= 1
        why.append(f"{depth_km:.0f} km deep")
    return {"grade": GRADES[max(0, min(level, len(GRADES) - 1))], "why": why}


def nearby(event: dict[str, Any], km: float = 50.0, days: float = 7.0, limit: int = 5) -> list[Json]:
    """List filed earthquakes around an event, before and after it, the strongest first. The event itself is left out.

    Args:
        event: The event, as it came from the queue. It need not be filed.
        km: Greatest distance, at most 200.
        days: Greatest time before or after.
        limit: Greatest number of entries.

    Returns:
        A list of {"id", "time", "mag", "place", "depth_km", "grade", "km": distance, "days": time after the event,
        negative before it}.
    """
    if km > 200:
        raise ValueError(f"km is {km}, expected at most 200")
    facts = events.read(event)
    centre = _shock(facts)
    desk = _desk()
    if desk is None:
        return []
    shocks = [
        shock
        for shock in desk.shocks_near(centre, km)
        if abs(shock.when - centre.when) <= days * DAY_US and shock.id != centre.id
    ]
    shocks.sort(key=relations.rank, reverse=True)
    return [_neighbour(desk, centre, shock) for shock in shocks[:limit]]


def related(event_id: str) -> Json:
    """Tell what a filed event belongs to, by all that is filed so far.

    Args:
        event_id: The id of a filed event.

    Returns:
        {"role": foreshock, main shock, aftershock or single; "main": the main shock as {"id", "time", "mag", "place",
        "depth_km", "grade"}; it is the event itself for a main or single shock}
    """
    desk, record = _filed(event_id)
    return _relation(desk, record)


def sequence(event_id: str) -> Json:
    """Summarise the whole sequence that a filed event belongs to, by all that is filed so far.

    Args:
        event_id: The id of a filed event; any member of the sequence will do.

    Returns:
        {"main": the main shock; "foreshocks" and "aftershocks": how many; "largest_foreshock" and
        "largest_aftershock": a summary like "main", or None}
    """
    desk, record = _filed(event_id)
    main = desk.main_of(record)
    members = desk.members(main)
    before = [member for member in members if relations.role_of(member.when, main.when) == relations.FORESHOCK]
    after = [member for member in members if relations.role_of(member.when, main.when) == relations.AFTERSHOCK]
    return {
        "main": _summary(main),
        "foreshocks": len(before),
        "aftershocks": len(after),
        "largest_foreshock": _largest(before),
        "largest_aftershock": _largest(after),
    }


def file_record(event: dict[str, Any], severity: str) -> Json:
    """File an earthquake. Filing may change what earlier records belong to. The same id is filed once.

    Args:
        event: The event, as it came from the queue; its type must be "earthquake".
        severity: The grade given by `grade`.

    Returns:
        {"id", "status", "grade", "reason", "new": False when this id was on record before, and then the rest is what
        that record says}
    """
    facts = events.read(event)
    if severity not in GRADES:
        raise ValueError(f"severity is {severity!r}, expected one of {', '.join(GRADES)}")
    if facts.type != events.EARTHQUAKE:
        raise ValueError(f"event {facts.id} is {facts.type!r}, not an earthquake: use drop_event or hold_event")
    desk = Desk()
    known = desk.find(facts.id)
    if known is not None:
        return _receipt(known, new=False)
    record = Record(facts, FILED, grade=severity, reason=None)
    desk.add_shock(record)
    return _receipt(record, new=True)


def drop_event(event: dict[str, Any], reason: str) -> Json:
    """Put on record that an event is none of the desk's business. Only what people made can be dropped.

    Args:
        event: The event, as it came from the queue.
        reason: Why it is dropped, in a few words.

    Returns:
        The same as `file_record`.
    """
    facts = events.read(event)
    if facts.type not in events.BLASTS:
        raise ValueError(f"event {facts.id} is {facts.type!r}; only {', '.join(sorted(events.BLASTS))} are dropped")
    return _set_aside(facts, DROPPED, reason)


def hold_event(event: dict[str, Any], reason: str) -> Json:
    """Put an event aside for a person to look at.

    Args:
        event: The event, as it came from the queue.
        reason: What the person should decide.

    Returns:
        The same as `file_record`.
    """
    return _set_aside(events.read(event), HELD, reason)


def file_bulletin(event_id: str, text: str) -> Json:
    """Publish a bulletin on a filed earthquake. There is one for each event; it is never replaced.

    Args:
        event_id: The id of a filed event.
        text: The bulletin, in plain sentences.

    Returns:
        {"event_id", "text": the bulletin on record, "new": False when there was one before}
    """
    desk, record = _filed(event_id)
    if not text.strip():
        raise ValueError(f"the bulletin on {event_id} is empty")
    if record.bulletin is not None:
        return {"event_id": event_id, "text": record.bulletin.text, "new": False}
    record.bulletin = Bulletin(event_id, events.storable(text, f"the bulletin on {event_id}"))
    desk.bulletins.append(record.bulletin)
    return {"event_id": event_id, "text": text, "new": True}


def _noticed(felt: int | None, mmi: float | None, alert: str | None) -> list[str]:
    """How people noticed it, where that was more than usual."""
    signs = []
    if felt is not None and felt >= 100:
        signs.append(f"felt by {felt}")
    if mmi is not None and mmi >= 6:
        signs.append(f"intensity {mmi:.1f}")
    if alert is not None and alert != "green":
        signs.append(f"{alert} alert")
    return signs


def _desk() -> Desk | None:
    """The desk, if anything was ever put on it: a tool that only looks does not make one."""
    return Desk() if db0.exists(Desk) else None


def _filed(event_id: str) -> tuple[Desk, Record]:
    desk = _desk()
    record = None if desk is None else desk.find(event_id)
    if desk is None or record is None:
        raise ValueError(f"no event {event_id!r} is on record; file it first")
    if record.status != FILED:
        raise ValueError(f"event {event_id} was {record.status} ({record.reason}); it takes no part in sequences")
    return desk, record


def _set_aside(facts: Event, status: str, reason: str) -> Json:
    if not reason.strip():
        raise ValueError(f"event {facts.id}: the reason is empty")
    desk = Desk()
    known = desk.find(facts.id)
    if known is not None:
        return _receipt(known, new=False)
    record = Record(facts, status, grade=None, reason=events.storable(reason, "the reason"))
    desk.add(record)
    return _receipt(record, new=True)


def _shock(facts: Event) -> Shock:
    return Shock(facts.id, facts.when, facts.mag, *relations.position(facts.lon, facts.lat))


def _receipt(record: Record, *, new: bool) -> Json:
    return {"id": record.id, "status": record.status, "grade": record.grade, "reason": record.reason, "new": new}


def _relation(desk: Desk, record: Record) -> Json:
    return {"role": desk.role(record), "main": _summary(desk.main_of(record))}


def _summary(record: Record) -> Json:
    return {
        "id": record.id,
        "time": events.show_time(record.when),
        "mag": record.mag,
        "place": record.place,
        "depth_km": record.depth_km,
        "grade": record.grade,
    }


def _neighbour(desk: Desk, centre: Shock, shock: Shock) -> Json:
    record = desk.find(shock.id)
    if record is None:
        raise LookupError(f"shock {shock.id} lies in a cube but has no record")
    km = round(relations.distance_km(centre, shock), 1)
    return {**_summary(record), "km": km, "days": round((shock.when - centre.when) / DAY_US, 2)}


def _largest(records: list[Record]) -> Json | None:
    return _summary(max(records, key=lambda record: relations.rank(record.shock()))) if records else None
