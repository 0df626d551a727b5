"""One pass of the scheduler: take in, record, run stretches, record, and say what is to be performed outside.

The ledger is written before anything has an effect: first what arrived (inputs, answers, results), which a process that
dies must find again, then what ran and what is intended; both are on disk before the fleet performs calls, writes the
store or tells anybody. Questions alone leave before what ran is on disk (docs/decisions/0020). The same methods replay
a ledger: nothing is performed then. This module never awaits.
"""

import logging
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from statek.base.clock import Clock
from statek.base.mark import Mark
from statek.exceptions import BugError, LedgerError, Signal, StatekError, StoreFull
from statek.ledger import inbox, records
from statek.ledger.file import LedgerFile
from statek.ledger.inbox import Entry, InputKind
from statek.ledger.records import Kind, Records
from statek.llm.messages import Answer
from statek.runtime import intake, subtasks, told
from statek.runtime.admission import Admission, Choice
from statek.runtime.arrivals import Arrival, Arrivals
from statek.runtime.catalog import Catalog
from statek.runtime.crossings import Outcome
from statek.runtime.endings import CallWish
from statek.runtime.inbound import MAX_INPUTS, Inbound
from statek.runtime.ready import Ready
from statek.runtime.results import Results, intent_key, read_answer, result_key
from statek.runtime.step import BlockEnd, Delivery, Failure, Over, Parked, Steps, Wish
from statek.runtime.tagging import bounds_of, is_served, tag_of
from statek.runtime.turn import Ask, key_of_question
from statek.sandbox.bounds import Watchdog
from statek.store.encoding import bytes_json
from statek.store.job import Job, JobStatus, Stage, find_job, jobs_with
from statek.store.retention import still_forgettable
from statek.store.session import Store

MAX_STRETCHES = 200  # run by one pass
MAX_ASKS = 16  # questions that a pass holds up until its last stretch has run
STEP_MEMORY = 512 << 20
_LEAVE = (StoreFull, LedgerError)  # the process ends, and the next one does what was not saved again
log = logging.getLogger(__name__)


@dataclass
class Done:
    """What a pass did and what it leaves to be performed.

    Attributes:
        calls: outside calls to be made once their intents are on disk.
        asks: questions to models.
        stretches: how many ran.
        ended: jobs that ended.
        taken: inputs taken in.
        ran: the jobs of the stretches.
        is_cut: it ended before all that could run had run.
    """

    calls: list[tuple[str, CallWish]] = field(default_factory=list)
    asks: list[tuple[str, Ask]] = field(default_factory=list)
    stretches: int = 0
    ended: list[Job] = field(default_factory=list)
    taken: int = 0
    ran: list[str] = field(default_factory=list)
    is_cut: bool = False

    @property
    def is_empty(self) -> bool:
        """Did nothing happen?"""
        return not (self.stretches or self.taken)


