"""Stored jobs as JSON data for people and programs. Reads only; nothing here changes a job or opens a store."""

import json
from collections.abc import Iterable
from typing import Any

from statek.base.clock import as_text
from statek.exceptions import NotApplied, StatekError
from statek.ledger.file import LedgerFile
from statek.runtime.catalog import Catalog
from statek.runtime.execute import PART, RNG
from statek.sandbox.keep_makers import Stub
from statek.store.encoding import bytes_text
from statek.store.job import JobStatus, Stage, find_job, load_console
from statek.store.session import Store
from statek.store.workspace import read_names
from statek.text.llm_repr import llm_repr

Row = dict[str, Any]
MAX_VALUE = 2_000  # characters of one local


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
        "error": job.error.error_message if job.error is not None else None, "scripted": bool(job.scripted),
    }  # fmt: skip


def job_whole(store: Store, ledger: LedgerFile | None, job_id: str) -> Row:
    """One job with everything it has. Raises NotApplied when there is none of that id or beginning."""
    job = find(store, job_id)
    catalog = Catalog(ledger)
    catalog.use(store.root.release)
    return {
        **job_row(job),
        "revision": job.agent.revision or None,
        "parent": job.parent_id or None,
        "children": [handler.job.id for handler in list(job.children or ())],
        "prompt": _prompt(catalog, job),
        "warmup": [item.text for item in job.chat_log if item.kind == "warmup"],
        "chat": [_chat(item) for item in job.chat_log],
        "console": load_console(job),
        "locals": _locals(job),
        "exit": _shown(job.exit_value) if job.exited else None,
        "stands": _stands(job),
        "statement": {"part": job.statement // PART, "index": job.statement % PART}
        if job.stage == Stage.CODE
        else None,
    }


def job_log(store: Store, job_id: str) -> list[Row]:
    """What a job said, ran and printed, in order: `{"at", "kind", "text"}`."""
    job = find(store, job_id)
    items, console = job.chat_log, load_console(job)
    lines: list[Row] = []
    printed = 0
    for item in items:
        lines += _prints(console[printed : item.console_pos], item.at_us)
        printed = max(printed, item.console_pos)
        lines.append({"at": as_text(item.at_us), "kind": item.kind, "text": item.text or _calls(item)})
    return lines + _prints(console[printed:], job.ended_us or (items[-1].at_us if items else job.created_us))


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
    raise NotApplied(f"there is no job {job_id!r}", hint="`statek ps --all` lists them")


def _newest(store: Store) -> Iterable[Any]:
    jobs = store.root.jobs
    for slot in range(len(jobs) - 1, -1, -1):
        if jobs[slot] is not None:
            yield jobs[slot]


def _refused(store: Store) -> list[Row]:
    return [json.loads(bytes_text(line)) for line in store.root.refused]


def _prompt(catalog: Catalog, job: Any) -> str:
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


def _locals(job: Any) -> Row:
    return {name: _shown(value) for name, value in read_names(job).items() if name != RNG}


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
    return {Stage.NEW: "has not begun", Stage.ASK: "asks the model next"}.get(str(job.stage), str(job.stage))


def _prints(lines: list[str], at_us: int) -> list[Row]:
    return [{"at": as_text(at_us), "kind": "print", "text": line} for line in lines]


def _calls(item: Any) -> str:
    return ", ".join(f"{call['name']}({json.dumps(call['arguments'])})" for call in item.calls)
