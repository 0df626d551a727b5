"""Overlays: what is different in one environment. Finds what each patch changes, and whether it may. Pure.

A patch is checked like the file it changes: the same schema, the words of the same checker, at the place of the patch.
Overlays of every environment are checked, those of one are laid over its objects.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from statek.base.nearest import did_you_mean
from statek.spec.checking.explain import Failure, explain
from statek.spec.checking.validate import check_value, later_in
from statek.spec.fixes import word_fix
from statek.spec.merging.descent import SHORT as SHORT_OF_AGENT
from statek.spec.merging.descent import in_order
from statek.spec.merging.layering import nested, over, unfolded
from statek.spec.problems import Problem, Range, Related
from statek.spec.reading.nodes import Node
from statek.spec.references import awaits_variable
from statek.spec.schema.field_paths import Unknown, shape_at, whole_shape
from statek.spec.types import Layer, Path, Spec, SpecSet

FIXED = frozenset({"apiVersion", "kind", "name", "labels", "aliases", "extends", "abstract"})  # what an agent is
SHORT: Mapping[str, Mapping[str, str]] = {
    "Agent": SHORT_OF_AGENT, "Queue": {"concurrency": "max"}, "Provider": {"timeout": "total"},
}  # fmt: skip
_MISSING = {"required", "oneOf"}  # checks of a whole that part of it cannot pass


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """One value of an overlay: `tree` holds it in the shape of the object, `at` is its place in the overlay."""

    overlay: Spec
    env: str
    target: tuple[str, str]
    path: tuple[str, ...]
    tree: Node
    at: Path

    def problem(self, code: str, message: str, where: Range, related: tuple[Related, ...] = ()) -> Problem:
        """A problem at `where` in the overlay."""
        return replace(self.overlay.problem(code, message, *self.at, related=related), range=where)

    @property
    def key(self) -> Range:
        """Where its dotted path stands."""
        return self.overlay.node.key_span(self.at)

    @property
    def layer(self) -> Layer:
        """As a layer of its target."""
        short = SHORT.get(self.target[0], {})
        return Layer(self.overlay.id, self.overlay.document, unfolded(self.tree, short), short)


def read_patches(specs: SpecSet, env: str) -> tuple[tuple[Patch, ...], list[Problem]]:
    """The good patches of all environments in the order they are laid on, and what is wrong with the others."""
    good: list[Patch] = []
    problems: list[Problem] = []
    for overlay in in_order(specs.of("Overlay")):
        for index in range(len(overlay.data.get("patches", []))):
            found, wrong = specs.remembered(_of_target, overlay, index, env)
            good.extend(found)
            problems.extend(wrong)
    return tuple(good), [*problems, *_twice(good)]


def _of_target(overlay: Spec, index: int, env: str, specs: SpecSet) -> tuple[list[Patch], list[Problem]]:
    """The good ones of one entry of `patches`, and what is wrong with the others."""
    given = overlay.data["patches"][index]
    target = (given["target"]["kind"], given["target"]["name"])
    wrong = _target_problem(overlay, index, target, specs)
    if wrong is not None or specs.get(*target) is None:
        return [], [wrong] if wrong is not None else []
    good: list[Patch] = []
    problems: list[Problem] = []
    for patch in _patches(overlay, index, target, given["set"]):
        found = list(_check(patch, now=patch.env == env))
        problems.extend(found)
        good.extend([patch] if all(problem.code == "STK100" for problem in found) else [])
    return good, problems


def _patches(overlay: Spec, index: int, target: tuple[str, str], values: Mapping[str, Any]) -> Iterator[Patch]:
    for dotted in values:
        at: Path = ("patches", index, "set", dotted)
        path = tuple(dotted.split("."))
        if _is_note(target[0], path):
            continue
        tree = nested(path, overlay.node.key_span(at), overlay.node.at(at))
        yield Patch(overlay, overlay.data["env"], target, path, tree, at)


def _is_note(kind: str, path: tuple[str, ...]) -> bool:
    """Whether it leads to an `x-` field, which is the author's own at every level."""
    field = shape_at(kind, path)
    return isinstance(field, Unknown) and path[field.step].startswith("x-")


