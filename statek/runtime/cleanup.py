"""Calls the error handlers of jobs that ended with an error: code of the application, which may do anything outside.

So they are called like outside calls are made, by the fleet between two passes: the ending of the job is in the ledger
first, then an intent, then they run. A restart calls those without an intent; those with one may have had their effect
and are not called again.
"""

import logging

from statek.exceptions import LLM_HarnessError, StatekError
from statek.ledger.records import Kind, pack
from statek.runtime.passes import Passes
from statek.store import current
from statek.store.job import Job, find_job

_KEY = "h "
log = logging.getLogger(__name__)


def clean_up(passes: Passes) -> int:
    """Call the handlers that are due; of how many jobs there were any."""
    called = 0
    if not passes.cleanups:
        return called
    while passes.cleanups:
        job = find_job(passes.cleanups.popleft())
        if job is None or not job.is_done or job.error_handlers is None or not _intend(passes, job):
            continue
        with current.running(job) as scene:
            job.notify_handlers(error_of(job))
        passes.take_notice(scene.made, scene.woken)
        called += 1
    passes.note_cleanups()
    return called


def error_of(job: Job) -> BaseException:
    """Why a job ended, as an exception for its handlers."""
    text = job.error.error_message if job.error is not None else f"the job ended: {job.outcome}"
    kind = LLM_HarnessError.__name__
    return LLM_HarnessError(text.removeprefix(f"{kind}: ")) if text.startswith(kind) else StatekError(text)


def is_intent(key: str | None) -> bool:
    """Is this the key of an intent to call a job's handlers?"""
    return key is not None and key.startswith(_KEY)


def forget(passes: Passes, key: str) -> None:
    """On replay: the handlers of this intent were called, or began to be, before the restart."""
    job_id = key.removeprefix(_KEY).rsplit(" ", 1)[0]
    if job_id in passes.cleanups:
        passes.cleanups.remove(job_id)
        passes.note_cleanups()
    job = find_job(job_id)
    if job is not None and job.error_handlers is not None:
        log.warning("the error handlers of job %s were called before the restart; they are not called again", job_id)
        job.error_handlers = None


def _intend(passes: Passes, job: Job) -> bool:
    """Record that they are about to be called; False when that was recorded already."""
    if passes.ledger is None or passes.records is None:
        return True
    with passes.ledger.transaction():
        return passes.records.put(Kind.INTENT, f"{_KEY}{job.id} {job.num_completions or 0}", pack({})) is not None
