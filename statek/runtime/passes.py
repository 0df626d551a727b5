"""One pass of the scheduler: take in, record, run stretches, record, and say what is to be performed outside.

The ledger is written before anything can be seen: first what arrived (inputs, answers, results), then what ran and what
is intended. Only when that is on disk does the fleet perform calls and ask models. The same methods replay a ledger:
nothing is performed then. This module never awaits; one pass is one turn of the loop.
"""

import logging
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from statek.base.clock import Clock
from statek.base.mark import Mark
from statek.exceptions import LedgerError, Signal, StoreError, StoreFull
from statek.ledger import inbox, records
from statek.ledger.file import LedgerFile
from statek.ledger.inbox import Entry, InputKind
from statek.ledger.records import Kind, Record, Records
from statek.llm.messages import Answer
from statek.runtime import intake
from statek.runtime.catalog import Catalog
from statek.runtime.crossings import Outcome, decode_outcome, encode_outcome
from statek.runtime.execute import CallWish, unknown
from statek.runtime.ready import Ready
from statek.runtime.step import Delivery, Failure, Over, Parked, Steps, Wish
from statek.runtime.turn import Ask
from statek.sandbox.bounds import Watchdog
from statek.store import workspace
from statek.store.encoding import bytes_json
from statek.store.job import Job, JobStatus, Stage, find_job, jobs_with
from statek.store.session import Store, address_of, at_address

MAX_INPUTS = 500  # taken in by one pass
MAX_STRETCHES = 200  # run by one pass
STEP_MEMORY = 512 << 20
ALWAYS = (InputKind.SUBMIT, InputKind.PUSH, InputKind.CANCEL, InputKind.RELEASE, intake.POISON)
_LEAVE = (StoreFull, LedgerError)  # no input's or job's fault: the process ends, and the next one does it again
log = logging.getLogger(__name__)


@dataclass
class Done:
    """What a pass did and what it leaves to be performed.

    Attributes:
        calls: outside calls whose intents are on disk.
        asks: model requests of jobs whose turn is on disk.
        stretches: how many ran.
        ended: jobs that ended.
        taken: inputs taken in.
    """

    calls: list[tuple[str, CallWish]] = field(default_factory=list)
    asks: list[tuple[str, Ask]] = field(default_factory=list)
    stretches: int = 0
    ended: list[str] = field(default_factory=list)
    taken: int = 0

    @property
    def is_empty(self) -> bool:
        """Did nothing happen?"""
        return not (self.stretches or self.taken)


@dataclass(frozen=True)
class Arrival:
    """An answer or a result that came in from outside, for a job that waits for it."""

    job: str
    kind: Kind
    key: str
    body: bytes
    delivery: Delivery


