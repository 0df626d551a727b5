"""The documented ways to make jobs from Python: `create_new_job`, `create_sub_task`, `complete_sub_task`.

They change the store of the calling process directly: what they make is as durable as its next commit. Inside a job's
stretch that is the stretch's own transaction.
"""

import ast
import sys
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import Any

from statek.store import current
from statek.store import root as store_root
from statek.store.job import Job
from statek.store.job_def import JobDef, definition_digest, warmup_data
from statek.store.subtask import SubTaskHandler
from statek.store.workspace import read_names
from statek.text.warmup import CodeBlock, parse_warmup_code

HANDLER = "sub_task_handler"  # the child's local that holds its handler


def create_new_job(
    agent: Any,
    shared_vars: dict[str, Any] | None = None,
    parent_job: Job | None = None,
    warmup_code: str | Sequence[str] | None = None,
    locale: Any = None,
    caller_frame: FrameType | None = None,
    **kwargs: Any,
) -> Job:
    """A READY job of `agent`, with `shared_vars` as its locals.

    Args:
        agent: a SupervisedAgent.
        shared_vars: names and values for the job.
        parent_job: the job it belongs to; its locale and error handlers are inherited.
        warmup_code: runs before the agent's own warmup; names it reads are copied from the caller's frame.
        locale: language of the job.
        caller_frame: whose locals are copied instead.
        **kwargs: prompt parameters.

    Raises:
        ValueError: the agent has no MODEL metadata.
        CannotKeep: a value cannot be stored in a job.
    """
    frame = caller_frame if caller_frame is not None else sys._getframe(1)  # noqa: SLF001 - the caller's names are what is documented
    values = _referenced(warmup_code, frame.f_locals) if warmup_code is not None else {}
    values |= shared_vars or {}
    if locale is None and parent_job is not None:
        locale = parent_job.job_def.locale
    job = Job(definition(agent, warmup_code, locale, kwargs or None), parent_job=parent_job)
    if values:
        job.add_locals(**values)
    if parent_job is not None:
        job.error_handlers = list(parent_job.error_handlers or ()) or None
    return job


def create_sub_task(job: Job, handler_type: type[SubTaskHandler] = SubTaskHandler, **kwargs: Any) -> SubTaskHandler:
    """A handler of an existing job, put into the job's locals as `sub_task_handler`."""
    handler = handler_type(job, **kwargs)
    job.add_locals(**{HANDLER: handler})
    parent = job.parent_job
    if parent is not None:
        if parent.children is None:
            parent.children = []
        parent.children.append(handler)
    return handler


def complete_sub_task(result: Any | None = None, error: str | None = None) -> None:
    """Give the current job's outcome to its parent.

    Raises:
        RuntimeError: outside of a job, or the job is not a sub-task.
        TypeError: the local `sub_task_handler` is something else.
    """
    job = current.get_current_job()
    if job is None:
        raise RuntimeError("complete_sub_task was called outside of a job")
    handler = _own_handler(job)
    if handler is None:
        raise RuntimeError("this job is not a sub-task: it has no sub_task_handler")
    if not isinstance(handler, SubTaskHandler):
        raise TypeError(f"sub_task_handler is a {type(handler).__name__}, not a SubTaskHandler")
    handler.complete(result=result, error=error)


def find_sub_task_handler(id: Any = None) -> SubTaskHandler | None:  # noqa: A002 - documented name
    """The newest completed child of the current job, or that of `id`; None outside of a job.

    Raises:
        RuntimeError: the child of `id` has not completed.
    """
    job = current.get_current_job()
    return None if job is None else job.find_sub_task_handler(id)


def definition(agent: Any, warmup_code: Any, locale: Any, params: Mapping[str, Any] | None) -> JobDef:
    """The definition of these, found again or made. Raises ValueError without MODEL metadata."""
    if not (agent.metadata or {}).get("MODEL"):
        raise ValueError(f"agent {agent.role!r} has no MODEL metadata")
    own = agent.warmup_def.warmup_code if getattr(agent, "warmup_def", None) is not None else None
    blocks = (warmup_data(parse_warmup_code(warmup_code)) or []) + (warmup_data(own) or [])
    text = None if locale is None else str(locale)
    digest = definition_digest(agent, agent.metadata, dict(params) if params else None, blocks or None, "", text)
    found: JobDef | None = store_root.find_job_def(digest)
    if found is not None:
        return found
    made: JobDef = agent.create_job_def(warmup_code=warmup_code, locale=locale, **(params or {}))
    return made


def _own_handler(job: Job) -> Any:
    names = read_names(job)
    if HANDLER in names:
        return names[HANDLER]
    parent = job.parent_job
    for handler in list(parent.children or ()) if parent is not None else ():
        if handler.job.id == job.id:
            return handler
    return None


def _referenced(warmup_code: Any, names: Mapping[str, Any]) -> dict[str, Any]:
    """Values of the caller's names that the warmup reads."""
    parsed = parse_warmup_code(warmup_code)
    blocks = [] if parsed is None else [parsed] if isinstance(parsed, str | CodeBlock) else parsed
    code = "\n".join((block if isinstance(block, str) else block.code) or "" for block in blocks)
    read = {n.id for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    return {name: value for name, value in names.items() if name in read}
