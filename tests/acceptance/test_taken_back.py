"""Code that is stopped after it wrote to the store costs the calls of other jobs nothing: they come home first."""

import os
import signal
from pathlib import Path

import pytest

from tests.acceptance.projects import Project, Worker, until
from tests.acceptance.rough import Case, Rough, look_at, make_rough, run, submit

pytestmark = pytest.mark.timeout(300)
UNKNOWN = "OutcomeUnknown: {} was under way when the worker died"


def stopped_after(*files: str) -> Case:
    """A job whose code writes to the store and is stopped, once those files are there; what it wrote before stays."""
    code = f"note('first')\nafter{(*files, 'agents')}\nnote_begin()\nwhile True:\n    pass"
    return Case("stopped", [code, "print('there', *notes(), 'only')"], "ok", "there first only")


CALLER = Case("caller", ["print('got', send('mail'))"], "ok", "got sent mail")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the project lies."""
    return tmp_path / "rough"


def sent(project: Project) -> list[str]:
    """What was sent, sorted."""
    return sorted((project.root / "sent").read_text().splitlines())


def state(project: Project) -> str:
    """What the worker says that it does."""
    return str(project.do("status", "-o", "json").json["worker"]["state"])


def is_taken_back(worker: Worker) -> bool:
    """Whether the worker has told so, and nothing else was wrong."""
    assert '"level":"ERROR"' not in worker.said, worker.said
    return "is taken back: TimeLimit" in worker.out.read_text()


def test_calls_and_questions_under_way_come_home(folder: Path) -> None:
    """Each is made once and its job has what it gave; what one wrote or found in the store is lost: nobody knows."""

    def answer_late(number: int) -> str:
        if number == 1:
            (folder / "asked").write_text("")
            until((folder / "begun").exists, "the other job is at it")
        return ["print('answered')", "exit('went on')"][number - 1]

    cases = (
        stopped_after("sent-mail", "sent-letter", "sent-card", "asked"), CALLER,
        Case("asker", answer_late, "ok", "answered"),
        Case("writer", ["send_and_note('letter')"], "ok", UNKNOWN.format("send_and_note")),
        Case("reader", ["send_for_notes('card')"], "ok", UNKNOWN.format("send_for_notes")),
    )  # fmt: skip
    with Rough(cases, by_turn=True) as llm:
        project = make_rough(folder, llm)
        project.write("go", "")
        worker, shown = run(project, cases)
    assert is_taken_back(worker)
    assert [shown[case.name].row["outcome"] for case in cases] == [case.outcome for case in cases]
    assert (sent(project), llm.asked["asker"]) == (["card", "letter", "mail"], 2)
    assert [case.name for case in cases if case.says not in llm.told[case.name]] == []


@pytest.mark.parametrize("told", ["supervisor", "child"])
def test_a_worker_that_is_asked_to_end_meanwhile(folder: Path, told: str) -> None:
    """It ends as it always does once the call has come home, and the next one does the rest."""
    cases = (stopped_after("sent-mail"), CALLER)
    with Rough(cases, by_turn=True) as llm:
        project = make_rough(folder, llm)
        project.write("stop", "")
        submit(project, cases)
        with project.worker("--no-watch", "-o", "json") as worker:
            until((folder / "free").exists, "the code is stopped")
            os.kill(worker.process.pid if told == "supervisor" else worker.children()[0], signal.SIGTERM)
            until(lambda: state(project) == "draining", "the worker was told")
            project.write("go", "")
            assert worker.wait() == 0
        assert is_taken_back(worker)
        assert "starting it again" not in worker.out.read_text()
        project.do("work", "--until-idle", "--no-watch")
    assert [found.row["outcome"] for found in look_at(project, cases).values()] == ["ok", "ok"]
    assert [case.name for case in cases if case.says not in llm.told[case.name]] == []
    assert sent(project) == ["mail"]


def test_a_call_that_never_comes_home(folder: Path) -> None:
    """It is given up as in a drain; its job is told that nobody knows."""
    cases = (stopped_after("sent-mail"), Case("caller", CALLER.reply, "ok", UNKNOWN.format("send")))
    with Rough(cases, by_turn=True) as llm:
        project = make_rough(folder, llm, drain="1s")
        worker, shown = run(project, cases)
    assert is_taken_back(worker)
    assert [shown[case.name].row["outcome"] for case in cases] == ["ok", "ok"]
    assert [case.name for case in cases if case.says not in llm.told[case.name]] == []
    assert sent(project) == ["mail"]
