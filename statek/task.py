"""Documented path of subtasks and job creation."""

from statek.runtime.delegation import complete_sub_task, create_new_job, create_sub_task
from statek.store.subtask import SubTaskHandler, SubTaskState, TaskError
from statek.text.warmup import referenced_names as get_referenced_locals

__all__ = [
    "SubTaskHandler",
    "SubTaskState",
    "TaskError",
    "complete_sub_task",
    "create_new_job",
    "create_sub_task",
    "get_referenced_locals",
]
