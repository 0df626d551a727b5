"""Performs outside calls: one place, whoever asks. A call ends in exactly one outcome, and stops nobody else.

Not here: intents, results in the ledger, who waits for what (the scheduler's). Async tools are awaited, `thread` tools
run in a thread of their own; the others run where the loop runs, are measured, and a slow one is named in the log. The
idea to keep in mind: nothing a tool does gets past its call. Whatever it raises, SystemExit included, is its outcome;
one that does not come back in time is given up, and what it gives later is logged and dropped.
"""

import asyncio
import inspect
import logging
import threading
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from contextvars import copy_context
from dataclasses import dataclass, replace
from typing import Any

from statek.base.clock import Clock
from statek.exceptions import CannotKeep
from statek.runtime.crossings import Outcome
from statek.runtime.endings import CallWish
from statek.runtime.outcomes import Change, added_names, failed_call, failure, success, watching
from statek.runtime.printed import printed
from statek.sandbox import keep
from statek.sandbox.bounds import Watchdog
from statek.store import current, workspace
from statek.store.job import find_job
from statek.store.session import Store, address_of
from statek.tools.registry import Tool

CALL_SECONDS = 600.0  # of an async or threaded call whose tool has no timeout
SLOW_SECONDS = 0.25  # of a call that everybody waits for
INLINE_SECONDS = 300.0  # of such a call, before the worker stops to give a sign of life and its supervisor ends it
INLINE_BYTES = 1 << 60
THREADS = 16  # calls in threads at the same time
MAX_HUNG = 8  # calls of one tool that were given up in their threads and are still there
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Performed:
    """How a call ended, whether it wrote to the store, and which jobs it made or woke."""

    outcome: Outcome
    touched: bool = False
    made: Sequence[str] = ()
    woken: Sequence[str] = ()


class Performer:
    """Performs the outside calls of a store's jobs."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        watchdog: Watchdog,
        *,
        threads: int = THREADS,
        inline_seconds: float = INLINE_SECONDS,
    ) -> None:
        """Calls in threads are bounded to `threads` at the same time; further ones wait.

        Nobody can stop a call that runs here: one that takes longer than `inline_seconds` costs this process.
        """
        self._store = store
        self._clock = clock
        self._watchdog = watchdog
        self._inline_seconds = inline_seconds
        self._slots = asyncio.Semaphore(threads)
        self._hung: Counter[str] = Counter()
        self._slowest: dict[str, float] = {}

    def perform_inline(self, job_id: str, wish: CallWish) -> Performed:
        """Perform a call of a plain function here and now."""
        began, changes = self._clock.monotonic(), _watching(wish)
        with (
            self._watchdog.armed(self._inline_seconds, INLINE_BYTES, grace=0.0),
            current.running(find_job(job_id)) as scene,
            self._store.watched() as wrote,
            printed() as page,
        ):
            try:
                outcome = success(_call(wish), _around(wish), [*changes(), *_added(scene)])
            except BaseException as error:  # noqa: BLE001 - the tool boundary: whatever it raises is its outcome
                outcome = _failed(wish, error, changes)
        self._measure(wish.tool, self._clock.monotonic() - began)
        return Performed(_recordable(wish.tool, outcome, page.text), wrote[0], scene.made, scene.woken)

    async def perform(self, job_id: str, wish: CallWish) -> Performed:
        """Perform any call; an async or threaded one holds nobody up."""
        if not (wish.tool.is_async or wish.tool.thread):
            return self.perform_inline(job_id, wish)
        if self._hung[wish.tool.name] >= MAX_HUNG:
            text = f"{wish.tool.name} was not called: {MAX_HUNG} calls of it that were given up still hang"
            return Performed(failure(TimeoutError(text), workspace.OUTSIDE))
        async with self._slot(wish.tool):
            return await self._in_time(job_id, wish)

    def _slot(self, tool: Tool) -> AbstractAsyncContextManager[Any]:
        return self._slots if tool.thread else nullcontext()

    async def _in_time(self, job_id: str, wish: CallWish) -> Performed:
        task = asyncio.create_task(self._outcome(job_id, wish))
        try:
            await asyncio.wait({task}, timeout=_seconds(wish.tool))
        finally:
            is_late = not task.done()
            if is_late:
                task.cancel()
        if is_late:
            task.add_done_callback(lambda _: _came_late(wish.tool))
            return Performed(_given_up(wish.tool))
        if task.cancelled():  # a tool that cancels the task it runs in
            return Performed(failed_call(wish.tool.name, asyncio.CancelledError(), workspace.OUTSIDE))
        return task.result()

    async def _outcome(self, job_id: str, wish: CallWish) -> Performed:
        """The call itself; a thread is told of no job, for it must not touch the store."""
        wrote: list[bool] = []
        job = None if wish.tool.thread else find_job(job_id)
        changes = _watching(wish)
        with current.running(job) as scene, printed() as page:
            try:
                result = await (self._threaded(wish) if wish.tool.thread else self._awaited(wish, wrote))
                outcome = success(result, _around(wish), [*changes(), *_added(scene)])
            except BaseException as error:  # noqa: BLE001 - the tool boundary, as above
                outcome = _failed(wish, error, changes)
        return Performed(_recordable(wish.tool, outcome, page.text), any(wrote), scene.made, scene.woken)

    async def _awaited(self, wish: CallWish, wrote: list[bool]) -> Any:
        return await _Stepped(_call(wish), self._store, wrote)

    async def _threaded(self, wish: CallWish) -> Any:
        """What the call gives in a thread of its own. A thread cannot be stopped: one that hangs is left behind."""
        loop = asyncio.get_running_loop()
        end: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()

        def run() -> None:
            found: tuple[Any, BaseException | None]
            try:
                found = _call(wish), None
            except BaseException as error:  # noqa: BLE001 - the tool boundary, as above
                found = None, error
            try:
                loop.call_soon_threadsafe(self._came_back, wish.tool, end, found)
            except RuntimeError:  # the loop is closed
                log.info("a call of %s came back after its worker had left", wish.tool.name)

        threading.Thread(target=copy_context().run, args=(run,), name=f"tool {wish.tool.name}", daemon=True).start()
        try:
            result, error = await end
        except asyncio.CancelledError:
            self._hung[wish.tool.name] += 1
            raise
        if error is not None:
            raise error
        return result

    def _came_back(self, tool: Tool, end: asyncio.Future[Any], found: tuple[Any, BaseException | None]) -> None:
        if not end.done():
            end.set_result(found)
            return
        self._hung[tool.name] -= 1
        _came_late(tool)

    def _measure(self, tool: Tool, seconds: float) -> None:
        """Name a tool that held everybody up, and again only when it was much worse."""
        if seconds <= max(SLOW_SECONDS, 2 * self._slowest.get(tool.name, 0.0)):
            return
        self._slowest[tool.name] = seconds
        log.warning(
            "tool %s took %.2f s, and no other job went on meanwhile: declare it with `thread: true`, or make it async",
            tool.name, seconds,
        )  # fmt: skip


class _Stepped:
    """An awaitable whose every step is watched for writes to the store: other jobs' writes come between the steps."""

    def __init__(self, awaitable: Any, store: Store, wrote: list[bool]) -> None:
        self._steps = awaitable.__await__()
        self._store = store
        self._wrote = wrote

    def __await__(self) -> Generator[Any, Any, Any]:
        step: Callable[[Any], Any] = self._steps.send
        value: Any = None
        while True:
            end: BaseException | None = None
            waited_for: Any = None
            with self._store.watched() as wrote:
                try:
                    waited_for = step(value)
                except BaseException as error:  # noqa: BLE001 - raised again below
                    end = error
            self._wrote.append(wrote[0])
            if isinstance(end, StopIteration):
                return end.value
            if end is not None:
                raise end
            try:
                step, value = self._steps.send, (yield waited_for)
            except BaseException as error:  # noqa: BLE001 - the tool's to handle
                step, value = self._steps.throw, error


