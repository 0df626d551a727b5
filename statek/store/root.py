"""The one object everything alive hangs from, and how things are found again.

Jobs sit in a list of slots and are found by `job_index`; definitions and agents are found by digests in dictionaries
that only ever grow. The root also says how far the ledger has been taken in (`seq`, `seq_tag`).
"""

import gc
import hashlib
from typing import Any

import dbzero as db0

from statek.store.job_index import JobIndex
from statek.store.layout import lay_out_first

FORMAT = 2
_indexes: dict[int, tuple[Any, JobIndex]] = {}  # of roots of this process, by identity


@db0.memo(id="statek/Root", singleton=True)
class Root:
    """Everything alive in this prefix. Singleton; arguments count only when it is made."""

    forgotten: Any = None  # of each forgetting one entry of bytes, see `retention`
    cleanups: Any = None  # ids of jobs that have ended with an error, and whose handlers are still to be called
    has_handlers = False  # of child jobs, the kit's own kind: its fields are laid out in this file
    has_jobs = False  # the same of jobs
    _late_fields = ("forgotten", "cleanups", "has_handlers", "has_jobs", "moved")
    moved: Any = None  # since a compaction: (address before, object) of what the ledger still calls by that address

    def __init__(self, store_id: str = "") -> None:
        self.format = FORMAT
        self.store_id = store_id
        self.seq = 0
        self.seq_tag = ""
        self.release = ""
        self.release_number = 0
        self.clock_us = 0
        self.jobs: Any = []
        self.id_blocks: Any = []
        self.agents: Any = []
        self.agent_index: Any = {}
        self.job_defs: Any = []
        self.def_index: Any = {}
        self.refused: Any = []
        self.touched: Any = []  # results of outside calls whose writes to the store are in it
        lay_out_first(self)


def current_root() -> Root:
    """The root of the current prefix, made if it is not there yet (never call it on a read-only store)."""
    return Root()


def find_job(job_id: str) -> Any | None:
    """The job of that id, or None."""
    return job_index().find(job_id)


def forget_job(job_id: str) -> None:
    """Empty the slot of a job; its id finds nothing from now on. Nothing happens when there is no such job."""
    job_index().forget(job_id)


def is_first(mark: str) -> bool:
    """Whether nothing of a kind, "has_jobs" or "has_handlers", has been in this file; from now on there has."""
    root = Root()
    if getattr(root, mark):
        return False
    setattr(root, mark, True)
    return True


def was_made(job_id: str) -> bool:
    """Whether a job of that id is there, or was and was forgotten."""
    index = job_index()
    return index.find(job_id) is not None or index.knew(job_id)


def let_go_of_lists() -> None:
    """Before a commit: whoever reads from a list that was held over one that freed a former member of it crashes.

    So go jobs that were forgotten, which circles of Python may hold still: a commit would write them, referred to by
    nothing, and after a kill nobody frees them, while searches find them.
    """
    for _, index in _indexes.values():
        if index.has_forgotten:
            gc.collect()
        index.let_go()


def take_lists_again(root: Root) -> None:
    """After a commit, when there is time for it, get the lists of the open `root` that were let go of."""
    known = _indexes.get(id(root))
    if known is not None:
        known[1].renew(root.jobs, root.id_blocks)


def job_index() -> JobIndex:
    """The index of the open prefix, good until the next commit.

    A root that was closed is another object than the one opened after it.
    """
    root = Root()
    known = _indexes.get(id(root))
    if known is None:
        _indexes.clear()
        known = _indexes[id(root)] = (root, JobIndex(root.jobs, root.id_blocks))
    elif known[1].has_let_go:
        known[1].renew(root.jobs, root.id_blocks)
    return known[1]


def add_agent(agent: Any) -> int:
    """Keep `agent` alive and make it the one found under its role and revision."""
    root = Root()
    root.agents.append(agent)
    slot = len(root.agents) - 1
    root.agent_index[key_of(f"role {agent.role}")] = slot
    if agent.revision:
        root.agent_index[key_of(f"revision {agent.revision}")] = slot
    return slot


def find_agent(*, role: str | None = None, revision: str | None = None) -> Any | None:
    """The agent of that revision, else the newest of that role, else None."""
    root = Root()
    slot = root.agent_index.get(key_of(f"revision {revision}" if revision else f"role {role}"))
    return None if slot is None else root.agents[slot]  # None too when it was forgotten


def add_job_def(job_def: Any, digest: str) -> None:
    """Keep `job_def` alive and find it again by `digest`."""
    root = Root()
    root.job_defs.append(job_def)
    job_def.found_by = digest
    root.def_index[key_of(digest)] = len(root.job_defs) - 1


def move_job_def(job_def: Any, digest: str) -> None:
    """Find `job_def`, which has changed, by `digest` from now on; nothing happens when it was never added."""
    root = Root()
    slot = root.def_index.get(key_of(job_def.found_by)) if job_def.found_by else None
    if slot is not None and root.job_defs[slot] is job_def:
        job_def.found_by = digest
        root.def_index[key_of(digest)] = slot


def find_job_def(digest: str) -> Any | None:
    """The definition of that digest, or None."""
    root = Root()
    slot = root.def_index.get(key_of(digest))
    found = None if slot is None else root.job_defs[slot]  # None too when it was forgotten
    return found if found is not None and found.found_by in ("", digest) else None


def key_of(text: str) -> int:
    """A whole number of 56 bits for a text: the store's dictionaries hang or break with many texts as keys."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:7], "big")
