"""Policies: rules that the project's own people set for its objects, judged on merged specs.

A rule matches objects of one kind and requires values of them; `true` requires any value but null and false. What a
file leaves out counts with the default of its schema. A rule that cannot be judged (a kind, field or value that is
not there) is a problem of the policy itself. Abstract agents are not judged: those that inherit from them are.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from statek.base.nearest import did_you_mean, nearest
from statek.spec.checking.explain import explain
from statek.spec.checking.rules import tool_names
from statek.spec.checking.validate import check_value
from statek.spec.formats import duration_us, token_count
from statek.spec.positions import first_line
from statek.spec.problems import Problem, Range, Related, Severity
from statek.spec.schema.field_paths import as_mapping, inner
from statek.spec.schema.kinds import SCHEMAS
from statek.spec.schema.parts import VALUE
from statek.spec.schema.project import JUDGED_KINDS
from statek.spec.schema.shapes import Schema
from statek.spec.schema.tools import SOURCES
from statek.spec.types import Path, Spec, SpecSet

_HEAD = ("labels", "annotations", "aliases", "protect")  # of `metadata` in a .yaml file
_SHORT = {"model": "use", "tools": "use", "warmup": "use", "concurrency": "max", "timeout": "total"}
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class _Rule:
    """One rule, and where it stands."""

    policy: Spec
    index: int

    @property
    def data(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.policy.data["rules"][self.index]
        return found

    @property
    def match(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.data.get("match", {})
        return found

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds it is about: all of them when it does not say; only tools have an effect."""
        return (self.match["kind"],) if "kind" in self.match else ("Tool",) if "effect" in self.match else JUDGED_KINDS

    @property
    def severity(self) -> Severity:
        return "warning" if self.data.get("severity", "error").startswith("warn") else "error"

    def path(self, *steps: str) -> Path:
        return ("rules", self.index, *steps)


@dataclass(frozen=True, slots=True)
class _Violation:
    """One field of an object that is not as a rule requires."""

    rule: _Rule
    dotted_path: str
    problem: Problem


@dataclass(frozen=True, slots=True)
class _Judged:
    """An object, or one tool of a ToolSet, as rules see it."""

    spec: Spec
    at: Path
    title: str
    data: Mapping[str, Any]

    def value(self, steps: Sequence[str]) -> Any:
        """The value under `steps`, `_ABSENT` when the file does not give it; short forms count as their long ones."""
        found: Any = self.data
        if steps[0] in {"labels", "annotations"} and len(steps) > 2:
            steps = (steps[0], ".".join(steps[1:]))
        for step, outer in zip(steps, ("", *steps), strict=False):
            if isinstance(found, Mapping):
                found = found.get(step, _ABSENT)
            elif found is _ABSENT or _SHORT.get(outer) != step:
                return _ABSENT
        return found

    def problem(self, message: str, rule: _Rule, steps: Sequence[str]) -> Problem:
        """At the value, or where the object starts when there is none."""
        more: dict[str, Any] = {"severity": rule.severity, "related": (_rule_place(rule),)}
        if self.value(steps) is _ABSENT:
            return replace(self.spec.missing("STK701", message, *self.at), **more)
        if steps[0] in _HEAD and self.spec.document.node is not None and self.spec.document.form == "yaml":
            more["range"] = first_line(self.spec.document.node.at(("metadata", *steps)).span)
        return replace(self.spec.problem("STK701", message, *self.at, *steps), **more)


def check_policies(specs: SpecSet) -> Iterator[Problem]:
    """Rules that cannot be judged, and what violates the others: of those of one id the first."""
    rules = tuple(_Rule(policy, n) for policy in specs.of("Policy") for n in range(len(policy.data["rules"])))
    wrong = {rule: specs.told(_check_rule, rule) for rule in rules}
    judged = (rule for rule in rules if _first_of_ids(rule.policy)[rule.data["id"]] == rule.index)
    found = _violations(tuple(rule for rule in judged if not wrong[rule]), specs)
    for policy in specs.of("Policy"):
        yield from _ids(policy)
        for rule in (rule for rule in rules if rule.policy is policy):
            yield from wrong[rule] or _each_once(found.get(rule, []))


def _first_of_ids(policy: Spec) -> dict[str, int]:
    """Where the first rule of each id stands."""
    first: dict[str, int] = {}
    for index, rule in enumerate(policy.data["rules"]):
        first.setdefault(rule["id"], index)
    return first


