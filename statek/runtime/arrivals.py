"""What came in from outside for jobs that wait for it, until it is in the ledger: answers of models, results of calls.

Anybody may add at any time; recording is the scheduler's, once a pass. A failed question is no answer: it is recorded
without a key, so that the same turn may be asked for again. Handing it to the jobs is `passes`.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from statek.base.clock import Clock
from statek.ledger.file import LedgerFile
from statek.ledger.metering import Meter, Used
from statek.ledger.records import Kind, Records
from statek.llm.messages import Answer
from statek.runtime.crossings import Outcome
from statek.runtime.endings import CallWish
from statek.runtime.results import answer_body, result_body, result_key
from statek.runtime.step import Delivery, Failure


@dataclass(frozen=True)
class Arrival:
    """An answer or a result that came in from outside, for a job that waits for it."""

    job: str
    kind: Kind
    key: str
    body: bytes
    delivery: Delivery


class Arrivals:
    """What came in and is not recorded."""

    def __init__(self, ledger: LedgerFile | None, records: Records | None, clock: Clock) -> None:
        """Nothing yet. Without a ledger nothing is recorded."""
        self._waiting: deque[Arrival] = deque()
        self._ledger = ledger
        self._records = records
        self._meter = Meter(ledger) if ledger is not None else None
        self._clock = clock

    def __len__(self) -> int:
        return len(self._waiting)

    def answered(self, job_id: str, key: str, answer: Answer | Failure) -> None:
        """A model answered the question of that key, or could not be asked."""
        self._waiting.append(Arrival(job_id, Kind.MODEL, key, answer_body(job_id, key, answer), answer))

    def performed(self, job_id: str, wish: CallWish, outcome: Outcome, *, touched: bool) -> None:
        """An outside call returned or raised."""
        body = result_body(job_id, wish, outcome, touched=touched)
        self._waiting.append(Arrival(job_id, Kind.RESULT, result_key(job_id, wish), body, outcome))

    def record(self, role_of: Callable[[str], str], *, synced: bool) -> list[Arrival]:
        """Record all of it, with what it cost, and give it.

        Args:
            role_of: the role of a job's agent.
            synced: on disk when this returns; else with the next sync of the ledger.
        """
        found = list(self._waiting)
        self._waiting.clear()
        if not found or self._ledger is None or self._records is None or self._meter is None:
            return found
        used: list[Used] = []
        with self._ledger.transaction(synced=synced):
            for arrival in found:
                failed = isinstance(arrival.delivery, Failure)
                seq = self._records.put(arrival.kind, None if failed else arrival.key, arrival.body)
                if seq is not None and isinstance(arrival.delivery, Answer):
                    used.append(_used(role_of(arrival.job), arrival.delivery))
            self._meter.add(used, self._clock.now_us())
        return found


def _used(role: str, answer: Answer) -> Used:
    """What an answer adds to the counters of its job's agent."""
    usage = answer.usage
    return Used(
        role, answer.provider, answer.model, usage.input_tokens,
        usage.output_tokens, usage.cached_tokens, usage.cost_usd, answer.scripted,
    )  # fmt: skip
