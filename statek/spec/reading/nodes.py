"""YAML text to nodes with positions: JSON scalars only, no tags, no anchors, no duplicate keys.

Built on the event stream of the YAML parser, so no constructor and no resolver of the library ever runs: a tag is
only seen and refused, an alias is never expanded. Called by `documents`; knows nothing of kinds and fields.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from statek.spec.positions import LineTable, first_line
from statek.spec.problems import Position, Problem, Range, Related, make_problem

MAX_DEPTH = 40
MAX_NODES = 20_000
_LOADER: Any = getattr(yaml, "CLoader", yaml.Loader)
_ODD_BREAK = re.compile("[\r\x85\u2028\u2029]")  # line breaks of the parser that are none of ours
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Node:
    """A value with its place. `data` is the plain JSON value of the whole subtree; a key lies in its value's file."""

    data: Any
    span: Range
    quoted: bool = False
    members: Mapping[str, "Node"] = field(default_factory=dict)
    keys: Mapping[str, Range] = field(default_factory=dict)
    items: tuple["Node", ...] = ()
    file: str = ""

    def at(self, path: tuple[str | int, ...]) -> "Node":
        """The node under `path`, or the deepest one that exists on the way."""
        node: Node = self
        for step in path:
            inner = node.items[step] if isinstance(step, int) and step < len(node.items) else None
            inner = node.members.get(step) if isinstance(step, str) else inner
            if inner is None:
                return node
            node = inner
        return node

    def key_span(self, path: tuple[str | int, ...]) -> Range:
        """Where the last key of `path` stands; the value's own place when the last step is an index."""
        parent = self.at(path[:-1])
        key = path[-1]
        return parent.keys[key] if isinstance(key, str) and key in parent.keys else self.at(path).span


@dataclass(frozen=True, slots=True)
class Composed:
    """The documents of one YAML text, and what is wrong with it. Nodes are only complete without problems."""

    nodes: tuple[Node, ...]
    problems: tuple[Problem, ...]


class _Stop(Exception):  # noqa: N818 - no error, it ends the reading
    """The rest of the text cannot be read."""


def compose(text: str, file: str, first_line: int = 1) -> Composed:
    """All documents of `text`, whose first line is line `first_line` of `file`."""
    composer = _Composer(text, file, first_line)
    nodes = composer.documents()
    return Composed(tuple(nodes), tuple(composer.problems))


