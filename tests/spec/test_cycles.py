"""Circles in references."""

from statek.spec.cycles import find_cycles


def test_a_circle_is_found_once_at_the_reference_that_closes_it():
    """Three names in a circle give one answer."""
    edges = {"a": [(1, "b")], "b": [(2, "c")], "c": [(3, "a")]}
    assert list(find_cycles(edges)) == [("c", 3, "a -> b -> c -> a")]


def test_two_ways_to_one_name_are_no_circle():
    """A diamond is fine."""
    assert list(find_cycles({"a": [(1, "b"), (2, "c")], "b": [(3, "d")], "c": [(4, "d")]})) == []


def test_a_long_chain_is_followed_to_its_end():
    """Thousands of references in a row need no deep stack, and many ways no long time."""
    edges = {f"n{i:05}": [(i, f"n{i + 1:05}"), (-i, f"n{i + 1:05}")] for i in range(5000)}
    assert list(find_cycles(edges)) == []
