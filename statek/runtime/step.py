"""One stretch of one job: from where it stands to the next switch. The order of the phases and nothing else.

A stretch takes up a delivery (an answer, the result of a call), runs code, and ends with a wish: an outside call, a
question to the model, a wait, or the end of the job. It reaches the store's file whole, because nothing is committed
meanwhile. When a bound ends its code, the lines it had added are taken away; that it may have changed stored objects is
said (`left_effects`), for the caller to start over from the last commit. The status changes at most once, at the end.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from statek.exceptions import CannotKeep, Diverged, LLM_HarnessError, StatekError
from statek.ledger import compiled
from statek.ledger import inputs as declared
from statek.llm.messages import Answer
from statek.runtime import harness, subtasks, turn
from statek.runtime.catalog import Catalog
from statek.runtime.crossings import Outcome
from statek.runtime.endings import CallWish, Ended, Ending, ExitedWith, Known, Waits
from statek.runtime.execute import LiveJob
from statek.runtime.offer import Offer, Part
from statek.runtime.sides import Running, Sides
from statek.runtime.turn import Ask
from statek.sandbox import keep
from statek.store import workspace
from statek.store.chat import ChatItem
from statek.store.encoding import bytes_json, json_bytes
from statek.store.job import Job, JobStatus, Stage
from statek.store.job_def import JobDefError
from statek.store.stage import PART
from statek.store.status import change_status
from statek.store.subtask import SubTaskHandler

MAX_ERROR = 2_000


@dataclass(frozen=True)
class Parked:
    """The job waits for something durable."""

    kind: str  # "subtask" or "future"
    detail: str
    future: Any = None


@dataclass(frozen=True)
class Over:
    """The job has ended."""

    outcome: str
    parent: str | None


@dataclass(frozen=True)
class BlockEnd:
    """A block of the warmup has ended and another one is due; only where single blocks are asked for."""


@dataclass(frozen=True)
class Failure:
    """The model could not be asked, or the job is to be ended from outside."""

    outcome: str  # "failed", "cancelled", "poisoned"
    reason: str


Delivery = Answer | Outcome | Failure | None
Wish = CallWish | Ask | Parked | Over | BlockEnd


class Steps(Sides):
    """Advances jobs, one stretch at a time."""

    def __init__(
        self,
        catalog: Catalog,
        recorded: Callable[[Any, CallWish], Known],
        *,
        single_blocks: bool = False,
    ) -> None:
        """`recorded` says what the ledger knows of a call of a statement that is run again.

        With `single_blocks` a stretch ends with each block of the warmup, not with the last one.
        """
        super().__init__(catalog, recorded)
        self.single_blocks = single_blocks
        self.started: list[Job] = []  # children made by the stretch in progress
        self.made: list[str] = []  # other jobs made by it
        self.met: list[Any] = []  # durable objects that took part in calls since somebody cleared this
        self.woken: list[str] = []  # jobs that can go on because of it
        self.left_effects = False  # the code of the last stretch was cut after it may have changed stored objects

    def advance(
        self, job: Any, clock_us: int, delivery: Delivery, *, job_id: str = "", offer: Offer | None = None
    ) -> Wish:
        """Run one stretch of `job`; its id and its offer may be given where they are at hand."""
        self.left_effects = False
        job_id = job_id or job.id
        running = self.take_up(job_id, job)
        stretch = _Stretch(self, job, clock_us, job_id, running, offer)
        over = stretch.take_answer(delivery) if isinstance(delivery, Answer) else None
        wish = stretch.run(None if isinstance(delivery, Answer) else delivery) if over is None else over
        stretch.set_status()
        return wish

    def take_answer(self, job: Any, clock_us: int, answer: Answer) -> Over | None:
        """Store an answer without running its code; the end of the job when it was a final text."""
        stretch = _Stretch(self, job, clock_us)
        job.waiting_bytes = None
        over = stretch.take_answer(answer)
        stretch.set_status()
        return over

    def fail_statement(self, job: Any, clock_us: int, reason: str) -> Wish:
        """After a stretch was cut: the statement is given up with an error the model sees."""
        self.forget(job.id)
        stretch = _Stretch(self, job, clock_us)
        wish = stretch.give_up(reason)
        stretch.set_status()
        return wish


class _Stretch:
    """One stretch: its clock, and the status the job is to have at its end."""

    def __init__(
        self,
        steps: Steps,
        job: Any,
        clock_us: int,
        job_id: str = "",
        running: Running | None = None,
        offer: Offer | None = None,
    ) -> None:
        self.steps = steps
        self.job = job
        self.clock_us = clock_us
        self.job_id = job_id or job.id
        self.status: Any = None
        self._running = running
        self._offer = offer

    def running(self) -> Running:
        """The running side of the job; not to be asked for once it was let go."""
        if self._running is None:
            self._running = self.steps.running(self.job_id, self.job, self._offer)
        return self._running

    def set_status(self) -> None:
        """Give the job its new status, at the very end."""
        if self.status is not None:
            change_status(self.job, self.status, self.job_id)

    def run(self, delivery: Delivery) -> Wish:
        if isinstance(delivery, Failure):
            return self.end(delivery.outcome, error=delivery.reason)
        try:
            return self._run(delivery)
        except Diverged as error:
            return self.end("failed", error=f"Diverged: {error}")

    def _run(self, delivery: Delivery) -> Wish:
        job = self.job
        woke = _kind_of(job.waiting_bytes) in ("subtask", "future")
        if job.awaited_result is not None:
            job.awaited_result = None
        stage = job.stage
        if stage == Stage.NEW:
            stage = self._begin()
        if stage == Stage.CODE:
            wish = self._run_code(delivery if isinstance(delivery, Outcome) else None)
            if wish is not None:
                return wish
        return self._ask(woke=woke)

    def _begin(self) -> int:
        """Take up a new job; the stage it is at then."""
        job = self.job
        try:
            running = self.running()
        except StatekError as error:
            raise Diverged(f"the job cannot be started: {error}") from error
        job.started_us = self.clock_us
        given = job.inputs
        running.live.names.update(given or {})
        if job.warmup_block_num:
            job.statement = running.live.statement = job.warmup_block_num * PART + job.statement
        running.parts = running.offer.warmup
        if not running.parts:  # there is nothing to run: the names are kept, and the model is asked
            if given:
                self._store_place(running, done=True)
            self._leave_code(running)
            return Stage.ASK
        job.code = turn.encode_parts(running.offer.warmup)
        job.stage = Stage.CODE
        return Stage.CODE

    def take_answer(self, answer: Answer) -> Over | None:
        """Record an answer; the wish is the end when it was a final text."""
        job = self.job
        running = self.running()
        running.asked = ""
        parts = running.parts = turn.record_answer(job, answer, self.clock_us, running.offer.chat_style)
        running.live.statement = 0
        if job.statement:
            job.statement = 0
        job.stage = Stage.CODE if parts else Stage.ASK
        self.status = JobStatus.STARTED
        if not parts and self._is_told_more():
            return None
        if not parts and running.offer.chat_style in ("direct", "md_dialog"):
            return self.end("ok", value=None)
        if not parts:
            job.console_append("Error: no code submitted.")
            job.count_exception()
        return None

    def _is_told_more(self) -> bool:
        """Has something come in that the model has not read? The job does not end over it, it asks once more."""
        job = self.job
        if job.unread:
            job.unread = None
            job.num_completions = (job.num_completions or 0) + 1
            return True
        return bool(job.has_pending_notifications())

    def _run_code(self, outcome: Outcome | None) -> Wish | None:
        job = self.job
        running = self.running()
        live = running.live
        live.clock_us = max(live.clock_us, self.clock_us)
        live.scene.clock_us, live.scene.limits = live.clock_us, running.offer.limits
        allowed = running.offer.limits.tool_calls
        left = live.tool_calls_left = None if allowed is None else allowed - job.tool_calls
        live.offer_subagents(running.offer.subagents, self._child_starter(running.offer))
        ending = self._go_on(running, outcome)
        self.steps.made += live.scene.made
        self.steps.woken += live.scene.woken
        self.steps.met += live.met
        live.met.clear()
        live.scene.made.clear()
        live.scene.woken.clear()
        if allowed is not None and live.tool_calls_left not in (None, left):
            job.tool_calls = allowed - live.tool_calls_left
        return self._after_code(running, ending)

    def _go_on(self, running: Running, outcome: Outcome | None) -> Ending:
        """Run code to the next switch. When a bound ends it, its lines and records go; whether it did more is said."""
        job, live = self.job, running.live
        console, chat = job.console_log, job.chat
        lines, items = len(console), len(chat)
        live.has_effects = False
        try:
            if live.stands_still:
                return live.go_on()
            if live.wish is None:
                return live.run(self._due(running.parts_of(job), live))
            assert outcome is not None, "a job that waits for a call was advanced without its result"
            return live.deliver(outcome)
        except BaseException:
            self.steps.left_effects = live.has_effects
            _cut(console, lines)
            _cut(chat, items)
            raise

    def _due(self, parts: Sequence[Part], live: LiveJob) -> Sequence[Part]:
        if self.job.turn or not self.steps.single_blocks:
            return parts
        return parts[: live.statement // PART + 1]

    def _child_starter(self, offer: Offer) -> Callable[[str, dict[str, Any], int, int], Any]:
        def start(name: str, inputs: dict[str, Any], statement: int, turn_number: int) -> Any:
            place = f"{turn_number}.{statement}"
            handler = subtasks.start_child(self.steps.catalog, self.job, offer, name, inputs, place, self.clock_us)
            self.steps.started.append(handler.job)
            return handler

        return start

    def _after_code(self, running: Running, ending: Ending) -> Wish | None:
        job, live = self.job, running.live
        match ending:
            case CallWish():
                self._store_place(running)
                job.waiting_bytes = json_bytes({"kind": "call", "detail": ending.place.name})
                self._working()
                return ending
            case Waits(future):
                self._store_place(running)
                return self._park(running, future)
            case ExitedWith(status):
                self._store_place(running, done=True)
                return self._exit(running, status)
            case Ended(failed):
                self._store_place(running, done=True)
                if not failed and job.turn == 0 and live.statement // PART < len(running.parts_of(job)):
                    job.waiting_bytes = None
                    self._working()
                    return BlockEnd()
                return self._end_code(running, failed)

    def _store_place(self, running: Running, *, done: bool = False) -> None:
        job, live = self.job, running.live
        kept, statement, journal = live.stored_place()
        number_of = live.durables.number_of
        if kept is not running.kept:
            if workspace.replace_names(job, kept, [number_of(ref) for ref in kept.refs]):
                running.version = job.snap_version
            running.kept = kept
        if job.statement != statement:
            job.statement = statement
        block = statement // PART
        if block and job.turn == 0 and block < len(running.parts_of(job)) and job.warmup_block_num != block:
            job.warmup_block_num = block
        if done:
            if job.journal is not None:
                job.journal, job.journal_refs = None, None
            return
        batch = journal.encode(live.environment.around, number_of)
        workspace.store_journal(job, batch.head, batch.entry, batch.refs, whole=batch.whole)

    def _working(self) -> None:
        self.status = JobStatus.WARMING_UP if self.job.turn == 0 else JobStatus.STARTED

    def _park(self, running: Running, future: Any) -> Wish:
        """Wait for a child or a future; unless its code stands still, the half-changed running side is thrown away."""
        job = self.job
        if running.live.stands_still:
            self.steps.stand_still(self.job_id)
        else:
            self.steps.forget(self.job_id)
        self.status = JobStatus.WARMING_UP if job.turn == 0 else JobStatus.SUSPENDED
        if isinstance(future, SubTaskHandler):
            future.awaited = True
            job.waiting_bytes = json_bytes({"kind": "subtask", "detail": future.job.id})
            return Parked("subtask", future.job.id)
        job.awaited_result = future
        job.waiting_bytes = json_bytes({"kind": "future", "detail": type(future).__name__})
        return Parked("future", job.id, future)

    def _exit(self, running: Running, status: Any) -> Wish:
        if self._is_told_more():
            self._leave_code(running)
            return self._ask(woke=True)
        return self.end("ok", value=status, exited=True)

    def _end_code(self, running: Running, failed: str) -> Wish | None:
        job, parts = self.job, running.parts_of(self.job)
        warming = job.turn == 0
        if failed and warming:
            job.job_def.set_error(StatekError(failed), collect_traceback=False)
            return self.end("failed", error=f"warmup: {failed}")
        errors = bool(failed) + (turn.failed_calls(job) if any(part.call is not None for part in parts) else 0)
        if failed:
            self._answer_calls(running.live, parts, failed)
        for number in range(errors):
            job.count_exception(in_a_row=number == 0)
        if not errors and job.exception_streak:
            job.exception_streak = 0
        self._leave_code(running)
        return None

    def _leave_code(self, running: Running) -> None:
        running.parts = None
        self.job.stage = Stage.ASK
        if self.job.code is not None:  # an assignment alone grows the file
            self.job.code = None

    def _answer_calls(self, live: LiveJob, parts: Sequence[Part], failed: str) -> None:
        first = live.statement // PART
        for number, part in enumerate(parts[first:]):
            live.end_part(part, failed if number == 0 else "not run: an earlier call failed", failed=True)

    def give_up(self, reason: str) -> Wish:
        """End the code in progress with an error that the model sees."""
        job = self.job
        job.journal, job.journal_refs, job.waiting_bytes = None, None, None
        if job.stage == Stage.NEW or job.turn == 0:
            return self.end("failed", error=f"warmup: {reason}")
        job.console_append(reason)
        running = self.running()
        running.live.clock_us = self.clock_us
        self._answer_calls(running.live, running.parts_of(job), reason)
        job.count_exception()
        self._leave_code(running)
        return self._ask(woke=False)

    def _ask(self, *, woke: bool) -> Wish:
        job = self.job
        try:
            running = self.running()
            offer = running.offer
            harness.check_before_asking(job, offer.limits, self.clock_us, offer.limit_extension)
            prompt = running.prompt_of(self.steps.catalog.prompt_offer(offer, woke=woke), self.job_id, job)
            ask = turn.build_ask(self.job_id, job, offer, prompt, running.history)
        except (LLM_HarnessError, StatekError, KeyError) as error:
            return self.end("failed", error=f"{type(error).__name__}: {error}")
        if job.unread is not None:
            job.unread = None
        if job.untold is not None:
            job.untold = None
        waiting = _waiting_for_provider(ask.chain[0])
        if job.waiting_bytes != waiting:
            job.waiting_bytes = waiting
        self.status = JobStatus.STARTED
        running.asked = ask.request.key
        return ask

    def _wrong_output(self, value: Any) -> list[str]:
        spec = self._spec()
        return [] if spec is None or spec.output is None else declared.check_value(spec.output, value, "output")

    def _spec(self) -> compiled.Agent | None:
        """What the job's agent declares; None for one made in Python, or one whose tools cannot be had any more."""
        try:
            offer = self._running.offer if self._running is not None else self.steps.catalog.of(self.job)
        except StatekError:
            return None
        return offer.spec

    def end(self, outcome: str, *, value: Any = None, error: str | None = None, exited: bool = False) -> Over:
        """End the job: keep what it gave, tell its parent, let go of the running side."""
        job = self.job
        if outcome == "ok":
            wrong = self._wrong_output(value)
            if wrong:
                outcome, error = "failed", f"what the job gave does not fit its output schema: {'; '.join(wrong)}"
        if outcome == "ok" and exited:
            try:
                job.exit_bytes, refs = keep.dumps_value(value, workspace.OUTSIDE)
                if refs:
                    job.exit_refs = workspace.store_refs(refs)
            except CannotKeep as reason:
                outcome, error = "failed", f"the value given to exit() cannot be kept: {reason}"
        job.exited = exited
        if error is not None:
            job.error = JobDefError(StatekError(error[:MAX_ERROR]), collect_traceback=False)
            job.append_chat(ChatItem("system", self.clock_us, len(job.console_log), error[:MAX_ERROR], error=True))
        job.outcome = outcome
        job.stage, job.ended_us = Stage.END, self.clock_us
        for name in ("code", "waiting_bytes", "ending_bytes"):
            if getattr(job, name) is not None:  # an assignment alone grows the file
                setattr(job, name, None)
        if job.journal is not None:
            job.journal, job.journal_refs = None, None
        self.status = JobStatus.DONE
        self.steps.forget(self.job_id)
        if subtasks.will_try_again(job, outcome, self._spec()):
            return Over(outcome, None)
        parent = subtasks.complete(job, error, self.clock_us)
        return Over(outcome, parent)


@functools.lru_cache(256)
def _kind_of(waiting: bytes | None) -> str:
    return "" if waiting is None else str(bytes_json(waiting)["kind"])


@functools.lru_cache(256)
def _waiting_for_provider(model: str) -> bytes:
    return json_bytes({"kind": "provider", "detail": model})


def _cut(entries: Any, length: int) -> None:
    """Take away what was appended behind `length`."""
    for last in range(len(entries) - 1, length - 1, -1):
        del entries[last]
