"""What clients put into the inbox: submissions, queue items, messages, cancellations. Checked whole, written whole.

It checks against an applied release and appends; the worker decides later what becomes of an input. Command line and
Python client both come through here. The one idea: the id of an input is the id of its job (`triage/42`,
`quakes:us7000`), made from the sender's key; the same key is therefore the same job, whoever sends it again.
"""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

from statek.base.nearest import did_you_mean
from statek.exceptions import GiveUp, NotApplied, StatekError
from statek.ledger import inbox
from statek.ledger.compiled import Agent, Json, Queue, decode
from statek.ledger.file import LedgerFile
from statek.ledger.inputs import check_inputs
from statek.ledger.items import value_at
from statek.ledger.records import Records, input_key
from statek.ledger.releases import Release

_PLAIN = re.compile(r"(?=[._-]*[A-Za-z0-9])[A-Za-z0-9._-]{1,64}")
_HASHED = re.compile(r"h-[0-9a-f]{24}")


class BadInputs(StatekError):  # noqa: N818 - says what is wrong
    """These inputs do not fit; nothing was written."""

    def __init__(self, problems: Sequence[str]) -> None:
        """Keep `problems`, one line for each."""
        super().__init__("\n".join(problems), hint="correct them and submit again; nothing was written")
        self.problems = tuple(problems)


class QueueFull(GiveUp):
    """The queue holds as many waiting items as it may."""


@dataclass(frozen=True)
class Target:
    """Where to: the agent or queue of this name."""

    kind: Literal["Agent", "Queue"]
    name: str


@dataclass(frozen=True)
class Submitted:
    """What became of the items.

    Attributes:
        ids: id of every item in its order; these are the ids of the jobs.
        new: how many were written.
        known: how many were there already, under the same key.
        dropped: how many waiting items had to leave, or new ones did not get in, because the queue was full.
    """

    ids: tuple[str, ...]
    new: int
    known: int
    dropped: int


def submit(
    file: LedgerFile,
    release: Release,
    target: Target,
    items: Sequence[Json],
    *,
    at_us: int,
    key: str | None = None,
    places: Sequence[str] = (),
    keys: Sequence[str | None] = (),
) -> Submitted:
    """Start jobs of an agent, or put items on a queue; acknowledged on return.

    Args:
        file: the ledger.
        release: the release at head.
        target: the agent or queue.
        items: for an agent the inputs of each job, for a queue its items.
        at_us: now.
        key: dotted path of the field that identifies an item; default: the queue's own, else ids are random.
        places: where each item was read (`events.jsonl:3`), for messages.
        keys: the key of each item itself, where its sender names it; None: as `key` says.

    Raises:
        NotApplied: the release has no such agent or queue.
        BadInputs: some item does not fit; nothing was written.
        QueueFull: more items than the queue takes; nothing was written.
    """
    checker = _agent_checker(release, target.name) if target.kind == "Agent" else _queue_checker(release, target, key)
    problems: list[str] = []
    entries: list[inbox.NewEntry] = []
    for n, item in enumerate(items):
        try:
            entry_id = checker.entry_id(item, key or checker.key, keys[n] if keys else None)
        except BadInputs as error:
            prefix = f"{places[n]}: " if places else ""
            problems.extend(prefix + line for line in error.problems)
        else:
            entries.append(inbox.NewEntry(entry_id, checker.kind, target.name, {checker.field: item}, at_us))
    if problems:
        raise BadInputs(problems)
    return _append(file, entries, checker.queue)


def push(file: LedgerFile, job: str, text: str, *, at_us: int, key: str | None = None) -> str:
    """Send a message to a job that exists; with a `key` once, however often it is sent. Returns the input's id."""
    entry_id = named_id(f"push {job} ", key) if key is not None else f"push {job} {secrets.token_hex(5)}"
    inbox.append(file, [inbox.NewEntry(entry_id, inbox.InputKind.PUSH, job, {"text": text}, at_us)])
    return entry_id


def cancel(file: LedgerFile, job: str, *, at_us: int) -> bool:
    """Ask for the end of a job that exists. Returns False when that was asked before."""
    entry = inbox.NewEntry(f"cancel {job}", inbox.InputKind.CANCEL, job, {}, at_us)
    return inbox.append(file, [entry])[0]


def id_of_key(value: Json) -> str | None:
    """The end of an id for a key value: itself when it is short and plain, else a hash. None: not usable as a key."""
    if isinstance(value, bool) or not isinstance(value, str | int | float) or value == "":
        return None
    text = value if isinstance(value, str) else str(value)
    if _PLAIN.fullmatch(text) and not _HASHED.fullmatch(text):
        return text
    return f"h-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:24]}"


@dataclass(frozen=True)
class _Checker:
    """What the target asks of an item, and how its entry looks."""

    prefix: str
    kind: inbox.InputKind
    field: str  # of the entry's body
    key: str | None
    agent: Agent | None
    deliver_as: str | None
    queue: Queue | None

    def entry_id(self, item: Json, key: str | None, named: str | None = None) -> str:
        """The id of a good item, from its key `named` or the field at `key`. Raises BadInputs."""
        if self.agent is not None:
            problems = check_inputs(self.agent, item if self.deliver_as is None else {self.deliver_as: item})
            if problems:
                raise BadInputs(problems)
        if named is not None:
            return named_id(self.prefix, named)
        return self.prefix + (secrets.token_hex(5) if key is None else _ending(item, key))


