"""The future of a job's end: what a job that has handed work to another one waits for.

The kit's own kind of future: it brings its condition and its value along, so a function that returns one needs no
`temporal`; one that has `temporal` may say something else of the same end.
"""

from collections.abc import Hashable
from typing import Any

import dbzero as db0

from statek.exceptions import FutureError, TaskFailed
from statek.store.future import FutureResult
from statek.store.job import Job


@db0.memo(id="statek/TaskFutureResult")
class TaskFutureResult(FutureResult):
    """The end of `job`; ready when it is DONE. The value is its exit status and the job itself.

    Attributes:
        job: the job that is waited for.
    """

    def __init__(self, job: Job, deps: Any, state_num: int | None) -> None:
        """Refer to `job`; `deps` and `state_num` as for every future. Raises TypeError for what cannot be stored."""
        super().__init__(deps, state_num)
        self.job = job
        self.set_complement_functions(exit_of, has_ended)

    def question(self) -> Hashable:
        """Whether this very job has ended."""
        return self._condition, str(db0.uuid(self.job))


def has_ended(future: TaskFutureResult) -> bool:
    """Is the job of the future DONE?"""
    return bool(future.job.is_done)


def exit_of(future: TaskFutureResult) -> tuple[Any, Job]:
    """What the job gave to `exit`, and the job.

    Raises:
        FutureError: it has not ended.
        TaskFailed: it failed, was cancelled or poisoned.
    """
    job = ended_job(future)
    if job.error is not None:
        raise TaskFailed(f"job {job.id} of agent {job.agent.role}: {job.error.error_message}")
    return job.exit_value, job


def ended_job(future: TaskFutureResult) -> Job:
    """The job. Raises FutureError before its end."""
    if not has_ended(future):
        raise FutureError(future)
    return future.job
