"""Carrying a plan out: stage, let it be prepared, move head. Reads no files and renders nothing.

Called by the command line and by the watcher. The one idea: nothing reads a staged release, so everything that can
fail happens before the one transaction that compares head with the plan's base and moves it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from statek.base.clock import Clock
from statek.control.errors import Guarded, Nacked, ProblemData
from statek.control.plan import Plan
from statek.ledger import releases
from statek.ledger.file import LedgerFile
from statek.ledger.staging import with_known_texts

Prepare = Callable[[str], list[ProblemData]]  # release id -> problems; none: it may become head


@dataclass(frozen=True)
class Applied:
    """Where head is now. `moved` is False when it was there before."""

    plan: Plan
    head: releases.Head
    moved: bool


def apply(plan: Plan, *, ledger: LedgerFile, prepare: Prepare, clock: Clock, reason: str) -> Applied:
    """Make the plan's target the release that new work uses.

    Args:
        plan: made against the head of this ledger.
        ledger: the ledger; no transaction may be open.
        prepare: tries the staged release out, without effect on running work.
        clock: gives the time of the move.
        reason: for the history.

    Raises:
        Guarded: the plan has refusals.
        Nacked: `prepare` reported problems.
        HeadMoved: somebody applied since the plan was made.
    """
    if plan.refusals:
        raise Guarded(plan.refusals)
    base = plan.base.id if plan.base else None
    if not plan.nothing_to_do or plan.renews_places:
        releases.stage(ledger, with_known_texts(ledger, plan.target))
    if not plan.nothing_to_do:
        problems = prepare(plan.target.id)
        if problems:
            raise Nacked(plan.target.id, problems)
    head = releases.move_head(ledger, base=base, target=plan.target.id, reason=reason, at_us=clock.now_us())
    return Applied(plan, head, moved=not plan.nothing_to_do)
