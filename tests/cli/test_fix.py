"""`statek validate --fix`: safe fixes are made, round by round, and the rest is told."""

from pathlib import Path

from tests.cli.conftest import Statek, break_agent

QUEUE = """\
kind: Queue
metadata: {name: guests}
spec: {agent: greter, deliver_as: name, ttl: 90, paused: yes, max_dept: 3}
"""


def test_safe_fixes_are_made_and_counted(statek: Statek, project: Path) -> None:
    """What one fix brings to light is fixed in the same call; then the files are valid."""
    break_agent(project)
    queue = project / "queues/guests.yaml"
    queue.write_text(QUEUE)

    done = statek("validate", "--fix", cwd=project)

    assert done.code == 0, done.err
    assert "fixed 6 problems in 2 files" in done.err
    assert done.out.startswith("valid: ")
    assert queue.read_text() == (
        "apiVersion: statek/v1\nkind: Queue\nmetadata: {name: guests}\n"
        "spec: {agent: greeter, deliver_as: name, ttl: 90s, paused: true, max_depth: 3}\n"
    )
    assert "inputs.name" in (project / "agents/greeter.md").read_text()


def test_what_is_not_certain_stays(statek: Statek, project: Path) -> None:
    """It is shown as without the option, and the file keeps every byte."""
    path = project / "agents/greeter.md"
    path.write_text(path.read_text().replace("{{ inputs.name }}", "{{ inputs.nope }}"))
    before = path.read_bytes()

    done = statek("validate", "--fix", cwd=project)

    assert done.code == 1
    assert "error[STK301]" in done.err
    assert "fixed 0 problems in 0 files" in done.err
    assert path.read_bytes() == before


def test_nothing_is_fixed_without_the_option(statek: Statek, project: Path) -> None:
    """`statek validate` reads and nothing else."""
    break_agent(project)
    before = (project / "agents/greeter.md").read_bytes()

    assert statek("validate", cwd=project).code == 1
    assert (project / "agents/greeter.md").read_bytes() == before


def test_only_problems_under_the_paths_are_fixed(statek: Statek, project: Path) -> None:
    """Others stay."""
    break_agent(project)

    done = statek("validate", "--fix", "queues", cwd=project)

    assert "fixed 0 problems" in done.err
    assert "nmae" in (project / "agents/greeter.md").read_text()


def test_the_document_has_what_remains(statek: Statek, project: Path) -> None:
    """Its form is that of `statek validate`."""
    break_agent(project)
    (project / "queues/more.yaml").write_text("kind: Queue\n")

    found = statek("validate", "--fix", "-o", "json", cwd=project).document("Validation")

    assert list(found) == ["formatVersion", "kind", "ok", "diagnostics"]
    assert {problem["code"] for problem in found["diagnostics"]} == {"STK102"}


def test_a_link_is_told_and_left(statek: Statek, project: Path) -> None:
    """Nothing is written through it; its problem remains."""
    break_agent(project)
    path, real = project / "agents/greeter.md", project / "agents/.real"
    path.rename(real)
    path.symlink_to(real)

    done = statek("validate", "--fix", cwd=project)

    assert done.code == 1
    assert "not fixed: agents/greeter.md is a link" in done.err
    assert "nmae" in real.read_text()
