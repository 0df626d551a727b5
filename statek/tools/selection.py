"""Which of many tools: by scope, by chat style, and by what an agent's `LLM_TOOLS_SCOPE` says of formal tools.

Pure: it reads the marks of functions and calls none. The idea to keep in mind: a category takes what fits and leaves
out the rest without a word; a tool that is named must be there, be visible and fit.
"""

import re
import sys
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from statek.base.nearest import did_you_mean
from statek.tools.registry import Tool, from_callable, marked_tools

SCOPES = ("SYSTEM", "APPLICATION", "ALL")
KEY = "LLM_TOOLS_SCOPE"  # metadata of an agent

_SCOPE = re.compile(r"\s*(?P<category>[A-Za-z]+)?\s*(?P<lists>(?:[+-][^+-]*)*)")
_LIST = re.compile(r"([+-])([^+-]*)")


@dataclass(frozen=True)
class LLM_ToolsScope:  # noqa: N801 - documented name
    """What an agent says of the formal tools of its requests; None: not said.

    Attributes:
        category: "SYSTEM", "APPLICATION" or "ALL".
        additional_tools: names added to it.
        removed_tools: names taken away again.
    """

    category: str | None = None
    additional_tools: tuple[str, ...] | None = None
    removed_tools: tuple[str, ...] | None = None

    @property
    def is_set(self) -> bool:
        """Was anything said?"""
        return self != LLM_ToolsScope()


def parse_llm_tools_scope(text: str | None) -> LLM_ToolsScope:
    """Read `CATEGORY+name,name-name`, each part optional, the category in any case.

    Raises:
        ValueError: the text does not follow this form.
    """
    found = _SCOPE.fullmatch(text or "")
    category = found["category"].upper() if found and found["category"] else None
    if found is None or category not in (None, *SCOPES):
        expected = "expected SYSTEM, APPLICATION or ALL, then +name,name or -name,name"
        raise ValueError(f"{KEY} {text!r} cannot be read: {expected}")
    names: dict[str, list[str]] = {"+": [], "-": []}
    for sign, listed in _LIST.findall(found["lists"]):
        for name in (part.strip() for part in listed.split(",")):
            if not name.isidentifier():
                raise ValueError(f"{KEY} {text!r} cannot be read: {name!r} after {sign!r} is no name of a tool")
            names[sign].append(name)
    return LLM_ToolsScope(category, _said(names["+"]), _said(names["-"]))


def formal_tools(scope: LLM_ToolsScope, available: Iterable[Tool], chat_style: Any = None) -> list[Tool]:
    """The tools whose specifications go to the provider, in order; none when nothing was said.

    Args:
        scope: what the agent says.
        available: the agent's tools and those of the kit; the first of a name counts.
        chat_style: the job's.

    Raises:
        ValueError: a named tool is not there, hidden, made for another style, or taken away without being chosen.
    """
    known: dict[str, Tool] = {}
    for tool in available:
        known.setdefault(tool.name, tool)
    chosen = {name: tool for name, tool in known.items() if _in_category(tool, scope.category, chat_style)}
    for name in scope.additional_tools or ():
        chosen.setdefault(name, _named(name, known, chat_style))
    for name in scope.removed_tools or ():
        if name not in chosen:
            _named(name, known, None)
            raise ValueError(f"{KEY}: -{name} takes away a tool that is not chosen")
    return [tool for name, tool in chosen.items() if name not in (scope.removed_tools or ())]


def select_request_tools(
    metadata: Mapping[str, Any] | None = None,
    available_tools: Sequence[Callable[..., Any]] | None = None,
    chat_style: Any = None,
) -> list[Callable[..., Any]] | None:
    """The functions that `LLM_TOOLS_SCOPE` in `metadata` chooses; None when it says nothing.

    Raises:
        ValueError: as `formal_tools`.
    """
    scope = parse_llm_tools_scope((metadata or {}).get(KEY))
    if not scope.is_set or available_tools is None:
        return None
    everything = [from_callable(f) for f in (*available_tools, *find_tools("SYSTEM"))]
    return [tool.call for tool in formal_tools(scope, everything, chat_style)]


def find_tools(
    scope: str | None = None, chat_style: Any = None, include_hidden: bool = False
) -> list[Callable[..., Any]]:
    """All functions marked by `@tool` in this process, the first of each name.

    Args:
        scope: "SYSTEM", "APPLICATION", or None for both.
        chat_style: leave out tools made for other styles.
        include_hidden: hidden ones, too.

    Raises:
        ValueError: unknown `scope`.
    """
    first: dict[str, Callable[..., Any]] = {}
    for f in map(_outermost, marked_tools()):
        if _fits(f, scope, chat_style) and (include_hidden or not _mark(f, "hidden")):
            first.setdefault(f.__name__, f)
    return list(first.values())


def select_tools(
    tools: Iterable[Callable[..., Any]], scope: str | None, chat_style: Any = None
) -> list[Callable[..., Any]]:
    """Those of `tools` that fit, in order; hidden ones never. Functions without markers are application tools."""
    return [f for f in tools if _fits(f, scope, chat_style) and not _mark(f, "hidden")]


def _said(names: list[str]) -> tuple[str, ...] | None:
    return tuple(dict.fromkeys(names)) or None


def _in_category(tool: Tool, category: str | None, chat_style: Any) -> bool:
    if category is None or tool.hidden or tool.internal or not _fits_style(tool.target, chat_style):
        return False
    return category == "ALL" or tool.system == (category == "SYSTEM")


def _named(name: str, known: Mapping[str, Tool], chat_style: Any) -> Tool:
    tool = known.get(name)
    if tool is None or tool.hidden:
        visible = [other.name for other in known.values() if not other.hidden and not other.internal]
        raise ValueError(f"{KEY}: there is no tool {name!r}{did_you_mean(name, visible, also='there are')}")
    if not _fits_style(tool.target, chat_style):
        raise ValueError(f"{KEY}: tool {name!r} is not made for the chat style {_style_name(chat_style)}")
    return tool


def _fits(f: Callable[..., Any], scope: str | None, chat_style: Any) -> bool:
    if scope is not None and scope not in SCOPES:
        raise ValueError(f"unknown scope {scope!r}: expected SYSTEM, APPLICATION, ALL or None")
    if scope in ("SYSTEM", "APPLICATION") and bool(_mark(f, "system")) != (scope == "SYSTEM"):
        return False
    return _fits_style(_mark(f, "target"), chat_style)


def _fits_style(target: Any, chat_style: Any) -> bool:
    if chat_style is None or target is None:
        return True
    several = isinstance(target, Iterable) and not isinstance(target, str | Enum)
    return _style_name(chat_style) in {_style_name(style) for style in (target if several else (target,))}


def _style_name(style: Any) -> str:
    return (style.name if isinstance(style, Enum) else str(style)).lower()


def _mark(f: Callable[..., Any], name: str) -> Any:
    return getattr(f, f"tool_{name}", None)


def _outermost(function: Callable[..., Any]) -> Callable[..., Any]:
    """What the function's name leads to now, when that wraps it (`@temporal` stands outside `@tool`)."""
    found: Any = sys.modules.get(function.__module__)
    for part in function.__qualname__.split("."):
        found = getattr(found, part, None)
    inner = found
    while inner is not None and inner is not function:
        inner = getattr(inner, "__wrapped__", None)
    return function if inner is None else typing.cast("Callable[..., Any]", found)
