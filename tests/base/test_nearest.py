"""Did you mean."""

from statek.base.nearest import did_you_mean, nearest


def test_the_closest_name_is_offered():
    """A typo finds its name, also in another case."""
    assert nearest("ticktes", ["tickets", "orders"]) == "tickets"
    assert nearest("ORDERS", ["tickets", "orders"]) == "orders"


def test_a_far_name_is_not_offered():
    """Without a close name the known ones are listed."""
    assert did_you_mean("zebra", ["b", "a"]) == "; known: a, b"


def test_nothing_known_is_said():
    """An empty list of names reads as such."""
    assert did_you_mean("zebra", [], also="declared Models") == "; declared Models: none"
