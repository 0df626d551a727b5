"""The one object everything alive hangs from, and how things are found again.

Jobs sit in a list of slots; `ids` maps a job's id to its slot number and only ever grows. Definitions and agents are
found by digests in the same way. The root also says how far the ledger has been taken in (`seq`, `seq_tag`).
"""

import hashlib
from collections.abc import Callable
from typing import Any

import dbzero as db0

FORMAT = 1


@db0.memo(id="statek/Root", singleton=True)
class Root:
    """Everything alive in this prefix. Singleton; arguments count only when it is made."""

    def __init__(self, store_id: str = "") -> None:
        self.format = FORMAT
        self.store_id = store_id
        self.seq = 0
        self.seq_tag = ""
        self.release = ""
        self.release_number = 0
        self.clock_us = 0
        self.jobs: Any = []
        self.ids: Any = {}
        self.agents: Any = []
        self.agent_index: Any = {}
        self.job_defs: Any = []
        self.def_index: Any = {}
        self.refused: Any = []
        self.touched: Any = []  # results of outside calls whose writes to the store are in it


def current_root() -> Root:
    """The root of the current prefix, made if it is not there yet (never call it on a read-only store)."""
    return Root()


def add_job(job: Any, job_id: str) -> None:
    """Give `job` a slot under `job_id`. The id must be new."""
    root = Root()
    root.jobs.append(job)
    root.ids[_free_key(root.ids, root.jobs, job_id, _id_of)] = len(root.jobs) - 1


def has_job(job_id: str) -> bool:
    """Whether there is a job of that id."""
    return find_job(job_id) is not None


def find_job(job_id: str) -> Any | None:
    """The job of that id, or None."""
    root = Root()
    return _find(root.ids, root.jobs, job_id, _id_of)


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
    return None if slot is None else root.agents[slot]


def add_job_def(job_def: Any, digest: str) -> None:
    """Keep `job_def` alive and find it again by `digest`."""
    root = Root()
    root.job_defs.append(job_def)
    root.def_index[key_of(digest)] = len(root.job_defs) - 1


def find_job_def(digest: str) -> Any | None:
    """The definition of that digest, or None."""
    root = Root()
    slot = root.def_index.get(key_of(digest))
    return None if slot is None else root.job_defs[slot]


def key_of(text: str) -> int:
    """A whole number of 56 bits for a text: the store's dictionaries hang or break with many texts as keys."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:7], "big")


def _id_of(job: Any) -> str:
    return str(job.id)


def _find(index: Any, slots: Any, name: str, name_of: Callable[[Any], str]) -> Any | None:
    """The object of that name: at its key, or at one of those after it where keys collided."""
    key = key_of(name)
    while (slot := index.get(key)) is not None:
        found = slots[slot]
        if name_of(found) == name:
            return found
        key += 1
    return None


def _free_key(index: Any, slots: Any, name: str, name_of: Callable[[Any], str]) -> int:
    key = key_of(name)
    while (slot := index.get(key)) is not None and name_of(slots[slot]) != name:
        key += 1
    return key