def _target_problem(overlay: Spec, index: int, target: tuple[str, str], specs: SpecSet) -> Problem | None:
    kind, name = target
    found = specs.get(kind, name)
    if found is not None and found.abstract:
        message = f"agent '{name}' is abstract and never runs, and overlays are not inherited; patch what extends it"
    elif found is None and not specs.may_exist(kind, name):
        message = f"{kind} '{name}' is not defined{did_you_mean(name, specs.names(kind), also=f'declared {kind}s')}"
    else:
        return None
    at = ("patches", index, "target", "name")
    fixes = word_fix(overlay.where(*at), name, specs.names(kind)) if found is None else ()
    return overlay.problem("STK704", message, *at, fixes=fixes)


def _check(patch: Patch, *, now: bool) -> Iterator[Problem]:
    """Field and value of one patch; `now`: whether its environment is the one that is compiled."""
    kind, name = patch.target
    if kind == "Agent" and patch.path[0] in FIXED:
        message = f"'{patch.path[0]}' says what an agent is, and no environment changes that; change it in '{name}.md'"
        yield patch.problem("STK705", message, patch.key)
        return
    field = shape_at(kind, patch.path)
    if isinstance(field, Unknown):
        wrong = ".".join(patch.path[: field.step + 1])
        yield patch.problem("STK705", f"{kind} has no field '{wrong}'{field.reason}", patch.key)
        return
    failures = [failure for failure in check_value(whole_shape(kind), patch.tree.data) if _own(failure, patch)]
    for failure in failures:
        yield _value_problem(patch, failure)
    if now and not failures:
        for failure in later_in(whole_shape(kind), patch.tree.data):
            told = explain(failure, patch.tree)
            yield patch.problem(told.code, told.message, told.where)


def _own(failure: Failure, patch: Patch) -> bool:
    """Whether a failure is about the value itself, not about what is around it or stands in for a variable."""
    within = failure.path[: len(patch.path)] == patch.path
    return not awaits_variable(failure.instance) and (within or failure.check not in _MISSING)


def _value_problem(patch: Patch, failure: Failure) -> Problem:
    told = explain(failure, patch.tree)
    return patch.problem("STK705" if told.code == "STK101" else "STK706", told.message, told.where)


def _twice(patches: Iterable[Patch]) -> Iterator[Problem]:
    """Values that two patches give for one environment: which one counts would hang on the names of files."""
    first: dict[tuple[Any, ...], Patch] = {}
    for patch in patches:
        for path in _leaves(patch.tree.at(patch.path), patch.path):
            other = first.setdefault((patch.env, patch.target, path), patch)
            if other is not patch:
                yield _second(patch, other)
                break


def _leaves(node: Node, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if not node.members:
        yield path
    for name, inner in node.members.items():
        yield from _leaves(inner, (*path, name))


def _second(patch: Patch, other: Patch) -> Problem:
    file, line = other.overlay.document.file, other.key.start.line
    message = (
        f"'{'.'.join(patch.path)}' of {'/'.join(patch.target)} is set twice for environment '{patch.env}'; "
        f"the first is at {file}:{line}: keep one"
    )
    return patch.problem("STK110", message, patch.key, (Related(file, other.key, "set here first"),))


def patched(node: Node, kind: str, patches: Iterable[Patch]) -> Node:
    """The object with its patches; what is not patched keeps its place."""
    for patch in patches:
        node = over(node, patch.tree, SHORT.get(kind, {}), stays=True)
    return node


def check_whole(node: Node, kind: str, patches: tuple[Patch, ...]) -> Iterator[Problem]:
    """What is wrong with an object only since it is patched: a field that is required beside one that was set."""
    known = {(failure.path, failure.check, failure.fact) for failure in check_value(whole_shape(kind), node.data)}
    whole = patched(node, kind, patches)
    for failure in check_value(whole_shape(kind), whole.data):
        if (failure.path, failure.check, failure.fact) not in known and not awaits_variable(failure.instance):
            patch = next((one for one in patches if _meets(one.path, failure.path)), patches[0])
            told = explain(failure, whole)
            message = f"{told.message}; '{'.'.join(patch.path)}' alone does not make it whole"
            yield patch.problem("STK706", message, patch.key)


def _meets(patched_path: tuple[str, ...], path: Path) -> bool:
    return path[: len(patched_path)] == patched_path or patched_path[: len(path)] == path
