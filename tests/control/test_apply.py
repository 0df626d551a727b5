"""Apply: stage, prepare, move head."""

from pathlib import Path

import pytest

from statek.base.clock import SystemClock
from statek.compiler.project import compile_project
from statek.control.apply import Applied, Prepare, apply
from statek.control.desired import desired_objects
from statek.control.errors import Guarded, Nacked
from statek.control.plan import Plan, Prune, compare
from statek.ledger import releases
from statek.ledger.file import LedgerFile


def ack(release: str) -> list[dict[str, object]]:
    """A release that can run."""
    return []


def make_plan(project: Path, ledger: LedgerFile, prune: Prune | None = None) -> Plan:
    """The plan from head to the files."""
    head = releases.head(ledger)
    base = releases.read_release(ledger, head.release) if head else None
    return compare(base, desired_objects(compile_project(project)), env="dev", project="shop", prune=prune)


def carry_out(plan: Plan, ledger: LedgerFile, prepare: Prepare = ack) -> Applied:
    """Apply a plan."""
    return apply(plan, ledger=ledger, prepare=prepare, clock=SystemClock(), reason="apply")


def test_apply_moves_head_to_the_target(project: Path, ledger: LedgerFile) -> None:
    """After apply head is at the plan's target, and history says why."""
    done = carry_out(make_plan(project, ledger), ledger)

    assert (True, 1, done.head) == (done.moved, done.head.number, releases.head(ledger))
    assert releases.history(ledger)[0].reason == "apply"


def test_applying_twice_does_nothing_the_second_time(project: Path, ledger: LedgerFile) -> None:
    """The same files again: head stays where it is and nothing is prepared."""
    first = carry_out(make_plan(project, ledger), ledger)

    second = carry_out(make_plan(project, ledger), ledger, lambda release: [{"message": "never asked"}])

    assert (False, first.head) == (second.moved, second.head)


def test_prepare_sees_the_staged_release(project: Path, ledger: LedgerFile) -> None:
    """What is tried out can be read by its id, while head has not moved."""
    seen = []

    def prepare(release: str) -> list[dict[str, object]]:
        seen.append((len(releases.read_release(ledger, release).objects), releases.head(ledger)))
        return []

    carry_out(make_plan(project, ledger), ledger, prepare)

    assert seen == [(5, None)]


def test_a_refused_release_leaves_head(project: Path, ledger: LedgerFile) -> None:
    """Problems of prepare come back in the error and head does not move."""
    with pytest.raises(Nacked, match="no module named shop") as caught:
        carry_out(make_plan(project, ledger), ledger, lambda release: [{"message": "no module named shop"}])

    assert len(caught.value.problems) == 1
    assert releases.head(ledger) is None


def test_a_stale_plan_is_refused(project: Path, ledger: LedgerFile) -> None:
    """When somebody applied since the plan was made, head stays theirs."""
    stale = make_plan(project, ledger)
    (project / "agents/triage.md").write_text((project / "agents/triage.md").read_text() + "More.\n")
    theirs = carry_out(make_plan(project, ledger), ledger)

    with pytest.raises(releases.HeadMoved):
        carry_out(stale, ledger)

    assert theirs.head == releases.head(ledger)


def test_a_guarded_plan_is_not_staged(project: Path, ledger: LedgerFile) -> None:
    """A refusal stops apply before anything is written."""
    carry_out(make_plan(project, ledger), ledger)
    (project / "queues/support.yaml").unlink()

    with pytest.raises(Guarded, match="STK709"):
        carry_out(make_plan(project, ledger, Prune(limit=0)), ledger)

    assert len(releases.history(ledger)) == 1


def test_a_moved_object_can_come_back_in_a_later_release(project: Path, ledger: LedgerFile) -> None:
    """A revision keeps the text it was first written with, wherever its file has moved to since."""
    carry_out(make_plan(project, ledger), ledger)
    agent, before = project / "agents/triage.md", (project / "agents/triage.md").read_text()
    agent.write_text(before + "More.\n")
    carry_out(make_plan(project, ledger), ledger)
    agent.write_text(before.replace("model: fast", "# a comment\nmodel: fast"))

    assert carry_out(make_plan(project, ledger), ledger).moved


def test_a_move_without_a_change_renews_the_place(project: Path, ledger: LedgerFile) -> None:
    """Head does not move, but the release knows the new file."""
    carry_out(make_plan(project, ledger), ledger)
    (project / "queues/support.yaml").rename(project / "queues/desk.yaml")

    done = carry_out(make_plan(project, ledger), ledger)

    assert not done.moved
    assert releases.read_release(ledger, done.head.release).objects["Queue/support"].file == "queues/desk.yaml"
