"""Specs as written to specs as they hold in one environment: inheritance, Defaults, Overlays, variables. Pure.

From the farthest to the nearest: built-in defaults (the compiler has them), Defaults, the line of `extends`, the
agent itself, the Overlays of the environment; then `${var:NAME}`. Rules about a whole object are checked here, once it
is whole, and each mistake is told once, in the file that makes it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from statek.spec.checking.complete import missing_fields
from statek.spec.checking.explain import explain
from statek.spec.checking.rules import check_rules
from statek.spec.checking.validate import check_value, has_errors
from statek.spec.merging.descent import check_descent, check_matches, merged, parents_of
from statek.spec.merging.layering import unfolded
from statek.spec.merging.overlays import SHORT, Patch, check_whole, patched, read_patches
from statek.spec.merging.variables import check_references, check_variables, filled, refers, variables
from statek.spec.problems import Problem, once, ordered
from statek.spec.reading.lint import spoils
from statek.spec.reading.nodes import Node
from statek.spec.reading.project import EnvConfig, ProjectConfig
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
    patches, wrong = read_patches(specs, env)
    problems = [*check_descent(specs), *wrong, *check_variables(specs), *check_matches(specs)]
    by_target: dict[Key, list[Patch]] = {}
    for patch in patches:
        by_target.setdefault(patch.target, []).append(patch)
    kept: dict[Key, Spec] = {}
    given = specs.specs
    for key, found in zip(sorted(given), _wholes(specs, by_target, config.env(env)), strict=True):
        problems.extend(found.problems)
        if found.spec is not None:
            kept[key] = found.spec
    broken = specs.broken | (given.keys() - kept.keys())
    whole = SpecSet(kept, specs.partials, specs.warmups, broken, specs.unsure)
    return whole, ordered(once(problems, homes(specs)) if problems else ())


def homes(specs: SpecSet) -> Mapping[str, str]:
    """The file of each object, by `Kind/name`."""
    return {spec.id: spec.document.file for spec in specs.specs.values()}


class _Whole(NamedTuple):
    """An object as it holds in one environment, and what is wrong with it; None: it cannot be used."""

    spec: Spec | None
    problems: tuple[Problem, ...] = ()


def _wholes(specs: SpecSet, patches: Mapping[Key, list[Patch]], env: EnvConfig) -> Iterator[_Whole]:
    """Every object, by kind and name."""
    for kind in sorted({kind for kind, _ in specs.specs}):
        settings = env if kind in REFERRING else None
        names = {name for found, name in patches if found == kind}
        plain = [spec for spec in specs.of(kind) if spec.name not in names]
        found = iter(specs.each(_whole, plain, (), env.name, settings))
        for spec in specs.of(kind):
            if spec.name in names:
                yield specs.remembered(_whole, spec, tuple(patches[kind, spec.name]), env.name, settings)
            else:
                yield next(found)


def _whole(spec: Spec, patches: tuple[Patch, ...], env: str, values: EnvConfig | None, specs: SpecSet) -> _Whole:
    """`values`: the settings of `env`, for an object whose texts may hold variables."""
    if spec.merged is not None:
        return _Whole(spec)
    if spec.kind == "Agent":
        parents = parents_of(spec, specs)
        if parents is None:
            return _Whole(None)
        found = merged(spec, parents, specs)
        spec = spec if found is None else _with_tree(spec, found.tree, found.layers)
    spec, wrong = _patched(spec, patches, env)
    last = _checked(spec, values, specs)
    return _Whole(last.spec, (*wrong, *last.problems))


def _patched(spec: Spec, patches: Iterable[Patch], env: str) -> tuple[Spec, list[Problem]]:
    """Check the patches of every environment together, lay on those of this one."""
    envs: dict[str, list[Patch]] = {}
    for patch in patches:
        envs.setdefault(patch.env, []).append(patch)
    wrong = {name: list(check_whole(spec.node, spec.kind, tuple(own))) for name, own in envs.items()}
    mine = envs.get(env, []) if not wrong.get(env) else []
    if mine:
        layers = (*reversed([patch.layer for patch in mine]), *(spec.layers or (_own_layer(spec),)))
        spec = _with_tree(spec, patched(spec.node, spec.kind, mine), layers)
    return spec, [problem for found in wrong.values() for problem in found]


def _checked(spec: Spec, env: EnvConfig | None, specs: SpecSet) -> _Whole:
    """Variables, then what only holds of a whole object."""
    problems: list[Problem] = []
    if env is not None and refers(spec.node):
        values = variables(env, specs)
        problems.extend(check_references(spec, values, env.name))
        spec = _with_tree(spec, filled(spec.node, values), spec.layers)
        problems.extend(_failures(spec))
    if spec.kind == "Agent" and not spec.abstract:
        problems.extend(missing_fields(spec))
    if problems and not _all_is_said(spec, specs):
        return _Whole(None)
    if not has_errors(problems) and not spec.abstract:
        problems.extend(check_rules(spec))
    return _Whole(None if spoils(problems) else spec, tuple(problems))


def _all_is_said(spec: Spec, specs: SpecSet) -> bool:
    """Whether no document with problems may say what is missing here."""
    return specs.has_all("Overlay") and (spec.kind != "Agent" or specs.has_all("Defaults"))


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
