"""Values by dotted path, `limits.turns`: may an object have one there, and what does its schema say? Pure.

A path starts in the front matter of an agent and in the `spec` of every other kind, and goes through mappings only,
free names included. Overlays and `statek why` name values this way; `fields` is for people who look fields up.
"""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from statek.base.nearest import did_you_mean, nearest
from statek.spec.schema.kinds import SCHEMAS
from statek.spec.schema.shapes import Schema, form_of

_DEEPEST = 3  # levels at which a field of the same name is looked for


@dataclass(frozen=True, slots=True)
class Unknown:
    """A path that leads nowhere: `step` is the index of its first unknown part, `reason` ends a message about it."""

    step: int
    reason: str


def shape_at(kind: str, path: Sequence[str]) -> Schema | Unknown:
    """What the schema of a kind says of the value under `path`."""
    shape = whole_shape(kind)
    for step, name in enumerate(path):
        mapping = as_mapping(kind, shape)
        found = inner(mapping, name) if mapping is not None else None
        if found is None:
            return Unknown(step, _reason(kind, path, step, mapping, is_list=shape.get("type") == "array"))
        shape = found
    return shape


@functools.cache
def whole_shape(kind: str) -> Schema:
    """The schema of what is merged: front matter or `spec`. What has to be there after merging is required in it."""
    document = SCHEMAS[kind]
    inner = document if kind == "Agent" else {**document["properties"]["spec"], "$defs": document["$defs"]}
    required: Schema = _required(inner)
    return required


def _required(shape: Any) -> Any:
    if isinstance(shape, list):
        return [_required(item) for item in shape]
    if not isinstance(shape, dict):
        return shape
    found = {name: _required(value) for name, value in shape.items() if name != "x-required"}
    also = shape.get("x-required")
    return {**found, "required": [*found.get("required", ()), *also]} if isinstance(also, list) else found


def as_mapping(kind: str, shape: Schema) -> Schema | None:
    """The schema of a value as a mapping, or None when it cannot be one."""
    if "$ref" in shape:
        referred: Schema = whole_shape(kind)["$defs"]["value"]
        return referred
    shape = form_of(shape, "object")
    return shape if shape.get("type") == "object" or "properties" in shape else None


def inner(shape: Schema, name: str) -> Schema | None:
    """The schema of one field of a mapping, also under a free name."""
    known: Mapping[str, Schema] = shape.get("properties", {})
    others = shape.get("additionalProperties")
    return known.get(name) or (others if isinstance(others, dict) else None)


def _reason(kind: str, path: Sequence[str], step: int, mapping: Schema | None, *, is_list: bool) -> str:
    parent = ".".join(path[:step])
    if mapping is None:
        return f"; '{parent}' is a list, which is set as a whole" if is_list else f"; '{parent}' has no fields"
    known = [".".join((*path[:step], name)) for name in mapping.get("properties", {})]
    wanted = ".".join(path[: step + 1])
    deeper = [field for field in _paths(kind, whole_shape(kind), (), _DEEPEST) if field[-1] == path[-1]]
    if nearest(wanted, known) is None and deeper:
        highest = min(deeper, key=len)
        return f"; did you mean '{'.'.join(highest)}'?"
    return did_you_mean(wanted, known, also="known fields")


def _paths(kind: str, shape: Schema, path: tuple[str, ...], levels: int) -> Iterator[tuple[str, ...]]:
    for name, inner in (as_mapping(kind, shape) or {}).get("properties", {}).items():
        yield (*path, name)
        if levels > 1:
            yield from _paths(kind, inner, (*path, name), levels - 1)
