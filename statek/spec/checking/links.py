"""References between specs: every name that is used is declared, nothing goes round in a circle.

Works on good specs only; a name that is declared in a file with problems counts as declared, so that one root cause
gives one problem. Templates, warmups and tool modules are checked by the compiler.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from statek.base.nearest import did_you_mean
from statek.sandbox.policy import NEVER_IMPORTED
from statek.spec.checking.aliases import check_aliases
from statek.spec.checking.patterns import all_tools, has_more, matching, selected, use_and_deny
from statek.spec.cycles import find_cycles
from statek.spec.fixes import word_fix
from statek.spec.formats import is_model_name
from statek.spec.positions import first_line, inside
from statek.spec.problems import Fix, Problem, Range, Related, make_problem
from statek.spec.types import Path, Spec, SpecSet, pointer


def check_links(specs: SpecSet, is_built_in: Callable[[str], bool] = lambda _: False) -> tuple[Problem, ...]:
    """Every problem of references in the project; `is_built_in`: whether a Provider of that name needs no document."""
    problems: list[Problem] = [
        *specs.told_of_each(_agent, specs.of("Agent")),
        *specs.told_of_each(_model, specs.of("Model"), is_built_in),
        *specs.told_of_each(_script, specs.of("Script")),
        *specs.told_of_each(_queue, specs.of("Queue")),
    ]
    for kind in ("Schedule", "Eval"):
        for spec in specs.of(kind):
            problems.extend(refer(spec, specs, "Agent", spec.data["agent"], "agent"))
    problems.extend(_prefixes(specs))
    problems.extend(check_aliases(specs))
    problems.extend(_fleets(specs.of("Fleet")))
    for fleet in specs.of("Fleet"):
        problems.extend(_members(fleet, specs, is_built_in))
    problems.extend(_cycles(specs.of("Queue"), {queue.name: _dead_letters(queue) for queue in specs.of("Queue")}))
    problems.extend(_cycles(specs.of("Model"), {model.name: _fallbacks(model) for model in specs.of("Model")}))
    return tuple(problems)


_KINDS = ("Agent", "Model", "Queue", "ToolSet", "Provider", "Script", "Schedule", "Eval")
Edges = Mapping[str, Sequence[tuple[Path, str]]]


def refer(
    spec: Spec, specs: SpecSet, kind: str, name: str, *path: str | int, abstract: bool = False
) -> Iterator[Problem]:
    """A problem when `kind/name` is not declared, or an abstract agent where it has to run; `abstract` allows one."""
    found = specs.get(kind, name)
    if found is not None and found.abstract and not abstract:
        message = f"agent '{name}' is abstract and never runs; name an agent that extends it"
        yield spec.problem("STK209", message, *path, related=(found.related("abstract here", "abstract"),))
    if not specs.may_exist(kind, name):
        names = specs.names(kind)
        others = [other for other in _KINDS if other != kind]
        wrong = next((other for other in others if name in specs.names(other)), None)
        if wrong is not None and kind != "Warmup" and not _close(name, names):
            yield spec.problem("STK206", f"'{name}' is of kind {wrong}; expected one of kind {kind}", *path)
            return
        hint = did_you_mean(name, names, also=f"declared {kind}s")
        if kind == "Model" and spec.kind == "Agent" and not _close(name, names):
            hint += "; one that is not declared is written 'family/model', such as 'openai/gpt-5-mini'"
        fixes = _name_fix(spec, name, names, path)
        yield spec.problem("STK201", f"{kind} '{name}' is not defined{hint}", *path, fixes=fixes)


def _name_fix(spec: Spec, name: str, names: Collection[str], path: Path) -> tuple[Fix, ...]:
    """The nearest name, in the place of the part of a value that is one: the set of `set/*`."""
    where, text = spec.where(*path), str(spec.node.at(path).data)
    part = where if text == name else inside(where, text, 0, len(name))
    if text != name and (part == where or not text.startswith(name)):
        return ()
    return word_fix(part, name, names, beside=_beside(spec, path))


def _beside(spec: Spec, path: Path) -> Sequence[str]:
    """The list that the value under `path` is an item of."""
    return spec.node.at(path[:-1]).data if isinstance(path[-1], int) else ()


def _close(name: str, names: frozenset[str]) -> bool:
    return "did you mean" in did_you_mean(name, names)


def _agent(agent: Spec, specs: SpecSet) -> Iterator[Problem]:
    for path, name in _agent_models(agent):
        if is_model_name(name):
            yield from refer(agent, specs, "Model", name, *path)
    for index, name in enumerate(agent.data.get("subagents", [])):
        if name == agent.name:
            message = f"agent '{name}' names itself as a subagent: {name} -> {name}"
            yield agent.problem("STK203", message, "subagents", index)
        else:
            yield from refer(agent, specs, "Agent", name, "subagents", index)
    warmup = agent.data.get("warmup")
    if warmup is not None:
        path = ("warmup", "use") if isinstance(warmup, Mapping) else ("warmup",)
        used = warmup.get("use") if isinstance(warmup, Mapping) else warmup
        if used is not None:
            yield from refer(agent, specs, "Warmup", used, *path)
    for index, name in enumerate(agent.data.get("eval", {}).get("require", [])):
        yield from refer(agent, specs, "Eval", name, "eval", "require", index)
    for index, module in enumerate(agent.data.get("sandbox", {}).get("imports", [])):
        if module.partition(".")[0] in NEVER_IMPORTED:
            message = f"module '{module}' can never be imported by an agent's code; offer a tool in its place"
            yield agent.problem("STK403", message, "sandbox", "imports", index)
    yield from _patterns(agent, specs)


def _agent_models(agent: Spec) -> list[tuple[Path, str]]:
    model = agent.data.get("model", {})  # an abstract agent may have none
    if isinstance(model, str):
        return [(("model",), model)]
    first: list[tuple[Path, str]] = [(("model", "use"), model["use"])] if "use" in model else []
    return first + [(("model", "fallback", index), name) for index, name in enumerate(model.get("fallback", []))]


def _pattern_paths(agent: Spec) -> Iterator[tuple[str, Path]]:
    use, deny = use_and_deny(agent)
    nested = isinstance(agent.data.get("tools"), Mapping)
    yield from ((pattern, ("tools", "use", n) if nested else ("tools", n)) for n, pattern in enumerate(use))
    yield from ((pattern, ("tools", "deny", n)) for n, pattern in enumerate(deny))
    approve = agent.data["tools"].get("approve", ()) if nested else ()
    yield from ((pattern, ("tools", "approve", n)) for n, pattern in enumerate(approve))


def _patterns(agent: Spec, specs: SpecSet) -> Iterator[Problem]:
    uses = {pattern: path for pattern, path in _pattern_paths(agent) if path[1] not in {"deny", "approve"}}
    for pattern, path in _pattern_paths(agent):
        problem = _both(agent, pattern, uses[pattern], path) if path[1] == "deny" and pattern in uses else None
        if problem is not None:
            yield problem
        else:
            yield from _one_pattern(agent, specs, pattern, path)
    if not agent.abstract:
        yield from _same_names(agent, specs, uses)


def _both(agent: Spec, pattern: str, use: Path, deny: Path) -> Problem | None:
    """A tool that is used and denied: good only where a nearer document denies what one farther away uses."""
    used, denied = agent.node.at(use).file, agent.node.at(deny).file
    if used == denied:
        message = f"'{pattern}' is both used and denied; deny wins, so remove one of them"
        return agent.problem("STK505", message, *deny)
    files = [layer.document.file for layer in agent.layers]
    if files.index(denied) < files.index(used):
        return None
    message = f"'{pattern}' is used here, but denied by {denied}; what a parent denies cannot be had back"
    return agent.problem("STK505", message, *use, related=(Related(denied, agent.where(*deny), "denied here"),))


def _one_pattern(agent: Spec, specs: SpecSet, pattern: str, path: Path) -> Iterator[Problem]:
    toolset, _, name = pattern.partition("/")
    if name and "*" not in toolset and toolset not in specs.names("ToolSet"):
        yield from refer(agent, specs, "ToolSet", toolset, *path)
        return
    tools = all_tools(specs)
    bad = any(found == toolset or "*" in toolset for found in specs.broken_of("ToolSet"))
    if bad or specs.is_unsure("ToolSet") or matching(pattern, tools) or has_more(specs, toolset):
        return
    names = [tool.full_name for tool in tools]
    hint = did_you_mean(pattern, names, also="declared tools")
    fixes = word_fix(agent.where(*path), pattern, names, beside=_beside(agent, path)) if "*" not in pattern else ()
    yield agent.problem("STK504", f"'{pattern}' fits no tool{hint}", *path, fixes=fixes)


def _same_names(agent: Spec, specs: SpecSet, paths: Mapping[str, Path]) -> Iterator[Problem]:
    """Tools, subagents and inputs share the names of a job."""
    for index, name in enumerate(agent.data.get("subagents", [])):
        if name in agent.data.get("inputs", {}):
            message = f"subagent '{name}' has the name of input '{name}', which would hide it; rename one"
            yield agent.problem("STK503", message, "subagents", index)
    taken = {name: f"subagent '{name}'" for name in agent.data.get("subagents", [])}
    taken |= {name: f"input '{name}'" for name in agent.data.get("inputs", {})}
    for pattern, tool in selected(agent, specs):
        if tool.name in taken:
            message = f"tool '{tool.full_name}' has the name of {taken[tool.name]}; rename one, or deny the tool"
            yield agent.problem("STK503", message, *paths[pattern])
        taken.setdefault(tool.name, f"tool '{tool.full_name}'")


def _fallbacks(model: Spec) -> list[tuple[Path, str]]:
    return [(("fallback", index), name) for index, name in enumerate(model.data.get("fallback", []))]


def _model(model: Spec, is_built_in: Callable[[str], bool], specs: SpecSet) -> Iterator[Problem]:
    if not is_built_in(model.data["provider"]):
        yield from refer(model, specs, "Provider", model.data["provider"], "provider")
    for path, name in _fallbacks(model):
        yield from refer(model, specs, "Model", name, *path)
    provider = specs.get("Provider", model.data["provider"])
    if provider is not None and provider.data.get("driver") == "scripted":
        yield from refer(model, specs, "Script", model.data["id"], "id")


def _script(script: Spec, specs: SpecSet) -> Iterator[Problem]:
    for index, rule in enumerate(script.data["rules"]):
        name = rule.get("when", {}).get("agent")
        if name is not None:
            yield from refer(script, specs, "Agent", name, "rules", index, "when", "agent")


def _members(fleet: Spec, specs: SpecSet, is_built_in: Callable[[str], bool]) -> Iterator[Problem]:
    for name in fleet.data.get("providers", {}):
        if not (specs.may_exist("Provider", name) or is_built_in(name)):
            names = specs.names("Provider")
            hint, where = did_you_mean(name, names, also="declared Providers"), ("providers", name)
            found = fleet.at_key("STK201", f"Provider '{name}' is not defined{hint}", *where)
            yield replace(found, fixes=word_fix(found.range, name, names, beside=fleet.data["providers"]))
    for field, kind in (("agents", "Agent"), ("queues", "Queue")):
        for index, name in enumerate(fleet.data.get(field, [])):
            yield from refer(fleet, specs, kind, name, field, index)


def _dead_letters(queue: Spec) -> list[tuple[Path, str]]:
    """The queue's own name is reported elsewhere."""
    name = queue.data.get("dead_letter")
    return [(("dead_letter",), name)] if name not in (None, queue.name) else []


