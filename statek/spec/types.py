"""Spec values: checked documents by kind and name. What a phase after the schema phase works on; no file access.

A Spec keeps its document, so that every later problem can point at the token to blame. A merged one has a tree of its
own whose nodes know their files: a value that was inherited is blamed where it is written.
"""

import json
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any, TypeVar, cast

from statek.spec.positions import first_line, point
from statek.spec.problems import Problem, Range, Related, make_problem
from statek.spec.reading.documents import Document
from statek.spec.reading.nodes import Node

Path = tuple[str | int, ...]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """What the document of `owner` (`Kind/name`) says of an object: `node` has the shape of that object."""

    owner: str
    document: Document
    node: Node
    short: Mapping[str, str] = field(default_factory=dict)  # fields with a short form -> what that stands for

    def find(self, path: Sequence[str]) -> Node | None:
        """The value it gives under `path`, also by its short form."""
        found = _found(self.node, path)
        if found is None and len(path) == 2 and self.short.get(path[0]) == path[1]:
            found = _found(self.node, path[:1])
            return found if found is not None and not isinstance(found.data, dict | None) else None
        return found

    def hides(self, path: Sequence[str]) -> bool:
        """Whether a value of it that is no mapping takes the place of all that others say under `path`."""
        return not isinstance(self.node.at(tuple(path[:-1])).data, dict)


@dataclass(frozen=True, slots=True)
class Origin:
    """One place that gives a value: whose it is, where, and the text there (a mapping or list as JSON)."""

    owner: str
    file: str
    range: Range
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Spec:
    """One object as declared: `data` follows the kind's schema, without the document's head and without `x-` fields.

    Two of them are the same when they are the very same object.

    Attributes:
        merged: the tree of an object that several documents make up; None for one that says all of itself.
        layers: those documents' parts, nearest first; empty without `merged`.
    """

    kind: str
    name: str
    document: Document
    data: Mapping[str, Any]
    labels: Mapping[str, str]
    merged: Node | None = None
    layers: tuple[Layer, ...] = ()

    @property
    def id(self) -> str:
        """`Kind/name`."""
        return f"{self.kind}/{self.name}"

    @property
    def abstract(self) -> bool:
        """Whether it is an agent that only serves to inherit from."""
        return self.kind == "Agent" and bool(self.data.get("abstract", False))

    @property
    def own(self) -> Node:
        """What its own document says."""
        whole = self.document.node
        assert whole is not None
        return whole if self.document.form == "markdown" else whole.members["spec"]

    @property
    def node(self) -> Node:
        """The node of `data`."""
        return self.merged or self.own

    def has(self, *path: str) -> bool:
        """Whether a file gives this field."""
        return _found(self.node, path) is not None

    def where(self, *path: str | int) -> Range:
        """The place of a value, in the file of its node."""
        return first_line(self.node.at(path).span)

    def problem(self, code: str, message: str, *path: str | int, **more: Any) -> Problem:
        """A problem at the value under `path`, in the file that says it."""
        more.setdefault("object", self.id)
        more.setdefault("pointer", pointer(path))
        node = self.node.at(path)
        return make_problem(code, message, node.file, first_line(node.span), **more)

    def at_key(self, code: str, message: str, *path: str | int, **more: Any) -> Problem:
        """A problem at the key of the value under `path`."""
        file, where = self.node.at(path).file, self.node.key_span(path)
        return make_problem(code, message, file, where, object=self.id, pointer=pointer(path), **more)

    def missing(self, code: str, message: str, *path: str | int) -> Problem:
        """A problem about something that is not there: at the start of the mapping under `path`."""
        node = self.node.at(path)
        return make_problem(code, message, node.file, point(node.span), object=self.id, pointer=pointer(path))

    def related(self, message: str, *path: str | int) -> Related:
        """The key of the value under `path` as a place that a problem is about, too."""
        return Related(self.node.at(path).file, self.node.key_span(path), message)

    def origins(self, *path: str) -> tuple[Origin, ...]:
        """Every place that gives the value under `path`, nearest first; what a nearer text or list hides counts not."""
        found = []
        for layer in self.layers or (Layer(self.id, self.document, self.own),):
            node = layer.find(path)
            if node is not None:
                found.append(Origin(layer.owner, node.file, node.span, written(layer.document, node)))
            if layer.hides(path):
                break
        return tuple(found)


def _found(node: Node, path: Sequence[str]) -> Node | None:
    for step in path:
        if step not in node.members:
            return None
        node = node.members[step]
    return node


def written(document: Document, node: Node) -> str:
    """A text or number as its document writes it, when that is one line; everything else as JSON."""
    start, end = node.span.start, node.span.end
    if isinstance(node.data, dict | list) or start.line != end.line or start == end:
        return json.dumps(node.data, ensure_ascii=False)
    return document.text.split("\n")[start.line - 1][start.column - 1 : end.column - 1]


