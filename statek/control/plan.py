"""A plan: what apply would do to the objects of head, and whether a guard refuses it. Pure values, nothing is written.

Called with head and with what the files want; `apply` carries a plan out and never looks at the files again. The one
idea: the target is a whole release. Objects of head that lie outside of the scope, or whose file is gone, stay in it
as they are, unless they are pruned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from statek.control.aspects import changed_aspects, details
from statek.control.desired import owning_project
from statek.control.errors import Refusal
from statek.control.references import missing, with_needed
from statek.control.scope import WHOLE, Scope
from statek.ledger.releases import Release, StoredObject, release_id

_SHARE = 5  # a prune of more than one in five objects is refused
_MOST = 5  # and so is one of more than five


class Sign(StrEnum):
    """What happens to an object."""

    NEW = "+"  # not in head so far
    CHANGED = "~"  # another revision
    PRUNED = "-"  # leaves head, its file is gone
    ORPHANED = "?"  # its file is gone; it stays in head
    SAME = "="  # the same revision
    KEPT = "."  # outside of the scope; stays as it is


_WORDS = {
    Sign.NEW: "new", Sign.CHANGED: "changed", Sign.PRUNED: "pruned", Sign.ORPHANED: "orphaned", Sign.SAME: "same",
    Sign.KEPT: "kept",
}  # fmt: skip


@dataclass(frozen=True)
class Action:
    """What happens to the object `key` (`Agent/triage`); revisions are None before it is new and after it is gone."""

    sign: Sign
    key: str
    before: str | None
    after: str | None
    file: str
    line: int
    aspects: tuple[str, ...] = ()
    details: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """`new`, `changed`, ..."""
        return _WORDS[self.sign]


@dataclass(frozen=True)
class Plan:
    """From `base` (None: nothing was applied yet) to `target`. `actions` are in the order of their keys."""

    env: str
    base: Release | None
    target: Release
    actions: tuple[Action, ...]
    refusals: tuple[Refusal, ...]

    @property
    def nothing_to_do(self) -> bool:
        """Whether head is at the target already."""
        return self.base is not None and self.base.id == self.target.id

    @property
    def renews_places(self) -> bool:
        """Whether files, lines, owners or labels of objects differ from what is known."""
        return self.base is not None and any(
            _place(self.base.objects[key]) != _place(entry)
            for key, entry in self.target.objects.items()
            if key in self.base.objects
        )

    def count(self, sign: Sign) -> int:
        """How many actions have this sign."""
        return sum(action.sign is sign for action in self.actions)

    def to_json(self) -> dict[str, Any]:
        """The documented JSON shape, without `formatVersion` and `kind`."""
        return {
            "env": self.env,
            "base": self.base.id if self.base else None,
            "target": self.target.id,
            "nothingToDo": self.nothing_to_do,
            "actions": [_action_json(action) for action in self.actions],
            "refusals": [
                {"code": refusal.code, "object": refusal.object, "message": refusal.message}
                for refusal in self.refusals
            ],
        }


@dataclass(frozen=True)
class Prune:
    """Objects whose file is gone are removed, at most `limit` (None: one in five and no more than five, but one)."""

    limit: int | None = None


def compare(
    head: Release | None,
    objects: Sequence[StoredObject],
    *,
    env: str,
    project: str,
    scope: Scope = WHOLE,
    prune: Prune | None = None,
) -> Plan:
    """Plan the way from head to what the files want.

    Args:
        head: the release at head; None before the first apply, then the scope does not matter: all is new.
        objects: every object of the project's files.
        env: environment.
        project: id of the project the files belong to.
        scope: what may change.
        prune: remove objects whose file is gone; None: they stay, as orphans.
    """
    old = dict(head.objects) if head else {}
    offered = {entry.key: entry for entry in objects}
    chosen = _chosen(old, offered, scope if head else WHOLE)
    gone = [key for key, entry in old.items() if key not in offered and _is_ours(entry, project, scope)]
    pruned = set(gone) if prune else set()
    stay = {key: entry for key, entry in old.items() if key not in chosen and key not in pruned}
    target = dict(sorted({**stay, **chosen}.items()))
    actions = tuple(
        _action(key, old.get(key), target.get(key), key in gone, chosen) for key in sorted({**old, **target})
    )
    owned = sum(owning_project(entry) == project for entry in old.values())
    refusals = [*_owner_refusals(old, chosen), *_prune_refusals(old, sorted(pruned), owned, prune)]
    if not target:
        refusals.append(Refusal("STK708", "nothing would be left: the resulting release is empty"))
    refusals.extend(_missing_refusals(target))
    return Plan(env, head, Release(release_id(env, target), env, target), actions, tuple(refusals))


def _chosen(
    old: Mapping[str, StoredObject], offered: Mapping[str, StoredObject], scope: Scope
) -> dict[str, StoredObject]:
    """Objects taken from the files: those in scope, and what these need and head does not have."""
    inside = {key: entry for key, entry in offered.items() if scope.covers(entry.file)}
    return with_needed(inside, {key: entry for key, entry in offered.items() if key not in old})


def _is_ours(entry: StoredObject, project: str, scope: Scope) -> bool:
    return owning_project(entry) == project and scope.covers(entry.file)


def _action(
    key: str, old: StoredObject | None, new: StoredObject | None, is_gone: bool, chosen: Mapping[str, StoredObject]
) -> Action:
    shown = new or old
    assert shown is not None
    before, after = old.revision if old else None, new.revision if new else None
    if old is not None and new is not None and before != after:
        what = (changed_aspects(new.kind, old.text, new.text), details(new.kind, old.text, new.text))
        return Action(Sign.CHANGED, key, before, after, new.file, new.line, *what)
    if new is None:
        sign = Sign.PRUNED
    elif old is None:
        sign = Sign.NEW
    elif is_gone:
        sign = Sign.ORPHANED
    else:
        sign = Sign.SAME if key in chosen else Sign.KEPT
    return Action(sign, key, before, after, shown.file, shown.line)


def _owner_refusals(old: Mapping[str, StoredObject], chosen: Mapping[str, StoredObject]) -> list[Refusal]:
    found = []
    for key, entry in sorted(chosen.items()):
        other = owning_project(old[key]) if key in old else owning_project(entry)
        if other != owning_project(entry):
            message = f"{key} belongs to project '{other}', this is '{owning_project(entry)}'; rename one of them"
            found.append(Refusal("STK720", message, key))
    return found


def _prune_refusals(
    old: Mapping[str, StoredObject], pruned: Sequence[str], owned: int, prune: Prune | None
) -> list[Refusal]:
    found = [
        Refusal("STK707", f"{key} is protected; take `protect` away and apply before it is pruned", key)
        for key in pruned
        if old[key].extra.get("protect")
    ]
    limit = prune.limit if prune and prune.limit is not None else max(1, min(_MOST, owned // _SHARE))
    if len(pruned) > limit:
        message = (
            f"{len(pruned)} of {owned} objects would be pruned, more than {limit}; "
            f"--prune-limit {len(pruned)} allows it"
        )
        found.append(Refusal("STK709", message))
    return found


def _missing_refusals(target: Mapping[str, StoredObject]) -> list[Refusal]:
    return [
        Refusal("STK201", f"{key} needs {wanted}, which would not be in the release", key)
        for wanted, key in sorted(missing(target).items())
    ]


def _place(entry: StoredObject) -> tuple[Any, ...]:
    return (entry.file, entry.line, entry.owner, dict(entry.labels), dict(entry.extra))


def _action_json(action: Action) -> dict[str, Any]:
    return {
        "action": action.word,
        "object": action.key,
        "before": action.before,
        "after": action.after,
        "aspects": list(action.aspects),
        "details": list(action.details),
        "source": {"file": action.file, "line": action.line},
    }
