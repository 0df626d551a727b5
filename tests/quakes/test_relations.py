"""Windows of space and time, and who is stronger."""

import math

import pytest

from quakes import relations
from quakes.relations import DAY_US, Shock

MAIN = Shock("main", 0, 6.0, *relations.position(121.6, 24.1))


def shock_at(lon: float, lat: float, *, days: float = 0.0, mag: float = 4.0, name: str = "other") -> Shock:
    """A shock some days after MAIN."""
    return Shock(name, int(days * DAY_US), mag, *relations.position(lon, lat))


@pytest.mark.parametrize(("mag", "km"), [(1, 13), (4, 30), (6, 53), (6.4, 60)])
def test_reach_follows_gardner_and_knopoff(mag, km):
    """The spatial windows are the published ones."""
    assert km == round(relations.reach_km(mag))


def test_reach_in_time_grows_with_every_magnitude():
    """Both branches of the published formula join without a step back."""
    reaches = [relations.reach_us(tenth / 10) for tenth in range(-20, 100)]
    assert sorted(reaches) == reaches


def test_the_date_line_is_no_border():
    """Two places on either side of 180 degrees are near each other."""
    assert round(relations.distance_km(shock_at(179.9, 0), shock_at(-179.9, 0))) == 22


def test_a_pole_is_a_place():
    """At the pole all longitudes are the same place."""
    assert math.isclose(0, relations.distance_km(shock_at(0, 90), shock_at(120, 90)), abs_tol=1e-6)


@pytest.mark.parametrize(
    ("shock", "covered"),
    [
        (shock_at(121.7, 24.2, days=30), True),
        (shock_at(121.7, 24.2, days=-30), True),
        (shock_at(121.7, 24.2, days=400), True),
        (shock_at(121.7, 24.2, days=-400), False),
        (shock_at(123.6, 24.1, days=1), False),
        (shock_at(121.7, 24.2, days=1, mag=6.1), False),
    ],
    ids=["after", "before", "long after", "too long before", "too far", "stronger"],
)
def test_a_shock_covers_weaker_ones_in_its_window(shock, covered):
    """Weaker, near enough, and in time: long after, or a tenth of that before."""
    assert covered == relations.covers(MAIN, shock)


def test_of_two_equal_shocks_one_is_the_stronger():
    """Rank never calls two shocks equal, so the strongest of a set is one and the same in any order."""
    one, other = shock_at(0, 0, name="a"), shock_at(0, 0, name="b")
    assert (relations.covers(one, other), relations.covers(other, one)) == (False, True)


def test_a_weaker_shock_at_the_same_moment_is_an_aftershock():
    """A foreshock comes strictly before its main shock."""
    assert (relations.role_of(-1, 0), relations.role_of(0, 0)) == ("foreshock", "aftershock")
