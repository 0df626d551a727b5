"""What an agent inherits: its line of descent along `extends`, and the Defaults that match it. Pure.

A child never loses what its parents deny. What an agent is (its name, labels, prompt) is never inherited, and an agent
whose parent cannot be used is set aside without a word: the parent's problem is the one to mend.
"""

from collections.abc import Iterable, Iterator, Mapping
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

Pair = tuple[str, str]


def check_descent(specs: SpecSet) -> Iterator[Problem]:
    """Agents that extend what is not there, or each other in a circle."""
    children = [agent for agent in specs.of("Agent") if "extends" in agent.data]
    yield from specs.told_of_each(_parent, children)
    edges = {agent.name: [(agent, agent.data["extends"])] for agent in children}
    for _, agent, shown in find_cycles(edges):
        message = f"agents extend each other in a circle: {shown}; take 'extends' out of one of them"
        yield agent.problem("STK203", message, "extends")


def _parent(agent: Spec, specs: SpecSet) -> Iterator[Problem]:
    return refer(agent, specs, "Agent", agent.data["extends"], "extends", abstract=True)


def parents_of(agent: Spec, specs: SpecSet) -> tuple[Spec, ...] | None:
    """What an agent extends, the farthest first; None when that leads to one that is not there, or in a circle."""
    found, last = {agent.name: agent}, agent
    while "extends" in last.data:
        parent = specs.get("Agent", last.data["extends"])
        if parent is None or parent.name in found:
            return None
        found[parent.name] = last = parent
    return tuple(reversed(found.values()))[:-1]


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


def merged(agent: Spec, parents: tuple[Spec, ...], specs: SpecSet) -> Merged | None:
    """An agent with what its parents and Defaults say; None when nobody else says anything of it."""
    given = tuple(defaults for defaults in in_order(specs.of("Defaults")) if fits(defaults, agent))
    heritage = specs.remembered(_of_defaults, given)
    for count in range(1, len(parents) + 1):  # what several children get is put together once
        heritage = specs.remembered(_heritage, parents[:count], given)
    if heritage.tree is None:
        return None
    whole = _with(heritage, _layer(agent, agent.own))
    assert whole.tree is not None
    tree = whole.tree
    for path, items in whole.lists.items():
        tree = with_list(tree, path, items)
    return Merged(tree, whole.layers)


def _of_defaults(given: tuple[Spec, ...], _specs: SpecSet) -> _Heritage:
    found = _Heritage(None, (), {})
    for defaults in given:
        layer = _layer(defaults, defaults.own.members["set"])
        found = replace(_with(found, layer), lists={})  # they hold when no agent says anything
    return found


def _heritage(parents: tuple[Spec, ...], given: tuple[Spec, ...], specs: SpecSet) -> _Heritage:
    """What a child of the last of `parents` gets."""
    *before, parent = parents
    above = specs.remembered(_heritage, tuple(before), given) if before else specs.remembered(_of_defaults, given)
    return _with(above, _layer(parent, without(parent.own, IDENTITY)))


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
        runs = any(fits(defaults, agent) for agent in agents if not agent.abstract)
        if not wrong and not runs and match and specs.has_all("Agent"):
            found = next((agent for agent in agents if fits(defaults, agent)), None)
            why = "fits no agent"
            if found is not None:
                why = f"fits only {found.id}, which is abstract; Defaults are not inherited, name what extends it"
            yield defaults.problem("STK201", f"this match {why}", "match", severity="warning")


def _fits_any(pattern: str, specs: SpecSet) -> bool:
    return specs.is_unsure("Agent") or any(name_pattern(pattern).fullmatch(name) for name in specs.names("Agent"))
