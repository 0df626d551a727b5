"""Reading and rewriting everything in a store, and adding to it, to find out whether its file is whole.

Only for scratch copies: opening a damaged file read-write may damage it further, hang or crash, so this runs in a
process of its own under a time limit (`worker.probe`). The one idea: a damaged file opens, shows its root and lies or
fails later, so nothing less than touching every object tells.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dbzero as db0

from statek.store.job import Job, JobStatus
from statek.store.session import Store

ADDED = 100  # bytes
CLEAR_EVERY = 1000  # objects; a touched object stays in memory until the cache is cleared


@dataclass(frozen=True)
class Whole:
    """A store in which everything could be read and rewritten: how many objects, and how far it is in its ledger."""

    objects: int
    seq: int
    seq_tag: str


def read_and_rewrite(folder: Path, store_id: str) -> Whole:
    """Touch every object in the store at `folder`, add something, and commit.

    Raises:
        StoreError: it cannot be opened or written, or is another store.
        Exception: whatever dbzero raises for what it cannot read.
    """
    with Store.open(folder, store_id) as store:
        _walk_fields(store.root)
        count = 0
        for kind in list(db0.get_memo_classes()):
            for found in kind.all():
                _walk_fields(found)
                db0.touch(found)
                count += 1
                if count % CLEAR_EVERY == 0:
                    db0.clear_cache()
        for status in JobStatus.values():  # the index is not among the objects, and was seen damaged alone
            for job in db0.find(Job, status):
                _ = job.id
        store.root.refused.append(bytes(ADDED))  # all can be there, and yet nothing new be made
        store.commit()
        return Whole(count, store.root.seq, store.root.seq_tag)


def _walk_fields(item: Any) -> None:
    """Read each field; containers to the bottom. Other objects are met under their own class."""
    waiting = list(item.__dict__.values())
    while waiting:
        value = waiting.pop()
        if db0.expired(value) or db0.is_memo(value):  # expired first: whatever else looks at its type crashes
            continue
        kind = type(value).__name__
        if kind in {"List", "Tuple", "Set", "list", "tuple", "set"}:
            waiting.extend(value)
        elif kind in {"Dict", "dict"}:
            waiting.extend([value[key] for key in value])
