"""The JSON Schemas: up to date on disk, good schemas, and good at describing."""

from pathlib import Path

import jsonschema
import pytest

from statek.spec.schema.fields import find_field
from statek.spec.schema.kinds import SCHEMAS, main, schema_files

FOLDER = Path(__file__).parents[2] / "schemas"


def test_the_files_are_those_of_the_source():
    """`make schemas` was run after the last change."""
    on_disk = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.schema.json")}
    assert on_disk == schema_files()


@pytest.mark.parametrize("kind", sorted(SCHEMAS))
def test_each_is_a_schema(kind):
    """Every file follows the 2020-12 draft."""
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[kind])


def fields_of(shape: object) -> list[dict]:
    """Every declared field at any depth."""
    found = []
    if isinstance(shape, dict):
        for name, value in shape.items():
            if name == "properties" and all(isinstance(field, dict) for field in value.values()):
                found.extend(value.values())
            found.extend(fields_of(value))
    if isinstance(shape, list):
        for item in shape:
            found.extend(fields_of(item))
    return found


@pytest.mark.parametrize("kind", sorted(SCHEMAS))
def test_every_field_is_described(kind):
    """Editors can show what a field is."""
    for field in fields_of(SCHEMAS[kind]):
        assert field.get("title"), field
        assert field.get("description") or "$ref" in field, field


@pytest.mark.parametrize("kind", sorted(SCHEMAS))
def test_every_schema_has_its_head(kind):
    """An editor can name and find it."""
    shape = SCHEMAS[kind]
    assert (shape["$id"], shape["title"]) == (f"urn:statek:v1:{kind.lower()}", kind)
    assert shape["$schema"].endswith("2020-12/schema")
    assert shape["description"]


@pytest.mark.parametrize("kind", sorted(SCHEMAS))
def test_every_field_has_an_example(kind):
    """People and editors see how it is written."""
    for field in fields_of(SCHEMAS[kind]):
        assert field.get("examples") or "$ref" in field, field


@pytest.mark.parametrize("kind", sorted(SCHEMAS))
def test_what_is_not_run_yet_has_its_real_shape(kind):
    """A mark says nothing about what is right; an editor, which passes over it, is told the same as the checker."""
    marked = [field for field in fields_of(SCHEMAS[kind]) if "x-later" in field]
    assert all({"type", "enum", "$ref"} & set(field) for field in marked)
    assert all(isinstance(field["x-later"], str) for field in marked)


@pytest.mark.parametrize("kind", sorted(SCHEMAS))
def test_the_examples_of_a_field_are_good(kind):
    """No example in a schema is refused by it."""
    for field in fields_of(SCHEMAS[kind]):
        for example in field.get("examples", []):
            whole = {**field, "$defs": SCHEMAS[kind]["$defs"]}
            assert jsonschema.Draft202012Validator(whole).is_valid(example), (field, example)


def test_a_field_can_be_looked_up():
    """`statek explain` finds a field by its path."""
    assert find_field("Provider", ["spec", "retry", "max_attempts"]).default == 4


def test_writing_makes_the_folder(tmp_path):
    """The command writes every file."""
    assert main([str(tmp_path / "new")]) == 0
    assert {path.name for path in (tmp_path / "new").iterdir()} == set(schema_files())


def test_without_a_folder_it_is_wrong_usage(capsys):
    """The command says how it is used."""
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err
