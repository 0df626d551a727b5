"""What users get wrong: one clear message that says what to do, the documented exit code, nothing half-written."""

import os
import sqlite3
from pathlib import Path

import pytest

from tests.acceptance.conftest import EVENTS
from tests.acceptance.projects import Project, Ran, make_project

pytestmark = pytest.mark.timeout(300)
VERBS = (
    ["validate"], ["plan"], ["apply", ".", "--yes"], ["work", "--until-idle"], ["submit", "triage", "event={}"],
    ["push", "x", "y"], ["ps"], ["show", "x"], ["logs", "x"], ["cancel", "x"], ["status"], ["history"], ["usage"],
    ["queue", "ls"], ["backup", "x"], ["restore", "."], ["gc"], ["compact"],
    ["new", "agent", "x"], ["render", "x"],
)  # fmt: skip


def assert_refused(ran: Ran, code: int, *words: str) -> None:
    """It ended with that code and one message with these words, and no traceback."""
    assert ran.code == code, ran.told
    assert "Traceback" not in ran.told, ran.told
    assert "bug in statek" not in ran.told, ran.told
    for word in words:
        assert word in ran.err, ran.told


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb[0])
def test_without_a_project_every_verb_says_so(tmp_path: Path, verb: list[str]) -> None:
    """In a folder without a project: exit 1, and what a project is made of. Each verb from the start of Python."""
    assert_refused(Project(tmp_path).start(*verb), 1, "pyproject.toml")
    assert list(tmp_path.iterdir()) == []


def test_before_the_first_apply_nothing_runs(desk: Project) -> None:
    """Verbs that need a release say which command makes one, and leave no store behind."""
    for verb in (["work", "--until-idle"], ["submit", "triage", "event={}"], ["ps"], ["show", "x"], ["cancel", "x"]):
        assert_refused(desk.run(*verb), 1, "statek apply")
    assert not desk.store.exists()


def test_wrong_usage_ends_with_2(desk: Project) -> None:
    """Unknown verbs, options, folders, and too much at once."""
    wrong = (
        ["aply"], ["apply", "--nix"], ["validate", "nowhere"], ["submit"], ["ps", "--limit", "0"],
        ["submit", "--queue", "quakes", "id=a", "--from", "x.jsonl"], ["work", "--env", "no such"],
    )  # fmt: skip
    for verb in wrong:
        assert_refused(desk.run(*verb), 2)


def test_a_mistake_in_a_file_is_shown_with_its_place(desk: Project) -> None:
    """`apply` of a wrong prompt: exit 1, file, line and column, and nothing is applied."""
    desk.edit("agents/triage.md", "inputs.event.place", "inputs.event.plaec")
    assert_refused(desk.run("apply", ".", "--yes"), 1, "agents/triage.md:", "did you mean")
    assert not desk.store.exists()


def test_an_item_that_does_not_fit_keeps_the_whole_file_out(filled: Project) -> None:
    """Of a file with one wrong line nothing is taken, and the line is named."""
    filled.write("bad.jsonl", '{"id": "good"}\n{"id": \n')
    assert_refused(filled.run("submit", "--queue", "quakes", "--from", "bad.jsonl"), 1, "bad.jsonl:2")
    assert filled.do("ps", "-o", "json").json["queued"] == {"Queue/quakes": EVENTS}


def test_an_unreadable_folder_is_an_error_and_not_an_empty_set(applied: Project) -> None:
    """A folder that cannot be read refuses the apply; nothing is taken for deleted."""
    queues = applied.root / "queues"
    queues.rename(applied.root / "away")
    queues.symlink_to(queues)  # unreadable for root too
    assert_refused(applied.run("apply", ".", "--yes", "--prune"), 1, "queues")


def test_a_tool_module_that_cannot_be_imported_is_refused_by_the_worker(tmp_path: Path) -> None:
    """What only shows when the module is imported ends with 6; head does not move, with a worker and without."""
    project = small(tmp_path)
    project.do("apply", ".", "--yes")
    project.write("desk.py", project.root.joinpath("desk.py").read_text() + "\nraise RuntimeError('no such device')\n")
    project.edit("agents/a.md", "Hello", "Good morning")
    assert_refused(project.run("apply", ".", "--yes"), 6, "no such device")
    with project.serving("--no-watch"):
        assert_refused(project.run("apply", ".", "--yes"), 6, "no such device")
    assert len(project.do("history", "-o", "json").json["releases"]) == 1


