"""Fakes for tests of agents and tools: a clock that stands still, the sandbox in one call, a fleet with a script.

Nothing here is used by the kit itself; users import it in their tests. Store and ledger are real files in a folder of
the test, only the model is replaced: its answers come from rules. So a test says: an agent with these tools, these
answers, submit, run, look at the job; close, open the same folder again, look again.

    clerk = declare_agent("clerk", tools=[post])
    with open_fleet(tmp_path, agents=[clerk], answers=[answer("exit(post(1))")]) as fleet:
        job = fleet.submit("clerk")
        fleet.run()
        assert fleet.job(job).exit_value == 2

Tools must be functions at the top level of a module that can be imported: a release keeps them by name.
"""

import asyncio
import functools
import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from statek.exceptions import NotApplied
from statek.ledger import compiled, inbox, releases, staging
from statek.ledger.file import NAME, LedgerFile
from statek.runtime import views
from statek.runtime.fleet import Fleet
from statek.sandbox import runner
from statek.sandbox.bounds import WATCHDOG
from statek.store import current
from statek.store.future import FutureResult, function_name
from statek.store.job import Job, find_job
from statek.store.session import Store
from statek.text.warmup import split_blocks
from statek.tools import registry

START_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
SCRIPTED = "scripted"  # name of the model, its provider and its script
NO_RETRY = compiled.Retry(1, compiled.Backoff(0, 0, 1.0))
LIMITS = compiled.Limits(
    turns=20, tokens=10_000_000, cost_usd=None, wall_clock_us=0, tool_calls=None, exceptions=20,
    consecutive_exceptions=20, subjobs=100, depth=10,
)  # fmt: skip
NEXT_JOB = compiled.Reload("next-job", "next-job", "next-job", "next-job", "next-job")

run_snippet = runner.run_block_locally
"""Run code in the sandbox without job or store: `run_snippet(source, locals) -> (console, error)`."""


