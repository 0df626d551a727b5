"""Choosing tools: by scope and style, and by what an agent says of its formal tools."""

from typing import Any

import pytest

from statek.tools.registry import from_callable, tool
from statek.tools.selection import (
    LLM_ToolsScope,
    find_tools,
    formal_tools,
    parse_llm_tools_scope,
    select_request_tools,
    select_tools,
)
from tests.tools import sample

TOOLS = [from_callable(f) for f in (sample.search_notes, sample.plain_tool, sample.system_tool, sample.hidden_tool)]


def names(scope: str, style: Any = None) -> list[str]:
    """Names of the formal tools of a scope."""
    return [found.name for found in formal_tools(parse_llm_tools_scope(scope), TOOLS, style)]


def test_found_tools_by_scope() -> None:
    """Scopes choose system or application tools; hidden ones only on request."""
    assert sample.system_tool in find_tools("SYSTEM")
    assert sample.plain_tool not in find_tools("SYSTEM")
    assert sample.plain_tool in find_tools("APPLICATION")
    assert sample.hidden_tool not in find_tools()
    assert sample.hidden_tool in find_tools(include_hidden=True)
    with pytest.raises(ValueError, match="unknown scope"):
        find_tools("OTHER")


def test_found_tools_by_style() -> None:
    """Tools for other styles are left out, untargeted ones are not."""
    assert sample.system_tool in find_tools(chat_style="DIRECT")
    assert sample.system_tool not in find_tools(chat_style="markdown")
    assert sample.plain_tool in find_tools(chat_style="markdown")


def test_found_tool_is_the_outermost_wrapper() -> None:
    """A temporal function around a tool is found, not the function inside it."""
    assert sample.pick in find_tools()
    assert sample.pick.__wrapped__ not in find_tools()


def test_first_tool_of_a_name_wins() -> None:
    """Of two tools with one name the one marked first is found."""

    def twin(**kwargs: Any) -> None: ...

    tool(twin)
    other = type("Other", (), {})
    second = lambda **kwargs: None  # noqa: E731
    second.__name__, second.__qualname__ = "twin", f"{other.__name__}.twin"
    tool(second)
    assert [f for f in find_tools() if f.__name__ == "twin"] == [twin]


def test_select_keeps_order_and_unmarked() -> None:
    """Given tools keep their order; functions without marks are application tools; hidden ones go."""
    given = [sample.system_tool, sample.gather, sample.hidden_tool, sample.plain_tool]
    assert select_tools(given, "ALL") == [sample.system_tool, sample.gather, sample.plain_tool]
    assert select_tools(given, "APPLICATION") == [sample.gather, sample.plain_tool]
    assert select_tools(given, None, "md_dialog") == [sample.gather, sample.plain_tool]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, (None, None, None)),
        ("  ", (None, None, None)),
        ("system", ("SYSTEM", None, None)),
        ("ALL + a, b -c+d", ("ALL", ("a", "b", "d"), ("c",))),
        ("-x", (None, None, ("x",))),
    ],
)
def test_scope_is_read(text: str | None, expected: tuple[Any, ...]) -> None:
    """A category and lists of names, every part optional."""
    assert parse_llm_tools_scope(text) == LLM_ToolsScope(*expected)


@pytest.mark.parametrize("text", ["SOME", "ALL a", "+", "ALL+a,,b", "+a b", "ALL+1"])
def test_scope_that_cannot_be_read(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError, match="cannot be read"):
        parse_llm_tools_scope(text)


def test_categories() -> None:
    """A category takes what is visible and fits the style, in order; without one nothing is chosen."""
    assert names("ALL") == ["search_notes", "plain_tool", "system_tool"]
    assert names("APPLICATION") == ["search_notes", "plain_tool"]
    assert names("SYSTEM", "markdown") == []
    assert names("") == []


def test_names_add_and_take_away() -> None:
    """Names add to the category; taking away wins."""
    assert names("+plain_tool,system_tool-plain_tool", "direct") == ["system_tool"]
    assert names("SYSTEM+plain_tool") == ["system_tool", "plain_tool"]


@pytest.mark.parametrize(
    ("scope", "message"),
    [
        ("+plain_tol", "did you mean 'plain_tool'"),
        ("+hidden_tool", "there is no tool 'hidden_tool'"),
        ("+system_tool", "not made for the chat style markdown"),
        ("APPLICATION-system_tool", "not chosen"),
        ("ALL-nothing", "there is no tool 'nothing'"),
    ],
)
def test_named_tools_must_be_there(scope: str, message: str) -> None:
    """A name that leads to nothing is an error, not an empty place."""
    with pytest.raises(ValueError, match=message):
        names(scope, "markdown")


def test_request_tools() -> None:
    """Without a scope there are no formal tools at all; with one, functions marked as the kit's are there too."""

    def lookup() -> None:
        """Look."""

    assert select_request_tools({}, [lookup]) is None
    assert select_request_tools({"LLM_TOOLS_SCOPE": "ALL"}, None) is None
    chosen = select_request_tools({"LLM_TOOLS_SCOPE": "+lookup,system_tool"}, [lookup], "console")
    assert chosen == [lookup, sample.system_tool]