def _queue(queue: Spec, specs: SpecSet) -> Iterator[Problem]:
    if queue.has("dead_letter") and queue.data["dead_letter"] != queue.name:
        yield from refer(queue, specs, "Queue", queue.data["dead_letter"], "dead_letter")
    if not queue.has("agent"):
        return
    yield from refer(queue, specs, "Agent", queue.data["agent"], "agent")
    agent = specs.get("Agent", queue.data["agent"])
    for name, shape in (agent.data.get("inputs", {}) if agent is not None else {}).items():
        given = name == queue.data["deliver_as"] or "default" in shape or shape.get("optional", False)
        if not given and queue.data["deliver_as"] in _inputs(agent):
            message = (
                f"queue '{queue.name}' delivers '{queue.data['deliver_as']}' only, but agent '{queue.data['agent']}' "
                f"also requires input '{name}'; give it a default or make it optional"
            )
            yield queue.problem("STK607", message, "deliver_as")


def _prefixes(specs: SpecSet) -> Iterator[Problem]:
    """A prefix has one writer, so one queue."""
    first: dict[str, Spec] = {}
    for queue in sorted(specs.of("Queue"), key=lambda found: (found.document.file, found.document.line)):
        prefix = queue.data.get("prefix")
        if prefix is not None and first.setdefault(prefix, queue) is not queue:
            other = first[prefix]
            place = other.related("bound here first", "prefix")
            at = f"{place.file}:{place.range.start.line}"
            message = f"prefix '{prefix}' is bound already, to queue '{other.name}' at {at}; give each queue its own"
            yield queue.problem("STK606", message, "prefix", related=(place,))


