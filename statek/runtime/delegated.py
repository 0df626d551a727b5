"""Handing work to another agent and waiting for it: `delegate_task` and its kin, tools of applications.

A call makes a job and gives a future of its end; code that uses the value waits, as for every future. In the code of a
job the new one is its child: it counts among its children, has its language and its error handlers, and is cancelled
with it. That it has ended is told to nobody: the value says so. The idea: nothing here waits or wakes.
"""

import sys
from types import FrameType
from typing import Any

from statek.exceptions import BugError
from statek.runtime.delegation import make_child, referenced
from statek.store import current
from statek.store.future import temporal
from statek.store.job import Job
from statek.store.subtask import DelegationHandler
from statek.store.task_future import TaskFutureResult, ended_job, exit_of, has_ended
from statek.tools.registry import CONTEXT, tool

_KIT = "statek."


def create_future_task(
    agent: Any,
    shared_vars: dict[str, Any] | None,
    parent_job: Job | None,
    warmup_code: Any = None,
    locale: Any = None,
    caller_frame: FrameType | None = None,
    **kwargs: Any,
) -> TaskFutureResult:
    """A READY job of `agent` and the future of its end.

    Args:
        agent: a SupervisedAgent.
        shared_vars: names and values for the job; its prompt parameters do not tell of them.
        parent_job: the job it belongs to, by default the one that runs here.
        warmup_code: runs before the agent's own warmup; names it reads are copied from the caller.
        locale: language of the job, by default the parent's.
        caller_frame: whose locals are copied.
        **kwargs: prompt parameters.

    Raises:
        ValueError: the agent has no MODEL metadata.
        CannotKeep: a value cannot be stored in a job.
        LLM_HarnessError: the parent may have no further child.
    """
    job = _start(agent, shared_vars, parent_job, warmup_code, locale, caller_frame, kwargs)
    return TaskFutureResult(job, job, None)


@tool(effect="write")
@temporal(complement=exit_of, condition=has_ended)
def delegate_task(
    agent: Any,
    warmup_code: Any = None,
    parent_job: Job | None = None,
    shared_vars: dict[str, Any] | None = None,
    locale: Any = None,
    **kwargs: Any,
) -> TaskFutureResult:
    """Have another agent do a task; gives its exit status and its job, and raises TaskFailed when it failed.

    Args:
        agent: the agent.
        warmup_code: code that runs first in its job; names it reads are copied from here.
        parent_job: the job it belongs to, by default this one.
        shared_vars: names and values for its job.
        locale: its language, by default that of the parent.
        **kwargs: parameters of its prompt.
    """
    return create_future_task(agent, shared_vars, parent_job, warmup_code, locale, **kwargs)


@tool(effect="write")
@temporal(extends=delegate_task)
def delegate_mute_task(
    agent: Any,
    warmup_code: Any = None,
    parent_job: Job | None = None,
    shared_vars: dict[str, Any] | None = None,
    locale: Any = None,
    **kwargs: Any,
) -> TaskFutureResult:
    """Have another agent do a task in silence: as `delegate_task`, and what it says reaches no user.

    Args:
        agent: the agent.
        warmup_code: code that runs first in its job; names it reads are copied from here.
        parent_job: the job it belongs to, by default this one.
        shared_vars: names and values for its job.
        locale: its language, by default that of the parent.
        **kwargs: parameters of its prompt.
    """
    return create_future_task(agent, shared_vars, parent_job, warmup_code, locale, **kwargs)


def replies_of(future: TaskFutureResult) -> Any:
    """What the job said, line after line; of one that failed its exit status, else why.

    Raises:
        FutureError: it has not ended.
    """
    job = ended_job(future)
    if job.error is None:
        return "\n".join(job.get_chat_responses())
    return job.error.error_message if job.exit_value is None else job.exit_value


@tool(effect="write")
@temporal(complement=replies_of, condition=has_ended)
def delegate_mute_dialog(
    agent: Any,
    message: Any,
    parent_job: Job | None = None,
    shared_vars: dict[str, Any] | None = None,
    locale: Any = None,
    **kwargs: Any,
) -> TaskFutureResult:
    """Ask another agent something and wait for what it replies, as text; when it failed, for the reason.

    Args:
        agent: the agent.
        message: what it is told first.
        parent_job: the job it belongs to, by default this one.
        shared_vars: names and values for its job.
        locale: its language, by default that of the parent.
        **kwargs: parameters of its prompt.
    """
    future = create_future_task(agent, shared_vars, parent_job, None, locale, **kwargs)
    future.job.push_user_message(message)
    return future


@tool(effect="write")
def start_dialog(
    agent: Any,
    message: Any,
    warmup_code: Any = None,
    parent_job: Job | None = None,
    shared_vars: dict[str, Any] | None = None,
    locale: Any = None,
    **kwargs: Any,
) -> Job:
    """Start a job of another agent with a first message, and go on without waiting; gives the job.

    Args:
        agent: the agent.
        message: what it is told first.
        warmup_code: code that runs first in its job; names it reads are copied from here.
        parent_job: the job it belongs to, by default this one.
        shared_vars: names and values for its job.
        locale: its language, by default that of the parent.
        **kwargs: parameters of its prompt.
    """
    job = _start(agent, shared_vars, parent_job, warmup_code, locale, None, kwargs)
    job.push_user_message(message)
    return job


def _start(
    agent: Any,
    shared_vars: dict[str, Any] | None,
    parent_job: Job | None,
    warmup_code: Any,
    locale: Any,
    caller_frame: FrameType | None,
    given: dict[str, Any],
) -> Job:
    params = dict(given)
    context = params.pop(CONTEXT, None)  # the names of the code that called, when code of a job did
    values: dict[str, Any] = {}
    if warmup_code is not None:
        names = context if context is not None and caller_frame is None else (caller_frame or _caller()).f_locals
        values = referenced(warmup_code, names)
    parent = parent_job if parent_job is not None else current.get_current_job()
    job = make_child(agent, {**values, **(shared_vars or {})}, parent, warmup_code, locale, params)
    if parent is not None:
        job.handler = DelegationHandler(job)
        parent.add_child(job.handler)
    return job


def _caller() -> FrameType:
    """The nearest frame that is not the kit's own."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the caller's names are what is documented
    while frame is not None and str(frame.f_globals.get("__name__", "")).startswith(_KIT):
        frame = frame.f_back
    if frame is None:
        raise BugError("a task was delegated without a caller")
    return frame