class Passes:
    """The scheduler's state: who is ready, what has arrived, what is recorded."""

    def __init__(
        self,
        *,
        store: Store,
        ledger: LedgerFile | None,
        clock: Clock,
        catalog: Catalog,
        watchdog: Watchdog,
        mark: Mark | None = None,
        step_seconds: float = 5.0,
    ) -> None:
        """Put the parts together; `recover` or `rebuild` comes next. Without a ledger nothing outlives dbzero."""
        self.store = store
        self.ledger = ledger
        self.records = Records(ledger) if ledger is not None else None
        self.catalog = catalog
        self.ready = Ready()
        self.steps = Steps(catalog, self._recorded)
        self.arrivals: deque[Arrival] = deque()
        self.deliveries: dict[str, Delivery] = {}
        self.notices: deque[str] = deque()
        self.max_active = 100
        self.queued_jobs: dict[str, int] = {}
        self._clock = clock
        self.clock_us = 0  # the last stretch's; never goes back, not even over a restart
        self._watchdog = watchdog
        self._mark = mark
        self._step_seconds = step_seconds
        self._unknown: list[tuple[str, bytes]] = []

    # -- one pass ---------------------------------------------------------------------------------------------------

    def run(self) -> Done:
        """One pass. Raises LedgerError when the ledger cannot be written: leave at once then, without saving."""
        done = Done()
        self._take_inputs(done)
        self.take_arrivals()
        ran: list[list[Any]] = []
        for number, job_id in enumerate(self.ready.pick(self.max_active)):
            self._run_one(job_id, done, ran)
            if number >= MAX_STRETCHES:
                break
        self._record(done, ran)
        return done

    def _take_inputs(self, done: Done) -> None:
        if self.ledger is None or self.records is None:
            return
        entries = inbox.waiting(self.ledger, kinds=ALWAYS, limit=MAX_INPUTS) + self._items()
        taken_now = {entry.id for entry in entries}
        entries = [entry for entry in entries if not self.comes_too_early(entry, taken_now)]
        if not entries:
            return
        entries.sort(key=lambda entry: entry.n)
        taken = []
        with self.ledger.transaction():
            for entry in entries:
                try:
                    inbox.take(self.ledger, self.records, entry)
                except inbox.NoLongerWaiting:
                    continue  # its queue was full and it had to leave; whoever dropped it said so
                taken.append(entry)
        self._have_effect(taken)
        done.taken += len(taken)

    def comes_too_early(self, entry: Entry, taken_now: Collection[str] = ()) -> bool:
        """A message to, or the cancelling of, a job whose own input still waits: it has to wait for that one."""
        if self.ledger is None or entry.kind not in (InputKind.PUSH, InputKind.CANCEL):
            return False
        target = str(entry.target)
        return target not in taken_now and inbox.find(self.ledger, target) is not None

    def _items(self) -> list[Entry]:
        """Queue items for which there is room."""
        assert self.ledger is not None
        found: list[Entry] = []
        room = self.ready.room(self.max_active)
        for name in self.catalog.queues:
            queue = intake.queue_of(self.catalog, name)
            if queue is None or room <= 0:
                continue
            free = room if queue.concurrency is None else min(room, queue.concurrency - self.queued_jobs.get(name, 0))
            if free > 0:
                items = inbox.waiting(self.ledger, kinds=[InputKind.ITEM], target=name, limit=free)
                found += items
                room -= len(items)
        return found

    def _have_effect(self, entries: list[Entry]) -> None:
        """All inputs of the pass in one transaction; when one of them fails in the kit, each in its own."""
        new = self.ready.new.copy()
        try:
            with self.store.atomic():
                for entry in entries:
                    intake.take_in(entry, self.catalog, self.ready, self.deliveries)
        except _LEAVE:
            raise
        except Exception:  # an input that cannot be taken in costs only itself
            log.exception("one of %d inputs failed inside the kit; each is taken in by itself", len(entries))
            self.ready.new = new
            for entry in entries:
                self.take_one(entry)
        for job_id in list(self.ready.new)[len(new) :]:
            job = find_job(job_id)
            if job is not None and job.queue:
                self.queued_jobs[job.queue] = self.queued_jobs.get(job.queue, 0) + 1

    def take_one(self, entry: Entry) -> None:
        """One input in its own transaction; refused when it fails inside the kit."""
        new = self.ready.new.copy()
        try:
            with self.store.atomic():
                intake.take_in(entry, self.catalog, self.ready, self.deliveries)
        except _LEAVE:
            raise
        except Exception as error:
            log.exception("input %s failed inside the kit", entry.id)
            self.ready.new = new
            with self.store.atomic():
                intake.refuse(entry, f"error in the kit: {type(error).__name__}: {error}")

    def take_arrivals(self) -> None:
        """Record what has arrived and hand it to the jobs."""
        arrivals = list(self.arrivals)
        self.arrivals.clear()
        if not arrivals:
            return
        if self.ledger is not None and self.records is not None:
            with self.ledger.transaction():
                for arrival in arrivals:
                    failed = isinstance(arrival.delivery, Failure)  # no answer: the same turn may be asked for again
                    self.records.put(arrival.kind, None if failed else arrival.key, arrival.body)
        for arrival in arrivals:
            self.deliver(arrival.job, arrival.key, arrival.delivery)

    def deliver(self, job_id: str, key: str, delivery: Delivery) -> None:
        """Hand something that arrived to its job, if the job still waits for exactly this."""
        if isinstance(self.deliveries.get(job_id), Failure):
            return
        job = find_job(job_id)
        if job is None or job.job_status == JobStatus.DONE:
            return
        if isinstance(delivery, Outcome):
            wish = self.steps.is_waiting_for_call(job_id)
            if wish is None or result_key(job_id, wish) != key:
                return  # its statement is run again and finds the result in the ledger
        elif job.stage != Stage.ASK or records.model_key(job_id, job.turn + 1) != key:
            return
        self.deliveries[job_id] = delivery
        self.ready.wake(job_id)

    def _run_one(self, job_id: str, done: Done, ran: list[list[Any]]) -> None:
        job = find_job(job_id)
        delivery = self.deliveries.pop(job_id, None)
        if job is None or not self._can_run(job, delivery):
            return
        self.clock_us = max(self.clock_us + 1, self._clock.now_us())
        note = self.stretch(job, self.clock_us, delivery, "", done)
        ran.append([job_id, self.clock_us, self.steps.digest(job_id), note])

    def _can_run(self, job: Job, delivery: Delivery) -> bool:
        """A job whose running side waits for a call goes on with its result only."""
        if job.job_status == JobStatus.DONE:
            return False
        return isinstance(delivery, Outcome | Failure) or self.steps.is_waiting_for_call(job.id) is None

    def stretch(self, job: Job, clock_us: int, delivery: Delivery, note: str, done: Done) -> str:
        """Run one stretch, or on replay what is left of one that was given up (`note`); the note to record."""
        if self._mark is not None:
            self._mark.begin_stretch(job.id, job.turn, job.statement)
        wish: Wish | None = None
        try:
            if not note:
                wish = self._advance(job, clock_us, delivery)
            elif isinstance(delivery, Answer):
                with self.store.atomic():
                    self.steps.take_answer(job, clock_us, delivery)
        except Signal as error:
            note = f"{type(error).__name__}: {error}"
        except _LEAVE:
            if self._mark is not None:
                self._mark.end_stretch()  # the job is not to blame for the end of the process
            raise
        except Exception as error:  # the step boundary: whatever happens costs only this job
            log.exception("a stretch of job %s failed inside the kit", job.id)
            note = f"error in the kit: {type(error).__name__}: {error}"
        if note:
            wish = self._give_up(job, clock_us, note)
        if self._mark is not None:
            self._mark.end_stretch()
        assert wish is not None
        done.stretches += 1
        self._after(job, wish, done)
        return note

    def _advance(self, job: Job, clock_us: int, delivery: Delivery) -> Wish:
        seconds = self._step_seconds
        if job.turn == 0 and job.agent.revision:
            seconds = self.catalog.of(job).warmup_timeout_us / 1_000_000 or seconds
        if isinstance(delivery, Answer):
            # In a transaction of its own: an answer stays, whatever its code does.
            with self.store.atomic():
                over = self.steps.take_answer(job, clock_us, delivery)
            if over is not None:
                return over
            delivery = None
        with self._watchdog.armed(seconds, STEP_MEMORY), self.store.atomic():
            return self.steps.advance(job, clock_us, delivery)

    def _give_up(self, job: Job, clock_us: int, note: str) -> Wish:
        self.steps.started.clear()
        with self.store.atomic():
            if note.startswith("TimeLimit"):
                return self.steps.fail_statement(job, clock_us, note)
            self.steps.forget(job.id)
            return self.steps.advance(job, clock_us, Failure("failed", note))

    def _after(self, job: Job, wish: Wish, done: Done) -> None:
        for child in self.steps.started:
            self.ready.add_new(child)
        self.steps.started.clear()
        match wish:
            case CallWish():
                done.calls.append((job.id, wish))
            case Ask():
                done.asks.append((job.id, wish))
            case Parked(kind, detail):
                self._park(job, kind, detail)
            case Over(_, parent):
                self._end(job, parent, done)

    def _park(self, job: Job, kind: str, detail: str) -> None:
        if kind != "subtask":
            self.ready.await_future(job.id)
            return
        self.ready.park(job.id, detail)
        child = find_job(detail)
        if child is None or child.job_status == JobStatus.DONE:
            self.ready.wake(job.id)

    def _end(self, job: Job, parent_id: str | None, done: Done) -> None:
        done.ended.append(job.id)
        self.ready.end(job.id)
        if job.queue:
            self.queued_jobs[job.queue] = self.queued_jobs.get(job.queue, 1) - 1
        parent = find_job(parent_id) if parent_id else None
        if parent is not None and parent.stage == Stage.ASK and parent_id not in self.ready.active:
            self.ready.wake(str(parent_id))

    def _record(self, done: Done, ran: list[list[Any]]) -> None:
        if self.ledger is None or self.records is None or not (ran or self._unknown):
            return
        with self.ledger.transaction():
            for key, body in self._unknown:
                self.records.put(Kind.RESULT, key, body)
            self.records.put(Kind.RAN, None, records.pack(ran))
            for job_id, wish in done.calls:
                self.records.put(Kind.INTENT, intent_key(job_id, wish), records.pack({"tool": wish.tool.name}))
            for job_id in done.ended:
                self._say(job_id)
        self._unknown.clear()

    def _say(self, job_id: str) -> None:
        assert self.records is not None
        job = find_job(job_id)
        if job is not None:
            key = records.said_key(job_id, job.num_completions or 0)
            self.records.put(Kind.SAID, key, records.pack({"outcome": job.outcome}))

    # -- arrivals ---------------------------------------------------------------------------------------------------

    def answered(self, job_id: str, turn: int, answer: Answer | Failure) -> None:
        """A model answered, or could not be asked."""
        data = answer.to_json() if isinstance(answer, Answer) else {"failure": answer.reason, "turn": turn}
        key = records.model_key(job_id, turn)
        self.arrivals.append(Arrival(job_id, Kind.MODEL, key, records.pack({"job": job_id, **data}), answer))

    def performed(self, job_id: str, wish: CallWish, outcome: Outcome, *, touched: bool) -> None:
        """An outside call returned or raised."""
        body = result_body(job_id, wish, outcome, touched=touched)
        self.arrivals.append(Arrival(job_id, Kind.RESULT, result_key(job_id, wish), body, outcome))

    def _recorded(self, job: Any, wish: CallWish) -> Outcome | None:
        """What the ledger knows of a call of a statement that is run again after a restart."""
        if self.records is None:
            return None
        found = self.records.get(result_key(job.id, wish))
        if found is not None:
            return self.known_result(found, wish.tool.name)
        if wish.tool.idempotent or self.records.get(intent_key(job.id, wish)) is None:
            return None
        outcome = unknown(wish.tool.name, workspace.OUTSIDE)
        self._unknown.append((result_key(job.id, wish), result_body(job.id, wish, outcome, touched=False)))
        return outcome

    def known_result(self, record: Record, tool: str) -> Outcome:
        """A recorded outcome; unknown when what the call wrote, or a stored object it gave, is not in this store."""
        head, outcome = read_result(record.body)
        is_lost = head["touched"] and record.key not in list(self.store.root.touched)
        return unknown(tool, workspace.OUTSIDE) if outcome is None or is_lost else outcome

    # -- start ------------------------------------------------------------------------------------------------------

    def rebuild(self) -> None:
        """Fill the index from the store: every unfinished job is somewhere."""
        self.catalog.use(self.store.root.release)
        self.clock_us = max(self.clock_us, self.store.root.clock_us)
        self.ready = Ready()
        self.queued_jobs = {}
        open_jobs = jobs_with(JobStatus.READY, JobStatus.WARMING_UP, JobStatus.STARTED, JobStatus.SUSPENDED)
        for job in open_jobs:
            if job.queue:
                self.queued_jobs[job.queue] = self.queued_jobs.get(job.queue, 0) + 1
            self._place(job)

    def _place(self, job: Job) -> None:
        waiting = job.waiting_for or {}
        if job.ending_bytes is not None:
            self.deliveries[job.id] = Failure(*bytes_json(job.ending_bytes))
        if job.stage == Stage.ASK and self.records is not None:
            found = self.records.get(records.model_key(job.id, job.turn + 1))
            if found is not None:  # it came in when the worker was stopping
                self.deliveries.setdefault(job.id, read_answer(records.unpack(found.body))[1])
        if job.id in self.deliveries:
            self.ready.wake(job.id)
        elif job.job_status == JobStatus.READY:
            self.ready.add_new(job.id)
        elif waiting.get("kind") == "subtask":
            self._park(job, "subtask", waiting["detail"])
        elif waiting.get("kind") == "future":
            self.ready.await_future(job.id)
        else:
            self.steps.forget(job.id)  # its statement is run again and asks the ledger what became of its calls
            self.ready.wake(job.id)


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


def read_answer(data: dict[str, Any]) -> tuple[str, Answer | Failure]:
    """The job and the answer, or why there is none, of an unpacked record that `Passes.answered` wrote."""
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
