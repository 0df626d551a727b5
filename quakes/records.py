"""What the desk keeps: one record for each event, one bulletin for each large earthquake, and where shocks lie.

Durable objects of the store (dbzero). Nothing here commits, opens the store, looks at a clock or draws a random number:
the caller runs it inside a transaction of its own, and running it again on the same store must give the same state.
`tools` calls it for agents, `report` only reads.

Three habits keep the store sound. Each class has a fixed id, so it may move to another module. Dicts have text keys and
never lose one. A field holds None, text, a number, another record, or a list or dict of those.

To file a shock costs the same however many are filed: shocks are kept in cubes of space, and a search opens only the
cubes it touches. Strong shocks, which reach far but are rare, have a second, coarser set of cubes.
"""

from collections.abc import Iterator
from itertools import product
from math import floor
from typing import Any

import dbzero as db0

from quakes import relations
from quakes.events import Event
from quakes.relations import Shock

FILED, DROPPED, HELD = "filed", "dropped", "held"

_STRONG_MAG = 4.0
_WEAK_REACH_KM = relations.reach_km(_STRONG_MAG)  # no shock below _STRONG_MAG reaches farther
_GREATEST_REACH_KM = relations.reach_km(10.0)  # nor any shock at all
_CUBE_KM, _COARSE_CUBE_KM = 64, 512
_WIDTH = len(Shock._fields)


@db0.memo(id="quakes/Record")
class Record:
    """What the desk knows of one event. Facts never change; `anchor`, `followers` and `bulletin` do."""

    def __init__(self, event: Event, status: str, *, grade: str | None, reason: str | None) -> None:
        """A record of `event`: `grade` for one that is filed, `reason` for one that is dropped or held."""
        self.id = event.id
        self.when = event.when
        self.mag = event.mag
        self.place = event.place
        self.lon = event.lon
        self.lat = event.lat
        self.depth_km = event.depth_km
        self.felt = event.felt
        self.mmi = event.mmi
        self.alert = event.alert
        self.type = event.type
        self.status = status
        self.grade = grade
        self.reason = reason
        self.anchor: str | None = None  # id of the strongest shock whose window holds this one
        self.followers = 0  # how many shocks have this one as anchor
        self.bulletin: Bulletin | None = None

    def shock(self) -> Shock:
        """The record as relations see it."""
        return Shock(self.id, self.when, self.mag, *relations.position(self.lon, self.lat))


@db0.memo(id="quakes/Bulletin")
class Bulletin:
    """What was said to the public about one earthquake, in the words of that moment."""

    def __init__(self, event_id: str, text: str) -> None:
        """A bulletin on the event `event_id`."""
        self.event_id = event_id
        self.text = text