class _Composer:
    """Reads the event stream once, front to back."""

    def __init__(self, text: str, file: str, first_line: int) -> None:
        self.text, self.file = text, file
        self.lines = LineTable.of(text, first_line)
        self.odd_breaks = _ODD_BREAK.search(text) is not None
        self.problems: list[Problem] = []
        self.count = 0
        self.events: Iterator[Any] = iter(())

    def documents(self) -> list[Node]:
        nodes: list[Node] = []
        try:
            self.events = yaml.parse(self.text, Loader=_LOADER)
            for event in self.events:
                if isinstance(event, yaml.DocumentStartEvent):
                    self._refuse_directives(event)
                    nodes.append(self._node(next(self.events), 0))
        except yaml.YAMLError as error:
            self._syntax(error)
        except _Stop:
            pass
        return nodes

    def _report(self, code: str, message: str, where: Range, **more: Any) -> None:
        self.problems.append(make_problem(code, message, self.file, first_line(where), **more))

    def _range(self, event: Any) -> Range:
        return self._span(event, event)

    def _span(self, start: Any, end: Any) -> Range:
        first, last = start.start_mark, end.end_mark
        if self.odd_breaks or last.index < first.index:
            return self.lines.range(first.index, last.index)
        row = self.lines.first_line
        return Range(Position(row + first.line, first.column + 1), Position(row + last.line, last.column + 1))

    def _refuse_directives(self, event: Any) -> None:
        if event.version or event.tags:
            start = self.text.rfind("%", 0, event.end_mark.index)
            where = self.lines.range(start, start + 1)
            self._report("STK007", "a YAML directive ('%YAML', '%TAG') is not allowed; remove the line", where)

    def _node(self, event: Any, depth: int) -> Node:
        self._count(event, depth)
        where = self._range(event)
        if isinstance(event, yaml.AliasEvent):
            self._report(
                "STK008", f"YAML alias '*{event.anchor}' is not allowed; write the value out, text in quotes", where
            )
            return Node(None, where, file=self.file)
        self._refuse_properties(event, where)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, where)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(event, depth)
        return self._mapping(event, depth)

    def _count(self, event: Any, depth: int) -> None:
        self.count += 1
        if depth > MAX_DEPTH:
            self._report("STK009", f"nested deeper than {MAX_DEPTH} levels", self._range(event))
            raise _Stop
        if self.count > MAX_NODES:
            self._report("STK009", f"more than {MAX_NODES} values in one file", self._range(event))
            raise _Stop

    def _refuse_properties(self, event: Any, where: Range) -> None:
        if event.anchor is not None:
            self._report(
                "STK008", f"YAML anchor '&{event.anchor}' is not allowed; write the value out, text in quotes", where
            )
        elif event.tag is not None:
            shown = event.tag.replace("tag:yaml.org,2002:", "!!")
            hint = "; for values from outside write ${env:NAME} or ${secret:NAME}"
            self._report("STK007", f"YAML tag '{shown}' is not allowed{hint}", where)

    def _scalar(self, event: Any, where: Range) -> Node:
        quoted = not event.implicit[0]
        if quoted or event.style in {"'", '"', "|", ">"}:
            return Node(event.value, where, quoted=True, file=self.file)
        return Node(self._plain(event.value, where), where, file=self.file)

    def _plain(self, text: str, where: Range) -> Any:
        constants: dict[str, Any] = {"": None, "null": None, "true": True, "false": False}
        if text in constants:
            return constants[text]
        found = _NUMBER.fullmatch(text)
        if found is None:
            return text
        whole = found[2] is None and found[3] is None
        number: int | float = 0
        if len(text) <= 40:
            number = int(text) if whole else float(text)
        if len(text) > 40 or math.isinf(number) or abs(number) > 2**63:
            self._report("STK106", f"number {text[:20]}... is too large or too long; put text in quotes", where)
        return number

    def _sequence(self, start: Any, depth: int) -> Node:
        event: Any
        items: list[Node] = []
        event = next(self.events)
        while not isinstance(event, yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
            event = next(self.events)
        where = self._span(start, event)
        return Node([item.data for item in items], where, items=tuple(items), file=self.file)

    def _mapping(self, start: Any, depth: int) -> Node:
        event: Any
        members: dict[str, Node] = {}
        keys: dict[str, Range] = {}
        event = next(self.events)
        while not isinstance(event, yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(next(self.events), depth + 1)
            if self._good_key(key, keys):
                members[key.data], keys[key.data] = value, key.span
            event = next(self.events)
        where = self._span(start, event)
        data = {name: node.data for name, node in members.items()}
        return Node(data, where, members=members, keys=keys, file=self.file)

    def _good_key(self, key: Node, seen: Mapping[str, Range]) -> bool:
        if key.data == "<<" and not key.quoted:
            self._report("STK008", "merge key '<<' is not allowed; write the fields out", key.span)
        elif not isinstance(key.data, str):
            shown = "a list or mapping" if isinstance(key.data, list | dict) else json.dumps(key.data)
            self._report("STK013", f"a key must be text, found {shown}; put it in quotes", key.span)
        elif key.data in seen:
            first = seen[key.data]
            message = f"key '{key.data}' stands here twice; it was first given on line {first.start.line}"
            related = (Related(self.file, first, "first given here"),)
            self._report("STK004", message, key.span, related=related)
        else:
            return True
        return False

    def _syntax(self, error: yaml.YAMLError) -> None:
        mark = getattr(error, "problem_mark", None)
        context = getattr(error, "context_mark", None)
        offset = mark.index if mark is not None else 0
        reason = getattr(error, "problem", None) or "it cannot be read"
        if offset >= len(self.text.rstrip()) and context is not None:
            offset, reason = context.index, f"{error.context} that starts here: {reason}"  # type: ignore[attr-defined]
        scanned = str(getattr(error, "context", ""))
        if context is not None and scanned.endswith(("scanning an alias", "scanning an anchor")):
            offset, reason = context.index, "this begins like an alias or anchor"
        if context is not None and scanned.endswith("scanning a simple key"):
            offset, reason = context.index, "this is no 'field: value'; a field ends with a colon and a space"
        if context is not None and mark is not None and self._begins_a_field(context.index, mark.index):
            offset, reason = context.index, f"'{self.text[context.index]}' is never closed"
        offset = max(0, min(offset, len(self.text) - 1))
        line_start = self.text.rfind("\n", 0, offset) + 1
        indent = re.compile(r"[ \t]*").match(self.text, line_start)
        tab = self.text.find("\t", line_start, indent.end() if indent else line_start)
        if tab >= 0:
            self._report("STK005", "a tab is used for indentation; use spaces", self.lines.range(tab, tab + 1))
            return
        if any(
            found.code == "STK008" and found.range.start.line == self.lines.position(offset).line
            for found in self.problems
        ):
            return  # text that begins with the mark of an alias or anchor
        if context is not None and mark is not None and offset == mark.index and context.line != mark.line:
            reason += f" (it starts on line {self.lines.position(context.index).line})"
        hint = (
            "" if reason.endswith(("never closed", "space")) else _quoting_hint(reason, self.text[offset : offset + 1])
        )
        self._report("STK001", f"YAML cannot be read: {reason}{hint}", self.lines.range(offset, offset + 1))

    def _begins_a_field(self, opener: int, offset: int) -> bool:
        """Whether the bracket at `opener` was never closed: the text goes on with a field on a line of its own."""
        start = self.text.rfind("\n", 0, offset) + 1
        if self.text[opener : opener + 1] not in {"{", "["} or start <= opener:
            return False
        before = self.text.rfind("\n", 0, opener) + 1
        indent = re.compile(" *").match(self.text, before)
        found = re.compile(r"( *)[\w-]+:(?=\s|$)", re.MULTILINE).match(self.text, start)
        return indent is not None and found is not None and len(found[1]) <= len(indent[0])


def _quoting_hint(reason: str, char: str) -> str:
    if "mapping values are not allowed" in reason:
        return "; put text that holds ': ' in quotes"
    if char and char in "@`%{}[]*&!|>,":
        return f"; put text that holds '{char}' in quotes"
    return ""
