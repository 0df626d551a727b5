"""Bringing a store up to its ledger: every record above what the store has taken in, in order; nothing is performed.

The same code runs as in a live pass, with the recorded clock. Where a stretch does something else than its record says,
the record wins: recorded results are delivered, nothing is called, and the difference is counted and logged.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from statek.ledger import inbox
from statek.ledger.records import Kind, Record, Records, model_key, unpack
from statek.runtime import cleanup
from statek.runtime.crossings import Outcome
from statek.runtime.passes import Done, Passes
from statek.runtime.results import intent_key, read_answer, read_result, result_key
from statek.runtime.step import Failure
from statek.runtime.turn import key_of_question
from statek.store.encoding import bytes_json
from statek.store.job import JobStatus, Stage, find_job, jobs_with

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
    passes.results.base_seq = root.seq
    passes.catalog.use(root.release)
    _hold_what_had_arrived(passes, passes.records)
    refused = len(root.refused)
    passes.clock_us = max(passes.clock_us, root.clock_us)
    for record in Records.after(passes.records, root.seq):
        passes.results.upto = record.seq
        _take(passes, record, done)
        root.seq, root.seq_tag, root.clock_us = record.seq, record.tag, passes.clock_us
        done.records += 1
        if done.records % CHECKPOINT_EVERY == 0 and all(isinstance(d, Outcome) for d in passes.deliveries.values()):
            passes.say_refused(refused)  # a process that is killed between taking in and telling leaves it to this one
            refused = len(root.refused)
            checkpoint()  # what is held for a job is in memory only; results alone are found again
    passes.results.upto = None
    if done.records:
        passes.say_refused(refused)
        checkpoint()
    return done


def _hold_what_had_arrived(passes: Passes, known: Records) -> None:
    """What was recorded by the time of the checkpoint, but held for a stretch that comes after it."""
    for job in jobs_with(JobStatus.READY, JobStatus.WARMING_UP, JobStatus.STARTED, JobStatus.SUSPENDED):
        if job.ending_bytes is not None:
            passes.deliveries[job.id] = Failure(*bytes_json(job.ending_bytes))
        elif job.stage == Stage.ASK:
            found = known.get(key_of_question(job))
            if found is not None and found.seq <= passes.store.root.seq:
                passes.deliveries[job.id] = read_answer(unpack(found.body))[1]


def _take(passes: Passes, record: Record, done: Replayed) -> None:
    match record.kind:
        case Kind.IN:
            passes.take_one(inbox.taken(record))
        case Kind.MODEL:
            data = unpack(record.body)
            job_id, answer = read_answer(data)
            passes.deliver(job_id, record.key or _key_of_failure(job_id, data), answer)
        case Kind.RESULT:
            _take_result(passes, record)
        case Kind.RAN:
            for job_id, clock_us, digest, note in unpack(record.body):
                _run(passes, job_id, clock_us, digest, note, done)
        case Kind.INTENT if cleanup.is_intent(record.key):
            cleanup.forget(passes, str(record.key))
        case _:
            pass  # intents say what may have happened outside; what was told needs no telling again


def _key_of_failure(job_id: str, data: dict[str, Any]) -> str:
    """Which question had no answer; records of earlier builds say its turn."""
    return str(data["key"]) if "key" in data else model_key(job_id, int(data["turn"]))


def _take_result(passes: Passes, record: Record) -> None:
    job_id = str(read_result(record.body)[0]["job"])
    wish = passes.steps.is_waiting_for_call(job_id)
    if wish is None:
        return  # its statement is run again and finds the result in the ledger
    key, wanted = str(record.key), result_key(job_id, wish)
    if key != wanted and key.startswith(f"r {job_id} {wish.turn} {wish.statement} "):
        assert passes.records is not None
        if (own := passes.records.get(wanted)) is not None:  # the same calls in another order, as sets of objects give
            passes.deliver(job_id, wanted, passes.results.outcome_of(own, wish.tool.name))
            return
        if passes.records.get(intent_key(job_id, wish)) is not None:
            return  # it was under way at the end: the statement is run again then, and finds the other results
        text = f"Diverged: run again, the statement calls {wish.place.name} with other arguments than recorded ({key})"
        passes.deliveries[job_id] = Failure("failed", text)
        return
    passes.deliver(job_id, key, passes.results.outcome_of(record, wish.tool.name))


def _run(passes: Passes, job_id: str, clock_us: int, digest: str, note: str, done: Replayed) -> None:
    job = find_job(job_id)
    if job is None or job.job_status == JobStatus.DONE:
        if job is not None and job.error_handlers is not None and job.outcome != "ok":
            passes.cleanups.append(job_id)  # an intent that follows says that they were called
        log.warning("replay: job %s has nothing to run; its work was stored already or it is not in this store", job_id)
        return
    passes.clock_us = max(passes.clock_us, clock_us)
    delivery = passes.deliveries.pop(job_id, None)
    if isinstance(delivery, Outcome) and passes.steps.is_waiting_for_call(job_id) is None:
        delivery = None  # the statement is run again and finds the result in the ledger
    if delivery is None and not note and passes.steps.is_waiting_for_call(job_id) is not None:
        return  # it was run again after a restart and got no further
    passes.stretch(job_id, job, clock_us, delivery, note, Done())
    if passes.steps.digest(job_id) != digest:
        done.differing += 1
        log.warning("replay: job %s did something else than recorded; the record wins", job_id)
