"""`statek schema`: the schemas as an editor takes them."""

import json
from pathlib import Path

import pytest

from statek.spec.schema.kinds import SCHEMAS, schema_files
from tests.cli.conftest import Statek


@pytest.mark.parametrize("word", ["Queue", "queue", "QUEUE"])
def test_a_schema_is_the_text_of_its_file(statek: Statek, word: str) -> None:
    """In any letter case, to the byte."""
    assert statek("schema", word).out == schema_files()["queue.schema.json"]


def test_every_kind_is_listed_with_its_file(statek: Statek) -> None:
    """Without a KIND: one line for each."""
    lines = statek("schema").out.splitlines()

    assert [line.split()[:2] for line in lines[1:]] == [[kind, f"{kind.lower()}.schema.json"] for kind in SCHEMAS]


def test_an_unknown_kind_gets_the_nearest_name(statek: Statek) -> None:
    """Exit code 2, and what may have been meant."""
    done = statek("schema", "agnt")

    assert (done.code, done.out) == (2, "")
    assert "did you mean 'Agent'?" in done.err


def test_the_documents_have_the_documented_shape(statek: Statek, tmp_path: Path) -> None:
    """As JSON: the list, and one kind with its schema."""
    listed = statek("schema", "-o", "json", cwd=tmp_path).document("Schemas")
    one = statek("schema", "eval", "-o", "json", cwd=tmp_path).document("Schema")

    assert [row["name"] for row in listed["schemas"]] == list(SCHEMAS)
    assert (one["file"], one["schema"]) == ("eval.schema.json", json.loads(json.dumps(SCHEMAS["Eval"])))
