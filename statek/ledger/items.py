"""Items of queues on their way: their key and urgency, the tries they have had, to a dead letter queue and back.

Where an item stands is written into its entry of the inbox; nothing else is kept. Whether and when a move happens is
decided by others: the worker's admission, and people at the command line. The one idea: the id of a try follows from
the id of the item (`support:42`, `support:42~2`), so that a move that is made twice is made once.
"""

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from statek.exceptions import NotApplied
from statek.ledger import inbox
from statek.ledger.compiled import Json, Queue, Retry
from statek.ledger.file import LedgerFile
from statek.ledger.inbox import Entry, InputKind, NewEntry

AGAIN = (InputKind.ITEM_AGAIN, InputKind.SUBMIT_AGAIN)
_LARGEST_POWER = 600.0  # e to this is a float
_TRY = re.compile(r"(.+)~([1-9][0-9]{0,5})", re.DOTALL)


@dataclass(frozen=True)
class Tries:
    """The tries of an item or submission.

    Attributes:
        first: the id it was submitted under.
        number: which try this is, from 1.
        base: tries that do not count any more, because a person put the item back after them.
        due_us: not before this time.
        at_us: when it was submitted.
        failures: what became of the tries before, `{"job", "outcome", "reason", "atUs"}` each.
    """

    first: str
    number: int
    base: int
    due_us: int
    at_us: int
    failures: tuple[Mapping[str, Json], ...]

    @property
    def id(self) -> str:
        """The id of this try, and of its job."""
        return try_id(self.first, self.number)

    def to_json(self) -> Json:
        """As it stands in an entry."""
        return {
            "first": self.first, "number": self.number, "base": self.base, "dueUs": self.due_us, "atUs": self.at_us,
            "failures": [dict(failure) for failure in self.failures],
        }  # fmt: skip


def tries_of(entry: Entry) -> Tries:
    """The tries of an entry; one that was just submitted is at its first."""
    data = entry.body.get("tries") if isinstance(entry.body, dict) else None
    if data is None:
        return Tries(entry.id, 1, 0, 0, entry.at_us, ())
    return Tries(
        data["first"], data["number"], data["base"], data["dueUs"], data["atUs"], tuple(data["failures"])
    )  # fmt: skip


def try_id(first: str, number: int) -> str:
    """The id of the `number`th try."""
    return first if number == 1 else f"{first}~{number}"


def first_and_number(job_id: str) -> tuple[str, int]:
    """The id that the first try of this job has, and which try it is."""
    found = _TRY.fullmatch(job_id)
    return (found[1], int(found[2])) if found else (job_id, 1)


def wait_us(retry: Retry, failed: int) -> int:
    """Microseconds to wait after the `failed`th failure."""
    backoff = retry.backoff
    most = int(_LARGEST_POWER / math.log(backoff.factor)) if backoff.factor > 1 else 0
    return int(min(float(backoff.max_us), backoff.min_us * backoff.factor ** min(failed - 1, most)))


def value_at(data: Json, path: str) -> Json:
    """The value at a dotted path, None when there is none."""
    value = data
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def value_of(queue: Queue, item: Json, path: str) -> Json:
    """The value at a path into an item; the path may begin with the variable that holds the item."""
    found = value_at(item, path)
    name, _, rest = path.partition(".")
    return value_at(item, rest) if found is None and rest and name == queue.deliver_as else found


def key_of(queue: Queue, item: Json) -> str | None:
    """The key that groups this item, as text; None: it belongs to no group."""
    found = None if queue.key is None else value_of(queue, item, queue.key)
    return None if found is None else f"{type(found).__name__} {found}"


def rank_of(queue: Queue, item: Json) -> float:
    """How late an item's turn is: lower comes first. Items without a known urgency come after all others."""
    if queue.order != "priority" or queue.priority is None:
        return 0.0
    found = value_of(queue, item, queue.priority)
    if queue.priorities:
        return float(queue.priorities.index(found)) if found in queue.priorities else float(len(queue.priorities))
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    return -float(found) if is_number else float("inf")