def _ids(policy: Spec) -> Iterator[Problem]:
    first = _first_of_ids(policy)
    for index, rule in enumerate(policy.data["rules"]):
        line = policy.where("rules", first[rule["id"]], "id").start.line
        if first[rule["id"]] != index:
            message = f"rule '{rule['id']}' stands twice in Policy '{policy.name}'; the first is on line {line}"
            yield policy.problem("STK110", message, "rules", index, "id")


def _check_rule(rule: _Rule, _specs: SpecSet) -> Iterator[Problem]:
    """What makes a rule impossible to judge."""
    if "effect" in rule.match and rule.kinds != ("Tool",):
        message = f"unknown field 'effect' in 'match': objects of kind {rule.kinds[0]} have none; write 'kind: Tool'"
        yield rule.policy.at_key("STK101", message, *rule.path("match", "effect"))
    for dotted_path, wanted in rule.data["require"].items():
        yield from _requirement(rule, dotted_path, wanted)


def _requirement(rule: _Rule, dotted_path: str, wanted: Any) -> Iterator[Problem]:
    steps, path = dotted_path.split("."), rule.path("require", dotted_path)
    found = [shape for kind in rule.kinds if (shape := _field(kind, steps)) is not None]
    shapes = [{**shape, "$defs": {"value": VALUE}} for shape in found]
    if not shapes:
        of = f"kind {rule.kinds[0]}" if len(rule.kinds) == 1 else "any kind"
        hint = _nearest_field(rule.kinds[0], steps) if len(rule.kinds) == 1 else ""
        message = f"unknown field '{dotted_path}' in 'require': objects of {of} have none of that name{hint}"
        yield rule.policy.at_key("STK101", message, *path)
    elif not _is_mark(wanted) and all(any(check_value(shape, wanted)) for shape in shapes):
        for failure in check_value(shapes[0], wanted):
            told = explain(replace(failure, path=(*path, *failure.path)), rule.policy.node)
            yield rule.policy.problem(told.code, told.message, *path)


def _violations(rules: tuple[_Rule, ...], specs: SpecSet) -> Mapping[_Rule, list[_Violation]]:
    """What violates each rule, in the order of kinds and names."""
    found: dict[_Rule, list[_Violation]] = {rule: [] for rule in rules}
    for kind in JUDGED_KINDS if rules else ():
        objects = specs.of("ToolSet" if kind == "Tool" else kind)
        for violation in specs.told_of_each(_violations_of, objects, kind, rules):
            found[violation.rule].append(violation)
    return found


def _violations_of(spec: Spec, kind: str, rules: tuple[_Rule, ...], _specs: SpecSet) -> Iterator[_Violation]:
    for judged in _objects(kind, spec):
        for rule in rules:
            if kind in rule.kinds and _matches(judged, rule.match):
                yield from _judge(rule, kind, judged)


def _each_once(violations: Iterable[_Violation]) -> Iterator[Problem]:
    """A value that several objects inherit is one mistake."""
    told: set[tuple[str, str, Range]] = set()
    for violation in violations:
        key = (violation.dotted_path, violation.problem.file, violation.problem.range)
        if key not in told:
            yield violation.problem
        told.add(key)


_MANY = {"openapi", "mcp"}  # entries of several tools, whose effects nobody knows before they are asked for


def _matches(judged: _Judged, match: Mapping[str, Any]) -> bool:
    effect = judged.data.get("effect", None if _MANY & judged.data.keys() else "external")
    labels = match.get("labels", {}).items()
    return match.get("effect", effect) == effect and all(judged.spec.labels.get(name) == word for name, word in labels)


def _judge(rule: _Rule, kind: str, judged: _Judged) -> Iterator[_Violation]:
    for dotted_path, wanted in rule.data["require"].items():
        steps = dotted_path.split(".")
        shape = _field(kind, steps)
        found = judged.value(steps)
        counts = shape.get("default") if found is _ABSENT and shape is not None else found
        if shape is not None and not _fits(_short(counts, wanted, steps[-1]), wanted, shape):
            said = f"{rule.data['message']}; " if "message" in rule.data else ""
            message = (
                f"{judged.title} violates rule '{rule.data['id']}' of Policy '{rule.policy.name}': {said}"
                f"'{dotted_path}' must be {_wanted(wanted, shape)}, found {_found(found, counts)}"
            )
            yield _Violation(rule, dotted_path, judged.problem(message, rule, steps))


