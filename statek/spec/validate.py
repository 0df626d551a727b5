"""Documents to specs: kind, schema, names. Finds what is wrong inside one document, and objects declared twice.

The JSON Schema of the kind is the law; unknown and missing fields are found here one by one, because the schema
library only says that something about the parent is wrong.
"""

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from statek.base.nearest import did_you_mean, nearest
from statek.spec.documents import Document, Documents
from statek.spec.explain import Failure, explain
from statek.spec.formats import NAME
from statek.spec.positions import first_line, point
from statek.spec.problems import Problem, Related, make_problem, ordered, span
from statek.spec.rules import check_rules
from statek.spec.schema import LATER_KINDS, SCHEMAS
from statek.spec.schema_parts import API_VERSION
from statek.spec.shapes import without_notes
from statek.spec.types import Path, Spec, SpecSet, pointer

YAML_KINDS = tuple(kind for kind in SCHEMAS if kind != "Agent")
_FILE_KINDS = {"Agent": "a .md file", "Warmup": "a .py file in a folder named 'warmups'"}
_ORDER = ("not", "type", "const", "enum", "propertyNames", "pattern", "minLength", "minItems", "minimum")


def load_specs(read: Documents) -> tuple[SpecSet, tuple[Problem, ...]]:
    """All specs of the documents, and every problem of this phase (not those of reading)."""
    loader = _Loader(read)
    for document in read.documents:
        loader.add(document)
    return loader.result(), ordered(loader.problems)


class _Loader:
    """Collects specs by name."""

    def __init__(self, read: Documents) -> None:
        self.problems: list[Problem] = []
        self.specs: dict[tuple[str, str], Spec] = {}
        self.places: dict[tuple[str, str], Document] = {}
        self.broken: set[tuple[str, str]] = set()
        self.partials: dict[str, Document] = {}
        self.warmups: dict[str, Document] = {}
        self.unsure: set[str] = set()
        for file in read.broken:
            self._lost(file)

    def result(self) -> SpecSet:
        return SpecSet(self.specs, self.partials, self.warmups, frozenset(self.broken), frozenset(self.unsure))

    def _lost(self, file: str) -> None:
        """Note what an unreadable file may have declared."""
        stem = file.rpartition("/")[2].rpartition(".")[0]
        if file.endswith(".md"):
            self.broken.add(("Partial", stem.removeprefix("_")) if stem.startswith("_") else ("Agent", stem))
        elif file.endswith(".py"):
            self.broken.add(("Warmup", stem))
        else:
            self.unsure.update(YAML_KINDS)

    def add(self, document: Document) -> None:
        if document.form in {"partial", "python"}:
            self._add_plain(document)
            return
        kind = self._kind(document)
        if kind is None:
            self.unsure.update(YAML_KINDS if document.form == "yaml" else ())
            self.broken.update({("Agent", document.stem)} if document.form == "markdown" else ())
            return
        name = _declared_name(kind, document)
        problems = list(_check_schema(kind, document, name))
        problems.extend(_check_version(document))
        problems.extend(_check_file_name(document) if kind == "Agent" else ())
        if name is None:
            self.unsure.add(kind)
        elif self._is_new(kind, name, document):
            if not problems:
                self._add_spec(kind, name, document)
            else:
                self.broken.add((kind, name))
        self.problems.extend(problems)

    def _add_spec(self, kind: str, name: str, document: Document) -> None:
        assert document.node is not None
        shape = SCHEMAS[kind]
        data = without_notes(document.node.data, shape, shape["$defs"]["value"])
        head = data if kind == "Agent" else data["metadata"]
        spec = Spec(kind, name, document, data if kind == "Agent" else data["spec"], dict(head.get("labels", {})))
        problems = list(check_rules(spec))
        self.problems.extend(problems)
        if problems:
            self.broken.add((kind, name))
        else:
            self.specs[kind, name] = spec

    def _add_plain(self, document: Document) -> None:
        kind = "Partial" if document.form == "partial" else "Warmup"
        problems = list(_check_file_name(document))
        self.problems.extend(problems)
        if self._is_new(kind, document.stem, document):
            known = self.partials if kind == "Partial" else self.warmups
            known[document.stem] = document

    def _kind(self, document: Document) -> str | None:
        assert document.node is not None
        node = document.node.members.get("kind")
        if node is None:
            if document.form == "markdown":
                return "Agent"
            message = f"missing required field 'kind' in the document; expected one of {', '.join(YAML_KINDS)}"
            self._report("STK102", message, document, point(document.node.span), "/kind")
            return None
        kind, where = node.data, first_line(node.span)
        if not isinstance(kind, str):
            self._report("STK103", f"'kind' must be text, found {kind!r}", document, where, "/kind")
        elif kind in LATER_KINDS:
            self._report("STK100", f"kind '{kind}' is not supported yet; remove the document", document, where, "/kind")
        elif kind in _FILE_KINDS and document.form == "yaml":
            message = f"kind '{kind}' cannot stand in a .yaml file: it is {_FILE_KINDS[kind]}"
            self._report("STK206", message, document, where, "/kind")
        elif kind in YAML_KINDS and document.form == "markdown":
            message = f"a .md file is an Agent, found kind '{kind}'; move it to a .yaml file"
            self._report("STK206", message, document, where, "/kind")
        elif kind not in SCHEMAS:
            known = (*SCHEMAS, *LATER_KINDS)
            self._report("STK107", f"unknown kind '{kind}'{did_you_mean(kind, known)}", document, where, "/kind")
        else:
            return kind
        return None

    def _report(self, code: str, message: str, document: Document, where: Any, at: str) -> None:
        self.problems.append(make_problem(code, message, document.file, where, pointer=at))

    def _is_new(self, kind: str, name: str, document: Document) -> bool:
        """Whether no other object has this name; names that differ only in case count as the same."""
        key = (kind, name.casefold())
        first = self.places.setdefault(key, document)
        if first is document:
            return True
        here, there = _name_place(document), _name_place(first)
        also = "" if _declared_name(kind, first) in {name, None} else " (the names differ only in case)"
        place = f"{first.file}:{there.start.line}"
        message = f"{kind} '{name}' is declared twice{also}; the first is at {place}"
        related = (Related(first.file, there, "declared here first"),)
        self.problems.append(
            make_problem("STK202", message, document.file, here, object=f"{kind}/{name}", related=related)
        )
        return False


