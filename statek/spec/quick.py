"""A quick look at values that are most often good: a JSON Schema as nested functions. It has no words for a mistake.

The schema library stays the law. This only says of a value that the library would find nothing in it; whatever is not
plainly good, and all that this build does not run yet, is for the library to judge. So a look may be in doubt where
there is nothing wrong, and must never pass what is.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Look = Callable[[Any], bool]
_NUMBERS = (int, float)
_TYPES: dict[str, Look] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, _NUMBERS) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "null": lambda value: value is None,
}
_WORDS = {"title", "description", "examples", "default", "x-format", "x-required", "$schema", "$id", "$defs"}
_MEMBERS = {"properties", "patternProperties", "additionalProperties"}


def quick_look(schema: Mapping[str, Any]) -> Look:
    """Whether a value is plainly good by `schema`.

    Raises ValueError for a keyword that the language does not use, at the latest when a value comes to it.
    """
    return _Builder(schema.get("$defs", {})).build(schema)


class _Builder:
    """Turns schemas to functions; a definition is built once, and may refer to itself."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self.definitions = definitions
        self.built: dict[str, Look] = {}

    def build(self, schema: Mapping[str, Any]) -> Look:
        looks = [self.keyword(name, schema[name], schema) for name in schema if name not in _WORDS | _MEMBERS]
        if schema.keys() & _MEMBERS:
            looks.append(self.members(schema))
        return looks[0] if len(looks) == 1 else _all(looks)

    def keyword(self, name: str, wanted: Any, schema: Mapping[str, Any]) -> Look:
        if name == "x-later":
            return lambda _value: False
        if name not in _KEYWORDS:
            raise ValueError(f"the language has no schema with '{name}'")
        return _KEYWORDS[name](self, wanted)

    def members(self, schema: Mapping[str, Any]) -> Look:
        """All fields of a mapping; the look at each is built when the first value has the field."""
        known: dict[str, Look] = {}
        shapes = schema.get("properties", {})
        notes = bool(schema.get("patternProperties"))
        others = schema.get("additionalProperties", True)
        other = self.build(others) if isinstance(others, dict) else (lambda _value: bool(others))

        def look(value: Any) -> bool:
            if isinstance(value, dict):
                for name, inner in value.items():
                    if notes and name.startswith("x-"):
                        continue
                    if name in shapes and name not in known:
                        known[name] = self.build(shapes[name])
                    if not known.get(name, other)(inner):
                        return False
            return True

        return look

    def reference(self, path: str) -> Look:
        name = path.removeprefix("#/$defs/")
        if name not in self.definitions:
            raise ValueError(f"the language has no definition at '{path}'")

        def look(value: Any) -> bool:
            if name not in self.built:
                self.built[name] = self.build(self.definitions[name])
            return self.built[name](value)

        return look

    def either(self, branches: Any) -> Look:
        """`allOf` of `if` a type, `then` a shape."""
        cases = [(_TYPES[branch["if"]["type"]], self.build(branch["then"])) for branch in branches]
        return lambda value: all(then(value) for fits, then in cases if fits(value))

    def items(self, shape: Any) -> Look:
        one = self.build(shape)
        return lambda value: not isinstance(value, list) or all(one(item) for item in value)


def _all(looks: Sequence[Look]) -> Look:
    def look(value: Any) -> bool:
        for one in looks:  # noqa: SIM110 - every value of every file comes here, and `all` takes twice the time
            if not one(value):
                return False
        return True

    return look


def _type(_builder: _Builder, wanted: Any) -> Look:
    looks = [_TYPES[name] for name in (wanted if isinstance(wanted, list) else [wanted])]
    return looks[0] if len(looks) == 1 else lambda value: any(look(value) for look in looks)


def _enum(_builder: _Builder, wanted: Any) -> Look:
    return lambda value: isinstance(value, str) and value in wanted


def _pattern(_builder: _Builder, wanted: Any) -> Look:
    fits = re.compile(wanted).fullmatch
    return lambda value: not isinstance(value, str) or fits(value) is not None


def _names(_builder: _Builder, wanted: Any) -> Look:
    fits = re.compile(wanted["pattern"]).fullmatch
    return lambda value: not isinstance(value, dict) or all(fits(name) is not None for name in value)


def _required(_builder: _Builder, wanted: Any) -> Look:
    names = frozenset(wanted)
    return lambda value: not isinstance(value, dict) or names <= value.keys()


def _one_of(_builder: _Builder, wanted: Any) -> Look:
    """Branches that each ask for fields."""
    needed = [frozenset(branch["required"]) for branch in wanted]
    return lambda value: isinstance(value, dict) and sum(names <= value.keys() for names in needed) == 1


def _unique(_builder: _Builder, _wanted: Any) -> Look:
    return lambda value: not isinstance(value, list) or not any(item in value[:n] for n, item in enumerate(value))


def _size(kind: Any, check: Callable[[int, int], bool]) -> Callable[[_Builder, Any], Look]:
    return lambda _builder, wanted: lambda value: not isinstance(value, kind) or check(len(value), wanted)


def _bound(check: Callable[[float, float], bool]) -> Callable[[_Builder, Any], Look]:
    return lambda _builder, wanted: lambda value: not isinstance(value, _NUMBERS) or check(value, wanted)


_KEYWORDS: dict[str, Callable[[_Builder, Any], Look]] = {
    "type": _type, "enum": _enum, "pattern": _pattern, "propertyNames": _names, "required": _required,
    "oneOf": _one_of, "uniqueItems": _unique, "$ref": _Builder.reference, "allOf": _Builder.either,
    "items": _Builder.items,
    "minLength": _size(str, int.__ge__), "maxLength": _size(str, int.__le__), "minItems": _size(list, int.__ge__),
    "minProperties": _size(dict, int.__ge__),
    "minimum": _bound(lambda value, bound: value >= bound), "maximum": _bound(lambda value, bound: value <= bound),
    "x-later-values": lambda _builder, wanted: lambda value: not any(value == one for one in wanted),
}  # fmt: skip
