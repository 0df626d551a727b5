"""Marking, finding and importing tools."""

import functools
import logging
from typing import Any

import pytest

from statek.exceptions import StatekError
from statek.tools import registry
from statek.tools.registry import find_tools, from_callable, import_target, select_tools, tool
from tests.tools import sample


def test_marked_function_stays_the_function() -> None:
    """The decorator marks the function and wraps nothing."""

    def f(**kwargs: Any) -> int:
        return 3

    assert tool(f) is f
    assert (f.tool_system, f.tool_target, f.tool_hidden, f.tool_effect, f()) == (False, None, False, "external", 3)


def test_tool_must_accept_keywords() -> None:
    """Without **kwargs there is a TypeError at decoration."""
    with pytest.raises(TypeError, match=r"search_notes must accept \*\*kwargs"):
        tool(sample.search_notes)


def test_tool_refuses_unknown_effect() -> None:
    """An effect is one of three words."""
    with pytest.raises(ValueError, match="expected read, write or external"):
        tool(effect="none")  # type: ignore[call-overload]


def test_tool_needs_a_valid_error_handler() -> None:
    """An ordinary function is no error handler."""
    with pytest.raises(TypeError, match="@error_handler"):
        tool(error_handler=sample.gather)


def test_error_handler_swallows_and_logs(caplog: pytest.LogCaptureFixture) -> None:
    """What a handler raises does not go on, but is not lost either."""
    with caplog.at_level(logging.ERROR):
        assert sample._release("context") is None
    assert "cannot release" in caplog.text


def test_error_handler_protocol() -> None:
    """Decorated, underscore, two parameters, the second with a default."""

    def _one(context: Any) -> None: ...
    def _both(context: Any, error: Any) -> None: ...
    def named(context: Any, error: Any = None) -> None: ...
    def _good(context: Any, error: Any = None) -> None: ...

    bad = [registry.error_handler(f) for f in (_one, _both, named)]
    assert [registry.is_valid_error_handler(f) for f in [*bad, _good]] == [False] * 4
    assert registry.is_valid_error_handler(registry.error_handler(_good)) is True


def test_plain_function_becomes_an_external_tool() -> None:
    """What is not said is external, unbounded, visible, and gets no context."""
    found = from_callable(sample.search_notes, timeout_us=5, description="x")
    assert (found.name, found.effect, found.idempotent, found.is_async) == ("search_notes", "external", False, False)
    assert (found.timeout_us, found.description, found.takes_context, found.internal) == (5, "x", False, False)
    assert from_callable(sample.gather).takes_context is False


def test_markers_fill_in_what_is_not_said() -> None:
    """A Tool takes over what its function was marked with."""
    found = from_callable(sample.system_tool)
    assert (found.effect, found.idempotent, found.system, found.is_async) == ("read", True, True, True)
    assert (found.takes_context, found.error_handler) == (True, sample._release)
    assert from_callable(sample.system_tool, effect="write").effect == "write"
    assert from_callable(sample.hidden_tool).hidden is True


def test_temporal_tool_is_idempotent() -> None:
    """A temporal function may be called again by design; its markers shine through."""
    found = from_callable(sample.pick)
    assert (found.idempotent, found.takes_context, found.call) == (True, True, sample.pick)


def test_nameless_callable_needs_a_name() -> None:
    """A partial has no name of its own."""
    partial = functools.partial(sample.search_notes, limit=1)
    with pytest.raises(TypeError, match="pass name="):
        from_callable(partial)
    assert from_callable(partial, name="one").name == "one"
    assert from_callable(partial, name="_one").internal is True


@pytest.mark.parametrize(("thing", "message"), [(5, "found int"), (dict, "wrap it in a function")])
def test_what_cannot_be_a_tool(thing: Any, message: str) -> None:
    """Things that cannot be called, or whose parameters are unknown, are refused."""
    with pytest.raises(TypeError, match=message):
        from_callable(thing)


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


def test_import_target() -> None:
    """A target gives the function it names."""
    assert import_target("tests.tools.sample:search_notes") is sample.search_notes


@pytest.mark.parametrize(
    ("target", "message", "hint"),
    [
        ("tests.tools.sample", "expected package.module:function", ""),
        ("tests.tools.sample:", "expected package.module:function", ""),
        ("tests.tools.sampel:f", "no module tests.tools.sampel", "did you mean tests.tools.sample?"),
        ("tests.tools.sample:serch_notes", "has no serch_notes", "did you mean search_notes?"),
        ("tests.tools.sample:NOT_A_FUNCTION", "of type int", ""),
        ("tests.tools.broken:f", r"importing tests.tools.broken failed: No module named 'statek.no_such_module'", ""),
    ],
)
def test_import_target_says_what_is_missing(target: str, message: str, hint: str) -> None:
    """A target that leads nowhere is an error that names the missing part and the nearest name."""
    with pytest.raises(StatekError, match=message) as caught:
        import_target(target)
    assert caught.value.hint == hint
