"""One job's code under way in this process: its names, the statement it is at, and every crossing of its border.

`LiveJob.run` runs parts of a turn from the stored place on until they end, exit, wait for a child, or want an outside
call; the code runs in a greenlet so that an outside call can leave in the middle of any expression and come back with
its result. What the job would need to go on after a crash is in `stored_place`: the names at the start of the statement
in progress, and the journal of that statement. Not here: choosing jobs, performing outside calls, the ledger.
"""

import hashlib
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

from greenlet import greenlet

from statek.exceptions import Abandoned, CannotKeep, Diverged, FutureError, OutcomeUnknown, Refused, StatekError
from statek.runtime.crossings import CAP_ENTRIES, Journal, Outcome, Place, decode_journal
from statek.runtime.environment import Environment
from statek.runtime.offer import Part
from statek.sandbox import keep, restrict, runner
from statek.sandbox.policy import Policy
from statek.store import current, workspace
from statek.store.chat import ChatItem
from statek.store.future import is_temporal
from statek.store.job import load_console
from statek.store.subtask import SubTaskHandler
from statek.tools import convert
from statek.tools.registry import Tool

PART = 10_000  # statements of one part; a job's `statement` is part * PART + index
RNG = "random generator"  # key of the generator among the kept names; no name of a job can have a space


@dataclass(frozen=True)
class CallWish:
    """An outside call the code wants made; performed by the scheduler after the intent is in the ledger."""

    tool: Tool
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    place: Place
    turn: int
    statement: int


@dataclass(frozen=True)
class Ended:
    """All parts ran; `failed` names the error that ended them early."""

    failed: str = ""


@dataclass(frozen=True)
class ExitedWith:
    """The code called `exit`."""

    status: Any


@dataclass(frozen=True)
class Waits:
    """A statement met a value that is not ready."""

    future: Any


Ending = CallWish | Ended | ExitedWith | Waits
StartChild = Callable[[str, dict[str, Any], int, int], Any]


