"""Promises of statek.sandbox.keep.digest_of: equal structure, equal digest."""

import collections
import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statek.exceptions import CannotKeep
from statek.sandbox import keep, sources


class Order:
    """Stands for a durable object."""


ORDERS = [Order(), Order()]


def number_of(value: object) -> int:
    """The number of a durable object."""
    for number, order in enumerate(ORDERS):
        if order is value:
            return number
    raise LookupError(value)


def digest(value: object) -> str:
    """The digest of a value."""
    return keep.digest_of(value, number_of)


LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.decimals())
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner), st.lists(inner).map(tuple), st.dictionaries(st.text(), inner)),
    max_leaves=15,
)


@dataclass
class Ticket:
    """A value of the application."""

    subject: str
    lines: list[object] = field(default_factory=list)


class Note(Ticket):
    """Another class with the same fields."""


class Colour(Enum):
    """An enum of the application."""

    RED = 1
    BLUE = 2


def test_values_of_the_application() -> None:
    """By their class and what they hold."""
    one = digest(Ticket("a", [Colour.RED, Ticket("b")]))
    assert one == digest(Ticket("a", [Colour.RED, Ticket("b")]))
    others = [Ticket("a", [Colour.BLUE, Ticket("b")]), Ticket("a", [Colour.RED, Ticket("c")]), Note("a", [Colour.RED])]
    assert len({one, *map(digest, others)}) == 4


@settings(max_examples=100, deadline=None)
@given(TREES)
def test_a_copy_has_the_same_digest(tree: object) -> None:
    """Sharing and interning play no part: a deep copy, and twice the same part or two equal ones, are equal."""
    assert digest([tree, tree]) == digest([tree, copy.deepcopy(tree)])


def test_the_digest_is_12_hex_digits() -> None:
    """Digests are short enough for keys."""
    assert len(digest([1])) == 12
    assert int(digest([1]), 16) >= 0


def test_the_order_of_sets_and_dicts_does_not_count() -> None:
    """Equal sets and equal dicts have equal digests however they were built."""
    words = [f"word {i}" for i in range(50)]
    assert digest(set(words)) == digest({*words[25:], *words[:25]})
    assert digest(dict.fromkeys(words)) == digest(dict.fromkeys(reversed(words)))


DIFFERENT = [
    *(1, 1.0, True, "1", b"1", Decimal(1), None, [], (), {}, set(), frozenset(), "", [1], [[1]], (1,), {1: 1}, {1}),
    *(
        0.0,
        -0.0,
        [1, 2],
        [2, 1],
        ["a", "b"],
        ["ab"],
        [["a"], "b"],
        ["a", ["b"]],
        Decimal("1.0"),
        "None",
        bytearray(b"1"),
    ),
    *(range(2), slice(2), datetime(2026, 1, 1, tzinfo=UTC), int, ValueError(1), ValueError("1"), KeyError(1)),
    *(
        collections.Counter("a"),
        {"a": 1},
        collections.OrderedDict(a=1),
        collections.deque([1]),
        collections.deque([1], 2),
    ),
    *(
        collections.OrderedDict(a=1, b=2),
        collections.OrderedDict(b=2, a=1),
        collections.ChainMap({"a": 1}),
        SimpleNamespace(a=1),
        1 << 20_000,
        ORDERS[0],
        ORDERS[1],
        [ORDERS[0]],
    ),
]


def test_different_values_have_different_digests() -> None:
    """Types, nesting and order tell values apart; so do 1, 1.0 and True, and two durable objects."""
    assert len({keep.digest_of(value, number_of) for value in DIFFERENT}) == len(DIFFERENT)


def test_a_list_that_contains_itself_has_a_digest() -> None:
    """Cycles of the same shape are equal, of another shape not."""

    def ring(length: int) -> list[object]:
        first: list[object] = []
        last = first
        for _ in range(length - 1):
            last.append(inner := [])
            last = inner
        last.append(first)
        return first

    assert digest(ring(3)) == digest(ring(3)) != digest(ring(2))


def test_shared_parts_are_walked_once() -> None:
    """A value that doubles at every level takes no more time than its levels."""
    value: object = "leaf"
    for _ in range(200):
        value = [value, value]
    assert len(digest(value)) == 12


def test_functions_differ_by_source_and_by_what_they_hold() -> None:
    """Closures of one lambda are equal when their variables are."""
    source = "make = lambda n: lambda: n\nother = lambda: 1"
    code = compile(source, "<job digests>", "exec")
    sources.register(source, "digests", [code])
    names: dict[str, object] = {}
    exec(code, names)
    make = names["make"]
    assert digest(make([1])) == digest(make([1]))
    assert len({digest(make(1)), digest(make(2)), digest(names["other"])}) == 3


@pytest.mark.parametrize("value", [(i for i in ()), len, object(), Order(), [map(str, ())]])
def test_what_has_no_structure_is_refused(value: object) -> None:
    """Generators, host functions and strangers have no digest; the reason is the one of keeping."""
    with pytest.raises(CannotKeep):
        keep.digest_of(value, number_of)


def test_depth_is_no_reason_to_refuse() -> None:
    """Whatever can be kept can be compared, and deeper values too."""
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    assert len(digest(value)) == 12
