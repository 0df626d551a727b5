"""Documented path of subtasks, delegation and job creation."""

from statek.runtime.delegated import (
    create_future_task,
    delegate_mute_dialog,
    delegate_mute_task,
    delegate_task,
    start_dialog,
)
from statek.runtime.delegation import (
    complete_sub_task,
    create_new_job,
    create_sub_task,
    submit_new_job,
    submit_new_jobs_batch,
)
from statek.store.subtask import SubTaskHandler, SubTaskState, TaskError
from statek.store.task_future import TaskFutureResult
from statek.text.warmup import referenced_names as get_referenced_locals

__all__ = [
    "SubTaskHandler",
    "SubTaskState",
    "TaskError",
    "TaskFutureResult",
    "complete_sub_task",
    "create_future_task",
    "create_new_job",
    "create_sub_task",
    "delegate_mute_dialog",
    "delegate_mute_task",
    "delegate_task",
    "get_referenced_locals",
    "start_dialog",
    "submit_new_job",
    "submit_new_jobs_batch",
]