def _agent_checker(release: Release, name: str) -> _Checker:
    agent = find_agent(release, name)
    return _Checker(f"{name}/", inbox.InputKind.SUBMIT, "inputs", None, agent, None, None)


def _queue_checker(release: Release, target: Target, key: str | None) -> _Checker:
    queue = find_queue(release, target.name)
    if key is not None and queue.dedupe_key not in (None, key):
        raise BadInputs([f"queue '{queue.name}' knows its items by '{queue.dedupe_key}', not by '{key}'"])
    agent = find_agent(release, queue.agent) if queue.agent is not None else None
    prefix = f"{queue.name}:"
    return _Checker(prefix, inbox.InputKind.ITEM, "item", queue.dedupe_key, agent, queue.deliver_as, queue)


def find_agent(release: Release, name: str) -> Agent:
    """The agent of that name. Raises NotApplied, with the nearest name."""
    return cast("Agent", _find(release, "Agent", name))


def find_queue(release: Release, name: str) -> Queue:
    """The queue of that name. Raises NotApplied, with the nearest name."""
    return cast("Queue", _find(release, "Queue", name))


def _find(release: Release, kind: str, name: str) -> Json:
    entry = release.objects.get(f"{kind}/{name}")
    if entry is None:
        names = [other.name for other in release.objects.values() if other.kind == kind]
        nearby = did_you_mean(name, names, also="there are")
        raise NotApplied(
            f"no {kind.lower()} '{name}' in the applied release {release.id}{nearby}",
            hint="`statek apply` makes what the files declare available",
        )
    return decode(kind, entry.text)


def named_id(prefix: str, key: str) -> str:
    """An id from a key that the sender names. Raises BadInputs for an empty one."""
    ending = id_of_key(key)
    if ending is None:
        raise BadInputs([f"the key is a text that is not empty, got {key!r}"])
    return prefix + ending


def _ending(item: Json, key: str) -> str:
    value = value_at(item, key)
    found = id_of_key(value)
    if found is None:
        shown = "nothing" if value is None else repr(value)
        raise BadInputs([f"{key}: the key must be text or a number, got {shown}"])
    return found


def _append(file: LedgerFile, entries: Sequence[inbox.NewEntry], queue: Queue | None) -> Submitted:
    with file.joined():
        keep_us = queue.dedupe_keep_us if queue is not None and queue.dedupe_key is not None else None
        if keep_us is not None:
            entries = [_in_its_time(file, entry, keep_us) for entry in entries]
        ids = tuple(entry.id for entry in entries)
        if queue is not None and queue.max_depth is not None and queue.overflow == "drop-newest":
            return Submitted(ids, *_append_what_fits(file, entries, queue.name, queue.max_depth))
        new = inbox.append(file, entries).count(True)
        dropped = _make_room(file, queue) if queue is not None and new else 0
        return Submitted(ids, new, len(entries) - new, dropped)


def _in_its_time(file: LedgerFile, entry: inbox.NewEntry, keep_us: int) -> inbox.NewEntry:
    """The entry under the id of its key in its time: that of the last one, unless its key is forgotten by now.

    Such an id is `QUEUE:KEY@MICROSECONDS`, so the newest of a key is the greatest text.
    """
    if _is_known(file, entry.id):  # from when keys were kept for ever
        return entry
    seen_us = _last_seen(file, entry.id)
    is_kept = seen_us is not None and entry.at_us - seen_us < keep_us
    return replace(entry, id=f"{entry.id}@{seen_us if is_kept else entry.at_us:016d}")


def _last_seen(file: LedgerFile, base: str) -> int | None:
    first, end = f"{base}@", f"{base}A"  # "A" comes right after "@"
    waits = file.rows("SELECT max(id) FROM inbox WHERE id >= ? AND id < ?", first, end)[0][0]
    taken = file.rows(
        "SELECT max(key) FROM rec WHERE key >= ? AND key < ?", input_key(first), input_key(end)
    )[0][0]  # fmt: skip
    found = [int(text.rpartition("@")[2][:16]) for text in (waits, taken) if text]
    return max(found, default=None)


def _make_room(file: LedgerFile, queue: Queue) -> int:
    """After appending: drop the oldest that are too many, or refuse, which undoes the transaction."""
    if queue.max_depth is None:
        return 0
    excess = inbox.depth(file, inbox.InputKind.ITEM, queue.name) - queue.max_depth
    if excess > 0 and queue.overflow == "refuse":
        raise QueueFull(
            f"queue '{queue.name}' would hold {queue.max_depth + excess} waiting items, its max_depth is "
            f"{queue.max_depth}; nothing was written",
            hint="wait until some have become jobs (`statek status`), or raise max_depth and apply",
        )
    return len(inbox.drop_oldest(file, queue.name, excess))


def _append_what_fits(
    file: LedgerFile, entries: Sequence[inbox.NewEntry], queue: str, limit: int
) -> tuple[int, int, int]:
    """How many of the entries were new, known, and new but without room."""
    room = limit - inbox.depth(file, inbox.InputKind.ITEM, queue)
    new = known = 0
    for entry in entries:
        if _is_known(file, entry.id):
            known += 1
        elif new < room:
            new += inbox.append(file, [entry]).count(True)
    return new, known, len(entries) - new - known


def _is_known(file: LedgerFile, entry_id: str) -> bool:
    return inbox.find(file, entry_id) is not None or Records(file).get(input_key(entry_id)) is not None


def random_id(prefix: str) -> str:
    """An id for an input whose sender gave no key: `AGENT/` and 10 hex digits."""
    return f"{prefix}/{secrets.token_hex(5)}"