class TakenBack(StatekError):  # noqa: N818 - not a failure: the process has to start again
    """A stretch is given up and the ledger says so; what it did is in memory, so nothing may be saved any more."""


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
        takes_back: bool = False,
    ) -> None:
        """Put the parts together; `recover` or `rebuild` comes next. Without a ledger nothing outlives dbzero.

        `takes_back`: a stretch that has to be taken back raises TakenBack; who runs the passes then saves nothing and
        lets the process start anew. Without it, what a stretch that was cut had done to stored objects stays.
        """
        self.store = store
        self.ledger = ledger
        self.records = Records(ledger) if ledger is not None else None
        self.results = Results(store, self.records)
        self.catalog = catalog
        self.ready = self._make_ready()
        self.steps = Steps(catalog, self.results.of_call)
        self.arrivals = Arrivals(ledger, self.records, clock)
        self.deliveries: dict[str, Delivery] = {}
        self.notes: dict[str, str] = {}  # jobs to be given up in their next stretch, and why
        self.cleanups: deque[str] = deque()  # jobs that ended with an error and have handlers to be called
        self.notices: deque[str] = deque()
        self.max_active = 100
        self.admission = Admission(ledger, self.records, catalog) if ledger and self.records else None
        self.inbound = Inbound(ledger) if ledger is not None else None
        self._clock = clock
        self.clock_us = 0  # the last stretch's; never goes back, not even over a restart
        self._watchdog = watchdog
        self._mark = mark
        self._step_seconds = step_seconds
        self._takes_back = takes_back
        self._unsettled: tuple[Done, list[list[Any]]] | None = None  # a pass, and what ran in it

    # -- one pass ---------------------------------------------------------------------------------------------------

    def run(self) -> Done:
        """One pass, settled. Raises LedgerError when the ledger cannot be written, and TakenBack: leave then."""
        done = self.begin()
        self.settle()
        return done

    def begin(self) -> Done:
        """Take in and run: all of a pass but recording what ran. Until `settle`, nothing of it but questions may leave.

        Raises as `run`; whoever leaves then saves nothing.
        """
        self.settle()
        done = Done()
        self._take_inputs(done)
        self.take_arrivals(synced=False)
        ran: list[list[Any]] = []
        for number, job_id in enumerate(self.ready.pick(self.max_active)):
            self._run_one(job_id, done, ran)
            done.is_cut = number >= MAX_STRETCHES or len(done.asks) >= MAX_ASKS
            if done.is_cut:
                break
        done.ran = [str(entry[0]) for entry in ran]
        self._unsettled = done, ran
        return done

    def settle(self) -> None:
        """Have on disk what ran; nothing happens when it is there. Raises LedgerError when it cannot be written."""
        if self._unsettled is None:
            return
        self._record(*self._unsettled)
        self._unsettled = None
        if self.ledger is not None:
            self.ledger.sync()

    def _take_inputs(self, done: Done) -> None:
        if self.ledger is None or self.records is None:
            return
        assert self.admission is not None
        assert self.inbound is not None
        is_whole = self.admission.look()
        choice = self._choose()
        entries = choice.entries + self.inbound.choose({entry.id for entry in choice.entries}, self.admission.seen)
        entries.sort(key=_forgets, reverse=True)  # what they name is looked at now, before anything else has an effect
        if not (entries or choice.given_up):
            done.taken += 1 if self.inbound.is_behind or not is_whole else 0
            return
        taken = []
        with self.ledger.transaction(synced=False):
            self.admission.write()
            for entry in entries:
                with suppress(inbox.NoLongerWaiting):  # it had to leave; whoever dropped it said so
                    decided = _decided(entry)
                    inbox.take(self.ledger, self.records, decided)
                    taken.append(decided)
            for entry, reason in choice.given_up:
                with suppress(inbox.NoLongerWaiting):
                    taken.append(self.admission.give_up(entry, reason))
        release = self.catalog.release
        known = len(self.store.root.refused)
        self._have_effect(taken)
        self.say_refused(known)
        if self.catalog.release != release:
            self.ready.tag_anew()
        for entry in choice.entries:
            if find_job(entry.id) is None:
                self.admission.end_job(entry.id)
        done.taken += len(taken)

    @property
    def next_due_us(self) -> int | None:
        """When a waiting item is due at the earliest; None: nothing waits for the time."""
        return self.admission.next_due_us if self.admission is not None else None

    def _choose(self) -> Choice:
        """Queue items and submissions whose turn it is."""
        assert self.admission is not None
        return self.admission.choose(self._clock.now_us(), self.ready.vacancy(self.max_active), MAX_INPUTS)

    def _have_effect(self, entries: list[Entry]) -> None:
        """All inputs of the pass."""
        with self.store.together():
            for entry in entries:
                self.take_one(entry)
            self._note_taken()

    def _note_taken(self) -> None:
        """A store that writes itself has to say with the inputs that it has them, or a restart takes them in again."""
        assert self.records is not None
        if self.store.writes_itself:
            root = self.store.root
            root.seq, root.seq_tag = self.records.last()

    def say_refused(self, known: int) -> None:
        """Tell clients of the inputs that were refused beyond the first `known`, and become no jobs; once each."""
        kept = self.store.root.refused
        lines = [bytes_json(kept[place]) for place in range(known, len(kept))]
        inputs = [line for line in lines if line["kind"] in inbox.TO_BE_JOBS]
        if not inputs or self.ledger is None or self.records is None:
            return
        with self.ledger.transaction():
            for line in inputs:
                body = records.pack(told.refused(line["reason"]))
                self.records.put(Kind.SAID, records.said_key(line["id"], 0), body)

    def take_one(self, entry: Entry) -> None:
        """One input; refused when it fails inside the kit."""
        self.ready.new.mark()
        with self.store.together():
            try:
                intake.take_in(entry, self.catalog, self.ready, self.deliveries)
            except _LEAVE:
                raise
            except Exception as error:
                log.exception("input %s failed inside the kit", entry.id)
                self.ready.new.undo()
                intake.refuse(entry, f"error in the kit: {type(error).__name__}: {error}")

    def take_arrivals(self, *, synced: bool = True) -> None:
        """Record what has arrived and hand it to the jobs."""
        for arrival in self.record_arrivals(synced=synced):
            self.deliver(arrival.job, arrival.key, arrival.delivery)

    def record_arrivals(self, *, synced: bool = True) -> list[Arrival]:
        """Record what has arrived, behind what ran before, and give it; no job is told."""
        self.settle()
        return self.arrivals.record(self.steps.role_of, synced=synced)

    def deliver(self, job_id: str, key: str, delivery: Delivery) -> None:
        """Hand something that arrived to its job, if the job still waits for exactly this."""
        if isinstance(self.deliveries.get(job_id), Failure):
            return
        if isinstance(delivery, Outcome):
            wish = self.steps.is_waiting_for_call(job_id)
            if wish is None or result_key(job_id, wish) != key:
                return  # its statement is run again and finds the result in the ledger
        elif not self.steps.is_asking(job_id, key):
            return
        self.deliveries[job_id] = delivery
        self.ready.wake(job_id)

    def _run_one(self, job_id: str, done: Done, ran: list[list[Any]]) -> None:
        job = self.steps.job(job_id)
        delivery = self.deliveries.pop(job_id, None)
        if job is None or not self._can_run(job_id, job, delivery):
            return
        self.clock_us = max(self.clock_us + 1, self._clock.now_us())
        note = self.stretch(job_id, job, self.clock_us, delivery, self.notes.pop(job_id, ""), done)
        ran.append([job_id, self.clock_us, self.steps.digest(job_id), note])

    def _can_run(self, job_id: str, job: Job, delivery: Delivery) -> bool:
        """A job whose running side waits for a call goes on with its result only."""
        if job.job_status == JobStatus.DONE:
            return False
        return isinstance(delivery, Outcome | Failure) or self.steps.is_waiting_for_call(job_id) is None

    def stretch(self, job_id: str, job: Job, clock_us: int, delivery: Delivery, note: str, done: Done) -> str:
        """Run one stretch, or on replay what is left of one that was given up (`note`); the note to record.

        Raises TakenBack when it failed after its code may have changed stored objects, or inside the kit, once the note
        is on disk: whoever starts over from the last commit comes to the job as it was before the stretch.
        """
        turn = job.turn
        if self._mark is not None:
            self._mark.begin_stretch(job_id, turn, job.statement)
        wish: Wish | None = None
        try:
            if not note:
                wish = self._advance(job_id, job, clock_us, delivery)
        except Signal as error:
            note = f"{type(error).__name__}: {error}"
            if self.steps.left_effects:
                self._begin_again(job, clock_us, note)
        except _LEAVE:
            if self._mark is not None:
                self._mark.end_stretch()  # the job is not to blame for the end of the process
            raise
        except Exception as error:  # the step boundary: whatever happens costs only this job
            where = {"job": job.id, "agent": job.agent.role, "turn": job.turn}
            log.exception("a stretch of job %s failed inside the kit", job.id, extra=where)
            note = f"error in the kit: {type(error).__name__}: {error}"
            self._begin_again(job, clock_us, note)
        if note:
            if isinstance(delivery, Answer) and job.turn == turn:
                self._take_answer_alone(job, clock_us, delivery)
            wish = self._give_up(job, clock_us, note)
        if self._mark is not None:
            self._mark.end_stretch()
        assert wish is not None
        done.stretches += 1
        self._after(job_id, job, wish, done)
        return note

    def _advance(self, job_id: str, job: Job, clock_us: int, delivery: Delivery) -> Wish:
        seconds, offer = self._step_seconds, None
        if not isinstance(delivery, Answer) and job.turn == 0:
            offer = self.steps.offer_of(job_id, job)
            seconds = (offer.warmup_timeout_us / 1_000_000 if offer is not None else 0) or seconds
        with self._watchdog.armed(seconds, STEP_MEMORY), self.store.together():
            return self.steps.advance(job, clock_us, delivery, job_id=job_id, offer=offer)

    def _take_answer_alone(self, job: Job, clock_us: int, answer: Answer) -> None:
        """An answer stays whatever its code did: take it in again where it went with its stretch."""
        self.steps.forget(job.id)
        with self.store.together():
            self.steps.take_answer(job, clock_us, answer)

    def _begin_again(self, job: Job, clock_us: int, note: str) -> None:
        """Write down that the stretch is given up, and raise TakenBack. Returns where nobody can start again."""
        if not self._takes_back or self.results.upto is not None or self.ledger is None or self.records is None:
            return
        with self.ledger.transaction():
            self.results.record_unknown()
            self.records.put(Kind.RAN, None, records.pack([[job.id, clock_us, "", note]]))
        if self._mark is not None:
            self._mark.end_stretch()  # known by its note: it is not tried a second time
        raise TakenBack(f"a stretch of job {job.id} is taken back: {note}")

    def _give_up(self, job: Job, clock_us: int, note: str) -> Wish:
        self._forget_made()
        with self.store.together():
            if not job.started_us:  # as it began, should a replay not let it begin
                job.started_us = clock_us
            if note.startswith("TimeLimit"):
                return self.steps.fail_statement(job, clock_us, note)
            self.steps.forget(job.id)
            return self.steps.advance(job, clock_us, Failure("failed", note))

    def _after(self, job_id: str, job: Job, wish: Wish, done: Done) -> None:
        for child in self.steps.started:
            self.ready.add_new(child.id, child)
        self.take_notice(self.steps.made, self.steps.woken)
        self._forget_made()
        match wish:
            case CallWish():
                done.calls.append((job_id, wish))
            case Ask():
                done.asks.append((job_id, wish))
            case Parked(kind, detail):
                self._park(job, kind, detail)
            case Over(_, parent):
                self._end(job_id, job, parent, done)
            case BlockEnd():
                raise BugError(f"job {job.id}: a fleet runs the warmup as a whole")

    def _forget_made(self) -> None:
        self.steps.started.clear()
        self.steps.made.clear()
        self.steps.woken.clear()

    def _park(self, job: Job, kind: str, detail: str) -> None:
        if kind != "subtask":
            self.ready.await_future(job.id)
            return
        self.ready.park(job.id, detail)
        child = find_job(detail)
        if child is None or (child.job_status == JobStatus.DONE and not subtasks.lacks_outcome(child)):
            self.ready.wake(job.id)

    def take_notice(self, made: Iterable[str], woken: Iterable[str]) -> None:
        """Jobs were made, or can go on, because of something that ran."""
        for job_id in made:
            self.ready.add_new(job_id)
        for job_id in woken:
            self.ready.wake(job_id)

    def _end(self, job_id: str, job: Job, parent_id: str | None, done: Done) -> None:
        done.ended.append(job)
        self.ready.end(job_id)
        if job.error_handlers is not None and job.outcome != "ok":
            self.cleanups.append(job_id)
            self.note_cleanups()
        if job.queue and self.admission is not None:
            self.admission.end_job(job_id)
        parent = self.steps.job(parent_id) if parent_id and parent_id not in self.ready.active else None
        if parent is not None and parent.stage == Stage.ASK:
            self.ready.wake(parent.id)

    def note_cleanups(self) -> None:
        """Keep in the store whose handlers are to be called: after a restart nothing else tells of a job that ended."""
        due = list(self.cleanups) or None
        root = self.store.root
        if due != (list(root.cleanups) if root.cleanups is not None else None):
            with self.store.together():
                root.cleanups = due

    def _record(self, done: Done, ran: list[list[Any]]) -> None:
        if self.ledger is None or self.records is None or not (ran or self.results.found_unknown):
            return
        with self.ledger.transaction():
            self.results.record_unknown()
            self.records.put(Kind.RAN, None, records.pack(ran))
            for job_id, wish in done.calls:
                self.records.put(Kind.INTENT, intent_key(job_id, wish), records.pack({"tool": wish.tool.name}))
            for job in done.ended:
                key = records.said_key(job.id, job.num_completions or 0)
                self.records.put(Kind.SAID, key, records.pack(told.final_result(job)))
                if self.admission is not None:
                    self.admission.after_end(job)
        self.results.found_unknown.clear()

    # -- start ------------------------------------------------------------------------------------------------------

    def rebuild(self) -> None:
        """Fill the index from the store: every unfinished job is somewhere."""
        self.catalog.use(self.store.root.release)
        self.clock_us = max(self.clock_us, self.store.root.clock_us)
        self.ready = self._make_ready()
        open_jobs = jobs_with(JobStatus.READY, JobStatus.WARMING_UP, JobStatus.STARTED, JobStatus.SUSPENDED)
        if self.admission is not None:
            self.admission = Admission(self.admission.ledger, self.admission.records, self.catalog)
            self.admission.look()
        for job in open_jobs:
            if job.queue and self.admission is not None:
                self.admission.add_job(job.id, job.queue)
            self._place(job)
        self.cleanups.extend(job_id for job_id in self.store.root.cleanups or () if job_id not in self.cleanups)

    def _make_ready(self) -> Ready:
        ready = Ready()
        ready.tag_of = partial(tag_of, self.catalog)
        ready.new.bounds, ready.new.serves = partial(bounds_of, self.catalog), partial(is_served, self.catalog)
        return ready

    def _place(self, job: Job) -> None:
        waiting = job.waiting_for or {}
        if job.job_status != JobStatus.READY:
            self.ready.add_begun(job.id)
        if job.ending_bytes is not None:
            self.deliveries[job.id] = Failure(*bytes_json(job.ending_bytes))
        if job.stage == Stage.ASK and self.records is not None:
            found = self.records.get(key_of_question(job))
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


def _forgets(entry: Entry) -> bool:
    return entry.kind == InputKind.FORGET


def _decided(entry: Entry) -> Entry:
    """The input as recorded: which jobs are forgotten is decided once, and only done by a replay."""
    return replace(entry, body={"jobs": still_forgettable(entry.body["jobs"])}) if _forgets(entry) else entry
