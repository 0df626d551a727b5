"""YAML text to nodes with positions: JSON scalars only, no tags, no anchors, no duplicate keys.

Built on the event stream of the YAML parser, so no constructor and no resolver of the library ever runs: a tag is
only seen and refused, an alias is never expanded. Called by `documents`; knows nothing of kinds and fields.
"""

import functools
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

from statek.spec.positions import LineTable, first_line
from statek.spec.problems import Position, Problem, Range, Related, make_problem

MAX_DEPTH = 40
MAX_NODES = 20_000
_LOADER: Any = getattr(yaml, "CLoader", yaml.Loader)
_ODD_BREAK = re.compile("[\r\x85\u2028\u2029]")  # line breaks of the parser that are none of ours
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_CONSTANTS: Mapping[str, Any] = {"": None, "null": None, "true": True, "false": False}
_NONE: Mapping[str, Any] = {}  # of all that have no members
_new: Callable[..., Any] = tuple.__new__  # a place is made a hundred thousand times: twice as fast as by its own name


@dataclass(slots=True)  # nobody changes one; not frozen, since that makes a third of reading a file
class Node:
    """A value with its place. `data` is the plain JSON value of the whole subtree; a key lies in its value's file."""

    data: Any
    span: Range
    quoted: bool = False
    members: Mapping[str, "Node"] = field(default_factory=lambda: _NONE)
    keys: Mapping[str, Range] = field(default_factory=lambda: _NONE)
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


class Composed(NamedTuple):
    """The documents of one YAML text, and what is wrong with it. Nodes are only complete without problems."""

    nodes: tuple[Node, ...]
    problems: tuple[Problem, ...]


