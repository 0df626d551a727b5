"""Spec values: checked documents by kind and name. What a phase after the schema phase works on; no file access.

A Spec keeps its document, so that every later problem can point at the token to blame.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from statek.spec.documents import Document
from statek.spec.nodes import Node
from statek.spec.positions import first_line, point
from statek.spec.problems import Problem, Range, make_problem

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Spec:
    """One object as declared: `data` follows the kind's schema, without the document's head and without `x-` fields."""

    kind: str
    name: str
    document: Document
    data: Mapping[str, Any]
    labels: Mapping[str, str]

    @property
    def id(self) -> str:
        """`Kind/name`."""
        return f"{self.kind}/{self.name}"

    @property
    def node(self) -> Node:
        """The node of `data`."""
        whole = self.document.node
        assert whole is not None
        return whole if self.document.form == "markdown" else whole.members["spec"]

    def has(self, *path: str) -> bool:
        """Whether the file gives this field."""
        node = self.node
        for step in path:
            if step not in node.members:
                return False
            node = node.members[step]
        return True

    def where(self, *path: str | int) -> Range:
        """The place of a value."""
        return first_line(self.node.at(path).span)

    def problem(self, code: str, message: str, *path: str | int, **more: Any) -> Problem:
        """A problem at the value under `path`."""
        more.setdefault("object", self.id)
        more.setdefault("pointer", pointer(path))
        return make_problem(code, message, self.document.file, self.where(*path), **more)

    def missing(self, code: str, message: str, *path: str | int) -> Problem:
        """A problem about something that is not there: at the start of the mapping under `path`."""
        where = point(self.node.at(path).span)
        return make_problem(code, message, self.document.file, where, object=self.id, pointer=pointer(path))


@dataclass(frozen=True, slots=True)
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

    def of(self, kind: str) -> tuple[Spec, ...]:
        """All good specs of a kind, by name."""
        return tuple(spec for key, spec in sorted(self.specs.items()) if key[0] == kind)

    def get(self, kind: str, name: str) -> Spec | None:
        """The good spec of that name."""
        return self.specs.get((kind, name))

    def names(self, kind: str) -> frozenset[str]:
        """All names declared for a kind, those with problems too."""
        files = {"Partial": self.partials, "Warmup": self.warmups}.get(kind, {})
        return frozenset((*files, *(name for found, name in (*self.specs, *self.broken) if found == kind)))

    def may_exist(self, kind: str, name: str) -> bool:
        """Whether a reference to it is no problem of its own."""
        return name in self.names(kind) or kind in self.unsure


def pointer(path: Path) -> str:
    """JSON pointer of a path."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def dotted(path: Path) -> str:
    """A path for people: `spec.tools[0].effect`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")
