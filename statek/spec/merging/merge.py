"""Specs as written to specs as they hold in one environment: inheritance, Defaults, Overlays, variables. Pure.

From the farthest to the nearest: built-in defaults (the compiler has them), Defaults, the line of `extends`, the
agent itself, the Overlays of the environment; then `${var:NAME}`. Rules about a whole object are checked here, once it
is whole, and each mistake is told once, in the file that makes it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from statek.spec.checking.complete import missing_fields
from statek.spec.checking.explain import explain
from statek.spec.checking.rules import check_rules
from statek.spec.checking.validate import check_value, has_errors
from statek.spec.merging.descent import Inheritance, check_matches, in_order, lines_of_descent
from statek.spec.merging.layering import unfolded
from statek.spec.merging.overlays import SHORT, Patch, check_whole, patched, read_patches
from statek.spec.merging.variables import check_references, check_variables, filled, refers, variables
from statek.spec.problems import Problem, once, ordered
from statek.spec.reading.lint import spoils
from statek.spec.reading.nodes import Node
from statek.spec.reading.project import ProjectConfig
from statek.spec.references import REFERRING, awaits_variable
from statek.spec.schema.field_paths import whole_shape
from statek.spec.schema.kinds import SCHEMAS
from statek.spec.schema.shapes import without_notes
from statek.spec.types import Layer, Spec, SpecSet

Key = tuple[str, str]


def merge_specs(specs: SpecSet, config: ProjectConfig, env: str) -> tuple[SpecSet, tuple[Problem, ...]]:
    """The specs as they hold in `env`, and every problem of putting them together.

    A spec that has errors is taken out and counts as `broken`. Defaults and Overlays stay in the set, for they are
    objects with names; they give nothing to compile. Merging what is merged changes nothing.
    """
    merging = _Merging(specs, variables(specs, config, env), env)
    merging.run()
    kept = {key: spec for key, spec in merging.done.items() if key not in merging.broken}
    whole = replace(specs, specs=kept, broken=specs.broken | merging.broken)
    return whole, ordered(once(merging.problems, homes(specs)))


def homes(specs: SpecSet) -> Mapping[str, str]:
    """The file of each object, by `Kind/name`."""
    return {spec.id: spec.document.file for spec in specs.specs.values()}


@dataclass
class _Merging:
    """One run over all specs."""

    specs: SpecSet
    values: Mapping[str, Any]
    env: str
    done: dict[Key, Spec] = field(default_factory=dict)
    broken: set[Key] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def run(self) -> None:
        lines, problems = lines_of_descent(self.specs)
        patches, more = read_patches(self.specs, self.env)
        self.problems += [*problems, *more, *check_variables(self.specs), *check_matches(self.specs)]
        by_target: dict[Key, list[Patch]] = {}
        for patch in patches:
            by_target.setdefault(patch.target, []).append(patch)
        inheritance = Inheritance(lines, in_order(self.specs.of("Defaults")))
        for key, spec in sorted(self.specs.specs.items()):
            if spec.merged is not None:
                self.done[key] = spec
            elif spec.kind == "Agent" and spec.name not in lines:
                self.broken.add(key)
            else:
                found = inheritance.merged(spec) if spec.kind == "Agent" else None
                merged = spec if found is None else _with_tree(spec, found.tree, found.layers)
                self._finish(key, self._patch(merged, by_target.get(key, ())))

    def _patch(self, spec: Spec, patches: Iterable[Patch]) -> Spec:
        """Check the patches of every environment together, lay on those of this one."""
        envs: dict[str, list[Patch]] = {}
        for patch in patches:
            envs.setdefault(patch.env, []).append(patch)
        wrong = {name: list(check_whole(spec.node, spec.kind, tuple(own))) for name, own in envs.items()}
        self.problems.extend(problem for found in wrong.values() for problem in found)
        mine = envs.get(self.env, []) if not wrong.get(self.env) else []
        layers = (*reversed([patch.layer for patch in mine]), *(spec.layers or (_own_layer(spec),)))
        return _with_tree(spec, patched(spec.node, spec.kind, mine), layers) if mine else spec

    def _finish(self, key: Key, spec: Spec) -> None:
        """Variables, then what only holds of a whole object."""
        problems: list[Problem] = []
        if spec.kind in REFERRING and refers(spec.node):
            problems.extend(check_references(spec, self.values, self.env))
            spec = _with_tree(spec, filled(spec.node, self.values), spec.layers)
            problems.extend(_failures(spec))
        if spec.kind == "Agent" and not spec.abstract:
            problems.extend(missing_fields(spec))
        if problems and not self._all_is_said(spec):
            self.broken.add(key)
            return
        if not has_errors(problems) and not spec.abstract:
            problems.extend(check_rules(spec))
        self.done[key] = spec
        self.problems.extend(problems)
        self.broken.update({key} if spoils(problems) else ())

    def _all_is_said(self, spec: Spec) -> bool:
        """Whether no document with problems may say what is missing here."""
        return self.specs.has_all("Overlay") and (spec.kind != "Agent" or self.specs.has_all("Defaults"))


def _own_layer(spec: Spec) -> Layer:
    short = SHORT.get(spec.kind, {})
    return Layer(spec.id, spec.document, unfolded(spec.own, short), short)


def _with_tree(spec: Spec, tree: Node, layers: tuple[Layer, ...]) -> Spec:
    """The spec with a merged tree, which stands where its own document stands."""
    tree = replace(tree, span=spec.own.span, file=spec.own.file)
    return replace(spec, data=_plain(spec.kind, tree.data), merged=tree, layers=layers)


def _plain(kind: str, data: Any) -> Any:
    shape = SCHEMAS[kind]
    inner = shape if kind == "Agent" else shape["properties"]["spec"]
    return without_notes(data, inner, shape["$defs"]["value"])


def _failures(spec: Spec) -> Iterator[Problem]:
    """What the schema says of texts that hold variables no longer."""
    for failure in check_value(whole_shape(spec.kind), spec.node.data):
        if not awaits_variable(failure.instance):
            told = explain(failure, spec.node)
            texts = [_text_at(layer.node, failure.path) for layer in spec.layers or (_own_layer(spec),)]
            came = next((f"; it comes from '{text}'" for text in texts if text), "")
            problem = spec.problem(told.code, f"{told.message}{came}", *failure.path)
            yield replace(problem, range=told.where)


def _text_at(node: Node, path: Sequence[str | int]) -> str:
    data = node.at(tuple(path)).data
    return data if isinstance(data, str) and awaits_variable(data) else ""
