"""`statek why`: every place that gives a value, the one that counts first."""

import shutil
from pathlib import Path

import pytest

from tests import commands
from tests.cli.conftest import Statek, run_statek

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


@pytest.fixture(scope="session")
def worked_once(made_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one job that is done; never changed."""
    root = shutil.copytree(made_once / "applied", tmp_path_factory.mktemp("worked") / "desk")
    for words in (("submit", "greeter", "name=Ada"), ("work", "--until-idle", "--no-watch")):
        assert run_statek(*words, cwd=root).code == 0
    return root


@pytest.fixture
def worked(worked_once: Path, tmp_path: Path) -> Path:
    """A project with one job of the agent `greeter` that is done."""
    return shutil.copytree(worked_once, tmp_path / "desk")


def test_a_value_of_a_job_comes_from_its_revision_and_the_files(statek: Statek, worked: Path) -> None:
    """The revision it began with counts; while the files say the same, they say where it is written."""
    lines = statek("why", "job/greeter", "limits.turns", cwd=worked).out.splitlines()

    assert lines[0].startswith("limits.turns = 5  greeter@")
    assert " in release r-" in lines[0]
    assert lines[1:] == ["  from 5  agents/greeter.md:11 (Agent/greeter)", "  overrides 50  built in"]


def test_an_edit_does_not_reach_a_job_that_began_before(statek: Statek, worked: Path) -> None:
    """The job's value stays, and the files are told as saying something else."""
    agent = worked / "agents" / "greeter.md"
    agent.write_text(agent.read_text().replace("turns: 5", "turns: 7"))
    (value,) = statek("why", "Job/greeter", "limits.turns", "-o", "json", cwd=worked).document("Why")["values"]

    assert value["value"] == 5
    assert [(said["relation"], said["text"]) for said in value["chain"][:2]] == [("counts", "5"), ("now", "7")]


def test_inputs_of_a_job_say_who_gave_them(statek: Statek, worked: Path) -> None:
    """All of them, each with its value."""
    assert statek("why", "job/greeter", "inputs", cwd=worked).out == (
        'inputs.name = "Ada"  given when it was submitted\n'
    )


@pytest.mark.parametrize(
    ("job", "field", "told"),
    [
        ("job/greeter", "limits.turn", "did you mean 'limits.turns'?"),
        ("job/greeter", "labels", "statek why Agent/greeter labels"),
        ("job/greeter", "inputs.nmae", "its inputs: name"),
        ("job/nobody", "limits", "there is no job 'nobody'"),
        ("greeter/1", "limits", "a job is job/greeter/1"),
    ],
)
def test_what_a_job_does_not_have_is_told(statek: Statek, worked: Path, job: str, field: str, told: str) -> None:
    """With what could have been meant."""
    done = statek("why", job, field, cwd=worked)

    assert (done.code, done.out) == (1, "")
    assert told in done.err


def test_broken_files_leave_the_value_of_a_job(statek: Statek, worked: Path) -> None:
    """It is in the ledger; only where it is written cannot be told."""
    (worked / "agents" / "greeter.md").write_text("no front matter\n")
    done = statek("why", "job/greeter", "limits.turns", cwd=worked)

    assert (done.code, done.out.count("\n")) == (0, 1)
    assert "statek validate" in done.err