def _around(wish: CallWish) -> keep.Surroundings:
    return workspace.outside_of(wish.tool.classes)


def _added(scene: current.Scene) -> list[Change]:
    return added_names(scene.added)


def _watching(wish: CallWish) -> Callable[[], list[Change]]:
    return watching(wish.args, wish.kwargs, _around(wish), id)


def _failed(wish: CallWish, error: BaseException, changes: Callable[[], list[Change]]) -> Outcome:
    """The outcome of a call that raised, with what it did to its arguments before, if that can be recorded."""
    try:
        return failed_call(wish.tool.name, error, _around(wish), changes())
    except CannotKeep:
        return failed_call(wish.tool.name, error, workspace.OUTSIDE)


def _call(wish: CallWish) -> Any:
    """What the function gives: of an async one an awaitable, of any other a value."""
    given = wish.tool.call(*wish.args, **wish.kwargs, **wish.filled_in)
    if inspect.iscoroutine(given) and not wish.tool.is_async:
        given.close()
        raise TypeError(f"{wish.tool.name} gave a coroutine without being async: write it, or what wraps it, as async")
    return given


def _recordable(tool: Tool, outcome: Outcome, said: str) -> Outcome:
    """The outcome with what was printed, or why its result cannot be recorded."""
    why = outcome.unkept
    if not why and tool.thread and outcome.refs:
        why = "it is, or holds, a stored object, which a thread must not touch"
    elif not why and any(address_of(ref) is None for ref in outcome.refs):
        why = "it is a part of a stored object"
    if why:
        text = f"the result of {tool.name} cannot be recorded: {why}; return plain data"
        outcome = failure(TypeError(text), workspace.OUTSIDE)
    return replace(outcome, printed=said)


def _seconds(tool: Tool) -> float:
    return tool.timeout_us / 1_000_000 if tool.timeout_us else CALL_SECONDS


def _given_up(tool: Tool) -> Outcome:
    text = f"{tool.name} did not come back within {_seconds(tool):g} s and was given up; it may have had its effect"
    return failure(TimeoutError(text), workspace.OUTSIDE)


def _came_late(tool: Tool) -> None:
    log.warning("a call of %s that was given up has ended now; what it gave is dropped", tool.name)
