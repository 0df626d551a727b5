"""`statek plan`, `apply`, `history` and `status` without a worker."""

from pathlib import Path

import pytest

from tests.cli.conftest import Statek, break_agent, want_later


def edit(project: Path) -> None:
    """Change the agent's prompt."""
    path = project / "agents/greeter.md"
    path.write_text(path.read_text().replace("friendly", "kind"))


def test_apply_makes_the_first_release(statek: Statek, project: Path) -> None:
    """Head moves, and the document has release and plan."""
    found = statek("apply", ".", "-o", "json", cwd=project).document("Applied")

    assert (found["moved"], found["number"], found["worker"]) == (True, 1, False)
    assert {action["action"] for action in found["plan"]["actions"]} == {"new"}


def test_applying_again_says_there_is_nothing_to_do(statek: Statek, applied: Path) -> None:
    """Exit code 0, head stays."""
    done = statek("apply", ".", cwd=applied)

    assert done.code == 0
    assert done.out.startswith("nothing to do")


def test_bad_files_refuse_the_whole_apply(statek: Statek, applied: Path) -> None:
    """Exit code 1; the other edit is not applied either."""
    edit(applied)
    (applied / "queues/guests.yaml").write_text("kind: Quue\n")

    assert statek("apply", ".", cwd=applied).code == 1
    assert len(statek("history", "-o", "json", cwd=applied).document("History")["releases"]) == 1


@pytest.mark.parametrize("verb", ["plan", "apply"])
def test_what_is_not_run_yet_refuses_the_whole_apply(statek: Statek, applied: Path, verb: str) -> None:
    """Good files that ask for more than this build runs: exit code 1, shown as errors, head stays."""
    edit(applied)
    want_later(applied)

    done = statek(verb, ".", "-o", "json", cwd=applied)

    (problem,) = done.document("Validation")["diagnostics"]
    assert (done.code, problem["code"], problem["severity"]) == (1, "STK100", "error")
    assert "not supported by this build yet; remove it to apply" in done.err
    assert len(statek("history", "-o", "json", cwd=applied).document("History")["releases"]) == 1


def test_status_says_what_keeps_files_from_being_applied(statek: Statek, applied: Path) -> None:
    """The files are valid, and nobody can say whether they are what is applied."""
    want_later(applied)

    found = statek("status", "-o", "json", cwd=applied).document("Status")["conditions"]

    assert [(item["type"], item["status"]) for item in found[:2]] == [("Valid", "True"), ("Synced", "Unknown")]
    assert "'rollout'" in found[1]["message"]


def test_settings_that_are_not_run_yet_keep_a_worker_from_starting(statek: Statek, applied: Path) -> None:
    """A table that would be ignored is refused, by `apply` and by `work`."""
    with (applied / "pyproject.toml").open("a") as file:
        file.write('\n[tool.statek.watch]\nsettle = "1s"\n')

    assert statek("validate", cwd=applied).code == 0
    assert statek("apply", ".", cwd=applied).code == 1
    done = statek("work", "--until-idle", cwd=applied)
    assert (done.code, "error[STK100]" in done.err) == (1, True)


def test_a_release_that_cannot_run_is_refused(statek: Statek, applied: Path) -> None:
    """A tool module that fails at import: exit code 6, head stays."""
    (applied / "letters.py").write_text("raise RuntimeError('broken')\n\n\ndef count_letters(text: str) -> int: ...\n")
    edit(applied)

    done = statek("apply", ".", cwd=applied)

    assert done.code == 6
    assert "broken" in done.err
    assert len(statek("history", "-o", "json", cwd=applied).document("History")["releases"]) == 1


def test_a_missing_secret_has_a_code_of_its_own(statek: Statek, project: Path) -> None:
    """A live provider without its key: exit code 10 and the name of the secret."""
    (project / "agents/models.yaml").write_text(
        "apiVersion: statek/v1\nkind: Provider\nmetadata: {name: live}\n"
        "spec: {driver: openai, base_url: 'https://api.example.test/v1', api_key: '${secret:NO_SUCH_KEY_HERE}'}\n---\n"
        "apiVersion: statek/v1\nkind: Model\nmetadata: {name: writer}\nspec: {provider: live, id: some-model}\n"
    )

    done = statek("apply", ".", cwd=project)

    assert done.code == 10
    assert "NO_SUCH_KEY_HERE" in done.err


def test_a_guard_refuses_a_large_prune(statek: Statek, applied: Path) -> None:
    """Exit code 4, head stays."""
    (applied / "queues/guests.yaml").unlink()

    done = statek("apply", ".", "--prune", "--prune-limit", "0", cwd=applied)

    assert done.code == 4
    assert "STK709" in done.err


def test_prune_removes_what_has_no_file(statek: Statek, applied: Path) -> None:
    """Only when asked for."""
    (applied / "queues/guests.yaml").unlink()

    found = statek("apply", ".", "--prune", "-o", "json", cwd=applied).document("Applied")

    pruned = [action["object"] for action in found["plan"]["actions"] if action["action"] == "pruned"]
    assert pruned == ["Queue/guests"]


def test_a_dry_run_changes_nothing(statek: Statek, project: Path) -> None:
    """Not even a ledger is made."""
    done = statek("apply", ".", "--dry-run", "-o", "json", cwd=project)

    assert len(done.document("Plan")["actions"]) == 7
    assert not (project / ".statek").exists()


def test_environments_do_not_share_a_store(statek: Statek, applied: Path) -> None:
    """What is applied in one is not in another."""
    assert statek("submit", "greeter", "name=Ada", "--env", "prod", cwd=applied).code == 1


def test_plan_tells_differences_when_asked(statek: Statek, applied: Path) -> None:
    """Exit code 3 with --exit-code, and the aspects of the agent."""
    edit(applied)

    done = statek("plan", "--exit-code", cwd=applied)

    assert done.code == 3
    assert "~ Agent/greeter" in done.out
    assert "prompt" in done.out


def test_plan_without_differences_is_fine(statek: Statek, applied: Path) -> None:
    """Exit code 0 with --exit-code."""
    assert statek("plan", "--exit-code", "-o", "json", cwd=applied).document("Plan")["nothingToDo"] is True


def test_a_damaged_ledger_cannot_be_used(statek: Statek, applied: Path) -> None:
    """Exit code 9 and what to do."""
    (applied / ".statek/dev/store/ledger.sqlite").write_bytes(b"no database at all" * 100)

    done = statek("apply", ".", cwd=applied)

    assert done.code == 9
    assert "not a ledger" in done.err


def test_status_of_bad_files_names_the_place(statek: Statek, applied: Path) -> None:
    """Valid is False with its source, Synced nobody knows, Ready has no worker."""
    break_agent(applied)

    found = statek("status", "-o", "json", cwd=applied).document("Status")

    assert [(each["type"], each["status"]) for each in found["conditions"]] == [
        ("Valid", "False"), ("Synced", "Unknown"), ("Ready", "False"),
    ]  # fmt: skip
    assert found["conditions"][0]["source"]["file"] == "agents/greeter.md"


def test_status_tells_drift_when_asked(statek: Statek, applied: Path) -> None:
    """Exit code 3 when the files differ from what is applied."""
    edit(applied)

    assert statek("status", "--exit-code", cwd=applied).code == 3
