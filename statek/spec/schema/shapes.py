"""Small builders of JSON Schema: one call for one field. Only data; `schema` puts the kinds together.

Each field carries a description and examples, so that editors and `statek explain` can show them. `x-format` names
the format of `formats` whose pattern is used. `x-later` marks a field that is checked by its shape and that this
build does not run yet, `x-later-values` such values of a field; editors pass over both. `x-required` names fields that
must be there once inheritance and defaults are merged, where `required` would refuse a file that leaves them out.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from statek.spec.formats import FORMATS

Schema = dict[str, Any]


def text(description: str, *examples: str, longest: int = 4096, **more: Any) -> Schema:
    """Text of at least one character."""
    return {
        "type": "string",
        "minLength": 1,
        "maxLength": longest,
        "description": description,
        "examples": list(examples),
        **more,
    }


def formatted(name: str, description: str, *examples: str) -> Schema:
    """Text in one of the named formats."""
    return {
        "type": "string",
        "pattern": FORMATS[name].pattern,
        "x-format": name,
        "description": description,
        "examples": list(examples) or [FORMATS[name].example],
    }


def duration(description: str, default: str | None = None, *, zero: bool = False) -> Schema:
    """A duration; `zero` allows 0s."""
    shape = formatted("duration" if zero else "positive-duration", description, default or "30s")
    return shape if default is None else {**shape, "default": default}


def tokens(description: str, default: str | None = None) -> Schema:
    """A number of tokens: an integer, or text such as 60k."""
    shape: Schema = {
        "type": ["integer", "string"],
        "minimum": 1,
        "pattern": FORMATS["tokens"].pattern,
        "x-format": "tokens",
        "description": description,
        "examples": ["60k", 60000],
    }
    return shape if default is None else {**shape, "default": default}


def integer(description: str, *, least: int = 0, default: int | None = None, example: int = 5) -> Schema:
    """A whole number, at least `least`."""
    shape: Schema = {
        "type": "integer",
        "minimum": least,
        "maximum": 10**12,
        "description": description,
        "examples": [example],
    }
    return shape if default is None else {**shape, "default": default}


def percentage(description: str, example: str = "5%") -> Schema:
    """A share, as text with a percent sign."""
    return formatted("percentage", description, example)


def money(description: str, example: float = 0.5) -> Schema:
    """US dollars."""
    return {"type": "number", "minimum": 0, "description": description, "examples": [example]}


def nullable(shape: Schema) -> Schema:
    """The same, or null for no bound."""
    kinds = shape["type"] if isinstance(shape["type"], list) else [shape["type"]]
    return {**shape, "type": [*kinds, "null"], "default": None}


def boolean(description: str, *, default: bool) -> Schema:
    """True or false."""
    return {"type": "boolean", "description": description, "default": default, "examples": [not default]}


def choice(values: Sequence[str], description: str, default: str | None = None, **more: Any) -> Schema:
    """One of a few words."""
    shape: Schema = {"enum": list(values), "description": description, "examples": [values[-1]], **more}
    return shape if default is None else {**shape, "default": default}


def listing(item: Schema, description: str, example: Sequence[Any], *, least: int = 0, repeats: bool = False) -> Schema:
    """A list; `repeats` lets items stand in it twice."""
    shape: Schema = {"type": "array", "items": item, "description": description, "examples": [list(example)]}
    if not repeats:
        shape["uniqueItems"] = True
    return {**shape, "minItems": least} if least else shape


def fields(
    description: str,
    properties: Mapping[str, Schema],
    *,
    required: Sequence[str] = (),
    merged: Sequence[str] = (),
    example: Any = None,
) -> Schema:
    """A mapping with just these fields, and any that start with `x-`; those in `merged` are required after merging."""
    titled = {name: {"title": name.replace("_", " "), **shape} for name, shape in properties.items()}
    shape: Schema = {
        "type": "object",
        "description": description,
        "properties": titled,
        "patternProperties": {"^x-": {}},
        "additionalProperties": False,
    }
    if required:
        shape["required"] = list(required)
    if merged:
        shape["x-required"] = list(merged)
    if example is not None:
        shape["examples"] = [example]
    return shape


def mapping(value: Schema, description: str, example: Mapping[str, Any], *, keys: str | None = None) -> Schema:
    """A mapping with free keys; `keys` names the format they must have. Keys with `x-` pass when there is one."""
    shape: Schema = {
        "type": "object",
        "additionalProperties": value,
        "description": description,
        "examples": [dict(example)],
    }
    if keys is not None:
        shape["propertyNames"] = {"pattern": f"^x-.*$|{FORMATS[keys].pattern}", "x-format": keys}
        shape["patternProperties"] = {"^x-": {}}
    return shape


def either(description: str, examples: Sequence[Any], **shapes: Schema) -> Schema:
    """One of several shapes, told apart by their JSON type (`string=..., object=..., array=...`)."""
    branches = [{"if": {"type": kind}, "then": shape} for kind, shape in shapes.items()]
    return {"type": list(shapes), "allOf": branches, "description": description, "examples": list(examples)}


def later(shape: Schema, hint: str = "") -> Schema:
    """A field that is checked by `shape` and that this build does not run yet; `hint`: what to do but removing it."""
    return {**shape, "x-later": hint}


def later_values(shape: Schema, values: Sequence[Any]) -> Schema:
    """A field of which this build does not run some values yet."""
    return {**shape, "x-later-values": list(values)} if values else shape


def form_of(shape: Schema, kind: str) -> Schema:
    """What `either` says of values of the JSON type `kind`; a shape of one form as it is."""
    return next((branch["then"] for branch in shape.get("allOf", ()) if branch["if"]["type"] == kind), shape)


def forms_of(shape: Schema) -> list[Schema]:
    """A shape, and behind it every form that `either` gives it."""
    return [shape, *(branch["then"] for branch in shape.get("allOf", ()))]


def without_notes(data: Any, shape: Schema, value: Schema) -> Any:
    """`data` without the fields that start with `x-`, wherever `shape` lets them pass; `value` is `#/$defs/value`."""
    if "$ref" in shape:
        shape = value
    kinds: dict[type, str] = {dict: "object", list: "array", str: "string"}
    shape = form_of(shape, kinds.get(type(data), ""))
    if isinstance(data, list):
        return [without_notes(item, shape.get("items", {}), value) for item in data]
    if not isinstance(data, dict):
        return data
    known, others = shape.get("properties", {}), shape.get("additionalProperties") or {}
    kept = [name for name in data if not (name.startswith("x-") and "patternProperties" in shape)]
    return {name: without_notes(data[name], known.get(name, others), value) for name in kept}
