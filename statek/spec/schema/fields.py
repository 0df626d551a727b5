"""What a field of a spec is, read from the schemas: type, default, bounds, allowed values. Pure; for `statek explain`.

A path goes through lists and free names as people write it: `ToolSet.tools.effect`, `Agent.inputs.event.type`. Of the
kinds in YAML it begins under `spec`, with or without saying so.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from statek.base.nearest import did_you_mean
from statek.exceptions import StatekError
from statek.spec.formats import FORMATS
from statek.spec.schema.kinds import SCHEMAS
from statek.spec.schema.shapes import Schema, form_of, forms_of

_TYPES = {
    "string": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "object": "mapping",
    "array": "list", "null": "null",
}  # fmt: skip
_BOUNDS = {
    "minimum": "at least {}", "maximum": "at most {}", "minLength": "at least {} characters",
    "maxLength": "at most {} characters", "minItems": "at least {} items", "maxItems": "at most {} items",
    "minProperties": "at least {} fields",
}  # fmt: skip
_SHORT = {
    "positive-duration": "duration",
    "target": "import path",
    "path": "dotted path",
    "regex": "regular expression",
}
_MERGED = "yes, once Defaults, extends and Overlays are merged"
_FEW = 4  # values that are shown in place of their number
_FREE = "<name>"  # stands for a name that the writer chooses


class NoField(StatekError):  # noqa: N818 - says what is missing
    """There is no such kind or field."""


@dataclass(frozen=True, slots=True)
class Part:
    """One field.

    Attributes:
        path: as it is written, `Agent.limits.turns`; `[]` behind a list, `<name>` for a free name.
        types: what it may be, in words; several for a field with several forms.
        brief: the same in a word or two.
        required: whether it must be there, in words that begin with "yes" or "no".
        default: JSON value used when nothing is said; None also when there is none, see `has_default`.
        bounds: in words.
        allowed: the values, when they are listed.
        later: why this build does not run it, "" for "checked, not run yet" alone; None: it runs.
        later_values: those of `allowed` that this build does not run.
        fields: names of what stands below it, with their descriptions.
        one_of: groups of fields of which exactly one must be there.
    """

    path: str
    types: tuple[str, ...]
    brief: str
    description: str
    required: str
    has_default: bool
    default: Any
    bounds: tuple[str, ...]
    allowed: tuple[Any, ...]
    examples: tuple[Any, ...]
    later: str | None
    later_values: tuple[Any, ...]
    fields: tuple["Part", ...] = field(default=())
    one_of: tuple[str, ...] = field(default=())


def kind_names() -> tuple[str, ...]:
    """Every kind that has fields."""
    return tuple(SCHEMAS)


def find_field(kind: str, path: Sequence[str]) -> Part:
    """The field under `path` of a kind, with those one step below it; the kind itself for an empty path.

    Raises:
        NoField: there is none; the message has the nearest name.
    """
    if kind not in SCHEMAS:
        raise NoField(f"there is no kind '{kind}'{did_you_mean(kind, SCHEMAS)}")
    shape, shown, required = _start(kind, path)
    for step in path:
        shape, shown, required = _step(shape, shown, step, kind)
    return _part(kind, shape, shown, required, inner=True)


def _start(kind: str, path: Sequence[str]) -> tuple[Schema, str, str]:
    """Where a path begins: at `spec`, unless it names the head of the document."""
    whole = SCHEMAS[kind]
    if kind == "Agent" or (path and path[0] in whole["properties"]):
        return whole, kind, "yes"
    return whole["properties"]["spec"], kind, "yes"


def _step(shape: Schema, shown: str, step: str, kind: str) -> tuple[Schema, str, str]:
    name = step.removesuffix("[]")
    for form, written in _forms(shape, shown, kind):
        if name in form.get("properties", {}):
            return form["properties"][name], f"{written}.{name}", _required(form, name)
    for form, written in _forms(shape, shown, kind):
        if isinstance(form.get("additionalProperties"), dict):
            return form["additionalProperties"], f"{written}.{_FREE}", "no"
    known = [other for form, _ in _forms(shape, shown, kind) for other in form.get("properties", {})]
    raise NoField(f"'{shown}' has no field '{step}'{did_you_mean(name, known, also='fields')}")


def _forms(shape: Schema, shown: str, kind: str) -> Iterator[tuple[Schema, str]]:
    """The shape and everything it may be instead; the items of a list count as the list's own fields."""
    shape = _resolved(shape, kind)
    yield shape, shown
    for form in forms_of(shape)[1:]:
        yield from _forms(form, shown, kind)
    if isinstance(shape.get("items"), Mapping):
        yield from _forms(shape["items"], f"{shown}[]", kind)