def inputs_of(queue: Queue, item: Json) -> Mapping[str, Json]:
    """The inputs of the job that an item becomes."""
    return {queue.deliver_as: item} if queue.deliver_as is not None else item


def put_again(file: LedgerFile, kind: InputKind, target: str, content: Mapping[str, Json], tries: Tries) -> bool:
    """Let an item or submission wait for its next try, inside the worker's transaction. False: it does already."""
    body = {**content, "tries": tries.to_json()}
    return inbox.append(file, [NewEntry(tries.id, kind, target, body, tries.at_us)])[0]


def bury(file: LedgerFile, dead: Queue, queue: str, item: Json, tries: Tries, reason: str) -> bool:
    """Put an item on the dead letter queue `dead`; False when that one is full and takes no more.

    Args:
        file: the ledger, in a transaction.
        dead: where to.
        queue: where it comes from.
        item: the item.
        tries: those it has had.
        reason: why it is given up.
    """
    told = {"queue": queue, "id": tries.id, "reason": reason, "tries": tries.to_json()}
    body = {"item": item, "dead": told}
    is_full = dead.max_depth is not None and inbox.depth(file, InputKind.ITEM, dead.name) >= dead.max_depth
    if is_full and dead.overflow != "drop-oldest":
        return False
    if is_full:
        inbox.drop_oldest(file, dead.name, 1)
    last = tries.failures[-1]["atUs"] if tries.failures else tries.at_us
    inbox.append(file, [NewEntry(dead_id(dead, tries), InputKind.ITEM, dead.name, body, int(last))])
    return True


def is_dead(entry: Entry) -> bool:
    """Does it lie on a dead letter queue?"""
    return isinstance(entry.body, dict) and "dead" in entry.body


def dead_id(dead: Queue, tries: Tries) -> str:
    """The id that an item has on a dead letter queue."""
    return f"{dead.name}:{tries.id}"


def waiting_items(file: LedgerFile, queue: str, *, limit: int = 1000) -> list[Entry]:
    """What waits on a queue, in the order of arrival, with what waits for another try."""
    return inbox.waiting(file, kinds=inbox.ITEMS, target=queue, limit=limit)


def requeue(file: LedgerFile, entries: Collection[Entry], *, at_us: int) -> list[str]:
    """Put dead items back on the queues they come from, all or none; the ids of their next tries.

    Raises:
        NotApplied: one of them is no dead item, or has left meanwhile.
    """
    moved = [_revived(entry, at_us) for entry in entries]
    with file.joined():
        for entry in entries:
            _remove(file, entry)
        inbox.append(file, moved)
    return [entry.id for entry in moved]


def drop(file: LedgerFile, entries: Collection[Entry]) -> None:
    """Take waiting items away for good, all or none. Raises NotApplied when one has left meanwhile."""
    with file.joined():
        for entry in entries:
            _remove(file, entry)


def _revived(entry: Entry, at_us: int) -> NewEntry:
    told: Any = entry.body.get("dead") if isinstance(entry.body, dict) else None
    if told is None:
        raise NotApplied(
            f"item {entry.id!r} waits on '{entry.target}' and has not failed",
            hint="only items of a dead letter queue can be put back",
        )
    old = tries_of(Entry(0, told["id"], InputKind.ITEM, told["queue"], told, entry.at_us))
    number = old.number + 1
    tries = replace(old, number=number, base=old.number, due_us=0, at_us=at_us)
    body = {"item": entry.body["item"], "tries": tries.to_json()}
    return NewEntry(tries.id, InputKind.ITEM_AGAIN, str(told["queue"]), body, at_us)


def _remove(file: LedgerFile, entry: Entry) -> None:
    if file.write("DELETE FROM inbox WHERE n = ? AND id = ?", entry.n, entry.id).rowcount == 0:
        raise NotApplied(f"item {entry.id!r} is not waiting any more", hint="look again; nothing was changed")
