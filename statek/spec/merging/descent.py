"""What an agent inherits: its line of descent along `extends`, and the Defaults that match it. Pure.

A child never loses what its parents deny. What an agent is (its name, labels, prompt) is never inherited, and an agent
whose parent cannot be used is set aside without a word: the parent's problem is the one to mend.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from statek.base.nearest import did_you_mean
from statek.spec.checking.links import refer
from statek.spec.cycles import find_cycles
from statek.spec.fixes import word_fix
from statek.spec.globs import name_pattern
from statek.spec.merging.layering import joined, over, unfolded, with_list, without
from statek.spec.problems import Problem
from statek.spec.reading.nodes import Node
from statek.spec.schema.agent import own_fields
from statek.spec.types import Layer, Spec, SpecSet

IDENTITY = frozenset(own_fields())  # what an agent says of itself alone
ADDED = (("tools", "use"), ("tools", "deny"), ("tools", "approve"))  # lists that add up along `extends`
SHORT = {"model": "use", "warmup": "use", "tools": "use"}  # fields of an agent with a short form

Lines = Mapping[str, tuple[Spec, ...]]
Pair = tuple[str, str]


def lines_of_descent(specs: SpecSet) -> tuple[Lines, list[Problem]]:
    """For each agent its parents, the farthest first, then itself; agents that cannot be merged are left out."""
    agents = {agent.name: agent for agent in specs.of("Agent")}
    parents = {name: agent.data["extends"] for name, agent in agents.items() if "extends" in agent.data}
    problems = list(_unknown(agents, parents, specs))
    edges = {name: [(("extends",), parent)] for name, parent in parents.items()}
    for name, _, shown in find_cycles(edges):
        message = f"agents extend each other in a circle: {shown}; take 'extends' out of one of them"
        problems.append(agents[name].problem("STK203", message, "extends"))
    lines = {name: _line(agents, parents, name) for name in agents}
    return {name: line for name, line in lines.items() if line is not None}, problems


def _unknown(agents: Mapping[str, Spec], parents: Mapping[str, str], specs: SpecSet) -> Iterator[Problem]:
    for name, parent in parents.items():
        yield from refer(agents[name], specs, "Agent", parent, "extends", abstract=True)


def _line(agents: Mapping[str, Spec], parents: Mapping[str, str], name: str) -> tuple[Spec, ...] | None:
    """None when the line leads to an agent that is not there, or round in a circle."""
    found: dict[str, Spec] = {}
    while name not in found and name in agents:
        found[name] = agents[name]
        if name not in parents:
            return tuple(reversed(found.values()))
        name = parents[name]
    return None


def in_order(defaults: Iterable[Spec]) -> tuple[Spec, ...]:
    """Defaults or Overlays by file, then name: the later ones are laid over the earlier ones."""
    return tuple(sorted(defaults, key=lambda spec: (spec.document.file, spec.name)))


def fits(defaults: Spec, agent: Spec) -> bool:
    """Whether Defaults are for this agent, by its own labels and name."""
    match = defaults.data.get("match", {})
    labels = match.get("labels", {})
    named = "names" not in match or any(name_pattern(pattern).fullmatch(agent.name) for pattern in match["names"])
    return named and all(agent.labels.get(name) == value for name, value in labels.items())


@dataclass(frozen=True, slots=True)
class Merged:
    """An agent with what it inherits: its tree, and the layers it is made of, nearest first."""

    tree: Node
    layers: tuple[Layer, ...]


@dataclass(frozen=True, slots=True)
class _Heritage:
    """What a child gets from an agent: its tree and layers without what it is itself, and its lists that add up."""

    tree: Node | None
    layers: tuple[Layer, ...]
    lists: Mapping[Pair, Node]


class Inheritance:
    """Merges agents with their parents and Defaults. What several children get is put together once."""

    def __init__(self, lines: Lines, defaults: Sequence[Spec]) -> None:
        """Take the lines of descent, and the Defaults in their order."""
        self.lines, self.defaults = lines, defaults
        self._known: dict[tuple[str, tuple[str, ...]], _Heritage] = {}

    def merged(self, agent: Spec) -> Merged | None:
        """The agent with what it inherits; None when nobody else says anything of it."""
        given = [defaults for defaults in self.defaults if fits(defaults, agent)]
        heritage = self._heritage(self.lines[agent.name][:-1], given)
        if heritage.tree is None:
            return None
        whole = _with(heritage, _layer(agent, agent.own))
        assert whole.tree is not None
        tree = whole.tree
        for path, items in whole.lists.items():
            tree = with_list(tree, path, items)
        return Merged(tree, whole.layers)

    def _heritage(self, parents: Sequence[Spec], given: Sequence[Spec]) -> _Heritage:
        names = tuple(defaults.name for defaults in given)
        found = self._known.get(("", names))
        if found is None:
            found = _Heritage(None, (), {})
            for defaults in given:
                layer = _layer(defaults, defaults.own.members["set"])
                found = replace(_with(found, layer), lists={})  # they hold when no agent says anything
            self._known["", names] = found
        for parent in parents:
            key = (parent.name, names)
            if key not in self._known:
                self._known[key] = _with(found, _layer(parent, without(parent.own, IDENTITY)))
            found = self._known[key]
        return found


def _layer(spec: Spec, node: Node) -> Layer:
    return Layer(spec.id, spec.document, unfolded(node, SHORT), SHORT)


def _with(heritage: _Heritage, layer: Layer) -> _Heritage:
    """One layer more, laid over all the others."""
    tree = layer.node if heritage.tree is None else over(heritage.tree, layer.node, SHORT)
    own = {path: layer.node.at(path) for path in ADDED if path[1] in layer.node.at(path[:1]).members}
    both = {path: joined([heritage.lists[path], node]) for path, node in own.items() if path in heritage.lists}
    return _Heritage(tree, (layer, *heritage.layers), {**heritage.lists, **own, **both})


def check_matches(specs: SpecSet) -> Iterator[Problem]:
    """Defaults that fit no agent that runs."""
    agents = specs.of("Agent")
    for defaults in specs.of("Defaults"):
        match = defaults.data.get("match", {})
        wrong = [index for index, name in enumerate(match.get("names", [])) if not _fits_any(name, specs)]
        for index in wrong:
            name = match["names"][index]
            hint = did_you_mean(name, specs.names("Agent"), also="declared Agents")
            where, names = defaults.where("match", "names", index), specs.names("Agent")
            fixes = word_fix(where, name, names, beside=match["names"])
            yield defaults.problem("STK201", f"'{name}' fits no Agent{hint}", "match", "names", index, fixes=fixes)
        found = [agent for agent in agents if fits(defaults, agent)]
        if not wrong and match and specs.has_all("Agent") and all(agent.abstract for agent in found):
            why = "fits no agent"
            if found:
                why = f"fits only {found[0].id}, which is abstract; Defaults are not inherited, name what extends it"
            yield defaults.problem("STK201", f"this match {why}", "match", severity="warning")


def _fits_any(pattern: str, specs: SpecSet) -> bool:
    return "Agent" in specs.unsure or any(name_pattern(pattern).fullmatch(name) for name in specs.names("Agent"))
