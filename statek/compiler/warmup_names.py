"""Names that a warmup reads and its agents do not have: what each agent lacks, told once for all that lack it.

Pure, no files. The idea: a `Lack` is kept for each agent, since tools, inputs and queues are the agent's; a name that
several agents lack is one mistake in one file, so it becomes one problem that names them. Called by `warmups.py`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from statek.base.nearest import did_you_mean, nearest
from statek.sandbox.policy import BUILTIN_NAMES, MODULES, UNOFFERED_NAMES
from statek.spec.checking.patterns import all_tools, matching, selected, use_and_deny
from statek.spec.positions import first_line
from statek.spec.problems import Position, Problem, Range, Related, make_problem
from statek.spec.reading.documents import Document
from statek.spec.types import Spec, SpecSet
from statek.text.warmup import Binding, NameUse
from statek.tools.kit_names import KIT_NAMES

_SHOWN = 3  # agents, or places, that a message names


@dataclass(frozen=True, slots=True)
class Lack:
    """A name that one agent does not provide.

    Attributes:
        own: the names of the agent that could stand there.
        denied: the patterns by which a tool of that name is denied to it.
    """

    agent: str
    use: NameUse
    own: frozenset[str]
    inputs: tuple[str, ...]
    tools: tuple[str, ...]
    denied: tuple[Related, ...]


def lack_of(agent: Spec, use: NameUse, own: frozenset[str], specs: SpecSet) -> Lack:
    """What is to be known of a name that the agent lacks."""
    tools = tuple(sorted(tool.name for _, tool in selected(agent, specs)))
    return Lack(agent.name, use, own, tuple(agent.data.get("inputs", {})), tools, _denials(agent, use.name, specs))


def _denials(agent: Spec, name: str, specs: SpecSet) -> tuple[Related, ...]:
    """The patterns that deny tools of that name to the agent."""
    tools = tuple(tool for tool in all_tools(specs) if tool.name == name)
    denying = [index for index, pattern in enumerate(use_and_deny(agent)[1]) if matching(pattern, tools)]
    nodes = (agent.node.at(("tools", "deny", index)) for index in denying)
    return tuple(Related(node.file, first_line(node.span), f"'{name}' is denied here") for node in nodes)


def place_of(use: NameUse) -> Range:
    """Where a name is read."""
    return Range(Position(use.line, use.column), Position(use.line, max(use.end_column, use.column + 1)))


def unknown_names(
    document: Document, bound: Mapping[str, Binding], lacks: Iterable[Lack], toolsets: frozenset[str]
) -> Iterator[Problem]:
    """One problem for each name. `bound` are names that the warmup binds itself, `toolsets` the declared sets."""
    by_name: dict[str, list[Lack]] = {}
    for lack in lacks:
        by_name.setdefault(lack.use.name, []).append(lack)
    for name, found in by_name.items():
        is_set = _is_set(name, bound)
        denied = [lack for lack in found if lack.denied and not is_set]
        others = [lack for lack in found if is_set or not lack.denied]
        parts = [_denied(name, denied)] if denied else []
        parts += [_unknown(name, others, bound, toolsets)] if others else []
        code = "STK404" if denied or name not in UNOFFERED_NAMES else "STK402"
        related = tuple(dict.fromkeys(place for lack in denied for place in lack.denied))
        where, owner = place_of(found[0].use), f"Warmup/{document.stem}"
        yield make_problem(code, "; ".join(parts), document.file, where, object=owner, related=related)


def _is_set(name: str, bound: Mapping[str, Binding]) -> bool:
    """Whether the warmup sets it for all of its code, if only later."""
    return name in bound and not bound[name].inside


def _denied(name: str, lacks: Sequence[Lack]) -> str:
    places = dict.fromkeys(f"{place.file}:{place.range.start.line}" for lack in lacks for place in lack.denied)
    return f"tool '{name}' is denied at {_listed(list(places))}, so {_agents(lacks)} cannot call it"


def _unknown(name: str, lacks: Sequence[Lack], bound: Mapping[str, Binding], toolsets: frozenset[str]) -> str:
    if _is_set(name, bound):
        when = f"read before it is set (line {bound[name].line})"
        return f"name '{name}' is {when}; it is neither input nor tool of {_agents(lacks)}"
    if name in UNOFFERED_NAMES:
        return f"'{name}' is not there: {UNOFFERED_NAMES[name]}"
    return f"name '{name}' is neither input, tool nor local of {_agents(lacks)}{_hint(name, lacks, bound, toolsets)}"


def _hint(name: str, lacks: Sequence[Lack], bound: Mapping[str, Binding], toolsets: frozenset[str]) -> str:
    """What may have been meant: only what all of these agents have."""
    none = "this agent has none" if len(lacks) == 1 else "these agents have none in common"
    if name in bound:
        return f"; it is there only inside {bound[name].inside} (line {bound[name].line})"
    if name == "inputs":
        named = ", ".join(f"'{one}'" for one in _common([lack.inputs for lack in lacks]))
        return f"; here each input is a name of its own: {named or none}"
    if name == "tools" or name in toolsets:
        return f"; a tool is called by its own name: {', '.join(_common([lack.tools for lack in lacks])) or none}"
    if name in {"null", "nil", "undefined"}:
        return "; did you mean 'None'?"
    if name in MODULES:
        return f"; write 'import {name}' above it"
    return _near(name, lacks, bound)


def _near(name: str, lacks: Sequence[Lack], bound: Mapping[str, Binding]) -> str:
    own = KIT_NAMES | frozenset.intersection(*(lack.own for lack in lacks))
    if not lacks[0].use.called:
        own |= {name for name in bound if _is_set(name, bound)}
    known = own | BUILTIN_NAMES
    if nearest(name, known) is not None:
        return did_you_mean(name, known)
    close = nearest(name, frozenset().union(*(lack.own for lack in lacks)))
    if close is not None:
        without = [lack for lack in lacks if close not in lack.own]
        return f"; did you mean '{close}', which {_agents(without)} {'lacks' if len(without) == 1 else 'lack'}?"
    return did_you_mean(name, own - BUILTIN_NAMES)


def _common(many: Sequence[tuple[str, ...]]) -> list[str]:
    """What all of them have, in the order of the first."""
    return [one for one in many[0] if all(one in others for others in many)]


def _agents(lacks: Sequence[Lack]) -> str:
    named = _listed([f"'{lack.agent}'" for lack in lacks])
    return f"agent {named}" if len(lacks) == 1 else f"agents {named}"


def _listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`, `a, b, c and 7 more`."""
    shown = [*words[:_SHOWN], *([f"{len(words) - _SHOWN} more"] if len(words) > _SHOWN else [])]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