def _objects(kind: str, spec: Spec) -> Iterator[_Judged]:
    if kind == "Tool":
        for index, tool in enumerate(spec.data["tools"]):
            yield _Judged(spec, ("tools", index), _tool_title(spec.name, tool), tool)
    elif not spec.abstract:
        whole = spec.document.node
        head = whole.members["metadata"].data if whole is not None and spec.document.form == "yaml" else {}
        yield _Judged(spec, (), f"{kind} '{spec.name}'", {**head, **spec.data})


def _tool_title(toolset: str, tool: Mapping[str, Any]) -> str:
    names, source = tool_names(tool), next(name for name in SOURCES if name in tool)
    if len(names) == 1:
        return f"tool '{toolset}/{names[0]}'"
    return f"'{source}' of ToolSet '{toolset}'"


def _is_mark(wanted: Any) -> bool:
    """Whether a rule asks for something to be set or not, in place of a value."""
    return wanted is None or isinstance(wanted, bool)


def _short(found: Any, wanted: Any, field: str) -> Any:
    """A value as a rule compares it: `model: fast` is `model: {use: fast}`."""
    is_long = isinstance(found, Mapping) and not isinstance(wanted, Mapping) and not _is_mark(wanted)
    return found.get(_SHORT.get(field, "")) if is_long else found


def _fits(found: Any, wanted: Any, shape: Mapping[str, Any]) -> bool:
    if wanted is True:
        return found is not None and found is not False
    if wanted is False or wanted is None:
        return found is None or found is False
    if isinstance(found, bool) or found is None:
        return False
    return bool(_measured(found, shape) == _measured(wanted, shape))


def _measured(value: Any, shape: Mapping[str, Any]) -> Any:
    """Durations and numbers of tokens by their size, everything else as it is."""
    form = shape.get("x-format", "")
    if "duration" in form and isinstance(value, str):
        return duration_us(value)
    return token_count(value) if form == "tokens" else value


def _wanted(wanted: Any, shape: Mapping[str, Any]) -> str:
    if not _is_mark(wanted) or shape.get("type") == "boolean":
        return _text(wanted)
    return "set" if wanted else "absent"


def _found(found: Any, counts: Any) -> str:
    if found is not _ABSENT:
        return _text(found)
    return "nothing" if counts is None else f"nothing, which means {_text(counts)}"


def _text(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def _rule_place(rule: _Rule) -> Related:
    return Related(rule.policy.document.file, rule.policy.where(*rule.path("id")), "the rule")


def _field(kind: str, steps: Sequence[str]) -> Schema | None:
    """The schema of a field, found as rules write it."""
    shape: Schema | None = _shape(kind)
    for step in steps:
        mapping = _mapping(kind, shape)
        shape = inner(mapping, step) if mapping is not None else None
    return shape


def _mapping(kind: str, shape: Schema | None) -> Schema | None:
    return as_mapping("ToolSet" if kind == "Tool" else kind, shape) if shape is not None else None


def _properties(kind: str, steps: Sequence[str]) -> Mapping[str, Schema]:
    found: Mapping[str, Schema] = (_mapping(kind, _field(kind, steps)) or {}).get("properties", {})
    return found


def _shape(kind: str) -> Schema:
    if kind == "Agent":
        return SCHEMAS["Agent"]
    spec = SCHEMAS["ToolSet" if kind == "Tool" else kind]["properties"]["spec"]
    if kind == "Tool":
        tool: Schema = spec["properties"]["tools"]["items"]
        return tool
    head = SCHEMAS[kind]["properties"]["metadata"]["properties"]
    return {"properties": {**{name: head[name] for name in _HEAD}, **spec["properties"]}}


def _nearest_field(kind: str, steps: Sequence[str]) -> str:
    """The end of a message: the nearest field where the path leaves the schema, or one that ends like it."""
    depth = next(n for n in range(1, len(steps) + 1) if _field(kind, steps[:n]) is None)
    known = list(_properties(kind, steps[: depth - 1]))
    close = nearest(steps[depth - 1], known)
    if close is not None:
        return f"; did you mean '{'.'.join((*steps[: depth - 1], close))}'?"
    within = [name for name in known if steps[depth - 1] in _properties(kind, (*steps[: depth - 1], name))]
    if within:
        return f"; did you mean '{'.'.join((*steps[: depth - 1], within[0], *steps[depth - 1 :]))}'?"
    return did_you_mean(steps[depth - 1], known, also="fields there")
