"""The names of the operations in an OpenAPI file: every `operationId` below `paths`. Nothing is constructed.

The file is not ours: it may have anchors, numbers as keys and any size up to the caller's bound. It is walked once, by
events of the parser; an alias is passed over and never expanded.
"""

import json
from collections.abc import Iterator
from typing import Any

import yaml

METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
MAX_DEPTH = 200
MAX_JSON, MAX_YAML = 5_000_000, 1_000_000  # bytes; the YAML parser is slow
_LOADER: Any = getattr(yaml, "CLoader", yaml.Loader)


class Unreadable(Exception):  # noqa: N818 - a finding, not an error
    """The text is no OpenAPI file; `code` is the diagnostic for it."""

    def __init__(self, code: str, message: str) -> None:
        """Keep the code beside the message."""
        super().__init__(message)
        self.code = code


def operations_of(raw: bytes, *, is_json: bool) -> frozenset[str]:
    """The operations of a JSON or YAML file. Raises Unreadable."""
    bound = MAX_JSON if is_json else MAX_YAML
    if len(raw) > bound:
        hint = "" if is_json else "; as .json it may have more"
        raise Unreadable("STK009", f"it has {len(raw)} bytes, more than the {bound} allowed{hint}")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable("STK010", f"not UTF-8: byte {raw[error.start]:#04x}") from error
    return frozenset(_json(text) if is_json else _yaml(text))


def _json(text: str) -> Iterator[str]:
    try:
        data = json.loads(text)
    except ValueError as error:
        raise Unreadable("STK001", f"it is no JSON: {error}") from error
    except RecursionError as error:
        raise Unreadable("STK009", "it is nested too deeply") from error
    paths = data.get("paths") if isinstance(data, dict) else None
    if not isinstance(paths, dict):
        raise Unreadable("STK102", "it has no 'paths'")
    for item in paths.values():
        for method, operation in item.items() if isinstance(item, dict) else ():
            if method in METHODS and isinstance(operation, dict) and isinstance(operation.get("operationId"), str):
                yield operation["operationId"]


def _yaml(text: str) -> Iterator[str]:
    found = False
    try:
        for path, value in _leaves(iter(yaml.parse(text, Loader=_LOADER))):
            found = found or path[:1] == ("paths",)
            if len(path) == 4 and path[0] == "paths" and path[2] in METHODS and path[3] == "operationId":
                yield value
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        raise Unreadable("STK001", f"{getattr(error, 'problem', None) or 'it is no YAML'}{line}") from error
    if not found:
        raise Unreadable("STK102", "it has no 'paths'")


def _leaves(events: Iterator[Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each text of the first document with its path; items of lists have the step `[]`."""
    path: list[str] = []
    levels: list[str] = []  # of each collection around: "[]", "key" before a key, "value" before a value
    for event in events:
        if len(levels) > MAX_DEPTH:
            raise Unreadable("STK009", f"it is nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, yaml.DocumentEndEvent):
            return
        if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            levels.pop()
            path = path[: len(levels)]
        elif isinstance(event, yaml.NodeEvent):
            yield from _node(event, path, levels)


def _node(event: Any, path: list[str], levels: list[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    text = event.value if isinstance(event, yaml.ScalarEvent) else ""
    level = levels[-1] if levels else ""
    if level == "key":
        path[len(levels) - 1 :] = [text]
        levels[-1] = "value"
    else:
        if level == "[]":
            path[len(levels) - 1 :] = ["[]"]
        if isinstance(event, yaml.ScalarEvent):
            yield tuple(path), text
        levels[-1:] = ["key"] if level == "value" else levels[-1:]
    if isinstance(event, yaml.MappingStartEvent):
        levels.append("key")
    elif isinstance(event, yaml.SequenceStartEvent):
        levels.append("[]")
