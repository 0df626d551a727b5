"""Handlers: a child as its parent sees it."""

from pathlib import Path
from typing import Any

import pytest

from statek.exceptions import CannotKeep, TaskFailed
from statek.store import current
from statek.store.agent import SupervisedAgent
from statek.store.job import Job, JobStatus
from statek.store.job_def import JobDef
from statek.store.subtask import SubTaskHandler, SubTaskState, TaskError


@pytest.fixture
def parent(store: Path) -> Job:
    """A job that may have children."""
    return Job(JobDef(SupervisedAgent("clerk", None, [], _metadata={"MODEL": "m"})))


def handler_in(parent: Job, id: Any = None) -> SubTaskHandler:  # noqa: A002 - as documented
    """A handler of a new child of `parent`."""
    return SubTaskHandler(Job(parent.job_def, parent_job=parent), id)


def test_states(parent: Job) -> None:
    """Waiting, started, then completed or error."""
    handler = handler_in(parent)
    assert handler.state is SubTaskState.WAITING
    handler.job.set_status(JobStatus.STARTED)
    assert handler.state is SubTaskState.STARTED
    handler.complete("x")
    assert handler.state is SubTaskState.COMPLETED
    other = handler_in(parent)
    other.complete(error="bad")
    assert other.state is SubTaskState.ERROR


def test_result(parent: Job) -> None:
    """The result is a value like any other, None included."""
    handler = handler_in(parent)
    assert handler.result is None
    handler.complete([1, {"a": (2,)}])
    assert handler.result == [1, {"a": (2,)}]
    nothing = handler_in(parent)
    nothing.complete()
    assert (nothing.is_completed, nothing.result, str(nothing)) == (True, None, "")


def test_error(parent: Job) -> None:
    """An error is kept as its text and given back as TaskError."""
    handler = handler_in(parent)
    handler.complete(error=TaskError("no luck"))
    assert isinstance(handler.error, TaskFailed)
    assert handler.error.err_message == "no luck"
    with pytest.raises(RuntimeError, match="no luck"):
        str(handler)


def test_one_outcome(parent: Job) -> None:
    """A second outcome, or two at once, are refused and change nothing."""
    handler = handler_in(parent)
    with pytest.raises(ValueError, match="not both"):
        handler.complete("x", "y")
    handler.complete("x")
    with pytest.raises(RuntimeError, match="an outcome already"):
        handler.complete("y")
    assert handler.result == "x"


def test_result_that_cannot_be_kept(parent: Job) -> None:
    """A result that cannot be stored is refused; the child has no outcome yet."""
    handler = handler_in(parent)
    with pytest.raises(CannotKeep):
        handler.complete(object())
    assert not handler.is_completed


@pytest.mark.parametrize(
    ("id_", "error", "text"),
    [
        (None, None, "[Notification] sub-task completed successfully."),
        ("a", None, "[Notification] sub-task id=a completed successfully."),
        (3, "bad", "[Error] sub-task id=3 failed with bad"),
        (None, "bad", "[Error] sub-task failed with bad"),
    ],
)
def test_log_message(parent: Job, id_: Any, error: str | None, text: str) -> None:
    """What the parent's model reads, word by word."""
    handler = handler_in(parent, id_)
    handler.complete(error=error)
    assert handler.get_log_message() == text


def test_parent_is_told(parent: Job) -> None:
    """The parent's history gets the note, at the time of the end; a finished parent goes back to work."""
    parent.set_status(JobStatus.DONE)
    with current.running(None, current.Scene(None, clock_us=77)):
        handler_in(parent).complete("x")
    assert [(item.kind, item.at_us) for item in parent.records] == [("subtask", 77)]
    assert parent.status == JobStatus.STARTED


def test_a_waiting_parent_needs_no_note(parent: Job) -> None:
    """A parent whose statement waits for the child reads the result there."""
    handler = handler_in(parent)
    handler.awaited = True
    handler.complete("x")
    assert parent.records == []


def test_text_needs_a_result(parent: Job) -> None:
    """`str` of a child that has not ended is an error; the console shows where it is instead."""
    handler = handler_in(parent)
    with pytest.raises(RuntimeError, match="has not completed"):
        str(handler)
    assert handler.__llm_repr__() == f"<sub-task {handler.job.id}: waiting>"
    handler.complete({"price": 7})
    assert handler.__llm_repr__() == '{"price":7}'
