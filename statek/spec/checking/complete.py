"""Merged agents: is everything there that an agent must have in the end?

Asked after `Defaults`, `extends` and overlays are merged, since a single file may leave out what it inherits. The
schema marks such fields, see `shapes.fields`. Abstract agents are exempt: those that inherit from them are checked.
"""

from collections.abc import Iterator
from typing import Any

from statek.spec.checking.explain import missing_field
from statek.spec.problems import Problem
from statek.spec.schema.kinds import SCHEMAS
from statek.spec.schema.shapes import Schema, form_of
from statek.spec.types import Path, Spec

_WHERE = "; set it here, in an agent it extends, or in Defaults"


def missing_fields(agent: Spec) -> Iterator[Problem]:
    """STK102 for each field that a merged agent must have and has not."""
    shape = SCHEMAS["Agent"]
    for path, name, wanted in _missing(shape, agent.data, (), shape["$defs"]["value"]):
        message = missing_field(name, path, wanted).replace("the document", f"agent '{agent.name}'")
        metadata = agent.data.get("metadata")
        is_there = not path and isinstance(metadata, dict) and name in metadata
        yield agent.missing("STK102", message + ("; it stands in 'metadata'" if is_there else _WHERE), *path)


def _missing(shape: Schema, data: Any, path: Path, value: Schema) -> Iterator[tuple[Path, str, Schema]]:
    """Path, name and shape of each missing field; `value` is `#/$defs/value`."""
    if "$ref" in shape:
        shape = value
    if isinstance(data, dict):
        shape = form_of(shape, "object")
        known, others = shape.get("properties", {}), shape.get("additionalProperties") or {}
        yield from ((path, name, known[name]) for name in shape.get("x-required", ()) if name not in data)
        for name, inner in data.items():
            if isinstance(inner, dict | list):
                yield from _missing(known.get(name, others), inner, (*path, name), value)
    elif isinstance(data, list):
        for index, inner in enumerate(data):
            if isinstance(inner, dict | list):
                yield from _missing(shape.get("items", {}), inner, (*path, index), value)
