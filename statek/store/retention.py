"""Which finished jobs may leave the store, and letting them go.

Deciding when and asking for it is the worker's (`statek gc`, `worker.forgetting`); both go through the ledger, so that
a replay forgets the same jobs at the same place. Here nothing looks at a clock.

The one idea: a job goes with its whole family or not at all. A parent's handlers refer to its children, so a child that
left alone would stay in the file, found by nobody. And a family that anything else refers to (a live job's names, an
application's object) stays: the store counts references, those of the family itself are subtracted.
"""

import struct
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import dbzero as db0

from statek.store.garbage import references
from statek.store.job import Job, JobStatus, count_with, find_job
from statek.store.job_index import digest_key
from statek.store.root import current_root, forget_job
from statek.store.status import settle

_HEAD = struct.Struct("<q")  # when, microseconds; 8 bytes for each job follow: the digest of its id
_KEY = struct.Struct("<Q")
_HOLDS = ("refs", "journal_refs", "exit_refs", "children", "awaited_result", "handler", "error_handlers")


@dataclass(frozen=True)
class Keep:
    """What stays: jobs that ended after `before_us`, and the `newest` finished ones whenever they ended."""

    before_us: int
    newest: int


@dataclass(frozen=True)
class Found:
    """Families of jobs that may be forgotten, and the slot to look on from (0: everything was looked at)."""

    families: tuple[tuple[str, ...], ...]
    next_slot: int

    @property
    def ids(self) -> list[str]:
        """The jobs of all families."""
        return [job_id for family in self.families for job_id in family]


def forgettable(keep: Keep, *, start: int = 0, look_at: int | None = None, most: int | None = None) -> Found:
    """The oldest jobs that may leave.

    Args:
        keep: what stays.
        start: the slot to begin at.
        look_at: how many slots at most; None: all.
        most: how many jobs at most, beyond it only to make a family whole; None: all.
    """
    root = current_root()
    surplus = count_with(JobStatus.DONE) - keep.newest
    wanted = surplus if most is None else min(surplus, most)
    families: list[tuple[str, ...]] = []
    count = 0
    end = len(root.jobs) if look_at is None else min(len(root.jobs), start + look_at)
    for slot in range(start, end):
        if count >= wanted:
            return Found(tuple(families), slot if count < surplus else 0)
        job = root.jobs[slot]
        if job is None or _has_parent(job):
            continue
        if job.created_us >= keep.before_us:
            return Found(tuple(families), 0)  # whatever was made later has ended later
        family = _family(job)
        if count + len(family) <= surplus and _may_go(family, keep.before_us):
            families.append(tuple(str(member.id) for member in family))
            count += len(family)
    return Found(tuple(families), end if end < len(root.jobs) else 0)


def still_forgettable(ids: Collection[str]) -> list[str]:
    """Of the jobs that were to be forgotten those that still may go, by families, eldest first.

    Counts references, which fall at commits only: another process that does the same later may see higher ones. What
    is decided is therefore recorded, and `forget` does not ask again.
    """
    settle(Job, JobStatus.READY, JobStatus.DONE)
    named = set(ids)
    found: list[str] = []
    for job_id in ids:
        job = find_job(job_id)
        if job is None or _has_parent(job):
            continue  # a member of a family goes with its eldest
        family = _family(job)
        members = [str(member.id) for member in family]
        if named.issuperset(members) and _may_go(family, None):
            found += members
    return found


def forget(ids: Collection[str], at_us: int) -> None:
    """Let go of jobs that `still_forgettable` gave, and of definitions that nobody uses."""
    _forget_definitions()
    settle(Job, JobStatus.READY, JobStatus.DONE)
    gone = [job for job in map(find_job, ids) if job is not None]
    _cut(gone)
    known = [str(job.id) for job in gone]
    for job_id in known:
        forget_job(job_id)
    if known:
        _note(known, at_us)


def forgotten_at(job_id: str) -> int | None:
    """When a job of that id was forgotten, microseconds; None when there was none."""
    wanted = _KEY.pack(digest_key(job_id))
    for entry in current_root().forgotten or ():
        at = entry.find(wanted, _HEAD.size)
        while at >= 0:
            if (at - _HEAD.size) % _KEY.size == 0:
                return int(_HEAD.unpack_from(entry)[0])
            at = entry.find(wanted, at + 1)
    return None


def _cut(jobs: Sequence[Job]) -> None:
    """Cut what jobs of whole families hold of each other: circles are never freed, and long chains crash the store."""
    for job in jobs:
        for name in _HOLDS:
            if getattr(job, name) is not None:
                setattr(job, name, None)


def _note(gone: Sequence[str], at_us: int) -> None:
    root = current_root()
    if root.forgotten is None:
        root.forgotten = []
    root.forgotten.append(_HEAD.pack(at_us) + b"".join(_KEY.pack(digest_key(job_id)) for job_id in gone))


def _has_parent(job: Job) -> bool:
    return bool(job.parent_id) and find_job(job.parent_id) is not None


def _family(eldest: Job) -> list[Job]:
    """The job, its children, theirs and so on, eldest first."""
    found = [eldest]
    for job in found:
        found += [handler.job for handler in list(job.children or ())]
    return found


def _may_go(family: Sequence[Job], before_us: int | None) -> bool:
    """Whether all have ended, long enough ago, and nothing but the family and its slots refers to any of it."""
    for job in family:
        if job.job_status != JobStatus.DONE or (before_us is not None and job.ended_us >= before_us):
            return False
    handlers = [handler for job in family for handler in list(job.children or ())]
    members = {db0.uuid(member): member for member in (*family, *handlers)}
    inside = dict.fromkeys(members, 0)
    for member in members.values():
        for value in references(member):
            address = db0.uuid(value)
            if address in inside:
                inside[address] += 1
    slots = {db0.uuid(job) for job in family}
    return all(db0.getrefcount(member) <= inside[address] + (address in slots) for address, member in members.items())


def _forget_definitions() -> None:
    """Let go of definitions without jobs and of revisions' agents without definitions; they are made again at need.

    An agent made in Python has no revision and stays; so does the newest of each role.
    """
    root = current_root()
    for slot, job_def in _filled(root.job_defs):
        by_errors = sum(error.job_def is not None for error in job_def.get_errors())
        if job_def.agent.revision and db0.getrefcount(job_def) <= 1 + by_errors:
            job_def.clear_errors()
            root.job_defs[slot] = None
    slots: dict[str, list[int]] = {}
    newest: dict[str, str] = {}
    for slot, agent in _filled(root.agents):
        if agent.revision:
            slots.setdefault(db0.uuid(agent), []).append(slot)
            newest[agent.role] = db0.uuid(agent)
    for address, places in slots.items():
        if address not in newest.values() and db0.getrefcount(root.agents[places[0]]) <= len(places):
            for slot in places:
                root.agents[slot] = None


def _filled(slots: Any) -> Iterable[tuple[int, Any]]:
    return [(n, slots[n]) for n in range(len(slots)) if slots[n] is not None]