class LiveJob:
    """The running side of one job. One stretch at a time; `job` is the stored side."""

    def __init__(self, job: Any, environment: Environment, policy: Policy) -> None:
        """Take up a job where its stored place says."""
        self.job = job
        self.environment = environment
        environment.live = self
        self._policy = policy
        self.names: dict[str, Any] = workspace.read_names(job, environment.around, environment.builtins)
        self._rng = self.names.pop(RNG, None)
        self.statement = job.statement
        entries = list(job.journal) if job.journal is not None else []
        self.journal = decode_journal(entries, list(job.journal_refs or ())) if entries else Journal()
        self._restored = bool(entries)  # the statement has run before: the ledger may know more than the journal
        self._kept: keep.Kept | None = None
        self._greenlet: greenlet | None = None
        self._pausing: BaseException | None = None
        self._refs: list[Any] = []
        self.wish: CallWish | None = None
        self._trace: Any = None
        self.clock_us = 0
        self.tool_calls_left: int | None = None
        self._subagents: Sequence[str] = ()
        self.start_child: StartChild | None = None
        self.recorded: Callable[[CallWish], Outcome | None] | None = None

    # -- running ----------------------------------------------------------------------------------------------------

    def run(self, parts: Sequence[Part]) -> Ending:
        """Run parts from the stored place on.

        Raises:
            Signal: a bound was reached or the record diverged.
        """
        self._greenlet = greenlet(lambda: self._run_parts(parts))
        context = copy_context()
        self._greenlet.gr_context = context
        return self._switch(None)

    def deliver(self, outcome: Outcome) -> Ending:
        """Go on with the result of the outside call that was wished for."""
        assert self.wish is not None
        self.wish = None
        return self._switch(outcome)

    def abandon(self) -> None:
        """Forget the running side; nothing is lost, the stored place is enough to go on."""
        running, self._greenlet = self._greenlet, None
        if running is not None and not running.dead:
            self._pausing = Abandoned()  # so that `finally` and `with` of the job's code do nothing on the way out
            running.throw()
        self.environment.live = None

    def _switch(self, value: Outcome | None) -> Ending:
        assert self._greenlet is not None
        ending: Ending = self._greenlet.switch(value) if value is not None else self._greenlet.switch()
        if isinstance(ending, CallWish):
            self.wish = ending
        return ending

    def _run_parts(self, parts: Sequence[Part]) -> Ending:
        with current.running(self.job):
            for number in range(self.statement // PART, len(parts)):
                ending = self._run_part(parts[number], number)
                if ending is not None:
                    return ending
            return Ended()

    def _run_part(self, part: Part, number: int) -> Ending | None:
        if self.statement == number * PART and not self._restored:
            self._begin_part(part)
        try:
            block = restrict.compile_block(part.code, self._policy)
        except restrict.SourceRefused as error:
            return self._refuse(error)
        for statement in block.statements[self.statement - number * PART :]:
            outcome = self._run_statement(statement)
            if not isinstance(outcome, runner.Finished):
                return self._ending(outcome)
        self._drop_lost()
        self.statement = (number + 1) * PART
        self.end_part(part)
        return None

    def _begin_part(self, part: Part) -> None:
        if self.job.turn == 0:
            item = ChatItem("warmup", self.clock_us, len(self.job.console_log), part.code, hidden=part.hidden)
            self.job.append_chat(item)

    def end_part(self, part: Part, note: str = "", *, failed: bool = False) -> None:
        """Answer a formal call with what was printed since the last one (or with `note`)."""
        if part.call is None:
            return
        start = next(item.console_pos for item in reversed(self.job.chat_log) if item.kind in ("answer", "tool"))
        text = note or "\n".join(load_console(self.job, start))
        end = len(self.job.console_log)
        self.job.append_chat(ChatItem("tool", self.clock_us, end, text, call_id=part.call, error=failed))

    def _refuse(self, error: restrict.SourceRefused) -> Ended:
        first = error.problems[0]
        kind = "SyntaxError" if first.code == "STK401" else "Refused"
        text = f"{kind}: {first.message} (line {first.line})"
        self.write(text)
        return Ended(failed=text)

    def _run_statement(self, statement: restrict.Statement) -> runner.Outcome:
        if self._kept is None:
            self._kept = self._keep()
        self._pausing = None
        outcome = runner.run_statement(statement, self.names, self.environment)
        if isinstance(outcome, runner.Suspended):
            self._check_wait()
            return outcome
        left = self.journal.unmatched()
        if left:
            raise Diverged(f"run again, the statement did not make its earlier call of {left[0].name}")
        if isinstance(outcome, runner.Failed):
            self.write(outcome.text)
        self._end_statement()
        return outcome

    def _end_statement(self) -> None:
        self.journal = Journal()
        self._restored = False
        self.statement += 1
        self._kept = None

    def _drop_lost(self) -> None:
        """At the end of a block, take names that cannot be kept out of the live names too, and say so."""
        self._kept = self._keep()
        for name, reason in self._kept.lost.items():
            self.write(f"name {name!r} cannot be kept across steps: {reason}")
            self.names.pop(name, None)
        self.journal = Journal()  # what was said about lost names belongs to no statement

    def _ending(self, outcome: runner.Outcome) -> Ending:
        match outcome:
            case runner.Exited(status):
                return ExitedWith(status)
            case runner.Failed(_, text):
                self._drop_lost()
                return Ended(failed=text)
            case runner.Suspended(error):
                return Waits(error.future_result)
            case runner.Finished():
                return Ended()

    def _keep(self) -> keep.Kept:
        names = {RNG: self._rng, **self.names} if self._rng is not None else self.names
        return keep.dumps(names, self.environment.around)

    def stored_place(self) -> tuple[keep.Kept, int, Journal]:
        """Names, statement and journal from which the work can go on."""
        kept = self._kept if self._kept is not None else self._keep()
        return kept, self.statement, self.journal

    def begin_trace(self) -> None:
        """Start the digest of a stretch."""
        self._trace = None

    def trace(self) -> str:
        """Digest of what the stretch did new; an empty text when it did nothing."""
        return self._trace.hexdigest()[:12] if self._trace is not None else ""

    def _did(self, what: bytes) -> None:
        if self._trace is None:
            self._trace = hashlib.sha256()
        self._trace.update(what)

    def _did_call(self, place: Place) -> None:
        self._did(f"{place.name} {place.digest} {place.nth};".encode())

    # -- crossings --------------------------------------------------------------------------------------------------

    def write(self, text: str) -> None:
        """One console entry; entries a repeated statement wrote before are not written again."""
        self.journal.prints += 1
        if self.journal.prints > self.journal.printed:
            self.journal.printed = self.journal.prints
            self.job.console_append(text)
            self._did(b"print")

    def now_us(self) -> int:
        """The stretch's clock, counting up; a repeated statement reads the same times again."""
        journal = self.journal
        if journal.reads == len(journal.clock):
            self.clock_us += 1
            journal.clock.append(self.clock_us)
        journal.reads += 1
        return journal.clock[journal.reads - 1]

    def rng(self) -> random.Random:
        """The job's generator, seeded by its id and kept with its names."""
        if self._rng is None:
            self._rng = random.Random(self.job.id)  # noqa: S311 - repeatable on purpose
        generator: random.Random = self._rng
        return generator

    def pausing(self) -> BaseException | None:
        """The wait that crossed the border in this statement, if any."""
        return self._pausing

    def touch(self, what: str) -> None:
        """A durable object was used directly: the statement may not wait any more."""
        if not self.journal.touched:
            self.journal.touched = what

    def await_handler(self, handler: SubTaskHandler) -> Any:
        """A child's result. Raises FutureError while there is none, TaskError when it failed."""
        if not handler.is_completed:
            self._pausing = FutureError(handler)
            raise self._pausing
        if handler.error is not None:
            raise handler.error
        return handler.result

    def call(self, tool: Tool, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call of model code to a tool: answered from the record, made here, or left to the scheduler."""
        if self._pausing is not None:
            raise self._pausing
        journal = self.journal
        if journal.is_full():
            raise StatekError(
                f"too much happened in one statement to be able to resume it (over {CAP_ENTRIES} calls); split the loop"
            )
        place = journal.place(tool.name, self._digest(tool, args, kwargs))
        known = journal.outcomes.get(place)
        if known is not None:
            journal.matched.add(place)
            return self._answer(known, args, kwargs)
        self._count_call(tool)
        if tool.name in self._subagents:
            self._did_call(place)
            return self._record(place, args, kwargs, lambda: self._start(tool.name, args, kwargs))
        bound_args, bound_kwargs = convert.bind(tool, args, kwargs, local_names=self.names)
        if tool.effect == "external" and not is_temporal(tool.call):
            return self._outside(tool, bound_args, bound_kwargs, place)
        self._did_call(place)
        return self._record(place, bound_args, bound_kwargs, lambda: tool.call(*bound_args, **bound_kwargs))

    def offer_subagents(self, names: Sequence[str], start: StartChild) -> None:
        """Let calls of these names start child jobs through `start`."""
        self._subagents, self.start_child = names, start

    def _start(self, name: str, args: tuple[Any, ...], inputs: dict[str, Any]) -> Any:
        assert self.start_child is not None
        if args:
            raise TypeError(f"{name}() takes the child's inputs by name only")
        return self.start_child(name, inputs, self.statement, self.job.turn)

    def _count_call(self, tool: Tool) -> None:
        if self.tool_calls_left is None:
            return
        if self.tool_calls_left <= 0:
            raise Refused(f"the job's limit of tool calls is reached; {tool.name} was not called")
        self.tool_calls_left -= 1

    def _digest(self, tool: Tool, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        try:
            return keep.digest_of([list(args), kwargs], self._number)
        except CannotKeep as error:
            raise CannotKeep(f"an argument of {tool.name} cannot be recorded: {error}") from error

    def _number(self, value: object) -> int:
        """A number for a durable object that stays the same while the job lives: its place among the references."""
        for number, known in enumerate(self._refs):
            if known is value:
                return number
        self._refs.append(value)
        return len(self._refs) - 1

    def _record(self, place: Place, args: tuple[Any, ...], kwargs: dict[str, Any], do: Callable[[], Any]) -> Any:
        with watching(args, kwargs, self.environment.around, self._number) as changes:
            try:
                result: Any = do()
            except FutureError as error:
                self._pausing = error
                raise
            except Exception as error:  # noqa: BLE001 - the tool boundary: whatever it raises is the call's outcome
                outcome = failure(error, self.environment.around)
                self.journal.add(place, outcome)
                raise self._value(outcome) from None
        outcome = success(result, self.environment.around, changes())
        self.journal.add(place, outcome)
        return result if outcome.unkept else self._value(outcome)

    def _outside(self, tool: Tool, args: tuple[Any, ...], kwargs: dict[str, Any], place: Place) -> Any:
        self._check_wait()
        wish = CallWish(tool, args, kwargs, place, self.job.turn, self.statement)
        outcome = self.recorded(wish) if self._restored and self.recorded is not None else None
        if outcome is None:
            self._did_call(place)
            scheduler = greenlet.getcurrent().parent
            assert scheduler is not None, "job code runs in a greenlet of its own"
            outcome = scheduler.switch(wish)
        self.journal.add(place, outcome)
        return self._answer(outcome, args, kwargs)

    def _check_wait(self) -> None:
        """Refuse to wait in a statement whose record would not be enough to run it again."""
        reason = self.journal.unkept()
        for name, why in (self._kept.lost if self._kept is not None else {}).items():
            reason = f"name {name!r}, made earlier in this block, cannot be kept while waiting: {why}"
        if self.journal.touched:
            reason = f"this statement used {self.journal.touched} directly"
        if reason:
            hint = "do that in a statement of its own and put what you need into a name first"
            raise Refused(f"cannot wait here: {reason}; {hint}")

    def _answer(self, outcome: Outcome, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        for name, data in outcome.changed:
            target = args[int(name)] if name.isdigit() else kwargs[name]
            put_back(target, keep.loads_value(data, [], self.environment.around, self.names))
        value = self._value(outcome)
        if not outcome.ok:
            raise value
        return value

    def _value(self, outcome: Outcome) -> Any:
        return keep.loads_value(outcome.data, list(outcome.refs), self.environment.around, self.names)


@contextmanager
def watching(
    args: tuple[Any, ...], kwargs: dict[str, Any], around: keep.Surroundings, number: Callable[[object], int]
) -> Iterator[Callable[[], list[tuple[str, bytes]]]]:
    """Notice which list, dict or set arguments a call changes in place; `number` tells durable objects apart."""
    watched = containers(args, kwargs)
    before = {name: keep.digest_of(value, number) for name, value in watched.items()}

    def changes() -> list[tuple[str, bytes]]:
        return [
            (name, keep.dumps_value(value, around)[0])
            for name, value in watched.items()
            if keep.digest_of(value, number) != before[name]
        ]

    yield changes


def containers(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Top-level arguments that a call could change in place, by position or name."""
    named = {**{str(n): value for n, value in enumerate(args)}, **kwargs}
    return {name: value for name, value in named.items() if type(value) in (list, dict, set)}


def put_back(target: Any, value: Any) -> None:
    """Make a container equal to what a call had made of it."""
    target.clear()
    if isinstance(target, list):
        target.extend(value)
    else:
        target.update(value)


def success(result: Any, around: keep.Surroundings, changed: Sequence[tuple[str, bytes]] = ()) -> Outcome:
    """The outcome of a call that returned."""
    try:
        data, refs = keep.dumps_value(result, around)
    except CannotKeep as error:
        return Outcome(True, b"", (), tuple(changed), str(error))
    return Outcome(True, data, refs, tuple(changed))


def failure(error: BaseException, around: keep.Surroundings) -> Outcome:
    """The outcome of a call that raised; an exception that cannot be kept becomes a RuntimeError with its text."""
    try:
        data, refs = keep.dumps_value(error, around)
    except CannotKeep:
        data, refs = keep.dumps_value(RuntimeError(f"{type(error).__name__}: {error}"), around)
    return Outcome(False, data, refs)


def unknown(name: str, around: keep.Surroundings) -> Outcome:
    """The outcome of a call that was under way when the process died."""
    text = f"{name} was under way when the worker died: look whether it happened before you call it again"
    return failure(OutcomeUnknown(text), around)