class FakeClock:
    """A Clock whose time passes only by `advance`."""

    def __init__(self, now_us: int = START_US) -> None:
        """Start at `now_us`, microseconds since 1970 in UTC."""
        self._now_us = now_us
        self._order = itertools.count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []

    def now_us(self) -> int:
        """The time it was set to."""
        return self._now_us

    def monotonic(self) -> float:
        """The same time in seconds."""
        return self._now_us / 1_000_000

    async def sleep(self, seconds: float) -> None:
        """Return when the clock was advanced by at least `seconds`."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now_us + round(seconds * 1_000_000), next(self._order), future))
        await future

    def advance(self, seconds: float) -> None:
        """Let time pass; sleepers wake in the order of their times. Raises ValueError for a negative number."""
        if seconds < 0:
            raise ValueError(f"time does not go back: {seconds} s")
        self._now_us += round(seconds * 1_000_000)
        while self._sleepers and self._sleepers[0][0] <= self._now_us:
            _, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)

    @property
    def sleepers(self) -> int:
        """How many are asleep."""
        return sum(not future.done() for _, _, future in self._sleepers)


@contextmanager
def statek_context(job: Any = None, agent: Any = None) -> Iterator[dict[str, Any]]:
    """Make `job` the current one inside, for tests of functions that ask for it; any object they can read will do.

    What a `@tool` function with an error handler gives inside is registered with the job.

    Args:
        job: what `get_current_job` gives.
        agent: what `get_current_agent` gives, by default the job's own.

    Yields:
        What was given, by `job` and `agent`; empty when nothing was.
    """
    given = {name: value for name, value in (("job", job), ("agent", agent)) if value is not None}
    scene = current.Scene(job, agent=agent, context=given)
    token = registry.registers.set(None if job is None else functools.partial(_register, job))
    try:
        with current.running(job, scene):
            yield given
    finally:
        registry.registers.reset(token)
        if scene.added:  # names that were given to the job, which running code would have taken over
            job.add_locals(**scene.added)


def _register(job: Any, handler: Callable[..., Any], value: Any) -> None:
    """Have a tool's error handler called if `job` fails, as a call of the job's own code would."""
    if isinstance(value, FutureResult):
        value.bind_error_handler(handler, job)
    else:
        job.add_error_handler(handler, value)


def declare_tool(
    function: Callable[..., object],
    *,
    name: str | None = None,
    effect: compiled.Effect | None = None,
    idempotent: bool = False,
    timeout: float | None = None,
    thread: bool = False,
) -> compiled.Tool:
    """A tool as a ToolSet would declare it; what is not said is read from the function's `@tool` marks.

    Args:
        function: at the top level of an importable module (ValueError otherwise).
        name: what model code calls it.
        effect: "read", "write" or "external".
        idempotent: may be called again.
        timeout: seconds of one call of an async function, or of one in a thread.
        thread: run it in a thread.
    """
    marked = registry.from_callable(function)
    return compiled.Tool(
        name=name or marked.name, toolset="tests", target=function_name(function), effect=effect or marked.effect,
        idempotent=idempotent or marked.idempotent,
        timeout_us=round(timeout * 1_000_000) if timeout else marked.timeout_us,
        description=None, thread=thread or marked.thread,
    )  # fmt: skip


def declare_agent(
    name: str,
    *,
    tools: Iterable[Callable[..., object] | compiled.Tool] = (),
    prompt: str = "Do what is asked.",
    warmup: str | None = None,
    limits: Mapping[str, Any] | None = None,
    **fields: Any,
) -> compiled.Agent:
    """An agent as its document would declare it, on the scripted model, with wide limits.

    Args:
        name: its name.
        tools: functions, or what `declare_tool` gives.
        prompt: the template of its system prompt.
        warmup: code that runs first, with directives as in a warmup file.
        limits: those that differ, by field of `compiled.Limits`.
        fields: further fields of `compiled.Agent` (`inputs`, `subagents`, `chat_style`, `reload`, ...).
    """
    defaults: dict[str, Any] = {
        "description": "", "prompt_path": f"agents/{name}.md", "prompt_line": 1, "partials": {}, "model": (SCRIPTED,),
        "params": {}, "inputs": {}, "output": None, "vars": {}, "subagents": (), "max_running": None,
        "retry": NO_RETRY, "reload": NEXT_JOB, "chat_style": "console", "imports": (), "locale": None, "metadata": {},
    }  # fmt: skip
    declared = tuple(tool if isinstance(tool, compiled.Tool) else declare_tool(tool) for tool in tools)
    values = {name: getattr(LIMITS, name) for name in LIMITS.__slots__} | dict(limits or {})
    return compiled.Agent(
        name=name, prompt=prompt, tools=declared, warmup=_warmup(name, warmup), limits=compiled.Limits(**values),
        **{**defaults, **fields},
    )  # fmt: skip


def declare_queue(name: str, agent: str | None, **fields: Any) -> compiled.Queue:
    """A queue whose items become inputs of jobs of `agent`; `fields` are further ones of `compiled.Queue`."""
    defaults: dict[str, Any] = {
        "deliver_as": None, "concurrency": None, "dedupe_key": None, "max_depth": None, "overflow": "refuse",
        "retry": NO_RETRY, "dead_letter": None, "paused": False,
    }  # fmt: skip
    return compiled.Queue(name=name, agent=agent, **{**defaults, **fields})


def answer(
    code: str | None = None,
    *,
    text: str | None = None,
    agent: str | None = None,
    turn: int | None = None,
    last: str | None = None,
    calls: Sequence[Mapping[str, Any]] = (),
    latency: float = 0.0,
    error: str | None = None,
) -> compiled.Rule:
    """What the model answers: `code`, `text`, tool `calls` or an `error`; the first rule that fits counts.

    Args:
        code: Python that the job runs.
        text: what it says.
        agent: only for jobs of this agent.
        turn: only in this turn of a job, from 1.
        last: only when the newest message matches this regular expression.
        calls: formal calls, `{"name": ..., "arguments": {...}}`.
        latency: seconds on the clock until it answers.
        error: fail with this code or text instead.
    """
    return compiled.Rule(
        agent=agent, turn=turn, last=last, text=text, code=code, tool_calls=tuple(calls), usage={},
        latency_us=round(latency * 1_000_000), error=error,
    )  # fmt: skip


class LocalFleet:
    """A fleet in this process over the store and the ledger of one folder; see `open_fleet`.

    Attributes:
        clock: its clock.
        ledger: the open ledger.
        store: the open store.
        fleet: the runtime at work.
        replayed: how many records were taken in when it was opened.
    """

    def __init__(self, folder: Path, clock: FakeClock, *, step_seconds: float = 5.0) -> None:
        """Open or make both files and bring the store up to the ledger."""
        self.clock = clock
        self._folder = folder
        self._step_seconds = step_seconds
        self._runner = asyncio.Runner()
        self._stop: asyncio.Event | None = None
        self.ledger = LedgerFile.create(folder / NAME)
        try:
            self.store = Store.open(folder, self.ledger.store_id)
        except BaseException:
            self.ledger.close()
            raise
        self.fleet = Fleet(
            store=self.store, ledger=self.ledger, clock=clock, secret=lambda _: None, watchdog=WATCHDOG,
            step_seconds=step_seconds,
        )  # fmt: skip
        self.replayed = self.fleet.recover()

    def apply(
        self,
        agents: Iterable[compiled.Agent],
        answers: Iterable[compiled.Rule] = (),
        *,
        queues: Iterable[compiled.Queue] = (),
    ) -> str:
        """Make these the release that new work uses; the id of it."""
        objects = {entry.key: entry for entry in map(_stored, (*agents, *queues, *_scripted(tuple(answers))))}
        name = releases.release_id("test", objects)
        release = staging.with_known_texts(self.ledger, releases.Release(name, "test", objects))
        releases.stage(self.ledger, release)
        head = releases.head(self.ledger)
        base = head.release if head is not None else None
        releases.move_head(self.ledger, base=base, target=name, reason="test", at_us=self.clock.now_us())
        return name

    def submit(self, agent: str, inputs: Mapping[str, Any] | None = None, *, key: str = "1") -> str:
        """Ask for a job; its id, `agent/key`. What does not fit is refused when it is taken in."""
        return self._append(f"{agent}/{key}", inbox.InputKind.SUBMIT, agent, {"inputs": dict(inputs or {})})

    def put(self, queue: str, item: Any, *, key: str) -> str:
        """Put an item on a queue; the id of the job it becomes, `queue:key`."""
        return self._append(f"{queue}:{key}", inbox.InputKind.ITEM, queue, {"item": item})

    def push(self, job: str, text: str, *, key: str = "1") -> str:
        """Send a message to a job; the id of the input."""
        return self._append(f"push {job} {key}", inbox.InputKind.PUSH, job, {"text": text})

    def cancel(self, job: str) -> str:
        """Ask for the end of a job; the id of the input."""
        return self._append(f"cancel {job}", inbox.InputKind.CANCEL, job, {})

    def run(self) -> None:
        """Work until nothing is left to do at this time, or `stop` is called. Not inside a running event loop."""
        self._stop = asyncio.Event()
        try:
            self._runner.run(self.fleet.run(self._stop, until_idle=True, waits=False))
        finally:
            self._stop = None

    def stop(self) -> None:
        """End `run` early, from a tool that it calls."""
        if self._stop is not None:
            self._stop.set()

    def job(self, job_id: str) -> Job:
        """The stored job. Raises NotApplied, with the reason when its input was refused."""
        found = find_job(job_id)
        if found is None:
            reason = next((line["reason"] for line in self.refused if line["id"] == job_id), "no input of that id")
            raise NotApplied(f"there is no job {job_id!r}: {reason}")
        return found

    def show(self, job_id: str) -> dict[str, Any]:
        """Everything a job has, as JSON data: outcome, chat, console, locals, what it waits for."""
        return views.job_whole(self.store, self.ledger, job_id)

    @property
    def refused(self) -> list[dict[str, Any]]:
        """Inputs that did not fit, with the reason."""
        refused: list[dict[str, Any]] = views.job_rows(self.store, everything=True)["refused"]
        return refused

    def reopen(self) -> "LocalFleet":
        """Close this one and open the folder again, as a restart would."""
        self.close()
        return LocalFleet(self._folder, self.clock, step_seconds=self._step_seconds)

    def close(self) -> None:
        """Save and close everything. Harmless when repeated."""
        self.store.close()
        self.ledger.close()
        self._runner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _append(self, entry_id: str, kind: inbox.InputKind, target: str, body: dict[str, Any]) -> str:
        inbox.append(self.ledger, [inbox.NewEntry(entry_id, kind, target, body, self.clock.now_us())])
        return entry_id


def open_fleet(
    folder: Path,
    *,
    agents: Iterable[compiled.Agent] = (),
    answers: Iterable[compiled.Rule] = (),
    queues: Iterable[compiled.Queue] = (),
    clock: FakeClock | None = None,
    step_seconds: float = 5.0,
) -> LocalFleet:
    """A fleet over `folder`, made or opened again; a context manager that closes it.

    Args:
        folder: where store and ledger are; made when it is not there.
        agents: agents of the release to apply; none: what was applied there before.
        answers: what the model answers.
        queues: queues of the release.
        clock: default: one that stands at 2026-01-01.
        step_seconds: how long one stretch of model code may take. What stopped code had changed in the store stays
            here; a worker starts again without it.
    """
    opened = LocalFleet(folder, clock or FakeClock(), step_seconds=step_seconds)
    try:
        declared = tuple(agents)
        if declared:
            opened.apply(declared, answers, queues=queues)
    except BaseException:
        opened.close()
        raise
    return opened


def _scripted(rules: tuple[compiled.Rule, ...]) -> tuple[compiled.Compiled, ...]:
    """The model of all agents here, its provider and its script."""
    timeouts = compiled.Timeouts(1_000_000, 1_000_000, 1_000_000, 1_000_000)
    provider = compiled.Provider(
        name=SCRIPTED, driver="scripted", base_url=None, api_key=None, headers={}, timeout=timeouts, concurrent=None,
        rpm=None, tpm=None, cost_usd_per_day=None, retry=NO_RETRY,
    )  # fmt: skip
    model = compiled.Model(name=SCRIPTED, provider=SCRIPTED, id=SCRIPTED, fallback=(), params={}, price=None)
    return provider, model, compiled.Script(SCRIPTED, rules)


def _stored(value: compiled.Compiled) -> releases.StoredObject:
    text = compiled.encode(value)
    return releases.StoredObject(
        kind=type(value).__name__, name=value.name, revision=f"{value.name}@{compiled.digest(text)}", text=text,
        file="test", line=1, owner="test",
    )  # fmt: skip


def _warmup(name: str, source: str | None) -> compiled.Warmup | None:
    if source is None:
        return None
    blocks = tuple(compiled.Block(b.code, b.line, b.hidden, b.label) for b in split_blocks(source))
    return compiled.Warmup(name=name, path=f"warmups/{name}.py", blocks=blocks, timeout_us=0)
