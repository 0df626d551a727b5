"""Why has a field the value it has? Every place that says something about it, the one that counts first. Pure.

The chain of a value goes from its Overlay, its own file, what it extends and the Defaults, through the settings of the
environment, down to what is built in. A mapping is answered field by field.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from statek.compiler.agents import RELOAD
from statek.compiler.environments import model_in
from statek.compiler.project import Project
from statek.exceptions import StatekError
from statek.spec.merging.descent import ADDED
from statek.spec.merging.overlays import SHORT
from statek.spec.reading.nodes import Node
from statek.spec.reading.project import FILE
from statek.spec.references import VARIABLE
from statek.spec.schema.field_paths import Unknown, as_mapping, shape_at
from statek.spec.schema.shapes import Schema
from statek.spec.types import Origin, Spec

Relation = Literal["counts", "fills", "overrides", "adds to", "from", "now"]  # the last two: `why_job`
_MODELS = (("model",), ("model", "use"), ("model", "fallback"))


@dataclass(frozen=True, slots=True)
class Said:
    """One link of a chain. `relation` is to the link before it; `owner` an object, or whose settings or default it is.

    `file` and `line` are None for what is built in; `text` is what stands there.
    """

    relation: Relation
    text: str
    owner: str
    file: str | None = None
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """One field with its value in the environment, and the chain behind it; an empty one for what nobody says."""

    field: str
    value: Any
    chain: tuple[Said, ...]


class NoSuchField(StatekError):  # noqa: N818 - says what happened
    """The kind has no such field."""


def reasons_for(project: Project, spec: Spec, path: tuple[str, ...]) -> tuple[Reason, ...]:
    """One Reason for the field, or one for each field of a mapping.

    Raises:
        NoSuchField: the kind has no field of that name; the message has the nearest.
    """
    shape = shape_at(spec.kind, path)
    if isinstance(shape, Unknown):
        wrong = ".".join(path[: shape.step + 1])
        raise NoSuchField(f"{spec.kind} has no field '{wrong}'{shape.reason}")
    if not spec.has(*path) and spec.has(*path[:-1]) and SHORT.get(spec.kind, {}).get(path[0]) == path[-1]:
        path = path[:-1]  # the short form stands for it
    return tuple(_reasons(project, spec, path, shape))


def _reasons(project: Project, spec: Spec, path: tuple[str, ...], shape: Schema) -> Iterator[Reason]:
    node = spec.node.at(path) if spec.has(*path) else None
    known: Mapping[str, Schema] = (as_mapping(spec.kind, shape) or {}).get("properties", {})
    if node is not None and node.members:
        names = [*node.members, *(name for name in known if name not in node.members)]
    else:
        names = list(known) if node is None and shape.get("type") == "object" else []
    if not names:
        yield _reason(project, spec, path, node, shape)
    for name in (name for name in names if not name.startswith("x-")):
        inner = shape_at(spec.kind, (*path, name))
        assert not isinstance(inner, Unknown)
        for reason in _reasons(project, spec, (*path, name), inner):
            if reason.chain:
                yield reason


def _reason(project: Project, spec: Spec, path: tuple[str, ...], node: Node | None, shape: Schema) -> Reason:
    chain = [_link(origin) for origin in spec.origins(*path)]
    value = node.data if node is not None else None
    if chain:
        chain[1:1] = _variables(project, chain[0].text)
    if path in _MODELS and spec.kind == "Agent" and node is not None:
        value, replaced = _replaced(project, value)
        chain[:0] = replaced
    below = list(_reload(project, path) if spec.kind == "Agent" else ()) or list(_built_in(shape))
    if not chain and below:
        value = json.loads(below[0].text)
    return Reason(".".join(path), value, tuple(_related([*chain, *below], path)))


def _link(origin: Origin) -> Said:
    start = origin.range.start
    return Said("overrides", origin.text, origin.owner, origin.file, start.line, start.column)


def _related(chain: list[Said], path: tuple[str, ...]) -> Iterator[Said]:
    """The chain with the relation of each link to the one before it; variables that fill one have theirs."""
    before: Said | None = None
    for said in chain:
        if said.relation == "fills":
            yield said
            continue
        both = before is not None and all(one.owner.startswith("Agent/") for one in (said, before))
        relation: Relation = "counts" if before is None else "adds to" if both and path in ADDED else "overrides"
        before = said
        yield Said(relation, said.text, said.owner, said.file, said.line, said.column)


def _variables(project: Project, text: str) -> Iterator[Said]:
    """Where the variables of a text are set."""
    for name in dict.fromkeys(VARIABLE.findall(text)):
        value = json.dumps(project.env.vars.get(name), ensure_ascii=False)
        for overlay in project.specs.of("Overlay"):
            if overlay.data["env"] == project.env.name and overlay.has("vars", name):
                start = overlay.where("vars", name).start
                yield Said("fills", f"{name} = {value}", overlay.id, overlay.document.file, start.line, start.column)
                break
        else:
            yield _setting(project, f"{name} = {value}", "vars", name, relation="fills")


def _setting(project: Project, text: str, *keys: str, relation: Relation = "overrides") -> Said:
    where = project.config.place("tool", "statek", "env", project.env.name, *keys).start
    return Said(relation, text, f"environment {project.env.name}", FILE, where.line, where.column)


def _replaced(project: Project, value: Any) -> tuple[Any, list[Said]]:
    """Models that the environment puts in the place of others."""
    names = value if isinstance(value, list) else [value]
    new = [model_in(project.env, name) for name in names]
    found = [
        _setting(project, json.dumps(other), "models", name)
        for name, other in zip(names, new, strict=True)
        if other != name
    ]
    return (new if isinstance(value, list) else new[0]), found[:1]


def _reload(project: Project, path: tuple[str, ...]) -> Iterator[Said]:
    if path[:1] == ("reload",) and len(path) == 2:
        if path[1] in project.env.reload:
            yield _setting(project, json.dumps(project.env.reload[path[1]]), "reload", path[1])
        yield Said("overrides", json.dumps(RELOAD[path[1]]), "built in")


def _built_in(shape: Schema) -> Iterator[Said]:
    forms = [shape, *(branch["then"] for branch in shape.get("allOf", ()) if "then" in branch)]
    given = [form["default"] for form in forms if "default" in form]
    if given:
        yield Said("overrides", json.dumps(given[0]), "built in")
