"""Which tools an agent may call: patterns `set/name` with `*` over the declared tool sets. Pure, no files.

`links` reports patterns that fit nothing, the compiler takes the selection.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from statek.spec.checking.rules import tool_names
from statek.spec.globs import name_pattern
from statek.spec.types import Spec, SpecSet


@dataclass(frozen=True, slots=True)
class Offered:
    """One declared tool: its set, its place in the set, the name it is called by."""

    toolset: Spec
    index: int
    name: str

    @property
    def full_name(self) -> str:
        """`set/name`."""
        return f"{self.toolset.name}/{self.name}"

    @property
    def data(self) -> Mapping[str, Any]:
        """The tool as declared."""
        declared: Mapping[str, Any] = self.toolset.data["tools"][self.index]
        return declared


def use_and_deny(agent: Spec) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The agent's patterns, whichever way they are written."""
    tools = agent.data.get("tools", [])
    if isinstance(tools, Mapping):
        return tuple(tools.get("use", ())), tuple(tools.get("deny", ()))
    return tuple(tools), ()


def all_tools(specs: SpecSet) -> tuple[Offered, ...]:
    """Every tool of the project, by set and in the order of its file."""
    return specs.remembered(_all_tools)


def _all_tools(specs: SpecSet) -> tuple[Offered, ...]:
    return tuple(
        Offered(toolset, index, name)
        for toolset in specs.of("ToolSet")
        for index, tool in enumerate(toolset.data["tools"])
        for name in tool_names(tool)
    )


def has_more(specs: SpecSet, toolset: str = "*") -> bool:
    """Whether a tool set that fits `toolset` takes all tools of a file or server: their names are not told here."""
    return specs.remembered(_has_more, toolset)


def _has_more(toolset: str, specs: SpecSet) -> bool:
    regex = name_pattern(toolset)
    tools = (tool for spec in specs.of("ToolSet") if regex.fullmatch(spec.name) for tool in spec.data["tools"])
    return any(source in tool and "include" not in tool[source] for tool in tools for source in ("openapi", "mcp"))


def matching(pattern: str, tools: tuple[Offered, ...]) -> tuple[Offered, ...]:
    """The tools that fit a pattern; `*` stands for any characters of one part, alone for everything."""
    if pattern == "*":
        return tools
    regex = name_pattern(pattern)
    return tuple(tool for tool in tools if regex.fullmatch(tool.full_name))


def selected(agent: Spec, specs: SpecSet) -> Iterator[tuple[str, Offered]]:
    """The tools the agent may call, each once and with the pattern that brought it, in the order of `use`."""
    use, deny = use_and_deny(agent)
    yield from specs.told(_selected, use, deny)


def _selected(use: Sequence[str], deny: Sequence[str], specs: SpecSet) -> Iterator[tuple[str, Offered]]:
    tools = all_tools(specs)
    denied = {tool.full_name for pattern in deny for tool in matching(pattern, tools)}
    for pattern in use:
        for tool in matching(pattern, tools):
            if tool.full_name not in denied:
                denied.add(tool.full_name)
                yield pattern, tool
