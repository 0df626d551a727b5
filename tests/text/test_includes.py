"""How far includes reach, on names and edges alone."""

from statek.text.includes import MAX_INCLUDES, find_excess


def test_circles_and_missing_partials_are_not_its_business():
    """Both have messages of their own; here they only have to come to an end."""
    assert find_excess(["a"], {"a": ["b", "nowhere"], "b": ["a"]}) is None


def test_an_include_counts_as_often_as_it_is_written_out():
    """Two of one that has two make six."""
    many = ["leaf"] * (MAX_INCLUDES // 2)
    assert find_excess(["a"], {"a": many, "leaf": []}) is None
    assert "1002 includes" in (find_excess(["a", "a"], {"a": many, "leaf": []}) or "")


def test_the_longest_way_counts():
    """A partial that is near by one way and far by another is far."""
    edges = {f"p{n}": [f"p{n + 1}"] for n in range(1, 20)} | {"p20": ["near"], "near": []}
    assert find_excess(["near"], edges) is None
    assert find_excess(["near", "p1"], edges) == "partials include each other more than 20 deep"