def _resolved(shape: Schema, kind: str) -> Schema:
    reference = shape.get("$ref")
    if reference is None:
        return shape
    found: Schema = SCHEMAS[kind]["$defs"][reference.rpartition("/")[2]]
    return {**found, **{name: value for name, value in shape.items() if name != "$ref"}}


def _required(form: Schema, name: str) -> str:
    if name in form.get("required", ()):
        return "yes"
    return _MERGED if name in form.get("x-required", ()) else "no"


def _part(kind: str, shape: Schema, shown: str, required: str, *, inner: bool) -> Part:
    shape = _resolved(shape, kind)
    forms = forms_of(shape)
    return Part(
        path=shown,
        types=tuple(_types(shape, kind)),
        brief=" or ".join(_types(shape, kind, brief=True)),
        description=shape.get("description", ""),
        required=required,
        has_default=any("default" in form for form in forms),
        default=next((form["default"] for form in forms if "default" in form), None),
        bounds=tuple(_BOUNDS[name].format(form[name]) for form in forms for name in _BOUNDS if _counts(form, name)),
        allowed=tuple(value for form in forms for value in form.get("enum", ())),
        examples=tuple(shape.get("examples", ())),
        later=shape.get("x-later"),
        later_values=tuple(value for form in forms for value in form.get("x-later-values", ())),
        fields=tuple(_below(kind, shape, shown)) if inner else (),
        one_of=tuple(_one_of(kind, shape, shown)) if inner else (),
    )


def _counts(form: Schema, bound: str) -> bool:
    """Whether a bound says anything: every text has a character, and very large numbers are no real bound."""
    return bound in form and not (bound == "minLength" and form[bound] == 1) and form[bound] != 10**12


def _below(kind: str, shape: Schema, shown: str) -> Iterator[Part]:
    seen: set[str] = set()
    for form, written in _forms(shape, shown, kind):
        for name, inner in form.get("properties", {}).items():
            if name not in seen:
                seen.add(name)
                yield _part(kind, inner, f"{written}.{name}", _required(form, name), inner=False)
        free = form.get("additionalProperties")
        if isinstance(free, dict) and _resolved(free, kind).get("description"):
            yield _part(kind, free, f"{written}.{_FREE}", "no", inner=False)


def _one_of(kind: str, shape: Schema, shown: str) -> Iterator[str]:
    for form, _ in _forms(shape, shown, kind):
        names = [" and ".join(choice["required"]) for choice in form.get("oneOf", ()) if "required" in choice]
        if names:
            yield ", ".join(names)


def _types(shape: Schema, kind: str, *, brief: bool = False) -> Iterator[str]:
    """In words: `text: a duration`, `list of: text`, `mapping`; in brief `duration`, `list of text`."""
    listed = shape.get("type", "string" if "enum" in shape else ())
    names = [listed] if isinstance(listed, str) else list(listed)
    if not names:
        yield "any value"
    for name in names:
        yield _type(name, _resolved(form_of(shape, name), kind), kind, brief=brief)


def _type(name: str, form: Schema, kind: str, *, brief: bool) -> str:
    if name == "array" and isinstance(form.get("items"), Mapping):
        inner = " or ".join(_types(_resolved(form["items"], kind), kind, brief=brief))
        return f"list of {inner}" if brief else f"list of: {inner}"
    if name == "string" and "enum" in form:
        return " | ".join(form["enum"]) if brief and len(form["enum"]) <= _FEW else "one of a list of values"
    if name == "string" and "x-format" in form:
        kind_of_text = str(form["x-format"])
        return _SHORT.get(kind_of_text, kind_of_text) if brief else f"text: {FORMATS[kind_of_text].title}"
    return _TYPES[name]
