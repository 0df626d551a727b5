"""What passes the border of a job's names while a statement runs: calls, prints, looks at the clock.

Each crossing is noted in the statement's journal, which answers it when the statement is run again. A call is answered
from the record, made here inside the stretch, or left to the scheduler: an outside call leaves the middle of the
expression by a greenlet switch and comes back with its outcome. A part of the running side of a job.
"""

import functools
import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from operator import is_
from typing import Any

from greenlet import GreenletExit, getcurrent

from statek.exceptions import CannotKeep, FutureError, Refused, Signal
from statek.runtime import futures
from statek.runtime.crossings import Journal, Key, Outcome, Place, decode_journal, idempotency_key
from statek.runtime.durable import SCALARS
from statek.runtime.endings import CallWish, Known, Waits
from statek.runtime.environment import Environment
from statek.runtime.keeping import Keeping, has_future, place_of
from statek.runtime.outcomes import (
    ADDED,
    Change,
    added_names,
    argument_of,
    failed_call,
    failure,
    put_back,
    success,
    watching,
)
from statek.runtime.printed import printed
from statek.sandbox import keep
from statek.sandbox.policy import Policy
from statek.store import workspace
from statek.store.future import FutureResult, is_temporal
from statek.store.root import current_root
from statek.store.subtask import SubTaskHandler
from statek.tools import convert
from statek.tools.registry import CONTEXT, IDEMPOTENCY_KEY, Tool

StartChild = Callable[[str, dict[str, Any], int, int], Any]


