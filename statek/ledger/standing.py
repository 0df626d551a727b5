"""Where the id of an input stands, by what the ledger knows: waiting, a job, ended, or never to be a job. Only reads.

Clients and the command line ask here before they wait for a job or tell it something. The one idea: what somebody
submitted goes by one id however often it is tried, so its end is that of its last try.
"""

from dataclasses import dataclass
from enum import Enum

from statek.exceptions import NotApplied
from statek.ledger import inbox
from statek.ledger.compiled import Json
from statek.ledger.file import LedgerFile
from statek.ledger.inbox import Entry
from statek.ledger.items import first_and_number, is_dead, try_id
from statek.ledger.records import Record, Records, input_key, said_key, unpack

NO_JOB = "refused"  # the outcome of an input that became no job
_TRIED_AGAIN = ("failed", "poisoned", NO_JOB)


class Stand(Enum):
    """How far an input has come."""

    UNKNOWN = "unknown"  # never submitted, dropped since, or begun by a job and not ended yet
    WAITING = "waiting"  # to be taken in
    DEAD = "dead"  # on a dead letter queue
    TAKEN = "taken"  # the worker has it
    ENDED = "ended"


@dataclass(frozen=True)
class Standing:
    """Where an input stands.

    Attributes:
        id: of its last try.
        stand: how far that has come.
        entry: what waits in the inbox, else None.
        told: what clients are told of the end (`outcome`, `error`, `result` or `resultType`), else None.
    """

    id: str
    stand: Stand
    entry: Entry | None = None
    told: Json = None


def standing(file: LedgerFile, job_id: str) -> Standing:
    """Where the input of that id stands, or the try of an input, with those that came after it."""
    first, number = first_and_number(job_id)
    found = _of_try(file, job_id)
    while found.stand is Stand.ENDED and found.told["outcome"] in _TRIED_AGAIN:
        number += 1
        after = _of_try(file, try_id(first, number))
        if after.stand is Stand.UNKNOWN:
            break
        found = after
    return found


def require_reader(found: Standing) -> None:
    """Raises NotApplied when no job will ever read a message to this id, or heed its cancelling."""
    if found.stand is Stand.DEAD:
        assert found.entry is not None
        hint = f"`statek queue requeue {found.id}` puts it back, under a new id"
        raise NotApplied(f"{found.id} is an item of the dead letter queue '{found.entry.target}' and no job", hint=hint)
    if found.told is not None and found.told["outcome"] == NO_JOB:
        raise NotApplied(f"{found.id} became no job: {found.told.get('error') or 'it was refused'}")


def _of_try(file: LedgerFile, one: str) -> Standing:
    said = _newest_end(file, one)
    if said is not None:
        return Standing(one, Stand.ENDED, told=unpack(said.body))
    entry = inbox.find(file, one)
    if entry is not None and entry.kind in inbox.TO_BE_JOBS:
        return Standing(one, Stand.DEAD if is_dead(entry) else Stand.WAITING, entry)
    return Standing(one, Stand.UNKNOWN if Records(file).get(input_key(one)) is None else Stand.TAKEN)


def _newest_end(file: LedgerFile, one: str) -> Record | None:
    """A job that a message brought back to work ends again."""
    first = Records(file).get(said_key(one, 0))
    if first is None:
        return None
    return max(Records(file).beginning(said_key(one, 0)[:-1]), key=lambda record: record.seq, default=first)
