"""Editors, which know the files in `schemas/`, and the checker accept and refuse the same documents."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from statek.spec.checking.validate import check_value, later_in
from statek.spec.problems import SpecProblems
from statek.spec.quick import quick_look
from statek.spec.reading.documents import Document, read_documents
from statek.spec.reading.project import load_project
from statek.spec.reading.snapshot import take_snapshot
from statek.spec.references import REFERRING, awaits_variable
from statek.spec.schema.kinds import SCHEMAS, file_name
from tests.compiler.test_mistakes import GOOD, MISTAKES, Mistake, write

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.parent for path in ROOT.glob("tests/examples/*/*/agents"))


@cache
def editor(kind: str) -> Any:
    """What an editor judges by."""
    return Draft202012Validator(json.loads((ROOT / "schemas" / file_name(kind)).read_text(encoding="utf-8")))


def documents_of(root: Path) -> Iterator[tuple[str, Document]]:
    """Every document of a project that has a kind and can be read."""
    try:
        snapshot = take_snapshot(load_project(root))
    except SpecProblems:
        return
    for document in read_documents(snapshot.files).documents:
        if document.node is not None:
            kind = document.node.data.get("kind", "Agent" if document.form == "markdown" else None)
            if isinstance(kind, str) and kind in SCHEMAS:
                yield kind, document


def judged(kind: str, data: Any) -> tuple[bool, bool]:
    """Whether the editor, and whether the checker, find nothing wrong."""
    found = [one.instance for one in check_value(SCHEMAS[kind], data)]
    wrong = [error.instance for error in editor(kind).iter_errors(data)]
    return not [one for one in wrong if not excused(kind, one)], not [one for one in found if not excused(kind, one)]


def excused(kind: str, value: Any) -> bool:
    """What editors cannot know: a variable stands for a number; to a JSON Schema 5.0 is a whole number."""
    whole = isinstance(value, float) and value.is_integer()
    return whole or (kind in REFERRING and awaits_variable(value))


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda path: path.name)
def test_examples_are_judged_alike(folder: Path) -> None:
    """Good ones and bad ones."""
    for kind, document in documents_of(folder):
        assert document.node is not None
        editors, checkers = judged(kind, document.node.data)
        assert editors == checkers, (document.file, document.line)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda item: f"{item.code}:{item.new[:40]!r}")
def test_mistakes_are_judged_alike(tmp_path: Path, mistake: Mistake) -> None:
    """Whatever the schemas can see of them."""
    text = GOOD[mistake.file].replace(mistake.old, mistake.new, 1)
    write(tmp_path, {**GOOD, mistake.file: text})
    for kind, document in documents_of(tmp_path):
        assert document.node is not None
        editors, checkers = judged(kind, document.node.data)
        assert editors == checkers, (document.file, document.line)


def values() -> st.SearchStrategy[Any]:
    """Any value of a file."""
    words = st.sampled_from(["true", "10s", "60k", "5%", "a", "set/name", "x-note", "object", "string", "read", ""])
    scalars = st.none() | st.booleans() | st.integers(-5, 10**13) | st.floats(-5, 5) | words | st.text(max_size=5)
    return st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=8
    )


@cache
def leaves() -> list[tuple[str, tuple[Any, ...], Any]]:
    """Every value in a good document of each kind: kind, path, whole document."""
    found = []
    for folder in EXAMPLES:
        if folder.parent.name == "valid":
            for kind, document in documents_of(folder):
                assert document.node is not None
                found += [(kind, path, document.node.data) for path in paths(document.node.data)]
    return found


def paths(data: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all values below."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in inner:
        yield (*before, key)
        yield from paths(value, (*before, key))


def changed(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy with another value there."""
    if not path:
        return value
    copy = list(data) if isinstance(data, list) else dict(data)
    copy[path[0]] = changed(data[path[0]], path[1:], value)
    return copy


@given(st.data())
def test_the_quick_look_passes_nothing_that_is_wrong(data: st.DataObject) -> None:
    """What it passes, the library passes too, and this build runs; a good document of the examples stays good."""
    kind, path, document = data.draw(st.sampled_from(leaves()))
    value = changed(document, path, data.draw(values()))
    good = not list(check_value(SCHEMAS[kind], value)) and not list(later_in(SCHEMAS[kind], value))
    if quick_look(SCHEMAS[kind])(value):
        assert good


def shapes_in(shape: Any) -> Iterator[dict[str, Any]]:
    """A schema, and all within it that describe a value."""
    yield shape
    inner = [*shape.get("properties", {}).values(), *shape.get("$defs", {}).values()]
    inner += [shape[name] for name in ("items", "additionalProperties") if isinstance(shape.get(name), dict)]
    for below in (*inner, *(branch["then"] for branch in shape.get("allOf", ()))):
        yield from shapes_in(below)


@pytest.mark.parametrize("kind", SCHEMAS)
def test_the_quick_look_knows_every_keyword(kind: str) -> None:
    """A keyword that it does not know is found here, not when the first file uses the field."""
    for shape in shapes_in(SCHEMAS[kind]):
        quick_look({**shape, "$defs": SCHEMAS[kind]["$defs"]})


@pytest.mark.parametrize(
    "folder", [path for path in EXAMPLES if path.parent.name == "valid"], ids=lambda path: path.name
)
def test_the_quick_look_knows_good_documents(folder: Path) -> None:
    """Else it would save nothing."""
    for kind, document in documents_of(folder):
        assert document.node is not None
        data = document.node.data
        good = not list(check_value(SCHEMAS[kind], data)) and not list(later_in(SCHEMAS[kind], data))
        assert quick_look(SCHEMAS[kind])(data) == good
