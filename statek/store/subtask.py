"""Handlers: what a parent job holds of a child job. State and rules; creating and waking jobs is the runtime's.

The handler refers to the child, and the child to the handler that is to be completed when it ends. Applications may
derive handlers of their own that say something else to the parent's model.
"""

import logging
from enum import Enum
from typing import Any

import dbzero as db0

from statek.exceptions import TaskFailed
from statek.sandbox import keep
from statek.store import current, root, workspace
from statek.store.derived import Derived
from statek.store.encoding import bytes_json, json_bytes
from statek.store.job import Job, JobStatus
from statek.store.layout import late_fields, lay_out, lay_out_first
from statek.text.llm_repr import llm_repr

_NOTHING = keep.dumps_value(None, workspace.OUTSIDE)[0]
MAX_RESULT = 2_000  # characters of a result in the parent's history
log = logging.getLogger(__name__)


class SubTaskState(Enum):
    """The parent's view of a child job."""

    WAITING = "waiting"  # the child has not begun
    STARTED = "started"  # it works
    COMPLETED = "completed"  # it gave a result
    ERROR = "error"  # it failed


class TaskError(TaskFailed):
    """Why a child job failed."""

    def __init__(self, err_message: str) -> None:
        """Keep the text."""
        super().__init__(err_message)
        self.err_message = err_message


@db0.memo(id="statek/SubTaskHandler")
class SubTaskHandler(Derived):
    """A child job as its parent sees it."""

    was_read = False  # by the job's code: no need to tell its model
    is_tried_again = False  # the job failed, another one is to take its place
    by_code = False  # an application made it, whose code may say itself what came of the job
    _late_fields = ("id_bytes", "_id_refs", "_error", "_result", "_refs", "was_read", "is_tried_again", "by_code")

    def __init__(self, job: Job, id: Any = None) -> None:  # noqa: A002 - documented name
        """Wrap `job`; `id` is the caller's own name for it. Raises CannotKeep for an id that cannot be stored."""
        self.job = job
        self.id_bytes: bytes | None = None
        self._id_refs: Any = None
        self.set_id(id)
        self.is_completed = False
        self.awaited = False
        self._error: bytes | None = None
        self._result: bytes | None = None
        self._refs: Any = None
        if type(self) is not SubTaskHandler:
            lay_out_first(self)
        elif root.is_first("has_handlers"):
            lay_out(self, late_fields(SubTaskHandler))

    @property
    def id(self) -> Any:
        """The caller's identifier, or None."""
        if self.id_bytes is None:
            return None
        return keep.loads_value(self.id_bytes, list(self._id_refs or ()), workspace.OUTSIDE)

    def set_id(self, id: Any) -> None:  # noqa: A002 - documented name
        """Give it an identifier. Raises CannotKeep for one that cannot be stored."""
        if id is not None:
            self.id_bytes, refs = keep.dumps_value(id, workspace.OUTSIDE)
            self._id_refs = list(refs) or None

    @property
    def error(self) -> TaskError | None:
        """Why it failed, or None."""
        return None if self._error is None else TaskError(bytes_json(self._error))

    @property
    def result(self) -> Any:
        """What it gave, or None."""
        result = self._result
        if result is None:
            return None
        return keep.loads_value(result, workspace.read_refs(self._refs), workspace.OUTSIDE)

    @property
    def state(self) -> SubTaskState:
        """Where it is."""
        if self.is_completed:
            return SubTaskState.COMPLETED if self._error is None else SubTaskState.ERROR
        return SubTaskState.WAITING if self.job.status == JobStatus.READY else SubTaskState.STARTED

    def complete(self, result: Any = None, error: Any = None) -> None:
        """Record the outcome and tell the parent. An empty `error` text is an error too.

        Raises:
            RuntimeError: it has an outcome already.
            ValueError: both a result and an error were given.
            CannotKeep: the result cannot be stored.
        """
        if self.is_completed:
            raise RuntimeError("this sub-task has an outcome already")
        if result is not None and error is not None:
            raise ValueError("a sub-task ends with a result or an error, not both")
        if error is not None:
            self._error = json_bytes(getattr(error, "err_message", None) or str(error))
        elif result is not None:
            self._result, refs = keep.dumps_value(result, workspace.OUTSIDE)
            self._refs = workspace.store_refs(refs) or None
        self._end(self.job)

    def complete_by_exit(self) -> None:
        """Record what the job gave to `exit`, as it is stored, and tell the parent. The handler has no outcome yet.

        A handler of an application that says itself what completing is, is asked to.
        """
        job = self.job
        if type(self).complete is not SubTaskHandler.complete:
            self.complete(result=job.exit_value)
            return
        given, refs = job.exit_bytes, job.exit_refs
        if given is not None and given != _NOTHING:
            self._result = given
            if refs is not None:
                self._refs = list(refs)
        self._end(job)

    def _end(self, job: Job) -> None:
        self.is_completed = True
        parent_id = job.parent_id
        parent = root.find_job(parent_id) if parent_id else None
        if parent is not None:
            self._tell(parent)

    def _tell(self, parent: Job) -> None:
        """Let the parent know of the end."""
        if self.awaited:
            current.announce(woken=parent.id)
        else:
            parent.push_notification(self)

    def brings_parent_back(self) -> bool:
        """Whether its end, which is still to come, lets a parent go on that has ended well meanwhile."""
        return not (self.is_completed or self.awaited)

    def get_log_message(self) -> str:
        """What the parent's model is told."""
        of_id = "" if self.id is None else f" id={self.id}"
        if self._error is not None:
            return f"[Error] sub-task{of_id} failed with {bytes_json(self._error)}"
        return f"[Notification] sub-task{of_id} completed successfully."

    def announcement(self) -> tuple[str, dict[str, Any]]:
        """What the parent's history gets: the text for its model, and the facts. A text that fails is replaced."""
        try:
            text = str(self.get_log_message())
        except Exception:
            log.exception("the message of a %s failed", type(self).__name__)
            text = f"[Notification] sub-task {self.job.id} has ended."
        note = {"child": self.job.id}
        if self._error is None and self._result is not None:
            note["result"] = _shown(self.result)
        return text, note

    def __llm_repr__(self) -> str:
        """What a console shows of it: the result, else where the child is. Unlike `str` it needs none."""
        if self._result is not None:
            return _shown(self.result)
        return f"<sub-task {self.job.id}: {self.state.value}>"

    def __str__(self) -> str:
        """The result as text. Raises RuntimeError while there is none."""
        if not self.is_completed:
            raise RuntimeError("the sub-task has not completed")
        if self._error is not None:
            raise RuntimeError(str(bytes_json(self._error)))
        return "" if self._result is None else str(self.result)


@db0.memo(id="statek/DelegationHandler")
class DelegationHandler(SubTaskHandler):
    """A child job that its parent waits for by a future: its end is no news, and wakes nobody by itself."""

    def _tell(self, parent: Job) -> None:
        """Say nothing: who waits is asked for by the future's condition."""

    def brings_parent_back(self) -> bool:
        """Never."""
        return False


def _shown(value: Any) -> str:
    try:
        text = value if isinstance(value, str) else llm_repr(value)
    except Exception as error:  # noqa: BLE001 - an object's own words may fail; the end is announced all the same
        text = f"({type(value).__name__} that cannot be shown: {type(error).__name__}: {error})"
    return text if len(text) <= MAX_RESULT else f"{text[:MAX_RESULT]}... ({len(text):,} characters)"
