"""`statek explain`: codes and fields in words."""

from pathlib import Path

import pytest

from statek.spec.codes.table import CODES
from statek.spec.schema.fields import Part, find_field, kind_names
from tests.cli.conftest import Statek, break_agent


def test_a_code_is_explained(statek: Statek) -> None:
    """What it means, a wrong example and the right one, and how it is switched off; without any project."""
    done = statek("explain", "STK301")

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("STK301, unknown-input\n")
    assert "| About: {{ inputs.evnt.subject }}" in done.out.split("Right:")[0]
    assert "| About: {{ inputs.event.subject }}" in done.out.split("Right:")[1]
    assert 'rules = {unknown-input = "warn"}' in done.out


def test_a_rule_names_its_code(statek: Statek) -> None:
    """As settings and messages do."""
    assert statek("explain", "unknown-input").out == statek("explain", "stk301").out


def test_what_is_always_an_error_says_so(statek: Statek) -> None:
    """No setting is shown that would be refused."""
    assert "cannot change it: " in statek("explain", "STK802").out


def test_a_code_without_an_example_says_why(statek: Statek) -> None:
    """Some depend on more than files."""
    assert "No example: it depends on what is applied" in statek("explain", "STK720").out


def test_the_document_of_a_code(statek: Statek) -> None:
    """With the files of both examples."""
    found = statek("explain", "STK208", "-o", "json").document("CodeExplained")

    assert (found["code"], found["rule"], found["switchable"]) == ("STK208", "alias-is-live", False)
    assert set(found["wrong"]) == set(found["right"]) == {"agents/triage.md"}


def test_a_field_is_explained(statek: Statek) -> None:
    """Type, default, bounds and an example."""
    lines = statek("explain", "Agent.limits.turns").out.splitlines()

    assert lines[0] == "Agent.limits.turns"
    assert [line.split(":", 1)[0] for line in lines[3:]] == ["type", "required", "default", "bounds", "example"]
    assert lines[5].split() == ["default:", "50"]


def test_a_kind_lists_its_fields(statek: Statek) -> None:
    """Those under `spec`, which need not be said."""
    out = statek("explain", "queue").out

    assert out.startswith("Queue\n")
    assert "dead_letter" in out
    assert statek("explain", "Queue.spec.rate").out.replace(".spec", "") == statek("explain", "Queue.rate").out


def test_a_field_that_is_not_run_yet_says_so(statek: Statek) -> None:
    """It may be written, but not applied."""
    found = statek("explain", "Agent.rollout", "-o", "json").document("FieldExplained")

    assert found["runs"] is False
    assert "STK100" in statek("explain", "Agent.rollout").out


@pytest.mark.parametrize(
    ("words", "near"),
    [("STK333", "STK303"), ("unknown-inpt", "unknown-input"), ("Agnet", "Agent"), ("Agent.limits.turn", "turns")],
)
def test_what_is_not_there_gets_the_nearest_name(statek: Statek, words: str, near: str) -> None:
    """And is wrong usage."""
    done = statek("explain", words)

    assert done.code == 2
    assert f"did you mean '{near}'?" in done.err


def test_without_a_word_it_lists_everything(statek: Statek) -> None:
    """All codes and all kinds."""
    found = statek("explain", "-o", "json").document("Explanations")

    assert [item["code"] for item in found["codes"]] == sorted(CODES)
    assert "Agent" in found["kinds"]


def test_a_diagnostic_names_the_command(statek: Statek, project: Path) -> None:
    """Which then works as it stands."""
    break_agent(project)

    last = next(line for line in statek("validate", cwd=project).err.splitlines() if "explain" in line)

    assert last == "   = explain: statek explain STK301"
    assert statek(*last.split()[3:]).code == 0


def walk(part: Part) -> list[Part]:
    """A field with everything below it, as far as paths lead."""
    kind, *path = part.path.replace("<name>", "any").split(".")
    found = find_field(kind, path) if path else part
    deeper = [field for field in found.fields if field.path.count(".") < 6]
    return [found, *(inner for field in deeper for inner in walk(field))]


@pytest.mark.parametrize("kind", kind_names())
def test_every_field_is_found_by_its_path(kind: str) -> None:
    """What a table shows can be asked for, and says what it is."""
    for part in walk(find_field(kind, [])):
        assert part.types, part.path
        assert part.description, part.path
