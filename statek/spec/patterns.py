"""Which tools an agent may call: patterns `set/name` with `*` over the declared tool sets. Pure, no files.

`links` reports patterns that fit nothing, the compiler takes the selection.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from statek.spec.rules import tool_name
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
    return tuple(
        Offered(toolset, index, tool_name(tool))
        for toolset in specs.of("ToolSet")
        for index, tool in enumerate(toolset.data["tools"])
    )


def matching(pattern: str, tools: tuple[Offered, ...]) -> tuple[Offered, ...]:
    """The tools that fit a pattern; `*` stands for any characters of one part, alone for everything."""
    if pattern == "*":
        return tools
    regex = re.compile("[^/]*".join(re.escape(part) for part in pattern.split("*")))
    return tuple(tool for tool in tools if regex.fullmatch(tool.full_name))


def selected(agent: Spec, specs: SpecSet) -> Iterator[tuple[str, Offered]]:
    """The tools the agent may call, each once and with the pattern that brought it, in the order of `use`."""
    tools = all_tools(specs)
    use, deny = use_and_deny(agent)
    denied = {tool.full_name for pattern in deny for tool in matching(pattern, tools)}
    for pattern in use:
        for tool in matching(pattern, tools):
            if tool.full_name not in denied:
                denied.add(tool.full_name)
                yield pattern, tool