@db0.memo(id="quakes/Desk", singleton=True)
class Desk:
    """The root: everything the desk keeps hangs from here. `Desk()` makes it the first time and finds it afterwards."""

    def __init__(self) -> None:
        """An empty desk."""
        self.version = 1
        self.records: list[Record] = []  # in the order of filing; only appended to
        self.slots: dict[str, int] = {}  # event id -> index in `records`
        self.bulletins: list[Bulletin] = []
        self.cubes: dict[str, list[Any]] = {}  # cube name -> its shocks, laid out flat, six values each

    def find(self, event_id: str) -> Record | None:
        """The record of `event_id`, or None."""
        slot = self.slots.get(event_id)
        return None if slot is None else self.records[slot]

    def add(self, record: Record) -> None:
        """Keep a record that takes no part in relations. Its id must be new."""
        self.slots[record.id] = len(self.records)
        self.records.append(record)

    def add_shock(self, record: Record) -> None:
        """Keep a filed earthquake and settle what belongs to what around it, whatever was filed before it.

        Only two things can change: the newcomer gets its anchor, and weaker shocks in its window may now have a
        stronger anchor than before.
        """
        self.add(record)
        shock = record.shock()
        heads = []
        for other in self._possible_kin(shock):
            if relations.covers(other, shock):
                heads.append(other)
            elif relations.covers(shock, other):
                self._offer_anchor(self._known(other.id), record)
        if heads:
            self._set_anchor(record, self._known(max(heads, key=relations.rank).id))
        self._place(shock)

    def main_of(self, record: Record) -> Record:
        """The main shock that `record` belongs to: follow the anchors up. A record without anchor is its own."""
        while record.anchor is not None:
            record = self._known(record.anchor)
        return record

    def role(self, record: Record) -> str:
        """Single, main shock, foreshock or aftershock, by all that is filed now."""
        main = self.main_of(record)
        if main.id != record.id:
            return relations.role_of(record.when, main.when)
        return relations.MAIN_SHOCK if record.followers else relations.SINGLE

    def members(self, main: Record) -> list[Record]:
        """The foreshocks and aftershocks of `main`, those of its followers included; the order says nothing."""
        found: list[Record] = []
        heads = [main]
        while heads:
            head = heads.pop()
            followers = self._followers(head) if head.followers else []
            found += followers
            heads += followers
        return found

    def shocks_near(self, centre: Shock, km: float) -> Iterator[Shock]:
        """All filed shocks within `km` of `centre`, itself included when it is filed."""
        for shock in self._in_cubes("", centre, km, _CUBE_KM):
            if relations.distance_km(centre, shock) <= km:
                yield shock

    def _possible_kin(self, shock: Shock) -> Iterator[Shock]:
        """Every shock that may cover `shock` or be covered by it, each once, and some that are neither."""
        near = max(relations.reach_km(shock.mag), _WEAK_REACH_KM)
        for other in self._in_cubes("", shock, near, _CUBE_KM):
            if other.mag < _STRONG_MAG:
                yield other
        yield from self._in_cubes("strong ", shock, _GREATEST_REACH_KM, _COARSE_CUBE_KM)

    def _followers(self, head: Record) -> list[Record]:
        shock = head.shock()
        near = self.shocks_near(shock, relations.reach_km(head.mag))
        records = [self._known(other.id) for other in near if relations.covers(shock, other)]
        return [record for record in records if record.anchor == head.id]

    def _offer_anchor(self, record: Record, head: Record) -> None:
        held = None if record.anchor is None else self._known(record.anchor)
        if held is None or relations.rank(head.shock()) > relations.rank(held.shock()):
            self._set_anchor(record, head)

    def _set_anchor(self, record: Record, head: Record) -> None:
        if record.anchor is not None:
            self._known(record.anchor).followers -= 1
        record.anchor = head.id
        head.followers += 1

    def _known(self, event_id: str) -> Record:
        return self.records[self.slots[event_id]]

    def _place(self, shock: Shock) -> None:
        self._put(_cube_of("", shock, _CUBE_KM), shock)
        if shock.mag >= _STRONG_MAG:
            self._put(_cube_of("strong ", shock, _COARSE_CUBE_KM), shock)

    def _put(self, name: str, shock: Shock) -> None:
        cube = self.cubes.get(name)
        if cube is None:
            self.cubes[name] = list(shock)
        else:
            cube.extend(shock)

    def _in_cubes(self, kind: str, centre: Shock, km: float, side_km: int) -> Iterator[Shock]:
        """The shocks of all cubes that come within `km` of `centre`."""
        cubes = self.cubes
        for name in _cubes_around(kind, centre, km, side_km):
            flat = cubes.get(name)
            if flat is not None:
                values = list(flat)
                for start in range(0, len(values), _WIDTH):
                    yield Shock(*values[start : start + _WIDTH])


def _cube_of(kind: str, shock: Shock, side_km: int) -> str:
    return kind + ":".join(str(floor(axis / side_km)) for axis in shock[3:])


def _cubes_around(kind: str, centre: Shock, km: float, side_km: int) -> Iterator[str]:
    spans = [range(floor((axis - km) / side_km), floor((axis + km) / side_km) + 1) for axis in centre[3:]]
    for cube in product(*spans):
        yield kind + ":".join(map(str, cube))
