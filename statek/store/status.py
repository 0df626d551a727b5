"""Changing a job's status so that the store still finds the job by it.

A tag field that goes away from a value and comes back to it, without anything in between that makes dbzero settle its
index (a search, the end of a transaction, a commit), leaves the object in no search at all. So what each job was since
the index was settled is remembered here, and the index is settled before a value comes back. Nothing else belongs here.
"""

from typing import Any

import dbzero as db0

_since: dict[str, set[str]] = {}  # job -> statuses it has left since the index was settled; too many cost a search


def change_status(job: Any, status: Any) -> None:
    """Give `job` another status; nothing happens when it has it already."""
    if job.job_status == status:
        return
    left = _since.setdefault(job.id, set())
    if str(status) in left:
        next(iter(db0.find(type(job), status)), None)
        settled()
        left = _since.setdefault(job.id, set())
    left.add(str(job.job_status))
    job.job_status = status


def settled() -> None:
    """The index has been settled: by a commit, or by the end of a transaction."""
    _since.clear()