def _name_place(document: Document) -> Any:
    if document.node is None or document.form == "markdown":
        return span(1, 1)
    return first_line(document.node.at(("metadata", "name")).span)


def _declared_name(kind: str, document: Document) -> str | None:
    if kind == "Agent" or document.node is None:
        return document.stem
    name = document.node.at(("metadata", "name"))
    metadata = document.node.data.get("metadata")
    good = isinstance(metadata, dict) and isinstance(metadata.get("name"), str)
    return str(name.data) if good else None


def _check_version(document: Document) -> Iterator[Problem]:
    assert document.node is not None
    node = document.node.members.get("apiVersion")
    if node is not None and isinstance(node.data, str) and node.data != API_VERSION:
        message = f"apiVersion '{node.data}' is not supported; this build reads '{API_VERSION}'"
        yield make_problem("STK108", message, document.file, first_line(node.span), pointer="/apiVersion")


def _check_file_name(document: Document) -> Iterator[Problem]:
    if not NAME.fits(document.stem):
        message = f"the file name must be {NAME.title} such as '{NAME.example}', found '{document.stem}'"
        yield make_problem("STK105", message, document.file, span(1, 1))
    node = document.node.members.get("name") if document.node is not None else None
    if node is not None and isinstance(node.data, str) and NAME.fits(node.data) and node.data != document.stem:
        message = f"'name' is '{node.data}', but the file is '{document.stem}': rename one, or leave 'name' out"
        yield make_problem("STK207", message, document.file, first_line(node.span), pointer="/name")


def _check_schema(kind: str, document: Document, name: str | None) -> Iterator[Problem]:
    assert document.node is not None
    groups: dict[Path, list[Failure]] = {}
    for error in _validator(kind).iter_errors(document.node.data):
        failure = Failure.of(error)
        groups.setdefault(failure.path, []).append(failure)
    typos = _misspelt(groups)
    owner = f"{kind}/{name}" if name is not None else None
    for path, failures in groups.items():
        for failure in _root_causes(failures, typos.get(path, frozenset())):
            told = explain(failure, document.node)
            more: dict[str, Any] = {"object": owner, "pointer": pointer(path), "fixes": told.fixes}
            yield make_problem(told.code, told.message, document.file, told.where, **more)


def _root_causes(failures: Sequence[Failure], typos: frozenset[str]) -> Iterable[Failure]:
    """Of the failures at one place: all missing fields, else the one that explains the others."""
    missing = [failure for failure in failures if failure.check == "required" and failure.fact not in typos]
    others = [failure for failure in failures if failure.check != "required"]
    others.sort(key=lambda failure: _ORDER.index(failure.check) if failure.check in _ORDER else len(_ORDER))
    return [*others[:1], *missing]


def _misspelt(groups: dict[Path, list[Failure]]) -> dict[Path, frozenset[str]]:
    """Missing fields, by the place of their mapping, that an unknown field was meant to be."""
    found: dict[Path, set[str]] = {}
    for path, failures in groups.items():
        for failure in failures:
            close = None
            if failure.check == "additionalProperties":
                close = nearest(str(path[-1]), failure.schema["properties"])
            if close is not None:
                found.setdefault(path[:-1], set()).add(close)
    return {path: frozenset(names) for path, names in found.items()}


@functools.cache
def _validator(kind: str) -> Any:
    return _STRICT(SCHEMAS[kind])


def _additional(validator: Any, allowed: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    patterns = schema.get("patternProperties", {})
    for name, value in instance.items():
        if name in schema.get("properties", {}) or any(re.search(pattern, name) for pattern in patterns):
            continue
        if allowed is False:
            yield ValidationError(name, path=[name])
        else:
            yield from validator.descend(value, allowed, path=name)


def _required(_validator: Any, names: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        yield from (ValidationError(name) for name in names if name not in instance)


def _names(_validator: Any, shape: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        for name in instance:
            if re.fullmatch(shape["pattern"], name) is None:
                yield ValidationError(name, path=[name], schema=shape)


def _pattern(_validator: Any, pattern: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and re.fullmatch(pattern, instance) is None:
        yield ValidationError(instance)


def _is_integer(_checker: Any, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_STRICT: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {"additionalProperties": _additional, "required": _required, "propertyNames": _names, "pattern": _pattern},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)
