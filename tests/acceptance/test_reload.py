"""Editing a prompt while the worker runs: the next turn sends it; a broken file changes nothing and says where."""

import json
from collections.abc import Iterator

import pytest

from tests.acceptance.projects import Project, Worker, events, until
from tests.acceptance.providers import END, GO_ON, HeldLLM, held_desk

pytestmark = pytest.mark.timeout(300)
FILE = "agents/triage.md"
TAKEN = "the edited files are applied"
OLD = "You are on the desk that works through a seismic feed."
NEW = "You are on the night desk."
BROKEN = "You are on the night desk of {{ inputs.evnt.place }}."


@pytest.fixture
def llm(desk: Project) -> Iterator[HeldLLM]:
    """The provider of the desk; the test says what it answers and when."""
    with held_desk(desk) as provider:
        yield provider


@pytest.fixture
def watcher(desk: Project, llm: HeldLLM) -> Iterator[Worker]:
    """A worker that watches the files, and a job in its first turn, for which no answer has come yet."""
    desk.do("submit", "triage", f"event={json.dumps(events(6)[0])}")
    with desk.serving("--watch") as worker:
        assert OLD in llm.next_prompt(1)
        yield worker


def save(desk: Project, worker: Worker, old: str, new: str) -> None:
    """Save the file with one text replaced, and wait until the worker says that it took it."""
    before = worker.said.count(TAKEN)
    desk.edit(FILE, old, new)
    until(lambda: worker.said.count(TAKEN) > before, "the worker takes the edited files")


def save_broken(desk: Project, worker: Worker) -> None:
    """Save the file with a mistake in it, and wait until the worker says so."""
    desk.edit(FILE, NEW, BROKEN)
    until(lambda: "[STK301]" in worker.said, "the worker refuses the edit")


def test_an_edited_prompt_is_what_the_next_turn_sends(desk: Project, watcher: Worker, llm: HeldLLM) -> None:
    """The running job sends the new prompt with its second turn, without restart, and ends well."""
    save(desk, watcher, OLD, NEW)
    llm.give(GO_ON)
    assert NEW in llm.next_prompt(2)
    assert OLD not in llm.next_prompt(2)
    llm.give(END)
    until(lambda: [job["outcome"] for job in desk.jobs()] == ["ok"], "the job ends")
    assert len(watcher.children()) == 1
    assert watcher.terminate() == 0


def test_a_broken_edit_is_refused_with_its_place_and_the_old_prompt_stays(
    desk: Project, watcher: Worker, llm: HeldLLM
) -> None:
    """File, line and column stand on the worker's stderr and in `status`; the turn sends the prompt from before."""
    save(desk, watcher, OLD, NEW)
    line = next(n for n, text in enumerate((desk.root / FILE).read_text().splitlines(), 1) if NEW in text)
    save_broken(desk, watcher)
    place = f"{FILE}:{line}:{BROKEN.index('evnt') + 1}"
    assert place in watcher.said
    status = desk.run("status").out
    assert f"{FILE}:{line}" in status
    llm.give(GO_ON)
    assert NEW in llm.next_prompt(2)
    llm.give(END)


def test_the_fixed_file_is_taken_at_once(desk: Project, watcher: Worker, llm: HeldLLM) -> None:
    """After a broken edit the next good one is applied."""
    save(desk, watcher, OLD, NEW)
    save_broken(desk, watcher)
    save(desk, watcher, BROKEN, "You are on the early desk.")
    llm.give(GO_ON)
    assert "You are on the early desk." in llm.next_prompt(2)
    llm.give(END)