def _inputs(agent: Spec | None) -> tuple[str, ...]:
    return tuple(agent.data.get("inputs", {})) if agent is not None else ()


def _fleets(fleets: Sequence[Spec]) -> Iterator[Problem]:
    """A worker runs the one Fleet there is: of several it could not tell which."""
    ordered = sorted(fleets, key=lambda fleet: (fleet.document.file, fleet.document.line))
    for fleet in ordered[1:]:
        first = ordered[0]
        here, there = (_name_range(spec) for spec in (fleet, first))
        place = f"{first.document.file}:{there.start.line}"
        message = f"a second Fleet is not supported yet; '{first.name}' at {place} is the first: keep one of them"
        related = (Related(first.document.file, there, "the first Fleet"),)
        file, at = fleet.document.file, pointer(("metadata", "name"))
        yield make_problem("STK100", message, file, here, object=fleet.id, pointer=at, related=related)


def _name_range(spec: Spec) -> Range:
    assert spec.document.node is not None
    return first_line(spec.document.node.at(("metadata", "name")).span)


def _cycles(specs: Sequence[Spec], edges: Edges) -> Iterator[Problem]:
    """One problem for each circle, at the reference that closes it."""
    by_name = {spec.name: spec for spec in specs}
    for name, path, shown in find_cycles(edges):
        spec = by_name[name]
        yield spec.problem("STK203", f"{spec.kind}s refer to each other in a circle: {shown}", *path)
