"""Which shock belongs to which: pure arithmetic over places, times and magnitudes.

No store, no records: `records.Desk` applies these rules to what is filed. The one idea: a shock *covers* weaker ones
in a window of space and time that grows with its magnitude, looking forward (aftershocks) and back (foreshocks). The
*anchor* of a shock is the strongest one that covers it. "The strongest of a set" does not depend on the order in
which the set was filled, so neither does anything that is built on anchors.

Window sizes: Gardner and Knopoff (1974), as usually tabulated for declustering a catalogue.
"""

import math
from typing import NamedTuple

EARTH_KM = 6371.0
DAY_US = 86_400_000_000
LOOK_BACK = 0.1  # foreshocks gather within days where aftershocks go on for months

FORESHOCK, MAIN_SHOCK, AFTERSHOCK, SINGLE = "foreshock", "main shock", "aftershock", "single"


class Shock(NamedTuple):
    """A filed earthquake, reduced to what relations need. x, y, z are km from the centre of the Earth.

    Three coordinates instead of longitude and latitude: a distance needs no trigonometry, and there are neither poles
    nor a date line to step over.
    """

    id: str
    when: int  # microseconds since 1970 UTC
    mag: float
    x: float
    y: float
    z: float


def position(lon: float, lat: float) -> tuple[float, float, float]:
    """The point on the surface at `lon`, `lat` (degrees), in km from the centre. Depth is left out on purpose."""
    east, north = math.radians(lon), math.radians(lat)
    ring = EARTH_KM * math.cos(north)
    return ring * math.cos(east), ring * math.sin(east), EARTH_KM * math.sin(north)


def distance_km(one: Shock, other: Shock) -> float:
    """Straight distance; along the ground it is 0.01 % more at 300 km."""
    return math.dist(one[3:], other[3:])


def reach_km(mag: float) -> float:
    """How far the window of a shock of `mag` extends, in km: 13 for M 1, 31 for M 4, 60 for M 6.4."""
    return math.pow(10, 0.1238 * mag + 0.983)


def reach_us(mag: float) -> float:
    """How long after a shock of `mag` its window ends, in microseconds: a day for M 1, 41 days for M 4."""
    exponent = 0.032 * mag + 2.7389 if mag >= 6.5 else 0.5409 * mag - 0.547
    return math.pow(10, exponent) * DAY_US


def rank(shock: Shock) -> tuple[float, int, str]:
    """Compares as "stronger": the greater magnitude, of equal ones the earlier, of simultaneous ones the greater id."""
    return shock.mag, -shock.when, shock.id


def covers(strong: Shock, weak: Shock) -> bool:
    """Whether `weak` lies in the window of `strong` and is the weaker of the two."""
    delay = weak.when - strong.when
    reach = reach_us(strong.mag)
    if not -LOOK_BACK * reach <= delay <= reach or rank(weak) >= rank(strong):
        return False
    return distance_km(strong, weak) <= reach_km(strong.mag)


def role_of(when: int, main_when: int) -> str:
    """Foreshock or aftershock, for a shock at `when` that belongs to a main shock at `main_when`."""
    return FORESHOCK if when < main_when else AFTERSHOCK
