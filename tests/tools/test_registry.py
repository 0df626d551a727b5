"""Marking, finding and importing tools."""

import functools
import logging
from typing import Any

import pytest

from statek.tools import registry
from statek.tools.registry import create_tool, docs_style, from_callable, tool
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
    found = from_callable(sample.search_notes, description="x")
    assert (found.name, found.effect, found.idempotent, found.is_async) == ("search_notes", "external", False, False)
    assert (found.timeout_us, found.description, found.takes_context, found.internal) == (None, "x", False, False)
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


def test_options_that_exclude_each_other() -> None:
    """A timeout needs a call that can be given up; a thread needs a plain function with an effect outside."""

    def plain(**kwargs: Any) -> None: ...

    async def later(**kwargs: Any) -> None: ...

    for options in ({"timeout": 1}, {"thread": True, "effect": "write"}, {"thread": True, "timeout": 0}):
        with pytest.raises(ValueError, match=r"timeout|thread"):
            tool(**options)(plain)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="needs no thread"):
        tool(thread=True)(later)


def test_bounds_and_threads_are_marks() -> None:
    """What a function is marked with is in its Tool; what is said about the tool adds to it."""

    def slow(**kwargs: Any) -> None: ...

    found = from_callable(tool(thread=True, timeout=1.5)(slow))
    assert (found.thread, found.timeout_us, found.outside) == (True, 1_500_000, True)
    assert from_callable(sample.search_notes, thread=True, timeout_us=5).timeout_us == 5
    assert from_callable(sample.search_notes, timeout_us=5).timeout_us is None  # a warning of the checker


def test_async_functions_go_outside() -> None:
    """An async function is awaited by the scheduler whatever its effect; one that only reads may be repeated."""

    async def look() -> None: ...

    found = from_callable(look, effect="read")
    assert (found.outside, found.idempotent) == (True, True)
    assert from_callable(sample.search_notes, effect="read").outside is False


def test_idempotency_key_stands_last() -> None:
    """A function that wants the key takes it by name; where it would shift other arguments it is refused."""

    def pay(amount: int, *, idempotency_key: str) -> None: ...
    def wrong(idempotency_key: str, amount: int) -> None: ...

    assert from_callable(pay).takes_key is True
    assert from_callable(sample.search_notes).takes_key is False
    with pytest.raises(ValueError, match="put it last"):
        from_callable(wrong)


def test_created_tool_ignores_its_arguments() -> None:
    """A created tool calls what it was bound to; a name that is taken is refused."""
    made = create_tool("sum_up", sum, "Add up.", {}, [1, 2], start=3)
    assert (made(more=1), made.__name__, made.__doc__) == (6, "sum_up", "Add up.")
    with pytest.raises(ValueError, match="has a 'sum_up' already"):
        create_tool("sum_up", sum, "", {"sum_up": 1})


def test_docs_style_marks() -> None:
    """The decorator marks, with and without parentheses."""

    def f() -> None: ...

    assert docs_style(f) is f
    assert f.docs_brief_types is False  # type: ignore[attr-defined]
    assert docs_style(brief_types=True)(f).docs_brief_types is True
