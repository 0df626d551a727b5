"""Arguments of calls from model code."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from statek.tools.convert import bind
from statek.tools.registry import from_callable
from tests.tools import sample


def bound(f: Any, *args: Any, names: dict[str, Any] | None = None, **kwargs: Any) -> tuple[Any, Any]:
    """Bind one call of `f`."""
    return bind(from_callable(f), args, kwargs, local_names=names or {})


def test_arguments_stay_as_they_are() -> None:
    """A right call comes back unchanged, by position and by name."""
    assert bound(sample.search_notes, "tax", limit=2) == (("tax",), {"limit": 2})


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((), {}, r"search_notes\(\) is missing query; .*search_notes\(query, limit=5, \*, since=None\)"),
        (("a", 1, 2), {}, "at most 2 positional arguments, found 3"),
        (("a",), {"limitt": 1}, r"no parameter limitt: did you mean 'limit'\?"),
        (("a",), {"query": "b"}, "query twice"),
    ],
)
def test_wrong_calls(args: tuple[Any, ...], kwargs: dict[str, Any], message: str) -> None:
    """A call that cannot be made is a TypeError that says how to call."""
    with pytest.raises(TypeError, match=message):
        bound(sample.search_notes, *args, **kwargs)


def test_misspelt_name_is_shown_when_a_parameter_is_missing() -> None:
    """Where any keyword is accepted the stray one is named beside the missing one."""
    with pytest.raises(TypeError, match=r"missing note \(found nota\)"):
        bound(sample.plain_tool, nota="x")


def test_variadic_arguments_pass_through() -> None:
    """What goes to *args and **kwargs is not touched."""
    names = {"a": 1}
    assert bound(sample.gather, "a", "a", other="a", names=names) == (("a", "a"), {"other": "a"})


def test_context_may_not_be_passed() -> None:
    """The calling code cannot pass the kit's own parameter."""
    with pytest.raises(RuntimeError, match="_local_context"):
        bound(sample.plain_tool, sample.Note(), _local_context={})


def test_variable_names_become_values() -> None:
    """Text for a parameter that takes no text is read as the name of a variable."""
    note = sample.Note()
    assert bound(sample.plain_tool, "n", names={"n": note}) == ((note,), {})
    assert bound(sample.plain_tool, note="unknown") == ((), {"note": "unknown"})


def test_text_parameters_keep_their_text() -> None:
    """A parameter that accepts text gets the text, also when a variable has that name."""
    assert bound(sample.search_notes, "n", names={"n": 5}) == (("n",), {})
    assert bound(sample.dated, date.min, text="2026-01-31") == ((date.min,), {"text": "2026-01-31"})


def test_dates_are_read_in_order_of_declaration() -> None:
    """ISO text becomes the first of the declared types that can read it."""
    (moment,), kwargs = bound(sample.dated, "2026-01-31T10:00", other="2026-01-31")
    assert moment == datetime(2026, 1, 31, 10)  # noqa: DTZ001 - as the tool's own type says
    assert kwargs == {"other": date(2026, 1, 31)}


def test_text_that_is_no_date_may_be_a_variable() -> None:
    """After the ISO forms comes the name of a variable, then the text itself."""
    assert bound(sample.dated, "day", names={"day": date.max}) == ((date.max,), {})
    assert bound(sample.dated, "tomorrow") == (("tomorrow",), {})


def test_unresolvable_annotation_converts_nothing() -> None:
    """An annotation known to type checkers only says nothing about values."""
    assert bound(sample.dated, date.min, plain="x", names={"x": 1}) == ((date.min,), {"plain": "x"})


def test_enum_members_by_name(store: Path) -> None:
    """Names of members become members, for Python's enums and the store's."""
    note = sample.Note()
    assert bound(sample.bare, note, "BLUE") == ((note, sample.Colour.BLUE), {})
    assert bound(sample.bare, note, level="high") == ((note,), {"level": sample.Level.high})


@pytest.mark.parametrize(
    ("name", "message"), [("colour", "no member 'BLU': did you mean 'BLUE'"), ("level", "low, high")]
)
def test_unknown_enum_member_is_an_error(store: Path, name: str, message: str) -> None:
    """A name that is no member is refused with the members there are."""
    with pytest.raises(ValueError, match=message):
        bound(sample.bare, sample.Note(), **{name: "BLU"})


def test_private_parameters_are_not_converted() -> None:
    """Parameters that begin with an underscore are left alone."""
    assert bound(sample.bare, 1, _secret="n", names={"n": 5}) == ((1,), {"_secret": "n"})