class Calling(Keeping):
    """The part of a running side that crosses the border."""

    def __init__(self, job: Any, environment: Environment, policy: Policy) -> None:
        """Take up the statement in progress where the job's stored place says."""
        super().__init__(job, environment, policy)
        self.statement = job.statement
        entries = list(job.journal) if job.journal is not None else []
        refs = list(job.journal_refs or ())
        lift, around = self.durables.lift_all, environment.around
        self.journal = decode_journal(entries, refs, lift, around, self.names) if entries else Journal()
        self._restored = bool(entries)  # the statement has run before: the ledger may know more than the journal
        self._is_hidden = False  # the part that runs is a hidden one of the warmup
        self.met: list[Any] = []  # durable objects that took part in calls
        self._in_tools = 0  # calls made here that are under way: code of tools is on the stack
        self._trace: Any = None
        self.clock_us = 0
        self.tool_calls_left: int | None = None
        self._subagents: Sequence[str] = ()
        self.start_child: StartChild | None = None
        self.recorded: Callable[[CallWish], Known] | None = None
        self.has_effects = False  # the code of this stretch has changed stored objects, or may have

    # -- the digest of a stretch ------------------------------------------------------------------------------------

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

    def did(self, what: bytes) -> None:
        """Note something that was written, for the digest of the stretch."""
        self._did(what)

    def where(self) -> tuple[int, int]:
        """Turn and statement."""
        return int(self.job.turn), self.statement

    # -- prints, clock, chance --------------------------------------------------------------------------------------

    def write(self, text: str) -> None:
        """One console entry; entries a repeated statement wrote before are not written again."""
        self.journal.prints += 1
        if self.journal.prints > self.journal.printed:
            self.journal.printed = self.journal.prints
            self.job.console_append(text)
            self._did(b"print")

    def _show_printed(self, outcome: Outcome) -> None:
        if outcome.printed:
            self.write(outcome.printed)

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

    def pause(self, error: BaseException) -> None:
        """A wait crosses the border: every further crossing of the statement raises it again."""
        self._pausing = error

    # -- reads, writes and futures ----------------------------------------------------------------------------------

    def gave(self, value: Any, key: Key, nth: int) -> Outcome:
        """The record of something read that can change."""
        return self._entering(success(value, self.environment.around), key, nth)

    def raised(self, error: Exception, key: Key, nth: int) -> Outcome:
        """The record of a read or write that failed."""
        return self._entering(failure(error, self.environment.around), key, nth)

    def ask(self, future: FutureResult, do: Callable[[], Any]) -> Any:
        """What the record says a future gave, else what `do` gives; a value that is not ready leaves no record."""
        place = place_of(future)
        known = self.journal.answer(place)
        if known is not None:
            return self.answer(known, (), {})
        self._did(b"future;")
        try:
            return self._record(place, (), {}, do)
        except FutureError:
            self._pausing = None  # the caller may try another one
            raise

    def await_handler(self, handler: SubTaskHandler) -> Any:
        """A child's result. Raises FutureError while there is none, TaskError when it failed."""
        while not handler.is_completed:
            self._wait_for(handler)
        if not handler.was_read:
            self.effects_begin()
            handler.was_read = True
        if handler.error is not None:
            raise handler.error
        return handler.result

    def _wait_for(self, handler: SubTaskHandler) -> None:
        """Stand still in the middle of the expression; below a tool's own code, or where nothing can wait, leave it."""
        if self._in_tools or not self.can_stand_still():
            self._pausing = FutureError(handler)
            raise self._pausing
        scheduler = getcurrent().parent
        assert scheduler is not None, "job code runs in a greenlet of its own"
        scheduler.switch(Waits(handler))

    def is_recorded(self, future: FutureResult) -> bool:
        """Whether the statement's record says what a future gave."""
        return place_of(future) in self.journal.outcomes

    def effects_begin(self) -> None:
        """From here on the code may have changed stored objects, which nobody can take back."""
        self.has_effects = True

    def _entering(self, outcome: Outcome, where: Place | Key, nth: int = 0) -> Outcome:
        """An outcome whose durable objects are those that the job holds."""
        if not outcome.refs:
            return outcome
        place = (where.name, where.digest, where.nth) if isinstance(where, Place) else where
        origin = (*self.where(), place, nth)
        refs = [self.durables.lift(ref, (*origin, n)) for n, ref in enumerate(outcome.refs)]
        return outcome if all(map(is_, refs, outcome.refs)) else replace(outcome, refs=tuple(refs))

    # -- calls ------------------------------------------------------------------------------------------------------

    def call(self, tool: Tool, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call of model code to a tool: answered from the record, made here, or left to the scheduler."""
        if self._pausing is not None:
            raise self._pausing
        if tool.hidden and not (tool.exposed or self._is_hidden):
            raise Refused(f"tool {tool.name} is not exposed: only hidden blocks of a warmup may call it")
        if self.holds and futures.has_future((args, kwargs)):
            within = functools.partial(futures.resolve_within, resolve=self.resolve)
            args, kwargs = futures.resolve_arguments(tool.call, args, kwargs, within)
        journal = self.journal
        journal.check_room()
        place = journal.place(tool.name, self._digest(tool.name, args, kwargs))
        known = journal.answer(place)
        if known is not None:
            return self.answer(known, args, kwargs)
        starts_child = tool.name in self._subagents
        is_outside = tool.outside and not starts_child and (tool.is_async or not is_temporal(tool.call))
        if not (is_outside and self._restored):  # then the ledger says whether it was counted
            self._count_call(tool)
        if starts_child:
            self._did_call(place)
            return self._record(place, args, kwargs, lambda *given, **named: self._start(tool.name, given, named))
        bound_args, bound_kwargs = convert.bind(tool, args, kwargs, local_names=self.names)
        filled_in = self._filled_in(tool, place)
        if is_outside:
            return self._outside(tool, bound_args, bound_kwargs, place, filled_in)
        self._did_call(place)
        value = self._record(
            place, bound_args, bound_kwargs, functools.partial(tool.call, **filled_in), reads=tool.effect == "read"
        )
        self._bind_error_handler(tool, value)
        return value

    def call_method(
        self, label: str, owner: object, method: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """A call of a method of a durable object: answered from the record, or made here."""
        if self._pausing is not None:
            raise self._pausing
        self.journal.check_room()
        place = self.journal.place(label, self._digest(label, (owner, *args), kwargs))
        known = self.journal.answer(place)
        if known is not None:
            return self.answer(known, args, kwargs)
        self._did_call(place)
        return self._record(place, args, kwargs, method)

    def _record(
        self,
        place: Place,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        do: Callable[..., Any],
        *,
        reads: bool = False,
    ) -> Any:
        """Make a call, with durable objects themselves as its arguments, and record what it gave."""
        if not reads:
            self.effects_begin()
        given, named = self.durables.lower(args), self.durables.lower(kwargs)
        mark = self.journal.mark()
        changes = watching(given, named, self.environment.around, self.durables.number_of)
        with printed() as page:
            result: Any = None
            self.scene.added = {}
            self._in_tools += 1
            try:
                result = do(*given, **named)
                outcome = success(result, self.environment.around, [*changes(), *self._take_added()])
            except FutureError as error:
                self._pausing = error
                raise
            except (Signal, GreenletExit):
                raise
            except BaseException as error:  # noqa: BLE001 - the tool boundary: whatever it raises is the call's outcome
                outcome = failed_call(place.name, error, self.environment.around, changes())
            finally:
                self._in_tools -= 1
        self.journal.subsume(mark)
        if page.text:
            outcome = replace(outcome, printed=page.text)
        outcome = self._entering(outcome, place)
        self.journal.add(place, outcome)
        self._show_printed(outcome)
        self._put_back(outcome, args, kwargs, done=(given, named))
        if not outcome.ok:
            raise self._value(outcome) from None
        if type(result) in SCALARS or isinstance(result, SubTaskHandler):
            return result
        return self.durables.lift(result) if outcome.unkept else self._value(outcome)

    def _outside(
        self, tool: Tool, args: tuple[Any, ...], kwargs: dict[str, Any], place: Place, filled_in: Mapping[str, Any]
    ) -> Any:
        self._check_wait()
        given, given_named = self.durables.lower(args), self.durables.lower(kwargs)
        if tool.thread:
            given, given_named = self._for_thread(tool, given, given_named)
        wish = CallWish(tool, given, given_named, place, self.job.turn, self.statement, filled_in)
        outcome = self._known(tool, wish) if self._restored else None
        if outcome is None:
            self._did_call(place)
            scheduler = getcurrent().parent
            assert scheduler is not None, "job code runs in a greenlet of its own"
            outcome = scheduler.switch(wish)
        outcome = self._entering(outcome, place)
        self.journal.add(place, outcome)
        value = self.answer(outcome, args, kwargs)
        self._bind_error_handler(tool, value)
        return value

    def _known(self, tool: Tool, wish: CallWish) -> Outcome | None:
        """What is known of a call of a statement that has run before; it counts unless it had begun then."""
        had_begun, outcome = self.recorded(wish) if self.recorded is not None else (False, None)
        if not had_begun:
            self._count_call(tool)
        return outcome

    def _for_thread(
        self, tool: Tool, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Copies of the arguments: a thread that was given up must not change what the job has."""
        around = workspace.outside_of(tool.classes)
        try:
            data, refs = keep.dumps_value([list(args), kwargs], around)
        except CannotKeep as error:
            raise CannotKeep(f"{tool.name} runs in a thread and takes plain data only: {error}") from error
        if refs:
            raise TypeError(
                f"{tool.name} runs in a thread, which must not touch stored objects: pass the plain values it needs, "
                f"not a {type(refs[0]).__name__.removeprefix('Memo_')}"
            )
        copied: Any = keep.loads_value(data, [], around)
        return tuple(copied[0]), copied[1]

    def _filled_in(self, tool: Tool, place: Place) -> dict[str, Any]:
        """What the kit passes: a copy of the names the code sees, and a key that names this very call."""
        found: dict[str, Any] = {}
        if tool.takes_context and not tool.thread:
            found[CONTEXT] = self.durables.lower({n: v for n, v in self.names.items() if not n.startswith("__")})
        if tool.takes_key:
            store = current_root().store_id
            found[IDEMPOTENCY_KEY] = idempotency_key(store, self.job.id, self.job.turn, self.statement, place)
        return found

    def _bind_error_handler(self, tool: Tool, value: Any) -> None:
        """Register the tool's error handler with what a call gave: at once, or with the first value of a future."""
        if tool.error_handler is None:
            return
        if isinstance(value, FutureResult):
            value.bind_error_handler(tool.error_handler, self.job)
        else:
            self.job.add_error_handler(tool.error_handler, self.durables.lower(value))

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

    def _digest(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        try:
            return keep.digest_of_call(args, kwargs, self._number_of)
        except CannotKeep as error:
            raise CannotKeep(f"an argument of {name} cannot be recorded: {error}") from error

    def _number_of(self, value: object) -> int:
        """The number of a durable object, or of what is offered by name. Raises TypeError for anything else."""
        offered = self.environment.number_of_offered(value)
        if offered is not None:
            return offered
        number = self.durables.number_of(value)
        self.met.append(self.durables.lower(value))
        return number

    def _take_added(self) -> list[Change]:
        """Names that the call in progress gave to the job: the code has them from here on."""
        added, self.scene.added = self.scene.added, {}
        return added_names(added)

    # -- what is on record ------------------------------------------------------------------------------------------

    def answer(self, outcome: Outcome, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
        """Do again what is on record: print, change arguments, return or raise."""
        self._show_printed(outcome)
        self._put_back(outcome, args, kwargs or {})
        value = self._value(outcome)
        if not outcome.ok:
            raise value
        return value

    def _put_back(
        self, outcome: Outcome, args: tuple[Any, ...], kwargs: dict[str, Any], done: tuple[Any, Any] | None = None
    ) -> None:
        """Change the arguments that the call changed, and give the job the names it gave.

        `done` are the arguments that a call just made has changed by itself; those without durable parts stay so.
        """
        for name, data, first in outcome.changed:
            refs = outcome.refs[first:]
            if name.startswith(ADDED):
                self.names[name.removeprefix(ADDED)] = self._loaded(data, refs)
                continue
            target = argument_of(name, args, kwargs)
            if done is None or refs or argument_of(name, *done) is not target:
                put_back(target, self._loaded(data, refs))

    def _loaded(self, data: bytes, refs: Sequence[Any]) -> Any:
        return keep.loads_value(data, self.durables.lift_all(refs, ()), self.environment.around, self.names)

    def _value(self, outcome: Outcome) -> Any:
        value = self._loaded(outcome.data, outcome.refs)
        return self.admit(value) if has_future(outcome.refs) else value
