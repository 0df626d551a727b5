"""Changing a job's status so that the store still finds the job by it.

A tag field that goes away from a value and comes back to it, without anything in between that makes dbzero settle its
index (a search, a commit), leaves the object in no search at all. So what each job was since
the index was settled is remembered here, and the index is settled before a value comes back. Nothing else belongs here.
"""

from typing import Any

import dbzero as db0

_since: dict[str, set[str]] = {}  # job -> statuses it has left since the index was settled; too many cost a search


def change_status(job: Any, status: Any, job_id: str = "") -> None:
    """Give `job` another status; nothing happens when it has it already. Its id may be given where it is at hand."""
    before = job.job_status
    if before == status:
        return
    job_id = job_id or job.id
    left = _since.setdefault(job_id, set())
    if str(status) in left:
        settle(type(job), before, status)
        left = _since.setdefault(job_id, set())
    left.add(str(before))
    job.job_status = status


def settle(kind: type, status: Any, other: Any) -> None:
    """Make dbzero settle its index of `kind`: a search for what has two statuses, which finds and loads nothing.

    Needed too before objects of it go: one whose changes of status are not settled leaves its former one in the index
    when it is freed, and every search for that one fails from then on.
    """
    len(db0.find(kind, status, other))
    settled()


def settled() -> None:
    """The index has been settled."""
    _since.clear()
