"""Stored jobs as JSON data for people and programs. Reads only; nothing here changes a job or opens a store."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from statek.base.clock import as_text
from statek.exceptions import NotApplied, StatekError
from statek.ledger.file import LedgerFile
from statek.ledger.items import first_and_number, try_id
from statek.runtime.catalog import Catalog
from statek.runtime.keeping import RNG
from statek.sandbox.keep_makers import Stub
from statek.store.chat import decode_item
from statek.store.encoding import bytes_text
from statek.store.job import JobStatus, Stage, find_job, load_console
from statek.store.retention import forgotten_at
from statek.store.session import Store
from statek.store.stage import PART
from statek.store.workspace import read_names
from statek.text.llm_repr import llm_repr

Row = dict[str, Any]
MAX_VALUE = 2_000  # characters of one local
MOST_ITEMS = 500  # of a history, in one part of a log


def job_rows(
    store: Store, *, agent: str | None = None, status: str | None = None, everything: bool = False, limit: int = 50
) -> dict[str, Any]:
    """The newest jobs, `{"jobs": [row...], "total": n, "refused": [...]}`; finished ones only with `everything`."""
    rows: list[Row] = []
    total = 0
    wanted = status.upper() if status else None
    for job in _newest(store):
        if agent is not None and job.agent.role != agent:
            continue
        shown = str(job.job_status)
        if wanted is not None and wanted not in (shown, job.outcome.upper()):
            continue
        if wanted is None and not everything and shown == "DONE":
            continue
        total += 1
        if len(rows) < limit:
            rows.append(job_row(job))
    return {"jobs": rows, "total": total, "refused": _refused(store) if everything else []}


def job_row(job: Any) -> Row:
    """One job in a line."""
    usage = job.usage
    return {
        "id": job.id, "agent": job.agent.role, "status": str(job.job_status), "outcome": job.outcome or None,
        "waitingFor": job.waiting_for, "queue": job.queue or None, "inputs": job.inputs, "release": job.release or None,
        "turns": job.turn,
        "usage": {
            "inputTokens": usage.input_tokens, "outputTokens": usage.output_tokens,
            "cachedTokens": usage.cached_tokens, "costUsd": usage.cost_usd,
        },
        "createdAt": as_text(job.created_us), "endedAt": as_text(job.ended_us) if job.ended_us else None,
        "error": job.error.error_message if job.error is not None else None, "scripted": job.used.scripted,
    }  # fmt: skip


def job_whole(store: Store, ledger: LedgerFile | None, job_id: str, *, values: bool = True) -> Row:
    """One job with everything it has. Raises NotApplied when there is none of that id or beginning.

    Its names are told by their types, and under `locals` as they are shown when `values` are wanted.
    """
    job = find(store, job_id)
    names = {name: value for name, value in read_names(job).items() if name != RNG}
    catalog = Catalog(ledger)
    catalog.use(store.root.release)
    return {
        **job_row(job),
        "usage": _usage(job),
        "revision": job.agent.revision or None,
        "parent": job.parent_id or None,
        "children": [handler.job.id for handler in list(job.children or ())],
        "tries": _tries(job.id),
        "prompt": prompt_of(catalog, job),
        "warmup": [item.text for item in job.records if item.kind == "warmup"],
        "chat": [_chat(item) for item in job.records],
        "toolLog": _tool_log(job.records),
        "pushLog": [_push(item) for item in job.records if item.kind == "user"],
        "console": load_console(job),
        "errorTrace": job.error.traceback if job.error is not None else None,
        "exceptions": [
            {"position": position, "kind": error.kind.value, "message": error.message}
            for position, error in sorted(job.errors_by_position().items())
        ],
        "names": {name: _type_of(value) for name, value in names.items()},
        **({"locals": {name: _shown(value) for name, value in names.items()}} if values else {}),
        "exit": _shown(job.exit_value) if job.exited else None,
        "stands": _stands(job),
        "statement": {"part": job.statement // PART, "index": job.statement % PART}
        if job.stage == Stage.CODE
        else None,
    }


def _tries(job_id: str) -> list[Row]:
    """Every try of the item or submission that this job is one of, in order; empty when there was only one."""
    first, _ = first_and_number(job_id)
    jobs: list[Any] = []
    while (job := find_job(try_id(first, len(jobs) + 1))) is not None:
        jobs.append(job)
    return [{"id": job.id, "outcome": job.outcome or None} for job in jobs] if len(jobs) > 1 else []


def job_log(store: Store, job_id: str) -> list[Row]:
    """What a job said, ran and printed, in order: `{"at", "kind", "text"}`."""
    found = find(store, job_id)
    entries, _ = entries_from(found, BEGINNING, len(found.chat) + 1)
    return entries


def log_part(store: Store, job_id: str, start: str) -> Row:
    """What has come since `start`: "" or the `next` of the part before. It costs what has come, not what there is.

    `entries` are as in `job_log`; `job` (its id), `agent`, `status` and `outcome` say where it is; `more`: there is
    more by now. Raises NotApplied for an unknown job, StatekError for a wrong `start`.
    """
    job = find(store, job_id)
    entries, place = entries_from(job, LogPlace.read(start), MOST_ITEMS)
    more = place.items < len(job.chat)
    return {
        "job": job.id, "agent": job.agent.role, "entries": entries, "next": str(place), "more": more,
        "status": str(job.job_status), "outcome": job.outcome or None,
    }  # fmt: skip


@dataclass(frozen=True)
class LogPlace:
    """How much of a job's log was read: so many items of its history, so many entries of its console."""

    items: int
    lines: int

    @classmethod
    def read(cls, text: str) -> "LogPlace":
        """What `str` wrote; the beginning for "". Raises StatekError for anything else."""
        items, dot, lines = text.partition(".")
        if not text:
            return BEGINNING
        if not (dot and items.isascii() and items.isdigit() and lines.isascii() and lines.isdigit()):
            raise StatekError(f"place in a log {text[:40]!r}: expected two numbers such as 3.12, or nothing")
        return cls(int(items), int(lines))

    def __str__(self) -> str:
        return f"{self.items}.{self.lines}"