@dataclass(frozen=True)
class SpecSet:
    """Everything declared in a project.

    Attributes:
        specs: by kind and name; only those that follow their schema.
        partials: by name, without the underscore.
        warmups: by name.
        broken: kind and name of objects that are declared but have problems; references to them are not problems.
        unsure: kinds of which more may be declared in files that could not be read.
    """

    specs: Mapping[tuple[str, str], Spec]
    partials: Mapping[str, Document]
    warmups: Mapping[str, Document]
    broken: frozenset[tuple[str, str]]
    unsure: frozenset[str]

    def remembered(self, find: Callable[..., _T], *about: Hashable) -> _T:
        """What `find(*about, self)` returns, found once: sets are asked the same for each of many agents.

        It must depend on nothing but `about` and what it asks of the set that it is given, for the result may be kept
        for sets to come (see `spec.noting`). A result is shared: nobody changes it.
        """
        key = (find, *about)
        if key not in self._remembered:
            self._remembered[key] = find(*about, self)
        return cast("_T", self._remembered[key])

    def each(self, find: Callable[..., _T], many: Iterable[Hashable], *about: Hashable) -> list[_T]:
        """What `remembered` returns about each of many."""
        return [self.remembered(find, one, *about) for one in many]

    def told(self, check: Callable[..., Iterable[_T]], one: Hashable, *about: Hashable) -> tuple[_T, ...]:
        """What a check yields."""
        return self.remembered(_all, one, check, *about)

    def told_of_each(self, check: Callable[..., Iterable[_T]], many: Iterable[Hashable], *about: Hashable) -> list[_T]:
        """What a check yields about each of many."""
        return list(chain.from_iterable(self.each(_all, many, check, *about)))

    def of(self, kind: str) -> tuple[Spec, ...]:
        """All good specs of a kind, by name."""
        return self._by_kind.get(kind, ())

    def get(self, kind: str, name: str) -> Spec | None:
        """The good spec of that name."""
        return self.specs.get((kind, name))

    def partial(self, name: str) -> Document | None:
        """The partial of that name."""
        return self.partials.get(name)

    def warmup(self, name: str) -> Document | None:
        """The warmup of that name."""
        return self.warmups.get(name)

    def queues_of(self, agent: str) -> tuple[Spec, ...]:
        """The good queues that deliver to an agent, by name."""
        return self._by_receiver.get(agent, ())

    def names(self, kind: str) -> frozenset[str]:
        """All names declared for a kind, those with problems too."""
        return self._names.get(kind, frozenset())

    def broken_of(self, kind: str) -> frozenset[str]:
        """The names of a kind that are declared but have problems."""
        return frozenset(name for found, name in self.broken if found == kind)

    def is_unsure(self, kind: str) -> bool:
        """Whether more objects of the kind may be declared in files that could not be read."""
        return kind in self.unsure

    def may_exist(self, kind: str, name: str) -> bool:
        """Whether a reference to it is no problem of its own."""
        return name in self.names(kind) or kind in self.unsure

    def has_all(self, kind: str) -> bool:
        """Whether every object of the kind is good: then what none of them says is said nowhere."""
        return kind not in self.unsure and all(found != kind for found, _ in self.broken)

    @cached_property
    def _remembered(self) -> dict[Any, Any]:
        return {}

    @cached_property
    def _by_kind(self) -> Mapping[str, tuple[Spec, ...]]:
        found: dict[str, list[Spec]] = {}
        for kind, name in sorted(self.specs):
            found.setdefault(kind, []).append(self.specs[kind, name])
        return {kind: tuple(specs) for kind, specs in found.items()}

    @cached_property
    def _by_receiver(self) -> Mapping[str, tuple[Spec, ...]]:
        found: dict[str, list[Spec]] = {}
        for queue in self.of("Queue"):
            if "agent" in queue.data:
                found.setdefault(queue.data["agent"], []).append(queue)
        return {agent: tuple(queues) for agent, queues in found.items()}

    @cached_property
    def _names(self) -> Mapping[str, frozenset[str]]:
        found: dict[str, list[str]] = {"Partial": [*self.partials], "Warmup": [*self.warmups]}
        for kind, name in (*self.specs, *self.broken):
            found.setdefault(kind, []).append(name)
        return {kind: frozenset(names) for kind, names in found.items()}


def _all(one: Any, check: Callable[..., Iterable[_T]], *about: Any) -> tuple[_T, ...]:
    return tuple(check(one, *about))


def pointer(path: Path) -> str:
    """JSON pointer of a path."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def dotted(path: Path) -> str:
    """A path for people: `spec.tools[0].effect`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")