_LOOK = 200  # characters of the line that cannot be read in which spaces are looked at
_ODD_BLANK = re.compile(r"(?:^|[:-]) *([\u00a0\u2000-\u200b\u202f\u205f\u3000\ufeff])", re.MULTILINE)
_TYPOGRAPHIC = "\u201c\u201d\u201e\u2018\u2019"
_BULLETS = ("* ", "\u2022 ", "\u2013 ", "\u2014 ")
_COMMENTS = ("//", "<!--", "/*", "-- ")
_DOCUMENT = "; if another document begins here, write '---' above it"
_ITEM = "; if another item begins here, write '- ' before it"


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
        self.text, self.file, self.first_line = text, file, first_line
        self.odd_breaks = _ODD_BREAK.search(text) is not None
        self.problems: list[Problem] = []
        self.count = 0
        self.is_item = False  # the node that is read next is an item of a list
        self.next: Callable[[], Any] = lambda: None

    @functools.cached_property
    def lines(self) -> LineTable:
        """Most texts are read without it."""
        return LineTable.of(self.text, self.first_line)

    def documents(self) -> list[Node]:
        nodes: list[Node] = []
        try:
            self.next = _LOADER(self.text).get_event
            while not isinstance(event := self.next(), yaml.StreamEndEvent):
                if isinstance(event, yaml.DocumentStartEvent):
                    self._refuse_directives(event)
                    nodes.append(self._node(self.next(), 0))
        except yaml.YAMLError as error:
            self._syntax(error)
        except _Stop:
            pass
        return nodes

    def _report(self, code: str, message: str, where: Range, **more: Any) -> None:
        self.problems.append(make_problem(code, message, self.file, first_line(where), **more))

    def _span(self, start: Any, end: Any) -> Range:
        first, last = start.start_mark, end.end_mark
        if self.odd_breaks or last.index < first.index:
            return self.lines.range(first.index, last.index)
        row = self.first_line
        begin = _new(Position, (row + first.line, first.column + 1))
        found: Range = _new(Range, (begin, _new(Position, (row + last.line, last.column + 1))))
        return found

    def _refuse_directives(self, event: Any) -> None:
        if event.version or event.tags:
            start = self.text.rfind("%", 0, event.end_mark.index)
            where = self.lines.range(start, start + 1)
            self._report("STK007", "a YAML directive ('%YAML', '%TAG') is not allowed; remove the line", where)

    def _node(self, event: Any, depth: int) -> Node:
        self.count += 1
        if depth > MAX_DEPTH or self.count > MAX_NODES:
            self._too_much(event, depth)
        kind = type(event)
        if kind is yaml.AliasEvent:
            where = self._span(event, event)
            self._report(
                "STK008", f"YAML alias '*{event.anchor}' is not allowed; write the value out, text in quotes", where
            )
            return Node(None, where, file=self.file)
        if event.anchor is not None or event.tag is not None:
            self._refuse_properties(event, self._span(event, event))
        if kind is yaml.ScalarEvent:
            return self._scalar(event)
        return self._sequence(event, depth) if kind is yaml.SequenceStartEvent else self._mapping(event, depth)

    def _too_much(self, event: Any, depth: int) -> None:
        deep, many = f"nested deeper than {MAX_DEPTH} levels", f"more than {MAX_NODES} values in one file"
        self._report("STK009", deep if depth > MAX_DEPTH else many, self._span(event, event))
        raise _Stop

    def _refuse_properties(self, event: Any, where: Range) -> None:
        if event.anchor is not None:
            self._report(
                "STK008", f"YAML anchor '&{event.anchor}' is not allowed; write the value out, text in quotes", where
            )
        else:
            shown = event.tag.replace("tag:yaml.org,2002:", "!!")
            hint = "; for values from outside write ${env:NAME} or ${secret:NAME}"
            self._report("STK007", f"YAML tag '{shown}' is not allowed{hint}", where)

    def _scalar(self, event: Any) -> Node:
        where, text = self._span(event, event), event.value
        if event.style or not event.implicit[0]:
            return Node(text, where, True, _NONE, _NONE, (), self.file)
        if text in _CONSTANTS:
            text = _CONSTANTS[text]
        elif text[0] in "-0123456789":
            text = self._plain(text, where)
        elif text[0] in _TYPOGRAPHIC and text[-1] in _TYPOGRAPHIC and not any(map(str.isspace, text)):
            quoted = json.dumps(text.strip(_TYPOGRAPHIC), ensure_ascii=False)
            self._report("STK001", f"typographic quotes are part of a text, they hold none; write {quoted}", where)
        return Node(text, where, False, _NONE, _NONE, (), self.file)

    def _plain(self, text: str, where: Range) -> Any:
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
        items: list[Node] = []
        while type(event := self.next()) is not yaml.SequenceEndEvent:
            self.is_item = True
            items.append(self._node(event, depth + 1))
        self.is_item = False
        where = self._span(start, event)
        return Node([item.data for item in items], where, False, _NONE, _NONE, tuple(items), self.file)

    def _mapping(self, start: Any, depth: int) -> Node:
        members: dict[str, Node] = {}
        keys: dict[str, Range] = {}
        beginning = _ITEM if self.is_item else _DOCUMENT if depth == 0 and not self.file.endswith(".md") else ""
        self.is_item, again = False, False  # `again`: the key before stood here twice
        while type(event := self.next()) is not yaml.MappingEndEvent:
            key = self._node(event, depth + 1)
            value = self._node(self.next(), depth + 1)
            again, before = isinstance(key.data, str) and key.data in keys, again
            if again and before:
                continue  # one mistake: what makes the mapping begin anew is missing
            if self._good_key(key, keys, beginning):
                members[key.data], keys[key.data] = value, key.span
        where = self._span(start, event)
        data = {name: node.data for name, node in members.items()}
        return Node(data, where, False, members, keys, (), self.file)

    def _good_key(self, key: Node, seen: Mapping[str, Range], beginning: str) -> bool:
        """Whether a key may stand in a mapping that has those `seen`; `beginning`: what would let another one begin."""
        if key.data == "<<" and not key.quoted:
            self._report("STK008", "merge key '<<' is not allowed; write the fields out", key.span)
        elif not isinstance(key.data, str):
            shown = "a list or mapping" if isinstance(key.data, list | dict) else json.dumps(key.data)
            self._report("STK013", f"a key must be text, found {shown}; put it in quotes", key.span)
        elif key.data in seen:
            first = seen[key.data]
            message = f"key '{key.data}' stands here twice; it was first given on line {first.start.line}"
            message += beginning if key.data == next(iter(seen)) else ""
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
            if self.text.startswith(_COMMENTS, offset):
                reason = "a comment begins with '#' and a space"
        if self.text.startswith(_BULLETS, offset):
            reason = "an item of a list begins with '- ', a dash and a space"
        if context is not None and mark is not None and self._begins_a_field(context.index, mark.index):
            offset, reason = context.index, f"'{self.text[context.index]}' is never closed"
        offset = max(0, min(offset, len(self.text) - 1))
        line_start = self.text.rfind("\n", 0, offset) + 1
        indent = re.compile(r"[ \t]*").match(self.text, line_start)
        tab = self.text.find("\t", line_start, indent.end() if indent else line_start)
        if tab >= 0:
            self._report("STK005", "a tab is used for indentation; use spaces", self.lines.range(tab, tab + 1))
            return
        odd = max((found.start(1) for found in _ODD_BLANK.finditer(self.text, 0, line_start + _LOOK)), default=-1)
        if odd >= 0:
            name = f"U+{ord(self.text[odd]):04X}"
            message = f"YAML cannot be read: what looks like a space here is {name}; write an ordinary space"
            self._report("STK001", message, self.lines.range(odd, odd + 1))
            return
        if any(
            found.code == "STK008" and found.range.start.line == self.lines.position(offset).line
            for found in self.problems
        ):
            return  # text that begins with the mark of an alias or anchor
        if context is not None and mark is not None and offset == mark.index and context.line != mark.line:
            reason += f" (it starts on line {self.lines.position(context.index).line})"
        hint = "" if reason.endswith(("never closed", "space")) else self._hint(reason, offset, line_start)
        self._report("STK001", f"YAML cannot be read: {reason}{hint}", self.lines.range(offset, offset + 1))

    def _hint(self, reason: str, offset: int, line_start: int) -> str:
        """The end of a message: what to write in place of what the parser does not understand."""
        before, after = self.text[line_start:offset], self.text[offset : offset + 2]
        if after.strip() == ",":
            return "; no line ends with ',' here: remove it"
        if "mapping values are not allowed" in reason and re.fullmatch(r" +[\w-]+", before):
            return "; this line is indented further than the field above it, which has a value already"
        return _quoting_hint(reason, after[:1])

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
