"""Promises of `statek.text.fences`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statek.text.fences import Fenced, FenceError, split

LINES = st.lists(st.sampled_from(["a: 1", "", "  x", "# note", "text", "---", "...", " ---", "----", "{"]), max_size=8)


def refusal(text: str) -> FenceError:
    """How `text` is refused."""
    with pytest.raises(FenceError) as caught:
        split(text)
    return caught.value


def test_both_parts_come_with_their_first_lines() -> None:
    """The YAML and the body are told apart, each with the line it begins on."""
    assert split("---\na: 1\nb: 2\n---\nHello\n") == Fenced("a: 1\nb: 2\n", 2, "Hello\n", 5)


def test_a_rule_in_the_body_stays_in_the_body() -> None:
    """Only the first closing fence counts; later `---` lines are prose."""
    assert split("---\na: 1\n---\none\n---\ntwo").body == "one\n---\ntwo"


def test_a_body_may_be_missing() -> None:
    """A file that ends with the closing fence has an empty body."""
    assert split("---\na: 1\n---") == Fenced("a: 1\n", 2, "", 4)


def test_front_matter_may_be_empty() -> None:
    """Two fences in a row are front matter without a line; the reader of YAML judges that."""
    assert split("---\n---\nHello") == Fenced("", 2, "Hello", 3)


def test_blanks_behind_a_fence_do_no_harm() -> None:
    """White space at the end of a fence line is not seen by people, so it is not seen here."""
    assert split("--- \na: 1\n---\t\nHello").body == "Hello"


def test_a_byte_order_mark_does_not_hide_the_fence() -> None:
    """A mark in front of the opening fence is dropped instead of turning the YAML into the prompt."""
    assert split("\ufeff---\na: 1\n---\nHello").yaml == "a: 1\n"


def test_a_fence_inside_a_block_of_text_does_not_close() -> None:
    """An indented `---` before the real fence belongs to a multi-line text of the YAML."""
    assert split("---\na: |\n  x\n  ---\n  y\n---\nHello").body == "Hello"


@pytest.mark.parametrize(
    ("text", "related"),
    [
        ("---\na: 1\nHello\n", None),
        ("---\na: 1\n ---\nHello\n", 3),
        ("---\na: 1\n...\nHello\n", 3),
        ("---\na: 1\n----\nHello\n", 3),
        ("---\na: 1\n...\nHello\n---\nrule above\n", 3),
        ("---", None),
    ],
)
def test_front_matter_that_is_never_closed_is_refused(text: str, related: int | None) -> None:
    """The refusal points to the opening fence and to the line that was probably meant to close it."""
    error = refusal(text)
    assert (error.code, error.line, error.column, error.related_line) == ("STK002", 1, 1, related)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("", 1, 1),
        ("Hello\n", 1, 1),
        ("\n---\na: 1\n---\nHello", 2, 1),
        ("title\n\n---\na: 1\n---\n", 3, 1),
        ("  ---\na: 1\n---\n", 1, 3),
        ('{"a": 1}\nHello', 1, 1),
        ("----\na: 1\n----\n", 1, 1),
    ],
)
def test_a_file_without_front_matter_on_line_one_is_refused(text: str, line: int, column: int) -> None:
    """The refusal points to where the fence stands, or to the first line when there is none."""
    error = refusal(text)
    assert (error.code, error.line, error.column) == ("STK003", line, column)


def test_json_front_matter_is_named_in_the_message() -> None:
    """A file that starts with a brace is told that JSON is not read here."""
    assert "`{`" in refusal('{"a": 1}').message


@given(LINES)
def test_split_gives_parts_or_a_position(lines: list[str]) -> None:
    """Any file is either cut into parts that hold all its lines, or refused on one of its lines."""
    text = "\n".join(["---", *lines])
    try:
        parts = split(text)
    except FenceError as error:
        found = error.related_line or error.line
        lines = lines[: found - 1]
    else:
        found = parts.body_line
        assert parts.yaml.count("\n") == found - 3
        assert parts.body == "\n".join(lines[found - 2 :])
    assert found >= 1
    assert text.startswith("\n".join(["---", *lines[: found - 2]]))
