"""Evals: each case has a name of its own, fits the inputs of its agent, and speaks of tools that exist.

Runs after the references are known: whether the agent is there is for `links`.
"""

from collections.abc import Iterator

from statek.base.nearest import did_you_mean
from statek.spec.checking.given import check_given
from statek.spec.checking.patterns import all_tools, has_more
from statek.spec.fixes import word_fix
from statek.spec.problems import Problem
from statek.spec.types import Path, Spec, SpecSet
from statek.tools.kit_names import KIT_NAMES

_TOOLS = ("tool_called", "tool_not_called", "tool_denied")


def check_evals(specs: SpecSet) -> Iterator[Problem]:
    """Every problem of every Eval beyond its schema and its references."""
    yield from specs.told_of_each(_eval, specs.of("Eval"))


def _eval(found: Spec, specs: SpecSet) -> Iterator[Problem]:
    yield from _names(found)
    tools = frozenset((*(tool.name for tool in all_tools(specs)), *KIT_NAMES))
    sure = specs.has_all("ToolSet") and not has_more(specs)
    agent = specs.get("Agent", found.data["agent"])
    for index, case in enumerate(found.data["cases"]):
        if agent is not None and not agent.abstract:
            yield from check_given(found, ("cases", index, "inputs"), case.get("inputs", {}), agent)
        if agent is not None and sure:
            known = tools | frozenset(agent.data.get("subagents", ()))
            yield from _tools(found, index, known)


def _names(found: Spec) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, case in enumerate(found.data["cases"]):
        name = case["name"]
        if first.setdefault(name, index) != index:
            line = found.where("cases", first[name], "name").start.line
            message = f"case '{name}' stands twice in Eval '{found.name}'; the first is on line {line}"
            yield found.problem("STK110", message, "cases", index, "name")


def _tools(found: Spec, index: int, known: frozenset[str]) -> Iterator[Problem]:
    """A name that no tool has would make the case pass, or fail, whatever the agent does."""
    for field in _TOOLS:
        given = found.data["cases"][index]["expect"].get(field, [])
        path: Path = ("cases", index, "expect", field)
        listed = [given] if isinstance(given, str) else given
        for number, name in enumerate(listed):
            at = path if isinstance(given, str) else (*path, number)
            if name not in known:
                message = f"tool '{name}' is not defined{did_you_mean(name, known, also='tools')}"
                fixes = word_fix(found.where(*at), name, known, beside=given if isinstance(given, list) else ())
                yield found.problem("STK201", message, *at, fixes=fixes)
