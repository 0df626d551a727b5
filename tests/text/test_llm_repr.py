"""Promises of `statek.text.llm_repr`."""

import datetime
import decimal
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statek.exceptions import FutureError
from statek.text.llm_repr import CAP, format_default_llm_repr, format_llm_repr, format_value_repr, llm_repr

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


class Order:
    def __init__(self, number: int) -> None:
        self.number = number
        self._token = "hunter2"
        self.items = [1, 2]
        self.customer = object()


@dataclass
class Point:
    x: int
    _secret: str = "hunter2"


class Spoken:
    def __init__(self) -> None:
        self.a, self.b = 1, 2

    def __llm_repr__(self, **options: object) -> str:
        return "again" if options.get("repeated") else format_default_llm_repr(self, hide=["b"])


class Named:
    def __str__(self) -> str:
        return "by name"


class Slotted:
    __slots__ = ("_b", "a", "unset")

    def __init__(self) -> None:
        self.a, self._b = 1, "hunter2"


class Waiting:
    def __str__(self) -> str:
        raise FutureError(None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("raw text", "raw text"),
        (None, "None"),
        (True, "True"),
        (1.5, "1.5"),
        (decimal.Decimal("2.50"), "2.50"),
        (datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC), 'datetime("2026-01-02 03:04")'),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (["a", None, 1], '["a",None,1]'),
        ((1, "b"), '(1,"b")'),
        ({30, 100, 2}, "{100,2,30}"),
        ({"a": [1], 2: "b"}, '{"a":[1],2:"b"}'),
        (Named(), "by name"),
        ([Named()], "[by name]"),
        (Point(1), "Point(x=1)"),
        (Slotted(), "Slotted(a=1)"),
        (Order, "<class Order>"),
        (len, "<function len>"),
        (datetime, "<module datetime>"),
        (object(), "<Object>"),
    ],
)
def test_values_read_as_documented(value: object, expected: str) -> None:
    """Scalars, collections and objects each have one form."""
    assert llm_repr(value) == expected


def test_long_collections_say_how_long_they_are() -> None:
    """After 25 items only the number of all is given."""
    assert llm_repr(list(range(40))).endswith(",24, ...] (40 items total)")
    assert llm_repr({n: n for n in range(3)}, max_len=1) == "{0:0, ...} (3 items total)"


def test_fields_go_one_level_deep() -> None:
    """Deeper values are named by kind and size, private ones are left out."""
    assert llm_repr(Order(7)) == "Order(number=7,items=<List of 2 items>,customer=<Object>)"


def test_expand_writes_a_field_out() -> None:
    """A field can be asked for in full."""
    assert llm_repr(Order(7), expand=["items"], hide=["customer"]) == "Order(number=7,items=[1,2])"


def test_hide_wins_over_show_only() -> None:
    """A field that is both asked for and hidden is hidden."""
    assert llm_repr(Order(7), show_only=["number", "items"], hide=["items"]) == "Order(number=7)"


@pytest.mark.parametrize("options", [{}, {"show_only": ["_token", "number"]}, {"expand": ["_token"]}])
@pytest.mark.parametrize("make", [Order, lambda n: [Order(n)], lambda n: {"a": (Order(n), Point(1), Slotted())}])
def test_private_names_never_show(make: type, options: dict[str, list[str]]) -> None:
    """No option and no nesting reveals a field whose name starts with an underscore."""
    text = llm_repr(make(7), **options)
    assert "hunter2" not in text
    assert "_token" not in text


def test_hidden_fields_are_not_read() -> None:
    """Hiding a field keeps its value from being touched."""
    order = Order(7)
    assert "customer" not in llm_repr(order, members_of=lambda value: ["number", "gone"], hide=["customer"])


def test_repeated_objects_are_shorter() -> None:
    """From the second of a kind on, fields that say nothing are left out."""
    second = llm_repr([Order(1), Order(2)]).partition("),")[2]
    assert second == "Order(number=2,items=<List of 2 items>,...)]"


def test_an_object_may_speak_for_itself() -> None:
    """`__llm_repr__` is asked, may ask for its own default form, and hears of repetition."""
    assert llm_repr([Spoken(), Spoken()]) == "[Spoken(a=1),again]"


def test_the_default_form_can_be_asked_for() -> None:
    """`format_llm_repr` shows the fields of an object that has own words."""
    assert format_llm_repr(Spoken()) == "Spoken(a=1,b=2)"


def test_own_words_must_be_text() -> None:
    """An `__llm_repr__` that gives something else is told so by name."""
    wrong = type("Wrong", (), {"__llm_repr__": lambda self: 3})
    with pytest.raises(TypeError, match=r"Wrong.__llm_repr__ gave a int"):
        llm_repr(wrong())


def test_a_value_that_is_not_ready_passes_through() -> None:
    """Formatting does not swallow what suspends a job."""
    with pytest.raises(FutureError):
        llm_repr([Waiting()])


def test_values_that_hold_themselves_end() -> None:
    """A list inside itself and an object inside itself are written once."""
    ring: list[object] = []
    ring.append(ring)
    order = Order(1)
    order.customer = order
    assert llm_repr(ring) == "[<List of 1 items>]"
    assert llm_repr(order, expand=["customer"]).endswith("customer=<Object>)")


def test_deep_values_end() -> None:
    """Nesting stops at a bound instead of exhausting the interpreter."""
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    assert "<List of 1 items>" in llm_repr(deep)


@pytest.mark.parametrize(
    "value", ["x" * 100_000, ["x" * 100_000] * 3, [["ab"] * 25] * 1000, [10**6000]], ids=["a", "b", "c", "d"]
)
def test_no_value_is_longer_than_the_cap(value: object) -> None:
    """Whatever is printed, the text stays bounded."""
    assert len(llm_repr(value)) <= CAP


def test_a_cut_text_says_how_much_is_missing() -> None:
    """The mark gives the number of characters that are not shown."""
    text = llm_repr("x" * 30_000)
    shown, _, rest = text.partition("... (")
    assert rest == f"{30_000 - len(shown)} more)"


def test_wide_and_deep_values_are_cut_early() -> None:
    """A value of millions of items is not written out first; the mark then says that there is more than counted."""
    wide: list[object] = [1] * 25
    for _ in range(6):
        wide = [wide] * 25
    assert llm_repr(wide).endswith("+ more)")


@given(JSON)
def test_any_data_can_be_shown(value: object) -> None:
    """All JSON data has a bounded text that is the same every time."""
    assert llm_repr(value) == llm_repr(value)
    assert len(llm_repr(value)) <= CAP


def test_short_forms() -> None:
    """A field's value alone can be formatted as it would be inside an object."""
    assert format_value_repr("a") == '"a"'
    assert format_value_repr("a", is_nested=False) == "a"
    assert format_value_repr({1: 2}) == "<Dict of 1 items>"
