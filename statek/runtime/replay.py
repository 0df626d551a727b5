"""Bringing a store up to its ledger: every record above what the store has taken in, in order; nothing is performed.

The same code runs as in a live pass, with the recorded clock. Where a stretch does something else than its record says,
the record wins: recorded results are delivered, nothing is called, and the difference is counted and logged.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from statek.ledger import inbox
from statek.ledger.records import Kind, Record, Records, model_key, unpack
from statek.runtime.crossings import Outcome
from statek.runtime.passes import Done, Passes, read_answer, read_result, result_key
from statek.runtime.step import Failure
from statek.store.job import JobStatus, find_job

CHECKPOINT_EVERY = 1_000  # records
log = logging.getLogger(__name__)


@dataclass
class Replayed:
    """What a replay did.

    Attributes:
        records: how many were taken in.
        differing: stretches that did something else than recorded.
    """

    records: int = 0
    differing: int = 0


def replay(passes: Passes, checkpoint: Callable[[], None]) -> Replayed:
    """Take in everything above the store's `seq`. Raises LedgerError when records are missing."""
    done = Replayed()
    if passes.records is None:
        return done
    root = passes.store.root
    passes.catalog.use(root.release)
    for record in Records.after(passes.records, root.seq):
        _take(passes, record, done)
        root.seq, root.seq_tag, root.clock_us = record.seq, record.tag, passes.clock_us
        done.records += 1
        if done.records % CHECKPOINT_EVERY == 0 and all(isinstance(d, Outcome) for d in passes.deliveries.values()):
            checkpoint()  # what is held for a job is in memory only; results alone are found again
    if done.records:
        checkpoint()
    return done


def _take(passes: Passes, record: Record, done: Replayed) -> None:
    match record.kind:
        case Kind.IN:
            passes.take_one(inbox.taken(record))
        case Kind.MODEL:
            data = unpack(record.body)
            job_id, answer = read_answer(data)
            passes.deliver(job_id, record.key or model_key(job_id, data["turn"]), answer)
        case Kind.RESULT:
            _take_result(passes, record)
        case Kind.RAN:
            for job_id, clock_us, digest, note in unpack(record.body):
                _run(passes, job_id, clock_us, digest, note, done)
        case _:
            pass  # intents say what may have happened outside; what was told needs no telling again


def _take_result(passes: Passes, record: Record) -> None:
    job_id = str(read_result(record.body)[0]["job"])
    wish = passes.steps.is_waiting_for_call(job_id)
    if wish is None:
        return  # its statement is run again and finds the result in the ledger
    key = str(record.key)
    if key != result_key(job_id, wish) and key.startswith(f"r {job_id} {wish.turn} {wish.statement} "):
        text = f"Diverged: run again, the statement calls {wish.place.name} with other arguments than recorded ({key})"
        passes.deliveries[job_id] = Failure("failed", text)
        return
    passes.deliver(job_id, key, passes.known_result(record, wish.tool.name))


def _run(passes: Passes, job_id: str, clock_us: int, digest: str, note: str, done: Replayed) -> None:
    job = find_job(job_id)
    if job is None or job.job_status == JobStatus.DONE:
        log.warning("replay: job %s has nothing to run; its work was stored already or it is not in this store", job_id)
        return
    passes.clock_us = max(passes.clock_us, clock_us)
    delivery = passes.deliveries.pop(job_id, None)
    if isinstance(delivery, Outcome) and passes.steps.is_waiting_for_call(job_id) is None:
        delivery = None  # the statement is run again and finds the result in the ledger
    if delivery is None and passes.steps.is_waiting_for_call(job_id) is not None:
        return  # it was run again after a restart and got no further
    passes.stretch(job, clock_us, delivery, note, Done())
    if passes.steps.digest(job_id) != digest:
        done.differing += 1
        log.warning("replay: job %s did something else than recorded; the record wins", job_id)