BEGINNING = LogPlace(0, 0)


def entries_from(job: Any, start: LogPlace, most: int) -> tuple[list[Row], LogPlace]:
    """The entries of a job's log from a place on, of at most so many items, and the place behind them.

    What was printed stands before the item that came after it; what follows the last item, when all items are read.
    """
    entries: list[Row] = []
    count, printed = len(job.chat), start.lines
    end = min(count, start.items + most)
    for place in range(start.items, end):
        item = decode_item(job.chat[place])
        entries += _prints(job, printed, item.console_pos, item.at_us)
        printed = max(printed, item.console_pos)
        flag = {"error": True} if item.error else {}
        entries.append({"at": as_text(item.at_us), "kind": item.kind, "text": item.text or _calls(item), **flag})
    if end < count:
        return entries, LogPlace(end, printed)
    last_us = decode_item(job.chat[count - 1]).at_us if count else job.created_us
    entries += _prints(job, printed, len(job.console_log), job.ended_us or last_us)
    return entries, LogPlace(max(start.items, end), max(printed, len(job.console_log)))


def find(store: Store, job_id: str) -> Any:
    """The job of this id, or of the one id that begins so. Raises NotApplied with what there is."""
    exact = find_job(job_id)
    if exact is not None:
        return exact
    jobs = {job.id: job for job in _newest(store) if job.id.startswith(job_id)}
    if len(jobs) == 1:
        return next(iter(jobs.values()))
    if jobs:
        names = ", ".join(sorted(jobs)[:5])
        raise NotApplied(f"{len(jobs)} jobs begin with {job_id!r}: {names}, ...", hint="write more of the id")
    forgotten_us = forgotten_at(job_id)
    if forgotten_us is not None:
        raise NotApplied(f"job {job_id!r} was forgotten at {as_text(forgotten_us)}", hint="see `statek gc --help`")
    raise NotApplied(f"there is no job {job_id!r}", hint="`statek ps --all` lists them")


def _newest(store: Store) -> Iterable[Any]:
    jobs = store.root.jobs
    for slot in range(len(jobs) - 1, -1, -1):
        if jobs[slot] is not None:
            yield jobs[slot]


def _refused(store: Store) -> list[Row]:
    return [json.loads(bytes_text(line)) for line in store.root.refused]


def prompt_of(catalog: Catalog, job: Any) -> str:
    """The system prompt of a job, or in parentheses why it cannot be rendered."""
    try:
        return catalog.of(job).prompt(job)
    except (StatekError, KeyError) as error:
        return f"(cannot be rendered: {error})"


def _chat(item: Any) -> Row:
    line = {"at": as_text(item.at_us), "kind": item.kind, "text": item.text, "calls": list(item.calls)}
    if item.kind == "answer":
        note = item.note or {}
        line |= {"model": note.get("model"), "provider": note.get("provider"), "scripted": note.get("scripted", False)}
    return line | ({"error": True} if item.error else {}) | ({"hidden": True} if item.hidden else {})


def _tool_log(items: list[Any]) -> list[Row]:
    """What formal calls gave, in order: `answer` is the place in `chat` of the answer that made the call."""
    found: list[Row] = []
    answer = None
    for place, item in enumerate(items):
        if item.kind == "answer":
            answer = place
        elif item.kind == "tool":
            told = {"result": None, "error": item.text} if item.error else {"result": item.text, "error": None}
            found.append({"at": as_text(item.at_us), "answer": answer, "call": item.call_id, **told})
    return found


def _push(item: Any) -> Row:
    """A message; `position` is the length of the console when it came."""
    return {"at": as_text(item.at_us), "position": item.console_pos, "text": item.text}


def _usage(job: Any) -> Row:
    used = job.usage
    row: Row = job_row(job)["usage"]
    sizes = {"bytesSent": used.total_bytes_sent, "bytesReceived": used.total_bytes_received}
    return {**row, **sizes, "seconds": used.seconds}


def _type_of(value: Any) -> str:
    return "tool or module" if isinstance(value, Stub) else type(value).__name__


def _shown(value: Any) -> str:
    if isinstance(value, Stub):
        return "(a tool or module, known to the job's code only)"
    try:
        text = value if isinstance(value, str) else llm_repr(value)
    except Exception as error:  # noqa: BLE001 - an object's own words may fail; the rest is shown all the same
        text = f"({type(value).__name__} that cannot be shown: {type(error).__name__}: {error})"
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}... ({len(text):,} characters)"


def _stands(job: Any) -> str:
    waiting = job.waiting_for
    if job.job_status == JobStatus.DONE:
        return f"ended: {job.outcome}"
    if waiting is not None:
        return f"waits for {waiting['kind']}: {waiting['detail']}"
    if job.stage == Stage.CODE:
        return f"runs code, part {job.statement // PART}, statement {job.statement % PART}"
    return {Stage.NEW: "has not begun", Stage.ASK: "asks the model next"}.get(job.stage, "has nothing to do")


def _prints(job: Any, start: int, end: int, at_us: int) -> list[Row]:
    lines = [bytes_text(job.console_log[place]) for place in range(start, end)]
    return [{"at": as_text(at_us), "kind": "print", "text": line} for line in lines]


def _calls(item: Any) -> str:
    return ", ".join(f"{call['name']}({json.dumps(call['arguments'])})" for call in item.calls)
