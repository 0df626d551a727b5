"""Documents to specs: kind, schema, names. Finds what is wrong inside one document, and objects declared twice.

The JSON Schema of the kind is the law; unknown and missing fields are found here one by one, because the schema
library only says that something about the parent is wrong.
"""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from statek.base.kept import Kept
from statek.base.nearest import did_you_mean, nearest
from statek.spec.checking.causes import root_causes
from statek.spec.checking.explain import Failure, explain, not_run
from statek.spec.checking.secrets import check_keys
from statek.spec.fixes import is_slip, replaced, word_fix
from statek.spec.formats import NAME
from statek.spec.positions import first_line, point
from statek.spec.problems import Fix, Problem, Related, make_problem, ordered, span
from statek.spec.quick import Look, quick_look
from statek.spec.reading.documents import Document, Documents
from statek.spec.reading.listing import EVALS, is_eval_file
from statek.spec.reading.nodes import Node
from statek.spec.references import REFERRING, awaits_variable
from statek.spec.schema.kinds import LATER_KINDS, SCHEMAS
from statek.spec.schema.parts import API_VERSION
from statek.spec.schema.shapes import without_notes
from statek.spec.types import Path, Spec, SpecSet, pointer

_SAME_VERSION = re.compile(r"(?i)(statek[-_/. ]?)?v?1")
YAML_KINDS = tuple(kind for kind in SCHEMAS if kind != "Agent")
_FILE_KINDS = {"Agent": "a .md file", "Warmup": "a .py file in a folder named 'warmups'"}
_LATER_MARKS = ("x-later", "x-later-values")
_NOTE = "x-"


def load_specs(read: Documents, kept: Kept | None = None) -> tuple[SpecSet, tuple[Problem, ...]]:
    """All specs of the documents, and every problem of this phase (not those of reading)."""
    loader = _Loader(read)
    for document, declared in zip(read.documents, (kept or Kept()).each(_declared, read.documents), strict=True):
        loader.add(document, declared)
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
            self.unsure.update({"Eval"} if is_eval_file(file) else YAML_KINDS)

    def add(self, document: Document, declared: "_Declared") -> None:
        kind, name, problems, spec = declared
        if problems:
            self.problems.extend(problems)
        if kind is None:
            self._lost_document(document)
        elif name is None:
            self.unsure.add(kind)
        elif not self._is_new(kind, name, document):
            return
        elif document.node is None:
            known = self.partials if kind == "Partial" else self.warmups
            known[name] = document
        elif spec is None and not NAME.fits(name):
            self.unsure.add(kind)  # nobody can name it: who tries to is not to blame
        elif spec is None:
            self.broken.add((kind, name))
        else:
            self.specs[kind, name] = spec

    def _lost_document(self, document: Document) -> None:
        if document.form == "markdown":
            self.broken.add(("Agent", document.stem))
        else:
            self.unsure.update({"Eval"} if is_eval_file(document.file) else YAML_KINDS)

    def _is_new(self, kind: str, name: str, document: Document) -> bool:
        """Whether no other object has this name; names that differ only in case count as the same."""
        first = self.places.setdefault((kind, name.casefold()), document)
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


class _Declared(NamedTuple):
    """What a document declares, looked at by itself: kind and name if they are known, and its spec if it is good."""

    kind: str | None
    name: str | None
    problems: tuple[Problem, ...]
    spec: Spec | None = None


def _declared(document: Document) -> _Declared:
    if document.node is None:
        kind = "Partial" if document.form == "partial" else "Warmup"
        problems = [*_check_file_name(document), *check_keys(document, kind, f"{kind}/{document.stem}")]
        return _Declared(kind, document.stem, tuple(problems))
    found = tuple(_check_kind(document, document.node))
    if found:
        return _Declared(None, None, found)
    kind = document.node.members["kind"].data if "kind" in document.node.members else "Agent"
    name = _declared_name(kind, document)
    problems = [*_check_schema(kind, document, name), *_check_version(document)]
    problems.extend(_check_file_name(document) if kind == "Agent" else ())
    spec = None if name is None or has_errors(problems) else _spec(kind, name, document)
    problems.extend(check_keys(document, kind, f"{kind}/{name}" if name is not None else None))
    return _Declared(kind, name, tuple(problems), spec)


def _check_kind(document: Document, whole: Node) -> Iterator[Problem]:
    """At most one problem."""
    node, is_eval = whole.members.get("kind"), is_eval_file(document.file)
    if node is None:
        if document.form != "markdown":
            yield _no_kind(document, whole)
        return
    code, kind, fixes = "STK206", node.data, tuple[Fix, ...]()
    if not isinstance(kind, str):
        code, message = "STK103", f"'kind' must be text, found {kind!r}"
    elif kind in _FILE_KINDS and document.form == "yaml":
        message = f"kind '{kind}' cannot stand in a .yaml file: it is {_FILE_KINDS[kind]}"
    elif kind in YAML_KINDS and document.form == "markdown":
        message = f"a .md file is an Agent, found kind '{kind}'; move it to a .yaml file"
    elif kind == "Eval" and not is_eval:
        message = f"Evals are read from files '{EVALS}/NAME.eval.yaml' only; move it there"
    elif kind in YAML_KINDS and kind != "Eval" and is_eval:
        message = f"an .eval.yaml file holds Evals only, found kind '{kind}'; move it to another .yaml file"
    elif kind not in SCHEMAS:
        code, message = "STK107", f"unknown kind '{kind}'{did_you_mean(kind, SCHEMAS)}"
        fixes = word_fix(first_line(node.span), kind, YAML_KINDS if document.form == "yaml" else ["Agent"])
    else:
        return
    yield make_problem(code, message, document.file, first_line(node.span), pointer="/kind", fixes=fixes)


