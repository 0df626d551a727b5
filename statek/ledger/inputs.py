"""Do inputs fit what an agent declares? One checker for everybody who submits, and for the worker that takes in.

Pure: no file, no SQLite, no compiler. It never converts: what is checked is what the job gets. An object may have more
properties than were declared (feeds do), an agent no more inputs. `null` for something that may be absent counts as
absent, for a template reads both as None.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

from statek.base.nearest import did_you_mean
from statek.ledger.compiled import Agent, Json

_TITLES = {
    "string": "text", "number": "a number", "integer": "a whole number", "boolean": "true or false",
    "object": "an object", "array": "a list",
}  # fmt: skip
_SHOWN = 60  # characters of a wrong value in a message


def check_inputs(agent: Agent, inputs: Json) -> list[str]:
    """What is wrong with `inputs` for this agent, each with its path: `event.mag: expected a number, got "big"`."""
    if not isinstance(inputs, dict):
        return [f"inputs of '{agent.name}' are an object of name and value, got {_shown(inputs)}"]
    found = [
        f"{name}: agent '{agent.name}' has no such input{did_you_mean(name, agent.inputs, also='there are')}"
        for name in inputs
        if name not in agent.inputs
    ]
    for name, shape in agent.inputs.items():
        absent = inputs.get(name) is None
        if absent and is_required(shape):
            found.append(f"{name}: required {_TITLES[shape['type']]} is missing")
        elif not absent:
            found.extend(_check(shape, inputs[name], name))
    return found


def is_required(shape: Mapping[str, Json]) -> bool:
    """Whether a declared input must be given."""
    return not shape.get("optional", False) and "default" not in shape


def fill_defaults(agent: Agent, inputs: Mapping[str, Json]) -> dict[str, Json]:
    """The inputs with the default of each that was not given; those without a default stay away."""
    defaults = {name: shape["default"] for name, shape in agent.inputs.items() if "default" in shape}
    return {**defaults, **{name: value for name, value in inputs.items() if value is not None or name not in defaults}}


def check_value(shape: Mapping[str, Json], value: Json, path: str) -> list[str]:
    """What is wrong with one value of a declared shape, each with its path."""
    return _check(shape, value, path)


def _check(shape: Mapping[str, Json], value: Json, path: str) -> list[str]:
    kind = shape["type"]
    if not _fits(kind, value):
        return [f"{path}: expected {_TITLES[kind]}, got {_shown(value)}"]
    if "enum" in shape and not any(_same(value, allowed) for allowed in shape["enum"]):
        words = ", ".join(_shown(allowed) for allowed in shape["enum"])
        return [f"{path}: expected one of {words}, got {_shown(value)}"]
    if kind == "object":
        return _check_object(shape, value, path)
    if kind == "array" and "items" in shape:
        return [line for n, item in enumerate(value) for line in _check(shape["items"], item, f"{path}[{n}]")]
    return []


def _check_object(shape: Mapping[str, Json], value: Mapping[str, Json], path: str) -> list[str]:
    required = shape.get("required", ())
    found = [f"{path}.{name}: required property is missing" for name in required if value.get(name) is None]
    for name, inner in shape.get("properties", {}).items():
        if value.get(name) is not None:
            found.extend(_check(inner, value[name], f"{path}.{name}"))
    return found


def _fits(kind: str, value: Json) -> bool:
    match kind:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        case "object":
            return isinstance(value, dict)
        case _:
            return isinstance(value, list)


def _same(value: Json, allowed: Json) -> bool:
    """Equal as JSON data: True is not 1."""
    return isinstance(value, bool) == isinstance(allowed, bool) and bool(value == allowed)


def _shown(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):  # what a job gives may be anything
        text = f"something of type {type(value).__name__}"
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
