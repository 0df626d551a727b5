"""Releases: which revision of every object new work uses, and how that came about.

It stores and moves, never compiles or judges: guards and prunes are decided above, by `control`. A release is a set of
revisions and named after it, so the same set is the same release. The one idea: head is one pointer, moved by
compare-and-set in one transaction that also writes the history and tells the worker by an input; whatever was staged
before it is garbage until that moment.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from statek.exceptions import BugError, LedgerError
from statek.ledger import inbox
from statek.ledger.compiled import Json, canonical, digest
from statek.ledger.file import LedgerFile


class HeadMoved(LedgerError):  # noqa: N818 - says what happened
    """Head is not where this plan began; plan again."""


@dataclass(frozen=True)
class StoredObject:
    """One object of a release.

    Attributes:
        kind: `Agent`, `Queue`, ...
        name: its name within the kind.
        revision: `triage@7c1e9f2a04b1`.
        text: canonical JSON of `compiled.encode`; the same for the same revision.
        file: where it was read, relative to the project.
        line: its first line there, from 1.
        owner: project id and source root that may change or prune it.
        generation: how often head has moved the object to another revision; 0: never. Filled in when read.
        labels: labels of the spec; not part of the revision.
        extra: JSON data that `control` keeps beside the object (protect, source digest, aliases, commit).
    """

    kind: str
    name: str
    revision: str
    text: str
    file: str
    line: int
    owner: str
    generation: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Json] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """`Agent/triage`, unique within a release."""
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True)
class Release:
    """A set of objects under their keys (`Agent/triage`), for one environment."""

    id: str
    env: str
    objects: Mapping[str, StoredObject]


@dataclass(frozen=True)
class Head:
    """The release that new work uses. `number` grows by one with every move."""

    release: str
    number: int
    at_us: int


@dataclass(frozen=True)
class Move:
    """One move of head.

    `changed` holds `{"Agent/triage": {"from": revision or None, "to": revision or None, "generation": int}}`.
    """

    number: int
    at_us: int
    release: str
    base: str | None
    reason: str
    changed: Json


@dataclass(frozen=True)
class Hold:
    """A source the watcher must leave alone: the one a rolled-back object came from."""

    object: str
    digest: str
    reason: str
    at_us: int


def release_id(env: str, objects: Mapping[str, StoredObject]) -> str:
    """`r-` and 12 hex digits, the same for the same revisions in the same environment."""
    revisions = {key: entry.revision for key, entry in objects.items()}
    return f"r-{digest(canonical({'env': env, 'objects': revisions}))}"


def stage(file: LedgerFile, release: Release) -> None:
    """Write a release and its revisions; head does not move. Repeating it renews places, owners and labels.

    Raises BugError when the id is not the one of the set, or a revision is known with another text.
    """
    if release.id != release_id(release.env, release.objects):
        raise BugError(f"release {release.id} is not named after its objects")
    with file.joined():
        for key, entry in release.objects.items():
            if key != entry.key:
                raise BugError(f"release {release.id} holds {entry.key} under {key}")
            _stage_revision(file, entry)
        file.write(
            "INSERT INTO releases VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET objects = excluded.objects",
            release.id, release.env, json.dumps({key: _places(entry) for key, entry in release.objects.items()}),
        )  # fmt: skip


def move_head(file: LedgerFile, *, base: str | None, target: str, reason: str, at_us: int) -> Head:
    """Make `target` the release that new work uses, and leave an input that tells the worker.

    Args:
        file: the ledger.
        base: where head must be now; None: there must be no head yet.
        target: a staged release. The one head is at already: nothing happens.
        reason: for the history, e.g. `apply` or `rollback: wrong prices`.
        at_us: now.

    Raises:
        HeadMoved: head is not at `base`; nothing was changed.
        LedgerError: `target` was never staged.
    """
    with file.joined():
        old = head(file)
        if (old.release if old else None) != base:
            raise HeadMoved(
                f"head is at {old.release if old else 'no release'}, the plan began at {base or 'no release'}",
                hint="plan again: somebody else applied meanwhile",
            )
        revisions = _revisions(file, target)
        if old and old.release == target:
            return old
        new = Head(target, old.number + 1 if old else 1, at_us)
        changed = _bump_generations(file, revisions)
        file.write("INSERT OR REPLACE INTO head VALUES (1, ?, ?, ?)", new.release, new.number, at_us)
        move = (new.number, at_us, target, base, reason, json.dumps(changed))
        file.write("INSERT INTO history VALUES (?, ?, ?, ?, ?, ?)", *move)
        _tell_worker(file, new)
        return new


def head(file: LedgerFile) -> Head | None:
    """Where head is; None before the first apply."""
    found = file.rows("SELECT release, number, at_us FROM head")
    return Head(*found[0]) if found else None


def read_release(file: LedgerFile, id: str) -> Release:  # noqa: A002 - the documented name
    """A staged release with all its objects. Raises LedgerError when it is not known."""
    found = file.rows("SELECT env, objects FROM releases WHERE id = ?", id)
    if not found:
        raise LedgerError(f"there is no release {id}", hint="`statek history` lists the known ones")
    env, places = found[0][0], json.loads(found[0][1])
    texts = _texts(file, {(place["kind"], place["revision"]) for place in places.values()})
    generations: dict[str, int] = dict(file.rows("SELECT object, generation FROM generations"))
    objects = {
        key: StoredObject(
            **place, text=texts[place["kind"], place["revision"]], generation=generations.get(key, 0)
        )
        for key, place in places.items()
    }  # fmt: skip
    return Release(id, env, objects)


def history(file: LedgerFile, limit: int = 20) -> list[Move]:
    """The latest moves of head, newest first."""
    columns = "number, at_us, release, base, reason, changed"
    found = file.rows(f"SELECT {columns} FROM history ORDER BY number DESC LIMIT ?", limit)  # noqa: S608 - no input
    return [
        Move(number, at_us, release, base, reason, json.loads(changed))
        for number, at_us, release, base, reason, changed in found
    ]


def revision_text(file: LedgerFile, kind: str, revision: str) -> str:
    """The canonical JSON text of a revision. Raises LedgerError when it is not known."""
    found = file.rows("SELECT text FROM revisions WHERE kind = ? AND revision = ?", kind, revision)
    if not found:
        raise LedgerError(f"there is no revision {revision} of kind {kind}")
    return str(found[0][0])


def texts_with(file: LedgerFile, part: str) -> list[str]:
    """The texts of all revisions, of any release, in which `part` stands."""
    return [str(text) for (text,) in file.rows("SELECT text FROM revisions WHERE instr(text, ?)", part)]


def hold(file: LedgerFile, object_key: str, source_digest: str, *, reason: str, at_us: int) -> None:
    """Keep the watcher from applying this source of `object_key` again; replaces an older hold on it."""
    with file.joined():
        file.write("INSERT OR REPLACE INTO holds VALUES (?, ?, ?, ?)", object_key, source_digest, reason, at_us)


def held(file: LedgerFile) -> dict[str, Hold]:
    """All holds, by object key."""
    found = file.rows("SELECT object, digest, reason, at_us FROM holds ORDER BY object")
    return {row[0]: Hold(*row) for row in found}


def release_hold(file: LedgerFile, object_key: str) -> bool:
    """Take a hold away, e.g. after any other edit. Returns whether there was one."""
    with file.joined():
        return file.write("DELETE FROM holds WHERE object = ?", object_key).rowcount == 1


def _stage_revision(file: LedgerFile, entry: StoredObject) -> None:
    added = file.write(
        "INSERT INTO revisions VALUES (?, ?, ?) ON CONFLICT DO NOTHING", entry.kind, entry.revision, entry.text
    )
    if added.rowcount == 0 and revision_text(file, entry.kind, entry.revision) != entry.text:
        raise BugError(f"revision {entry.revision} of kind {entry.kind} is known with another text")


def _places(entry: StoredObject) -> dict[str, Json]:
    """What is kept of an object per release; its text is kept once per revision, its generation once."""
    data = dataclasses.asdict(entry)
    return {name: value for name, value in data.items() if name not in {"text", "generation"}}


def _texts(file: LedgerFile, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], str]:
    return {(kind, revision): revision_text(file, kind, revision) for kind, revision in wanted}


def _revisions(file: LedgerFile, release: str) -> dict[str, str]:
    return {key: entry.revision for key, entry in read_release(file, release).objects.items()}


def _bump_generations(file: LedgerFile, revisions: Mapping[str, str]) -> dict[str, Json]:
    """Count a generation for each object whose revision changes; returns the changes as `Move` keeps them."""
    known = {key: (old, count) for key, old, count in file.rows("SELECT object, revision, generation FROM generations")}
    changed: dict[str, Json] = {}
    for key in sorted(known.keys() | revisions.keys()):
        old, count = known.get(key, (None, 0))
        new = revisions.get(key)
        if new == old:
            continue
        count += new is not None  # an object that leaves keeps its count for when it comes back
        file.write("INSERT OR REPLACE INTO generations VALUES (?, ?, ?)", key, new, count)
        changed[key] = {"from": old, "to": new, "generation": count}
    return changed


def _tell_worker(file: LedgerFile, new: Head) -> None:
    body = {"release": new.release, "number": new.number}
    entry = inbox.NewEntry(f"release {new.number}", inbox.InputKind.RELEASE, None, body, new.at_us)
    if inbox.append(file, [entry]) != [True]:
        raise BugError(f"move {new.number} of head was told to the worker before")