def _no_kind(document: Document, whole: Node) -> Problem:
    slip = nearest("kind", whole.keys)
    if slip is not None:
        where = whole.keys[slip]
        message = f"unknown field '{slip}'; did you mean 'kind'?"
        return make_problem(
            "STK101", message, document.file, where, pointer=f"/{slip}", fixes=word_fix(where, slip, ["kind"])
        )
    message = f"missing required field 'kind' in the document; expected one of {', '.join(YAML_KINDS)}"
    return make_problem("STK102", message, document.file, point(whole.span), pointer="/kind")


def _spec(kind: str, name: str, document: Document) -> Spec:
    assert document.node is not None
    shape = SCHEMAS[kind]
    data = document.node.data
    if _NOTE in document.text or "\\" in document.text:  # an escape may write it, too
        data = without_notes(data, shape, shape["$defs"]["value"])
    head = data if kind == "Agent" else data["metadata"]
    labels = dict(head.get("labels", {}))
    return Spec(kind, name, document, data if kind == "Agent" else data["spec"], labels)


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
        where, is_same = first_line(node.span), _SAME_VERSION.fullmatch(node.data) is not None
        fixes = replaced(where, node.data, API_VERSION, safe=is_same)
        yield make_problem("STK108", message, document.file, where, pointer="/apiVersion", fixes=fixes)


def _check_file_name(document: Document) -> Iterator[Problem]:
    if not NAME.fits(document.stem):
        message = f"the file name must be {NAME.title} such as '{NAME.example}', found '{document.stem}'"
        yield make_problem("STK105", message, document.file, span(1, 1))
    node = document.node.members.get("name") if document.node is not None else None
    if node is not None and isinstance(node.data, str) and NAME.fits(node.data) and node.data != document.stem:
        message = f"'name' is '{node.data}', but the file is '{document.stem}': rename one, or leave 'name' out"
        where = first_line(node.span)
        fixes = replaced(where, node.data, document.stem, safe=is_slip(node.data, document.stem, [document.stem]))
        yield make_problem("STK207", message, document.file, where, pointer="/name", fixes=fixes)


def _check_schema(kind: str, document: Document, name: str | None) -> Iterator[Problem]:
    assert document.node is not None
    owner = f"{kind}/{name}" if name is not None else None
    data = document.node.data
    errors, later = ([], []) if _quick_look(kind)(data) else _failures(SCHEMAS[kind], data)
    if kind in REFERRING:
        errors = [one for one in errors if one.path[:1] != ("spec",) or not awaits_variable(one.instance)]
    if kind in LATER_KINDS and not errors:
        where = first_line(document.node.members["kind"].span)
        message = not_run(f"kind '{kind}'", "remove the document to apply")
        yield make_problem("STK100", message, document.file, where, object=owner, pointer="/kind")
        later = []
    for failure in (*errors, *later):
        told = explain(failure, document.node)
        more: dict[str, Any] = {"object": owner, "pointer": pointer(failure.path), "fixes": told.fixes}
        yield make_problem(told.code, told.message, document.file, told.where, **more)


def check_value(shape: Mapping[str, Any], value: Any) -> Iterator[Failure]:
    """What is wrong with one value by a JSON Schema, root causes only; `explain` has the words."""
    return iter(_failures(shape, value)[0])


def later_in(shape: Mapping[str, Any], value: Any) -> Iterator[Failure]:
    """What of one good value this build does not run yet, by a JSON Schema; `explain` has the words."""
    return iter(_failures(shape, value)[1])


def has_errors(problems: Iterable[Problem]) -> bool:
    """Whether an object with these problems cannot be used; what this build does not run yet spoils none."""
    return any(problem.severity == "error" and problem.code != "STK100" for problem in problems)


def _failures(shape: Mapping[str, Any], data: Any) -> tuple[list[Failure], list[Failure]]:
    """The root causes of what is wrong, and what is good and not run yet."""
    from statek.spec.checking.judging import failures  # see there

    found = failures(shape, data)
    groups: dict[Path, list[Failure]] = {}
    for failure in found:
        if failure.check not in _LATER_MARKS:
            groups.setdefault(failure.path, []).append(failure)
    return root_causes(groups, shape, data), _outermost(
        [failure for failure in found if failure.check in _LATER_MARKS], groups
    )


def _outermost(marked: Sequence[Failure], wrong: Iterable[Path]) -> list[Failure]:
    """Of fields that are not run yet, those with nothing wrong in them and within no other such field."""
    kept: dict[Path, Failure] = {}
    spoilt = {path[:length] for path in wrong for length in range(len(path) + 1)}
    for failure in sorted(marked, key=lambda failure: len(failure.path)):
        within = any(failure.path[:length] in kept for length in range(len(failure.path) + 1))
        if not within and failure.path not in spoilt:
            kept[failure.path] = failure
    return list(kept.values())


@functools.cache
def _quick_look(kind: str) -> Look:
    return quick_look(SCHEMAS[kind])
