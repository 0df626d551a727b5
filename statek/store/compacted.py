"""A store file written anew with nothing but what lives in it, and the likeness of two files.

`write` needs `bare.patch` before any import of memo classes, `likeness` must do without: each runs in a process of its
own (`worker.compacting`). Neither touches the old file, which is opened read-only.

The one idea: ids of ours stay, the store's own addresses do not. Whatever is kept under one is carried over here:
definitions found by digests that hold their agent's address, messages to jobs named by one, and the objects that
results in the ledger name so, for the jobs that may still ask for them (`Root.moved`).
"""

import hashlib
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dbzero as db0

from statek.base.durable import sync_file
from statek.store.error_handlers import ErrorHandler
from statek.store.future import FutureResult
from statek.store.garbage import left_over
from statek.store.job import Job, JobStatus, Stage
from statek.store.queue import LaidAside, PushedItem
from statek.store.rewrite import Outcome, Rewriter
from statek.store.root import Root, key_of
from statek.store.session import CACHE_BYTES, PREFIX
from statek.store.subtask import SubTaskHandler

# Stand in fields and lists alone: one that nothing there refers to was let go of, and not freed (see `garbage`).
UNTAGGED = (FutureResult, SubTaskHandler, ErrorHandler, PushedItem, LaidAside)
SCRATCH = ".compact"  # a folder beside the store file; the name of the new file's prefix begins with it
CLEAR_EVERY = 1000
Addresses = Callable[[str, int], Iterable[str]]  # of a job's id and turn: addresses that its results in the ledger name


def scratch_file(folder: Path) -> Path:
    """Where the new file is written."""
    return folder / SCRATCH / f"{PREFIX}.db0"


def write(folder: Path, addresses: Addresses, *, accept_lost: bool = False) -> Outcome:
    """Write the live objects of the store in `folder` into `scratch_file(folder)`, synced.

    Raises:
        CannotRewrite: there is an object that cannot be made again, or references that nothing explains.
    """
    new_file = scratch_file(folder)
    shutil.rmtree(new_file.parent, ignore_errors=True)
    new_file.parent.mkdir(mode=0o700)
    db0.init(str(folder), autocommit=False, cache_size=CACHE_BYTES)
    try:
        db0.open(PREFIX, "r")
        rewriter = Rewriter(PREFIX, UNTAGGED)
        rewriter.read()
        old = db0.fetch(Root)
        moved = _named_in_ledger(old, addresses)
        pushed = list(db0.find(PushedItem))
        db0.open(f"{SCRATCH}/{PREFIX}", "rw")
        outcome = rewriter.run(accept_lost=accept_lost)
        _settle(old, rewriter, moved)
        for item in pushed:
            _address_by_id(item, rewriter)
        db0.commit()
    finally:
        db0.close()
    sync_file(new_file)
    return outcome


def _named_in_ledger(old: Root, addresses: Addresses) -> list[tuple[str, Any]]:
    """What unfinished jobs may ask the ledger for by address: each address with its old object."""
    before = dict(old.moved or ())
    found: dict[str, Any] = {}
    for status in (JobStatus.WARMING_UP, JobStatus.STARTED, JobStatus.SUSPENDED):
        for job in db0.find(Job, status):
            for address in addresses(job.id, job.turn) if job.stage == Stage.CODE else ():
                if address in before:
                    found[address] = before[address]
                elif _lives(address):
                    found[address] = db0.fetch(address)
    return list(found.items())


def _lives(address: str) -> bool:
    try:
        return bool(db0.exists(address))
    except RuntimeError:  # of a file that was compacted before, and not carried over: nobody could ask for it
        return False


def _settle(old: Root, rewriter: Rewriter, moved: list[tuple[str, Any]]) -> None:
    root = rewriter(old)
    index: dict[int, int] = {}
    for slot in range(len(old.job_defs)):
        job_def = old.job_defs[slot]
        if job_def is not None and old.def_index.get(key_of(job_def.digest)) == slot:
            index[key_of(root.job_defs[slot].digest)] = slot
    root.def_index = index
    root.has_jobs, root.has_handlers = Job in rewriter.kinds, SubTaskHandler in rewriter.kinds
    root.moved = [[address, rewriter(item)] for address, item in moved] or None


def _address_by_id(item: PushedItem, rewriter: Rewriter) -> None:
    job = rewriter.at(item.job_id())
    if isinstance(job, Job) and rewriter.at(db0.uuid(item)) is not None:
        rewriter(item).job = job.id.encode()


