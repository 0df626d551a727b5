"""Words for what the schema check found: code, message, place and fix of one error. No checking here.

`validate` hands over the errors of the schema library; the library's own sentences are never shown.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from statek.base.nearest import nearest
from statek.spec.checking.meant import choices_of, meant, meant_hint
from statek.spec.fixes import fits, replaced, respelled, word_fix
from statek.spec.formats import DURATION, FORMATS, NAME
from statek.spec.positions import first_line, point
from statek.spec.problems import Fix, Range
from statek.spec.reading.nodes import Node, compose
from statek.spec.schema.parts import API_VERSION
from statek.spec.types import Path, dotted

_TYPES = {
    "string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false",
    "object": "a mapping", "array": "a list", "null": "null",
}  # fmt: skip
_OTHER_WORDS = ("lifo", "next-run")  # near to a value, and meant in another way
_PLAIN = re.compile(r"[A-Za-z$/][A-Za-z0-9_./$:{}@-]*|[0-9]+[a-z]+")
_ALL = ("all", "any", "*")
_SERVED = (("spec", "agents"), ("spec", "queues"))  # of a Fleet
_DASH = re.compile(r"[-\u2013\u2014\u2022\u00b7] ?(?=[^\s-])")  # what people begin an item of a list with
_YES = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


class Explained(NamedTuple):
    """One error in our words."""

    code: str
    message: str
    where: Range
    fixes: tuple[Fix, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """One error of the schema library: which check failed where. `fact` is the name or text that it is about."""

    path: Path
    check: str
    schema: dict[str, Any]
    wanted: Any
    instance: Any
    fact: str


def explain(failure: Failure, root: Node) -> Explained:
    """Code, message and place of a failure, found in the document whose top node is `root`."""
    return _EXPLAINERS[failure.check](failure, root, failure.path)


def _node_range(root: Node, path: Path) -> Range:
    return first_line(root.at(path).span)


def _unknown(failure: Failure, root: Node, path: Path) -> Explained:
    known, siblings, name = list(failure.schema["properties"]), failure.instance, str(path[-1])
    parent = f" in '{dotted(path[:-1])}'" if len(path) > 1 else ""
    where, close = root.key_span(path), meant(name, failure.schema, siblings[name])
    found = close[0] if close is not None and len(close) == 1 else None
    several = failure.fact.split("\n")  # see `causes`
    if close is not None and len(several) > 1:
        names = ", ".join(f"'{one}'" for one in several)
        message = f"unknown fields {names}{parent}; they belong under '{dotted((*path[:-1], close[0]))}'"
        return Explained("STK101", message, where)
    hint = meant_hint(name, path, failure.schema, siblings)
    free = [field for field in known if field not in siblings]
    rivals = [other for other in siblings if other != name and other not in known and nearest(other, known) == found]
    fixes = word_fix(where, name, free) if found in free and not rivals else ()
    return Explained("STK101", f"unknown field '{name}'{parent}{hint}", where, fixes)


def _misplaced(failure: Failure, root: Node, path: Path) -> Explained:
    names = failure.fact.split("\n")  # see `causes`
    listed, verb = ", ".join(f"'{name}'" for name in names), "are fields" if len(names) > 1 else "is a field"
    message = f"{listed} in '{path[0]}' {verb} of the agent; move {'them' if len(names) > 1 else 'it'} one level up"
    return Explained("STK101", message, root.key_span(path))


def _missing(failure: Failure, root: Node, path: Path) -> Explained:
    message = missing_field(failure.fact, path, failure.schema["properties"][failure.fact])
    where = point(root.at(path).span)
    return Explained("STK102", message, where, _version_line(root, where) if failure.fact == "apiVersion" else ())


def _version_line(root: Node, where: Range) -> tuple[Fix, ...]:
    """The line that is missing, above the first field of a document that is a block."""
    first = min(root.keys.values(), key=lambda key: key.start, default=where)
    if first.start != where.start or where.start.column != 1:
        return ()
    line = f"apiVersion: {API_VERSION}"
    return (Fix(f"add '{line}'", safe=True, range=Range(where.start, where.start), text=f"{line}\n"),)


def missing_field(name: str, path: Path, shape: Mapping[str, Any]) -> str:
    """The message about a field that is not there in the mapping under `path`."""
    parent = f"'{dotted(path)}'" if path else "the document"
    examples = [] if "x-format" in shape else shape.get("examples", [])
    example = f", for example {_example(examples[0])}" if examples else ""
    return f"missing required field '{name}' in {parent}; expected {_expected(shape)}{example}"


def _type(failure: Failure, root: Node, path: Path) -> Explained:
    where = _node_range(root, path)
    is_all = path in _SERVED and failure.instance in _ALL
    written = None if is_all else _written(failure, root.at(path))
    hint = f"; write {written}" if written else ""
    is_text = failure.schema.get("type") == "string" and "x-format" not in failure.schema
    if isinstance(failure.instance, float) and is_text:
        hint = "; text that looks like a number stands in quotes"  # its digits may not be those that were written
    if is_all:
        hint = "; leave it out to serve all"
    is_unspaced = _is_unspaced_list(failure)
    if is_unspaced:
        hint = "; an item of a list begins with '- ', a dash and a space"
    if path[-1:] == ("required",) and isinstance(failure.instance, bool):
        hint = "; an input is required unless it has 'optional: true' or a default, so remove it"
    if not hint and "object" in failure.schema.get("type", ()) and failure.schema.get("examples"):
        example = next((one for one in failure.schema["examples"] if isinstance(one, dict)), None)
        hint = f"; write it like {_example(example)}" if example else ""
    message = f"'{dotted(path)}' must be {_expected(failure.schema)}, found {_shown(failure.instance)}{hint}"
    whole = root.at(path).span
    fixes: tuple[Fix, ...] = ()
    if is_unspaced:
        fixes = _dashed(failure, whole, root.key_span(path))
    elif written and where == whole:
        fixes = (Fix(f"write {written}", safe=_is_good(failure.schema, written), range=whole, text=written),)
    return Explained("STK103", message, where, fixes)


def _is_unspaced_list(failure: Failure) -> bool:
    is_text = isinstance(failure.instance, str)
    return is_text and "array" in failure.schema.get("type", ()) and _DASH.match(failure.instance) is not None


def _dashed(failure: Failure, whole: Range, key: Range) -> tuple[Fix, ...]:
    """The dash as YAML wants it, when there is one item and that is certain."""
    item = _DASH.sub("", failure.instance, count=1)
    if (
        key.end.line == whole.start.line
        or whole.start.line != whole.end.line
        or not _is_good(failure.schema, f"[{item}]")
    ):
        return ()
    return (Fix(f"write '- {item}'", safe=failure.instance[0] == "-", range=whole, text=f"- {item}"),)


def _is_good(shape: Mapping[str, Any], written: str) -> bool:
    """Whether what is offered follows the schema: only then nobody needs to be asked."""
    composed = compose(written, "")
    return not composed.problems and len(composed.nodes) == 1 and fits(shape, composed.nodes[0].data)


def _written(failure: Failure, node: Node) -> str | None:
    """What the author may have meant, as YAML text."""
    value, shape = failure.instance, failure.schema
    if "enum" in shape:
        return None
    types = shape["type"] if isinstance(shape["type"], list) else [shape["type"]]
    if isinstance(value, str) and "boolean" in types:
        return _YES.get(value.lower()) or (value.lower() if value.lower() in {"true", "false"} else None)
    number = re.fullmatch(r"([0-9]{1,15})[,;]?", value) if isinstance(value, str) else None
    if number is not None and {"integer", "number"} & set(types):
        return str(int(number[1]))
    if isinstance(value, float) and "integer" in types and value.is_integer() and abs(value) < 10**15:
        return str(int(value))
    if isinstance(value, int) and not isinstance(value, bool) and "duration" in shape.get("x-format", ""):
        return f"{value}s"
    if isinstance(value, bool | int) and "string" in types:
        return json.dumps(json.dumps(value))
    if isinstance(value, str) and "array" in types and (not node.quoted or _is_good(shape, f"[{value}]")):
        return f"[{value}]"
    return None


def _enum(failure: Failure, root: Node, path: Path) -> Explained:
    allowed = [str(value) for value in failure.wanted]
    value = failure.instance
    text = value if isinstance(value, str) else json.dumps(value)
    close = nearest(text, allowed)
    hint = f"; did you mean '{close}'?" if close else ""
    why = ""
    if path[-2:] == ("reload", "warmup"):
        why = "; a warmup runs once, before the first turn, so a running job keeps what it did"
    if text.endswith("?") and path[-1:] == ("type",):
        why = "; an input that may be absent has 'optional: true'"
    message = f"'{dotted(path)}' must be one of {', '.join(allowed)}; found {_shown(value)}{hint}{why}"
    where = _node_range(root, path)
    is_word = isinstance(value, str) and value not in _OTHER_WORDS and not value.endswith("?")
    fixes = word_fix(where, value, allowed) if is_word else ()
    return Explained("STK104", message, where, fixes)


def _format(failure: Failure, root: Node, path: Path) -> Explained:
    form = FORMATS[failure.schema["x-format"]]
    message = f"'{dotted(path)}' must be {form.title} such as '{form.example}', found {_shown(failure.instance)}"
    if failure.schema["x-format"] == "positive-duration" and DURATION.fits(failure.instance):
        return Explained("STK106", message, _node_range(root, path))
    if failure.schema["x-format"] == "pattern" and "/" not in failure.instance:
        message += _tools_hint(failure.instance)
    where, new = _node_range(root, path), respelled(failure.schema["x-format"], failure.instance)
    fixes = replaced(where, failure.instance, new, safe=True) if new else ()
    return Explained("STK105", message, where, fixes)


def _tools_hint(text: str) -> str:
    if text in {"all", "any"}:
        return "; for all tools of all sets write '*'"
    if NAME.fits(text):
        return f"; a tool is written 'SET/{text}', all tools of a set '{text}/*'"
    return "; the set is the name of a ToolSet, not of a module"


def _key_format(failure: Failure, root: Node, path: Path) -> Explained:
    form = FORMATS[failure.schema["x-format"]]
    message = f"key '{path[-1]}' in '{dotted(path[:-1])}' must be {form.title} such as '{form.example}'"
    return Explained("STK105", message, root.key_span(path))


def _bound(failure: Failure, root: Node, path: Path) -> Explained:
    least = failure.check.startswith("min")
    what = " characters" if failure.check.endswith("Length") else ""
    bound = f"{'at least' if least else 'at most'} {failure.wanted}{what}"
    size = f"{len(failure.instance)} characters" if what else _shown(failure.instance)
    return Explained("STK106", f"'{dotted(path)}' must be {bound}, found {size}", _node_range(root, path))


def _empty(_failure: Failure, root: Node, path: Path) -> Explained:
    return Explained("STK110", f"'{dotted(path)}' is empty; give at least one item", _node_range(root, path))


def _twice(failure: Failure, root: Node, path: Path) -> Explained:
    seen: list[str] = []
    for index, item in enumerate(failure.instance):
        text = json.dumps(item, sort_keys=True)
        if text in seen:
            where = _node_range(root, (*path, index))
            return Explained("STK110", f"{_shown(item)} stands twice in '{dotted(path)}'; remove one", where)
        seen.append(text)
    return Explained("STK110", f"an item stands twice in '{dotted(path)}'; remove one", _node_range(root, path))


def _one_of(failure: Failure, root: Node, path: Path) -> Explained:
    choices = choices_of(failure.schema)
    given = [name for name in choices if name in failure.instance]
    found = " and ".join(f"'{name}'" for name in given) or "none"
    message = f"'{dotted(path)}' must have exactly one of {', '.join(choices)}; found {found}"
    where = root.key_span((*path, given[1])) if given else point(root.at(path).span)
    return Explained("STK109", message, where)


def _later(failure: Failure, root: Node, path: Path) -> Explained:
    message = not_run(f"field '{dotted(path)}'", failure.wanted)
    return Explained("STK100", message, root.key_span(path))


def _later_value(failure: Failure, root: Node, path: Path) -> Explained:
    known = failure.schema.get("enum") or [not value for value in failure.wanted]
    runs = " or ".join(_as_yaml(value) for value in known if value not in failure.wanted)
    what = f"'{dotted(path)}: {_as_yaml(failure.instance)}'"
    return Explained("STK100", not_run(what, f"this build runs {runs} only"), _node_range(root, path))


def not_run(what: str, hint: str = "") -> str:
    """The message about something that is good and that this build does not run yet."""
    return f"{what} is checked, but not supported by this build yet; {hint or 'remove it to apply'}"


_EXPLAINERS: dict[str, Callable[[Failure, Node, Path], Explained]] = {
    "additionalProperties": _unknown, "required": _missing, "type": _type, "enum": _enum, "pattern": _format,
    "propertyNames": _key_format, "minimum": _bound, "maximum": _bound, "minLength": _bound, "maxLength": _bound,
    "minItems": _empty, "minProperties": _empty, "uniqueItems": _twice, "oneOf": _one_of, "x-later": _later,
    "x-later-values": _later_value, "misplaced": _misplaced,
}  # fmt: skip


def _expected(shape: Mapping[str, Any]) -> str:
    if "x-format" in shape:
        form = FORMATS[shape["x-format"]]
        number = "a whole number or text like " if shape["x-format"] == "tokens" else ""
        return f"{number}'{form.example}'" if number else f"{form.title} such as '{form.example}'"
    if "enum" in shape:
        return "one of " + ", ".join(str(value) for value in shape["enum"])
    kinds = shape.get("type", "object")
    return " or ".join(_TYPES[kind] for kind in (kinds if isinstance(kinds, list) else [kinds]))


def _as_yaml(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _example(value: Any) -> str:
    """A value as YAML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_example(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_example(item) for item in value) + "]"
    return value if isinstance(value, str) and _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, list | dict):
        return ("a list" if isinstance(value, list) else "a mapping") if value else "an empty one"
    text = "".join(
        char if char.isprintable() else f"\\u{ord(char):04x}" for char in json.dumps(value, ensure_ascii=False)
    )
    return text if len(text) <= 60 else text[:57] + "..."
