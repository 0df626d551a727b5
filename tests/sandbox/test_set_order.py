"""What code does with a set depends on its members alone: not on hashes, and not on how the set came about."""

import itertools

import pytest

from statek.sandbox.set_order import in_order
from statek.testing import run_snippet

MEMBERS = ["b", "a", "d", "c"]
WALKS = [
    "out = [x for x in s]", "out = list(s)", "out = list(tuple(s))", "out = [*s]", "out = ','.join(s)",
    "out = []\nout.extend(s)", "out = [s.pop(), s.pop(), s.pop(), s.pop()]", "a, b, *out = s",
    "out = []\nout += s", "out = list(dict.fromkeys(s))", "out = list(map(str, s))", "out = str(s)", "out = repr([s])",
    "out = list(frozenset(s))", "out = list(enumerate(s))", "out = list(zip(s, s))", "out = next(iter(s))",
    "out = []\nfor x in s:\n    out.append(x)",
]  # fmt: skip


@pytest.mark.parametrize("walk", WALKS)
def test_one_order(walk: str) -> None:
    """However a set was filled, going through it is the same."""
    found = []
    for members in itertools.permutations(MEMBERS):
        names = {"members": list(members)}
        _, error = run_snippet(f"s = set()\nfor m in members:\n    s.add(m)\n{walk}", names)
        assert error is None
        found.append(names["out"])
    assert found == [found[0]] * len(found)


@pytest.mark.parametrize(
    "members", [{3, 1, 2.5}, {b"b", b"a"}, {("b", 1), ("a", None)}, {1, "a", None}, {frozenset("ba"), "c"}]
)
def test_kinds_of_members(members: set[object]) -> None:
    """Numbers, texts, bytes, tuples and mixtures of them have an order; all members come, each once."""
    found = list(in_order(members))
    assert set(found) == members
    assert len(found) == len(members)


def test_members_without_an_order() -> None:
    """Objects come as Python gives them; nothing is lost."""
    members = {object(), object(), 1}
    assert set(in_order(members)) == members