def test_a_job_that_was_accepted_runs_although_its_agent_is_taken_away(tmp_path: Path) -> None:
    """What was acknowledged under one release is done under it, also when the next one comes before a worker."""
    project = small(tmp_path)
    project.write("agents/b.md", (project.root / "agents/a.md").read_text())
    project.do("apply", ".", "--yes")
    job = project.do("submit", "b").out.strip()
    (project.root / "agents/b.md").unlink()
    project.do("apply", ".", "--yes", "--prune")
    project.do("work", "--until-idle", "--no-watch")
    assert [(row["id"], row["outcome"]) for row in project.jobs()] == [(job, "ok")]


def test_a_missing_secret_ends_with_10(tmp_path: Path) -> None:
    """A provider whose key is not in the environment refuses the apply and names the variable."""
    project = small(tmp_path)
    project.edit("agents/m.yaml", "{driver: scripted}", '{driver: openai, api_key: "${secret:DESK_KEY}"}')
    project.edit("agents/m.yaml", "id: s}", "id: gpt}")
    assert_refused(project.run("apply", ".", "--yes"), 10, "DESK_KEY")


def test_a_newer_format_is_refused(applied: Project) -> None:
    """A ledger that a later statek wrote ends with 9 and stays as it is."""
    with sqlite3.connect(applied.store / "ledger.sqlite") as ledger:
        ledger.execute("PRAGMA user_version = 99")
    for verb in (["work", "--until-idle"], ["ps"], ["submit", "triage", "event={}"], ["apply", ".", "--yes"]):
        assert_refused(applied.run(*verb), 9, "99", "newer")


def test_a_ledger_that_is_none_is_refused(applied: Project) -> None:
    """A file of noise in the ledger's place ends with 9 and stays as it is."""
    noise = os.urandom(8192)
    for end in ("", "-wal", "-shm"):
        (applied.store / f"ledger.sqlite{end}").unlink(missing_ok=True)
    (applied.store / "ledger.sqlite").write_bytes(noise)
    for verb in (["work", "--until-idle"], ["ps"], ["submit", "triage", "event={}"], ["history"]):
        assert_refused(applied.run(*verb), 9, "ledger")
    assert (applied.store / "ledger.sqlite").read_bytes() == noise


def test_a_store_without_its_ledger_is_refused(worked: Project) -> None:
    """The promises stand in the ledger: without it nothing starts over as if there had been none."""
    (worked.store / "ledger.sqlite").unlink()
    for verb in (["work", "--until-idle"], ["ps"], ["apply", ".", "--yes"], ["submit", "triage", "event={}"]):
        assert_refused(worked.run(*verb), 9, "ledger")
    assert not (worked.store / "ledger.sqlite").exists()


def test_a_store_folder_that_cannot_be_made_is_refused(desk: Project) -> None:
    """A file where the store's folder should be ends with 9 and says what to do."""
    (desk.root / ".statek").write_text("in the way")
    assert_refused(desk.run("apply", ".", "--yes"), 9, ".statek")


def small(folder: Path) -> Project:
    """One agent with one tool of the project's own."""
    return make_project(folder / "small", {
        "pyproject.toml": '[tool.statek]\nproject = "small"\n',
        "agents/a.md": "---\ndescription: Greets.\nmodel: m\ntools: [desk/*]\n---\nHello.\n",
        "agents/m.yaml": "apiVersion: statek/v1\nkind: Provider\nmetadata: {name: p}\nspec: {driver: scripted}\n---\n"
                         "apiVersion: statek/v1\nkind: Model\nmetadata: {name: m}\nspec: {provider: p, id: s}\n---\n"
                         "apiVersion: statek/v1\nkind: Script\nmetadata: {name: s}\n"
                         "spec: {rules: [{when: {turn: 1}, reply: {code: exit('done')}}]}\n",
        "agents/t.yaml": "apiVersion: statek/v1\nkind: ToolSet\nmetadata: {name: desk}\n"
                         "spec: {tools: [{python: 'desk:look', effect: read}]}\n",
        "desk.py": "def look() -> int:\n    return 1\n",
    })  # fmt: skip
