"""A plan as lines of text for people. Pure; `control.plan` makes the JSON."""

from statek.control.plan import Action, Plan, Sign

_SHOWN = (Sign.NEW, Sign.CHANGED, Sign.PRUNED, Sign.ORPHANED)


def plan_lines(plan: Plan) -> list[str]:
    """What would happen, one line for each object that does not stay as it is, then a line with the counts."""
    shown = [action for action in plan.actions if action.sign in _SHOWN]
    width = max((len(action.key) for action in shown), default=0)
    lines = []
    for action in shown:
        lines.append(_line(action, width))
        lines.extend(f"    {detail}" for detail in action.details)
    lines.extend(f"! [{refusal.code}] {refusal.message}" for refusal in plan.refusals)
    return [*lines, summary(plan)]


def summary(plan: Plan) -> str:
    """`2 new, 1 changed, 7 same; release r-... -> r-...`."""
    counts = [f"{plan.count(sign)} {word}" for sign, word in _COUNTED if plan.count(sign)]
    parts = ", ".join(counts) or "no objects"
    if plan.nothing_to_do:
        return f"nothing to do: head is at {plan.target.id} ({parts})"
    start = f"{plan.base.id} -> " if plan.base else ""
    return f"{parts}; release {start}{plan.target.id}"


_COUNTED = (
    (Sign.NEW, "new"), (Sign.CHANGED, "changed"), (Sign.PRUNED, "pruned"), (Sign.ORPHANED, "orphaned"),
    (Sign.SAME, "same"), (Sign.KEPT, "outside of the scope"),
)  # fmt: skip


def _line(action: Action, width: int) -> str:
    change = " -> ".join(_short(revision) for revision in (action.before, action.after) if revision)
    notes = ", ".join(action.aspects)
    if action.sign is Sign.ORPHANED:
        notes = "its file is gone; --prune removes it"
    parts = (f"{action.sign} {action.key:<{width}}", change, notes, f"{action.file}:{action.line}")
    return "  ".join(part for part in parts if part)


def _short(revision: str) -> str:
    return revision.rpartition("@")[2]
