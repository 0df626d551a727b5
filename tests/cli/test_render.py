"""`statek render`: what a job would be given, without giving it to one."""

import json
from pathlib import Path

from tests.cli.conftest import Statek, break_agent


def test_the_prompt_is_that_of_a_job(statek: Statek, applied: Path) -> None:
    """Byte for byte what the worker sends, and the warmup that it runs."""
    rendered = statek("render", "greeter", "name=Ada", "-o", "json", cwd=applied).document("Rendered")
    job = statek("submit", "greeter", "name=Ada", cwd=applied).out.strip()
    assert statek("work", "--until-idle", cwd=applied).code == 0
    shown = statek("show", job, "-o", "json", cwd=applied).document("Job")["job"]

    assert rendered["prompt"] == shown["prompt"]
    assert rendered["revision"] == shown["revision"]
    assert [block["code"] for block in rendered["warmup"]] == shown["warmup"]


def test_it_needs_neither_store_nor_release(statek: Statek, project: Path) -> None:
    """And makes none."""
    done = statek("render", "greeter", "name=Ada", cwd=project)

    assert (done.code, done.err) == (0, "")
    assert "You greet people. This one is called Ada." in done.out
    assert "count_letters(text)\n    How many letters there are in `text`." in done.out
    assert "bytes // 4" in done.out
    assert not (project / ".statek").exists()


def test_models_and_limits_are_shown(statek: Statek, project: Path) -> None:
    """The chain with its fallbacks in the order of asking, and the estimate that the runtime makes."""
    text = (project / "agents/models.yaml").read_text()
    more = (
        "---\napiVersion: statek/v1\nkind: Model\nmetadata: {name: other}\nspec: {provider: rehearsal, id: rehearsal}\n"
    )
    (project / "agents/models.yaml").write_text(
        text.replace("id: rehearsal}  #", "id: rehearsal, fallback: [other]}  #") + more
    )

    found = statek("render", "greeter", "name=Ada", "-o", "json", cwd=project).document("Rendered")

    assert [model["name"] for model in found["models"]] == ["writer", "other"]
    assert (found["limits"]["turns"], found["limits"]["wallClockSeconds"]) == (5, 120)
    assert found["estimate"]["tokens"] == len(found["prompt"].encode()) // 4


def test_formal_tools_are_as_they_are_sent(statek: Statek, project: Path) -> None:
    """With their schemas; they count in the estimate."""
    path = project / "agents/greeter.md"
    path.write_text(path.read_text().replace("model: writer ", "tools_scope: APPLICATION\nmodel: writer "))

    found = statek("render", "greeter", "name=Ada", "-o", "json", cwd=project).document("Rendered")

    assert [tool["name"] for tool in found["formalTools"]] == ["count_letters"]
    assert found["formalTools"][0]["parameters"]["required"] == ["text"]
    assert found["estimate"]["tokens"] * 4 > found["estimate"]["promptBytes"]


def test_inputs_come_from_a_file_too(statek: Statek, project: Path) -> None:
    """Or from stdin."""
    (project / "ada.json").write_text('{"name": "Ada"}')
    words = statek("render", "greeter", "name=Ada", cwd=project).out

    assert statek("render", "greeter", "--inputs", "ada.json", cwd=project).out == words
    assert statek("render", "greeter", "--inputs", "-", cwd=project, typed='{"name": "Ada"}').out == words


def test_inputs_are_checked_as_for_a_job(statek: Statek, project: Path) -> None:
    """Missing and unknown ones are named, with the file that declares them."""
    done = statek("render", "greeter", "nmae=Ada", cwd=project)

    assert (done.code, done.out) == (1, "")
    assert "nmae: agent 'greeter' has no such input; did you mean 'name'?" in done.err
    assert "name: required text is missing" in done.err
    assert "agents/greeter.md" in done.err


def test_an_input_of_the_wrong_type_is_named(statek: Statek, project: Path) -> None:
    """From words and from a file."""
    path = project / "agents/greeter.md"
    path.write_text(path.read_text().replace("type: string", "type: integer").replace("warmup: greeter", "#"))
    (project / "x.json").write_text(json.dumps({"name": "Ada"}))

    assert "name: 'Ada' is not JSON for integer" in statek("render", "greeter", "name=Ada", cwd=project).err
    assert "name: expected a whole number" in statek("render", "greeter", "--inputs", "x.json", cwd=project).err


def test_an_unknown_agent_gets_the_nearest_name(statek: Statek, project: Path) -> None:
    """Exit code 1."""
    done = statek("render", "greter", cwd=project)

    assert (done.code, done.out) == (1, "")
    assert "did you mean 'greeter'?" in done.err


def test_bad_files_are_shown_as_by_validate(statek: Statek, project: Path) -> None:
    """Nothing is rendered."""
    break_agent(project)

    done = statek("render", "greeter", "name=Ada", cwd=project)

    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error[STK301]")


def test_what_is_not_run_yet_is_not_rendered(statek: Statek, project: Path) -> None:
    """The exact prompt of such an agent is not known."""
    path = project / "agents/greeter.md"
    path.write_text(path.read_text().replace("model: writer ", "difficulty: low\nmodel: writer "))

    done = statek("render", "greeter", "name=Ada", cwd=project)

    assert done.code == 1
    assert "error[STK100]" in done.err


def test_modules_that_talk_do_not_spoil_the_document(statek: Statek, project: Path) -> None:
    """What is printed while they are imported goes to stderr."""
    path = project / "letters.py"
    path.write_text(path.read_text() + "\nprint('hello from letters')\n")

    done = statek("render", "greeter", "name=Ada", "-o", "json", cwd=project)

    assert done.document("Rendered")["agent"] == "greeter"
    assert "hello from letters" in done.err


def test_a_module_that_cannot_be_imported_is_named(statek: Statek, project: Path) -> None:
    """With its cause; exit code 1."""
    path = project / "letters.py"
    path.write_text(path.read_text() + "\nraise RuntimeError('no such device')\n")

    done = statek("render", "greeter", "name=Ada", cwd=project)

    assert done.code == 1
    assert "no such device" in done.err


def test_words_and_a_file_together_are_wrong_usage(statek: Statek, project: Path) -> None:
    """Exit code 2."""
    assert statek("render", "greeter", "name=Ada", "--inputs", "x.json", cwd=project).code == 2