@dataclass(frozen=True)
class Likeness:
    """What two files of the same content have in common.

    Attributes:
        objects: how many of each class.
        jobs: how many jobs have each status, found by it.
        digest: over every field of every object, and over the jobs found by their status.
    """

    objects: dict[str, int]
    jobs: dict[str, int]
    digest: str


def likeness(root_folder: Path, prefix: str) -> Likeness:
    """Read everything in the file of `prefix` below `root_folder`, read-only."""
    db0.init(str(root_folder), autocommit=False, cache_size=CACHE_BYTES)
    try:
        db0.open(prefix, "r")
        return _Reading().whole()
    finally:
        db0.close()


def _ids_with(status: Any, gone: set[str]) -> list[str]:
    return sorted(str(job.id) for job in db0.find(Job, status) if db0.uuid(job) not in gone)


_CHANGES = {
    *(("Root", name) for name in ("def_index", "moved", "has_jobs", "has_handlers")),
    ("PushedItem", "job"),
}  # hold addresses, or say what is in the file
_ROUNDS = 2  # after the first, objects of equal content are told apart by what they refer to


class _Reading:
    """One look at everything. Objects are named by their content: the order in which they lie in a file is its own."""

    def __init__(self) -> None:
        self._names: dict[str, bytes] = {}  # by address
        self._met: set[str] = set()  # addresses to which fields refer
        self._untagged: set[str] = set()

    def whole(self) -> Likeness:
        """Read everything."""
        loose: dict[str, Any] = {}
        for kind in db0.get_memo_classes():
            for item in kind.all():
                self._names[db0.uuid(item)] = type(item).__qualname__.encode()
                if isinstance(item, UNTAGGED):
                    self._untagged.add(db0.uuid(item))
                if not (kind.is_singleton or db0.getrefcount(item)):
                    loose[db0.uuid(item)] = item
        gone, _ = left_over(loose.values())
        for address in gone:
            self._names.pop(address, None)
            self._untagged.discard(address)
        kinds = dict(self._names)
        for _ in range(_ROUNDS):
            self._names = dict(self._named_anew())
        for address in self._untagged - self._met:
            del self._names[address]
        objects = dict(Counter(kinds[address].decode() for address in self._names))
        ids = [_ids_with(status, gone) for status in JobStatus.values()]
        jobs = {str(status): len(found) for status, found in zip(JobStatus.values(), ids, strict=True)}
        whole = repr((sorted(self._names.values()), ids)).encode("utf-8", "surrogatepass")
        return Likeness(dict(sorted(objects.items())), jobs, hashlib.sha256(whole).hexdigest())

    def _named_anew(self) -> Iterator[tuple[str, bytes]]:
        for count, address in enumerate(self._names):
            item = db0.fetch(address)
            named = hashlib.sha256(type(item).__qualname__.encode())
            for name, value in sorted(item.__dict__.items(), key=lambda pair: pair[0]):
                if (type(item).__name__, name) not in _CHANGES:
                    named.update(f"\0{name}=".encode() + self._shown(value))
            yield address, named.digest()[:12]
            if count % CLEAR_EVERY == 0:
                db0.clear_cache()

    def _shown(self, value: Any) -> bytes:
        if db0.expired(value):  # first: whatever else looks at its type crashes
            return b"expired"
        kind = type(value).__name__
        if db0.is_memo(value) and not isinstance(value, type):
            self._met.add(db0.uuid(value))
            return b"@" + self._names.get(db0.uuid(value), b"?")
        match kind:
            case "List" | "Tuple" | "list" | "tuple":
                return b"[" + b",".join([self._shown(item) for item in value]) + b"]"
            case "Set" | "WeakSet" | "set":
                return b"{" + b",".join(sorted([self._shown(item) for item in value])) + b"}"
            case "Dict" | "dict":
                pairs = [self._shown(key) + b":" + self._shown(value[key]) for key in value]
                return b"{" + b",".join(sorted(pairs)) + b"}"
            case "ByteArray":
                return bytes([value[n] for n in range(len(value))])
            case "Index":
                return b"index" + b",".join(sorted([self._shown(item) for item in value.select(None, None)]))
            case "bytes":
                return bytes(value)
            case "function" | "type" | "module":
                return f"{getattr(value, '__module__', '')}:{getattr(value, '__qualname__', '')}".encode()
            case _:
                return f"{kind} {value!r}".encode("utf-8", "surrogatepass")
