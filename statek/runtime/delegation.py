"""The documented ways to make jobs from Python: `create_new_job`, `create_sub_task`, `complete_sub_task`.

They change the store of the calling process directly: what they make is as durable as its next commit. Inside a job's
stretch that is the stretch's own.
"""

import ast
import sys
from collections.abc import Iterable, Mapping, Sequence
from types import FrameType
from typing import Any

from statek.runtime import harness
from statek.store import current, wakeups, workspace
from statek.store.job import Job, new_job, random_id
from statek.store.job_def import JobDef, make_definition, warmup_data
from statek.store.session import Store
from statek.store.subtask import SubTaskHandler
from statek.store.workspace import add_names
from statek.text.locale import resolve_locale
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
    values = referenced(warmup_code, frame.f_locals) if warmup_code is not None else {}
    return make_child(agent, {**values, **(shared_vars or {})}, parent_job, warmup_code, locale, kwargs)


def submit_new_job(agent: Any, shared_vars: dict[str, Any] | None = None, locale: Any = None, **kwargs: Any) -> Job:
    """A READY job of `agent` without a parent, in the store that this process has open.

    Args:
        agent: a SupervisedAgent.
        shared_vars: names and values for the job.
        locale: language of the job, such as `EN-US`.
        **kwargs: prompt parameters.

    Raises:
        ValueError: the agent has no MODEL metadata.
        CannotKeep: a value cannot be stored in a job.
    """
    return submit_new_jobs_batch(agent, [shared_vars or {}], locale, **kwargs)[0]


def submit_new_jobs_batch(
    agent: Any, shared_vars_batch: Iterable[dict[str, Any]], locale: Any = None, **kwargs: Any
) -> list[Job]:
    """One job for each entry, durable on return; inside of a job, with its stretch. Raises as `submit_new_job`."""
    batch = [dict(values) for values in shared_vars_batch]
    for values in batch:
        workspace.check_names(values, workspace.outside(()))  # before there is any job: all of them, or none
    jobs = [_make(agent, values, None, None, locale, kwargs) for values in batch]
    if current.get_current_job() is None:
        Store.attach().save()
    return jobs


def make_child(
    agent: Any, values: dict[str, Any], parent_job: Job | None, warmup_code: Any, locale: Any, params: dict[str, Any]
) -> Job:
    """A READY job with these names, which inherits from its parent; raises as `create_new_job`, and there is none."""
    workspace.check_names(values, workspace.outside(()))
    return _make(agent, values, parent_job, warmup_code, locale, params)


def _make(
    agent: Any, values: dict[str, Any], parent_job: Job | None, warmup_code: Any, locale: Any, params: dict[str, Any]
) -> Job:
    """The same of names that were checked."""
    if locale is not None:
        locale = resolve_locale(locale)
    elif parent_job is not None:
        locale = parent_job.job_def.locale
    job = _new_job(definition(agent, warmup_code, locale, params or None), parent_job)
    if values:
        add_names(job, values)
    if parent_job is not None:
        job.add_error_handlers_from(parent_job)
    current.announce(made=job.id)
    if current.get_scene() is None:
        wakeups.tell()
    return job


def _new_job(job_def: JobDef, parent_job: Job | None) -> Job:
    """A job under an id that a replay comes to again; outside of a stretch under a random one."""
    scene = current.get_scene()
    if scene is not None and scene.limits is not None and parent_job is not None:
        harness.check_subjob(parent_job, scene.limits)
    return new_job(job_def, current.derive_job_id() or random_id(), current.now_us(), parent_job)


def create_sub_task(job: Job, handler_type: type[SubTaskHandler] = SubTaskHandler, **kwargs: Any) -> SubTaskHandler:
    """A handler of an existing job, put into the job's locals as `sub_task_handler`."""
    handler = handler_type(job, **kwargs)
    attach(handler)
    return handler


def attach(handler: SubTaskHandler) -> None:
    """Let the child know its handler, by its local `sub_task_handler` and for its end, and the parent too."""
    job = handler.job
    if job.handler is handler:
        return
    job.handler, handler.by_code = handler, True
    add_names(job, {HANDLER: handler})
    parent = job.parent_job
    if parent is not None:
        parent.add_child(handler)


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
    if job is None:
        return None
    handler: SubTaskHandler | None = job.find_sub_task_handler(id)
    if handler is not None:
        handler.was_read = True
    return handler


def definition(agent: Any, warmup_code: Any, locale: Any, params: Mapping[str, Any] | None) -> JobDef:
    """The definition of these, found again or made. Raises ValueError without MODEL metadata."""
    made: JobDef = agent.create_job_def(warmup_code=warmup_code, locale=locale, **(params or {}))
    return made


def loop_definition(agent: Any, warmup_code: Any) -> JobDef:
    """The definition of jobs that a loop starts: `warmup_code` is the whole warmup, None stands for the agent's own.

    Raises:
        ValueError: no MODEL metadata.
    """
    if warmup_code is None:
        return definition(agent, None, None, None)
    return make_definition(agent, agent.job_metadata(), None, warmup_data(parse_warmup_code(warmup_code)), None)


def _own_handler(job: Job) -> Any:
    names = job.read_names()
    return names.get(HANDLER, job.handler)


def referenced(warmup_code: Any, names: Mapping[str, Any]) -> dict[str, Any]:
    """Values of the caller's names that the warmup reads."""
    parsed = parse_warmup_code(warmup_code)
    blocks = [] if parsed is None else [parsed] if isinstance(parsed, str | CodeBlock) else parsed
    code = "\n".join((block if isinstance(block, str) else block.code) or "" for block in blocks)
    read = {n.id for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    return {name: value for name, value in names.items() if name in read}
