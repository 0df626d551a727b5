"""`statek why`: every place that gives a value, the one that counts first."""

import shutil
from pathlib import Path

import pytest

from tests import commands
from tests.cli.conftest import Statek

EXAMPLE = commands.REPO / "tests" / "examples" / "valid" / "inheritance"
AS_WRITTEN = "https://${var:REGION}.example.test"


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A project with a parent, Defaults, and Overlays of two environments."""
    return shutil.copytree(EXAMPLE, tmp_path / "house")


def test_the_chain_goes_from_the_nearest_to_what_is_built_in(statek: Statek, house: Path) -> None:
    """Overlay, own file, parent, built in; each with its line."""
    done = statek("why", "Agent/lead", "limits.turns", cwd=house)

    assert done.code == 0
    assert done.out.splitlines() == [
        "limits.turns = 70  queues/env-dev.yaml:9 (Overlay/dev)",
        "  overrides 30  agents/desk.md:6 (Agent/desk)",
        "  overrides 50  built in (statek explain Agent.limits.turns)",
    ]


def test_another_environment_has_another_value(statek: Statek, house: Path) -> None:
    """`--env` picks the overlays."""
    done = statek("why", "Agent/lead", "limits.turns", "--env", "live", cwd=house)

    assert done.out.startswith("limits.turns = 20  queues/env-live.yaml:9 (Overlay/live)\n")


def test_a_mapping_is_answered_field_by_field(statek: Statek, house: Path) -> None:
    """What is set with its origin, what has a default with that."""
    lines = statek("why", "Agent/lead", "limits", cwd=house).out.splitlines()

    assert "limits.cost_usd = 0.5  agents/defaults.yaml:6 (Defaults/money)" in lines
    assert "limits.exceptions = 30  agents/lead.md:9 (Agent/lead)" in lines
    assert "limits.depth = 1  built in (statek explain Agent.limits.depth)" in lines


def test_lists_that_add_up_say_so(statek: Statek, house: Path) -> None:
    """A parent's tools are no former value."""
    lines = statek("why", "Agent/lead", "tools.use", cwd=house).out.splitlines()

    assert lines[0] == 'tools.use = ["lib/find", "lib/*"]  agents/lead.md:7 (Agent/lead)'
    assert lines[1] == '  adds to ["lib/find"]  agents/desk.md:5 (Agent/desk)'


def test_a_short_form_answers_for_its_long_one(statek: Statek, house: Path) -> None:
    """`concurrency: 4` is `concurrency.max`, beside what an overlay adds."""
    lines = statek("why", "Queue/events", "concurrency", cwd=house).out.splitlines()

    assert lines[0] == "concurrency.max = 4  queues/q.yaml:7 (Queue/events)"
    assert lines[-1] == "concurrency.per_key = 1  queues/env-dev.yaml:11 (Overlay/dev)"


def test_variables_are_named_with_their_place(statek: Statek, house: Path) -> None:
    """The value as it is, as it is written, and what fills it."""
    lines = statek("why", "Provider/p", "base_url", cwd=house).out.splitlines()

    assert lines == [
        'base_url = "https://us.example.test"  agents/models.yaml:5 (Provider/p), written as ' + AS_WRITTEN,
        '  fills REGION = "us"  pyproject.toml:2 (environment dev)',
    ]


def test_settings_of_the_environment_take_part(statek: Statek, house: Path) -> None:
    """Models that it puts for others lie above the files, its `reload` below them."""
    (house / "pyproject.toml").write_text(
        '[tool.statek.env.dev]\nvars = {REGION = "us"}\n[tool.statek.env.dev.models]\ndeep = "fast"\n'
        '[tool.statek.env.dev.reload]\nprompt = "next-turn"\n'
    )
    lines = statek("why", "Agent/lead", "model.use", cwd=house).out.splitlines()
    assert lines[:2] == [
        'model.use = "fast"  pyproject.toml:4 (environment dev)',
        "  overrides deep  agents/lead.md:5 (Agent/lead)",
    ]
    lines = statek("why", "Agent/lead", "reload.prompt", cwd=house).out.splitlines()
    assert lines == [
        'reload.prompt = "next-turn"  pyproject.toml:6 (environment dev)',
        '  overrides "on-resume"  built in (statek explain Agent.reload.prompt)',
    ]


def test_the_document_has_the_documented_shape(statek: Statek, house: Path) -> None:
    """One entry for each field, each with its chain."""
    found = statek("why", "Agent/lead", "limits.turns", "-o", "json", cwd=house).document("Why")

    (value,) = found["values"]
    assert (found["object"], found["env"], value["field"], value["value"]) == ("Agent/lead", "dev", "limits.turns", 70)
    assert [said["owner"] for said in value["chain"]] == ["Overlay/dev", "Agent/desk", "built in"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("Agent/leed", "limits"), 1, "Agent 'leed' is not defined; did you mean 'lead'?"),
        (("Agnet/lead", "limits"), 1, "there is no kind 'Agnet'; did you mean 'Agent'?"),
        (("Agent/lead", "limits.turnz"), 1, "Agent has no field 'limits.turnz'; did you mean 'limits.turns'?"),
        (("lead", "limits"), 2, "write Kind/name, such as Agent/lead"),
    ],
)
def test_what_is_not_there_is_refused_with_the_nearest(
    statek: Statek, house: Path, words: tuple[str, str], code: int, message: str
) -> None:
    """Objects, kinds and fields."""
    done = statek("why", *words, cwd=house)

    assert (done.code, done.out) == (code, "")
    assert message in done.err


def test_an_object_with_problems_is_no_unknown_one(statek: Statek, house: Path) -> None:
    """It says where to look."""
    (house / "agents/lead.md").write_text("---\ndescription: One.\nlimts: {}\n---\nHello.\n")

    done = statek("why", "Agent/lead", "limits", cwd=house)

    assert done.code == 1
    assert "Agent/lead has problems" in done.err
    assert "statek validate" in done.err


def test_what_is_not_set_is_said(statek: Statek, house: Path) -> None:
    """Neither a value nor a default."""
    done = statek("why", "Agent/reader", "warmup", cwd=house)

    assert (done.code, done.out) == (0, "warmup is not set, and has no default\n")
