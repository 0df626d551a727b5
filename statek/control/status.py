"""Conditions: are the files good, are they what is applied, does the worker run it. Pure.

Called by the command line with what it has looked up. A condition is only about now: it is computed from facts each
time and never kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from statek.control.plan import Plan, Sign
from statek.ledger.releases import Head
from statek.spec.problems import Problem

_FAMILIES = {"STK0": "ParseError", "STK1": "SchemaError", "STK7": "PolicyDenied"}


class Truth(StrEnum):
    """Value of a condition."""

    TRUE = "True"  # it holds
    FALSE = "False"  # it does not
    UNKNOWN = "Unknown"  # nobody can say, e.g. the files have errors


@dataclass(frozen=True)
class Condition:
    """One condition. `reason` is a word for programs, `file` and `line` say which place is to blame, if one is."""

    type: str
    status: Truth
    reason: str
    message: str
    file: str | None = None
    line: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The documented JSON shape."""
        source = None if self.file is None else {"file": self.file, "line": self.line}
        return {
            "type": self.type,
            "status": self.status.value,
            "reason": self.reason,
            "message": self.message,
            "source": source,
        }


@dataclass(frozen=True)
class WorkerFacts:
    """What a live worker says: the release it gives to new jobs, and its last refused reload, if that came last."""

    release: str | None
    reload_problems: tuple[str, ...] = ()


def valid(problems: Sequence[Problem]) -> Condition:
    """Do the files on disk compile?"""
    errors = [problem for problem in problems if problem.severity == "error"]
    if not errors:
        return Condition("Valid", Truth.TRUE, "Compiled", "the files compile")
    first = errors[0]
    more = f" and {len(errors) - 1} more" if len(errors) > 1 else ""
    reason = _FAMILIES.get(first.code[:4], "LinkError")
    return Condition("Valid", Truth.FALSE, reason, f"{first.message}{more}", first.file, first.range.start.line)


def synced(plan: Plan | None, later: Sequence[Problem] = ()) -> Condition:
    """Is what is on disk what is applied? `plan` is None when the files have errors, or ask for `later`."""
    if plan is None and later:
        file, line = later[0].file, later[0].range.start.line
        return Condition("Synced", Truth.UNKNOWN, "Stale", f"{later[0].message}; what was applied stays", file, line)
    if plan is None:
        return Condition("Synced", Truth.UNKNOWN, "Stale", "the files have errors; what was applied before stays")
    if plan.base is None:
        return Condition("Synced", Truth.FALSE, "OutOfSync", "nothing is applied yet; `statek apply` does it")
    for sign, reason in ((Sign.NEW, "OutOfSync"), (Sign.CHANGED, "OutOfSync"), (Sign.ORPHANED, "Orphaned")):
        found = [action for action in plan.actions if action.sign is sign]
        if found:
            names = ", ".join(action.key for action in found[:5]) + (", ..." if len(found) > 5 else "")
            return Condition(
                "Synced", Truth.FALSE, reason, f"{sign.name.lower()}: {names}", found[0].file, found[0].line
            )
    return Condition("Synced", Truth.TRUE, "Equal", f"the files are release {plan.base.id}")


def ready(head: Head | None, worker: WorkerFacts | None) -> Condition:
    """Does the worker run what is applied? `worker` is None when none is live."""
    if worker is None:
        return Condition("Ready", Truth.FALSE, "NoWorkers", "no worker runs; `statek work` starts one")
    if worker.reload_problems:
        return Condition("Ready", Truth.FALSE, "Nacked", worker.reload_problems[0])
    wanted = head.release if head else None
    if worker.release != wanted:
        shown = f"the worker runs {worker.release or 'no release'}, head is at {wanted or 'no release'}"
        return Condition("Ready", Truth.FALSE, "Progressing", shown)
    return Condition("Ready", Truth.TRUE, "Current", f"the worker runs {wanted or 'no release'}")
