"""What an unknown field was meant to be: a near name, one of another level, or the word of another tool. Pure.

`explain` has the words around it, `causes` what else that makes clear.
"""

from collections.abc import Mapping
from typing import Any

from statek.base.nearest import did_you_mean, nearest
from statek.spec.types import Path, dotted

HEAD = ("name", "labels", "annotations", "aliases", "protect")  # of `metadata` in a .yaml file
_PROMPTS = ("prompt", "system_prompt", "systemPrompt", "system", "instructions", "body")
_ALSO_CALLED = {  # by other tools
    "allow": "use", "file": "use", "function": "python", "callable": "python", "path": "python",
    "functions": "tools", "timeout": "wall_clock", "model": "id", "url": "base_url", "type": "driver",
    "input": "input_per_mtok", "output": "output_per_mtok",
}  # fmt: skip


def is_agent(schema: Mapping[str, Any]) -> bool:
    """Whether it is the schema of an agent."""
    return "subagents" in schema.get("properties", ())


def meant(name: str, schema: Mapping[str, Any], value: Any) -> tuple[str, ...] | None:
    """The field that an unknown one was meant to be: of the mapping itself, or of one a level further down."""
    properties = schema["properties"]
    if {"properties", "items"} <= properties.keys() and isinstance(value, dict) and "type" in value:
        return "properties", name  # a property that stands beside them
    if name in _PROMPTS and is_agent(schema):
        return None  # an agent's prompt is no field
    close = nearest(name, properties)
    also = _ALSO_CALLED.get(name)
    if close is not None or also in properties:
        return (close or str(also),)
    for outer, shape in properties.items():
        close = nearest(name, shape.get("properties", {}))
        if close is not None:
            return outer, close
    return None


def choices_of(schema: Mapping[str, Any]) -> list[str]:
    """Fields of which exactly one must be there."""
    return [branch["required"][0] for branch in schema.get("oneOf", ()) if "required" in branch]


def meant_hint(name: str, path: Path, schema: Mapping[str, Any], siblings: Mapping[str, Any]) -> str:
    """The end of a message about an unknown field, the last of `path`, which stands beside `siblings`."""
    close, choices = meant(name, schema, siblings[name]), choices_of(schema)
    if close is not None:
        return f"; did you mean '{close[0] if len(close) == 1 else dotted((*path[:-1], *close))}'?"
    if path[:-1] == ("spec",) and name in HEAD:
        return f"; did you mean 'metadata.{name}'?"
    if path == (name,) and name in _PROMPTS and is_agent(schema):
        return "; the prompt is the text below the front matter"
    if path == ("spec",) and is_agent(schema):
        return "; the fields of an agent stand in the front matter without it"
    if choices and not any(choice in siblings for choice in choices):
        return f"; expected one of {', '.join(choices)}"
    return did_you_mean(name, schema["properties"])
