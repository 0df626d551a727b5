"""`statek new` adds an object that is good at once, or changes nothing."""

from pathlib import Path

import pytest

from tests.cli.conftest import Statek
from tests.cli.test_init import files

KINDS = ("agent", "tool", "queue", "warmup")


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A project that declares nothing."""
    (tmp_path / "pyproject.toml").write_text("[tool.statek]\n")
    return tmp_path


@pytest.mark.parametrize("kind", KINDS)
def test_in_a_new_project_it_is_valid_at_once(statek: Statek, project: Path, kind: str) -> None:
    """Without a single warning; what was there is as it was."""
    before = {name: (project / name).read_text() for name in files(project)}

    found = statek("new", kind, "helper", "-o", "json", cwd=project).document("Created")

    assert statek("validate", "--strict", cwd=project).code == 0
    assert files(project) == set(before) | set(found["files"])
    assert all((project / name).read_text() == text for name, text in before.items())
    assert found["next"]


@pytest.mark.parametrize("kind", KINDS)
def test_in_an_empty_project_it_is_valid_at_once(statek: Statek, empty: Path, kind: str) -> None:
    """There is nothing yet that it could refer to."""
    assert statek("new", kind, "helper").code == 0
    assert statek("validate", "--strict").code == 0


def test_one_after_the_other_they_belong_together(statek: Statek, empty: Path) -> None:
    """An agent takes the ToolSet that is there, a queue and a warmup the agent."""
    for words in (("tool", "count"), ("agent", "clerk"), ("warmup", "clerk"), ("queue", "letters")):
        assert statek("new", *words).code == 0

    assert "tools: [count/*]" in (empty / "agents/clerk.md").read_text()
    assert "agent: clerk\n  deliver_as: task " in (empty / "queues/letters.yaml").read_text()
    assert 'print("task:", task)' in (empty / "warmups/clerk.py").read_text()
    assert statek("validate", "--strict").code == 0
    assert "count(text: str) -> str" in (empty / "count_tools.py").read_text()
    assert statek("render", "clerk", "task=x").code == 0


def test_it_refers_to_the_first_model(statek: Statek, project: Path) -> None:
    """And says what a scripted one needs."""
    done = statek("new", "agent", "helper", cwd=project)

    assert "model: writer\n" in (project / "agents/helper.md").read_text()
    assert "add rules for agent helper" in done.err
    assert done.err.splitlines()[1].startswith("next: ")


def test_a_queue_serves_the_agent_asked_for(statek: Statek, project: Path) -> None:
    """One that there is not is named with the nearest."""
    assert statek("new", "agent", "helper", cwd=project).code == 0
    assert statek("new", "queue", "letters", "--agent", "helper", cwd=project).code == 0
    assert "agent: helper\n" in (project / "queues/letters.yaml").read_text()

    done = statek("new", "queue", "more", "--agent", "helpr", cwd=project)

    assert done.code == 1
    assert "did you mean 'helper'?" in done.err


def test_an_agent_that_items_are_not_enough_for_is_refused(statek: Statek, project: Path) -> None:
    """Its jobs could not begin."""
    path = project / "agents/greeter.md"
    path.write_text(path.read_text().replace("inputs: ", "inputs:\n  other: {type: string} "))

    done = statek("new", "queue", "more", "--agent", "greeter", cwd=project)

    assert done.code == 1
    assert "no other" in done.err
    assert not (project / "queues/more.yaml").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_in_the_way_is_never_overwritten(statek: Statek, empty: Path, kind: str) -> None:
    """Nothing is written at all; exit code 1."""
    names = statek("new", kind, "helper", "-o", "json").document("Created")["files"]
    for name in names[:-1]:
        (empty / name).unlink()
    (empty / names[-1]).write_text("# mine\n")

    done = statek("new", kind, "helper")

    assert done.code == 1
    assert "nothing was written" in done.err
    assert files(empty) == {"pyproject.toml", names[-1]}
    assert (empty / names[-1]).read_text() == "# mine\n"


def test_a_name_that_is_taken_elsewhere_is_refused(statek: Statek, project: Path) -> None:
    """Whatever the folder and the letter case."""
    done = statek("new", "queue", "Guests", cwd=project)

    assert (done.code, "Queue 'guests' is there already" in done.err) == (1, True)


@pytest.mark.parametrize(
    ("words", "example"),
    [
        (("agent", "9x"), "my-name"),
        (("agent", "README"), "never read"),
        (("agent", "a/b"), "my-name"),
        (("tool", "class"), "class_text"),
        (("tool", "print"), "print_text"),
        (("tol", "x"), ""),
    ],
)
def test_bad_names_are_wrong_usage(statek: Statek, empty: Path, words: tuple[str, ...], example: str) -> None:
    """With one that would do."""
    done = statek("new", *words)

    assert done.code == 2
    assert example in done.err
    assert files(empty) == {"pyproject.toml"}


def test_the_agent_option_is_for_queues(statek: Statek, project: Path) -> None:
    """Anywhere else it is wrong usage."""
    assert statek("new", "agent", "helper", "--agent", "greeter", cwd=project).code == 2


def test_without_a_project_it_says_so(statek: Statek) -> None:
    """Exit code 1, and what makes one."""
    done = statek("new", "agent", "helper")

    assert (done.code, "statek init" in done.err) == (1, True)


def test_roots_of_other_names_are_used(statek: Statek, tmp_path: Path) -> None:
    """Files go where the project reads them."""
    (tmp_path / "specs").mkdir()
    (tmp_path / "pyproject.toml").write_text("[tool.statek]\nroots = ['specs']\n")

    for kind in KINDS:
        assert statek("new", kind, f"my_{kind}").code == 0

    assert statek("validate", "--strict").out.startswith("valid: 4 objects")
