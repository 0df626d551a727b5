"""What the ledger knows of calls outside and of answers: how they stand in it, and whether it can still be used.

A statement that is run again asks here what became of its calls. The one idea: a call that wrote to the store itself
is as good as its writes, so one whose result is in the ledger, but whose writes this store does not have, counts as
unknown. When something is recorded is decided by `passes`.
"""

from typing import Any

from statek.exceptions import StoreError
from statek.ledger import records
from statek.ledger.records import Kind, Record, Records
from statek.llm.messages import Answer
from statek.runtime.crossings import Outcome, decode_outcome, encode_outcome
from statek.runtime.endings import CallWish, Known
from statek.runtime.outcomes import unknown
from statek.runtime.step import Failure
from statek.store import workspace
from statek.store.job import JobStatus, find_job
from statek.store.session import Store, address_of, at_address

LOST = "lost "  # before the key of a call whose own writes this store does not have


class Results:
    """The calls of one store, as its ledger has them.

    Attributes:
        upto: the record that is being replayed; what comes behind it is not known yet. None: no replay.
        base_seq: what was recorded up to here is in the store, with all that calls wrote themselves.
        found_unknown: calls that were under way at a crash and have to be recorded as such, by key and body.
    """

    def __init__(self, store: Store, known: Records | None) -> None:
        """Without records nothing is known of any call."""
        self.upto: int | None = None
        self.base_seq = 0
        self.found_unknown: list[tuple[str, bytes]] = []
        self._store = store
        self._records = known

    def of_call(self, job: Any, wish: CallWish) -> Known:
        """What the ledger knows of a call of a statement that is run again after a restart."""
        if self._records is None:
            return False, None
        found = self._so_far(self._records, result_key(job.id, wish))
        if found is not None:
            return True, self.outcome_of(found, wish.tool.name)
        has_begun = self._so_far(self._records, intent_key(job.id, wish)) is not None
        if wish.tool.idempotent or not has_begun:
            return has_begun, None
        outcome = unknown(wish.tool.name, workspace.OUTSIDE)
        self.found_unknown.append((result_key(job.id, wish), result_body(job.id, wish, outcome, touched=False)))
        return True, outcome

    def _so_far(self, known: Records, key: str) -> Record | None:
        """The record of that key, unless it comes after what is being replayed."""
        found = known.get(key)
        return found if found is None or self.upto is None or found.seq <= self.upto else None

    def outcome_of(self, record: Record, tool: str) -> Outcome:
        """A recorded outcome; unknown when what the call wrote, or a stored object it gave, is not in this store."""
        head, outcome = read_result(record.body)
        is_lost = head["touched"] and not self._is_written(record)
        return unknown(tool, workspace.OUTSIDE) if outcome is None or is_lost else outcome

    def record_unknown(self) -> None:
        """Write down what became of calls that were under way, inside the worker's transaction."""
        assert self._records is not None
        for key, body in self.found_unknown:
            self._records.put(Kind.RESULT, key, body)

    # -- calls that wrote to the store themselves --------------------------------------------------------------------

    def note_touched(self, job_id: str, wish: CallWish) -> None:
        """The call wrote to the store: what it wrote is in the next checkpoint, its result in the ledger only later."""
        if self._records is not None:
            root = self._store.root
            root.touched = [*list(root.touched), result_key(job_id, wish)]

    def forget_touched(self) -> None:
        """At a checkpoint, of calls that wrote to the store keep those that are not recorded, or were lost."""
        assert self._records is not None
        root = self._store.root
        self.base_seq = root.seq
        noted = list(root.touched)
        kept = [entry for entry in noted if self._is_needed(entry)]
        if kept != noted:
            root.touched = kept

    def _is_needed(self, entry: str) -> bool:
        assert self._records is not None
        key = entry.removeprefix(LOST)
        job = find_job(key.removeprefix("r ").rsplit(" ", 4)[0])
        is_open = job is not None and job.job_status != JobStatus.DONE
        return is_open and (entry.startswith(LOST) or self._records.get(key) is None)

    def _is_written(self, record: Record) -> bool:
        """Is what the call of this result wrote in the store? Once lost it stays lost, however far the store gets."""
        touched = list(self._store.root.touched)
        if record.key in touched:
            return True
        lost = f"{LOST}{record.key}"
        if lost not in touched and record.seq > self.base_seq:
            self._store.root.touched = [*touched, lost]
        return lost not in touched and record.seq <= self.base_seq


def result_key(job_id: str, wish: CallWish) -> str:
    """Key of a call's result in the ledger."""
    place = wish.place
    return records.result_key(job_id, wish.turn, wish.statement, f"{place.name}.{place.digest}", place.nth)


def intent_key(job_id: str, wish: CallWish) -> str:
    """Key of a call's intent in the ledger; also the idempotency key for the tool."""
    place = wish.place
    return records.intent_key(job_id, wish.turn, wish.statement, f"{place.name}.{place.digest}", place.nth)


def result_body(job_id: str, wish: CallWish, outcome: Outcome, *, touched: bool) -> bytes:
    """A result as recorded: a line of JSON (job, addresses of durable parts, did it write to the store), then it."""
    head = {"job": job_id, "refs": [address_of(ref) for ref in outcome.refs], "touched": touched}
    return records.pack(head) + b"\n" + encode_outcome(wish.place, outcome)


def answer_body(job_id: str, key: str, answer: Answer | Failure) -> bytes:
    """An answer as recorded, or why there is none to the question of that key."""
    data = answer.to_json() if isinstance(answer, Answer) else {"failure": answer.reason, "key": key}
    return records.pack({"job": job_id, **data})


def read_answer(data: dict[str, Any]) -> tuple[str, Answer | Failure]:
    """The job and the answer, or why there is none, of an unpacked record that `answer_body` made."""
    fields = dict(data)
    job_id = str(fields.pop("job"))
    if "failure" in fields:
        return job_id, Failure("failed", str(fields["failure"]))
    return job_id, Answer.from_json(fields)


def read_result(body: bytes) -> tuple[dict[str, Any], Outcome | None]:
    """What `result_body` wrote; no outcome when a stored object it refers to is not in this store."""
    line, _, rest = body.partition(b"\n")
    head = records.unpack(line)
    try:
        refs = [at_address(address) for address in head["refs"]]
    except StoreError:
        return head, None
    return head, decode_outcome(rest, refs)[1]
