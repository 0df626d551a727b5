"""Error handlers of a job: registered, inherited, called once, never in the way."""

from pathlib import Path
from typing import Any

import pytest

from statek.exceptions import CannotKeep
from statek.store.agent import SupervisedAgent
from statek.store.job import Job, JobStatus
from statek.store.job_def import JobDef

calls: list[Any] = []


def note(context: Any, error: BaseException | None = None) -> None:
    """Remember a call."""
    calls.append((context, error))


def fail(context: Any, error: BaseException | None = None) -> None:
    """Fail."""
    calls.append(context)
    raise ValueError("no luck")


@pytest.fixture
def definition(store: Path) -> JobDef:
    """A definition of jobs."""
    calls.clear()
    return JobDef(SupervisedAgent("clerk", None, [], _metadata={"MODEL": "m"}))


def test_each_is_called_once(definition: JobDef) -> None:
    """Handlers are called in order with their contexts and the error; then the list is empty."""
    job, error = Job(definition), ValueError("x")
    job.add_error_handler(note, {"a": [1]})
    job.add_error_handler(note, job)
    job.notify_handlers(error)
    job.notify_handlers(error)
    assert calls == [({"a": [1]}, error), (job, error)]
    assert job.error_handlers is None


def test_a_failing_handler_stops_no_other(definition: JobDef, caplog: pytest.LogCaptureFixture) -> None:
    """What a handler raises is logged; the next one is called all the same."""
    job = Job(definition)
    job.add_error_handler(fail, 1)
    job.add_error_handler(note, 2)
    job.notify_handlers()
    assert calls == [1, (2, None)]
    assert "no luck" in caplog.text


def test_the_list_is_emptied_first(definition: JobDef) -> None:
    """A handler that makes the job call its handlers is not called again."""
    job = Job(definition)
    job.add_error_handler(notify_again, job)
    job.notify_handlers()
    assert calls == ["again"]


def notify_again(context: Any, error: BaseException | None = None) -> None:
    """Call the job's handlers again."""
    calls.append("again")
    context.notify_handlers(error)


def test_children_inherit(definition: JobDef) -> None:
    """Handlers are copied from a parent, which keeps its own."""
    parent, child = Job(definition), Job(definition)
    parent.add_error_handler(note, "p")
    child.add_error_handlers_from(parent)
    child.notify_handlers()
    assert (calls, len(parent.error_handlers)) == ([("p", None)], 1)


def test_handlers_survive_a_restart(definition: JobDef) -> None:
    """Only what can be found and stored again is taken."""
    job = Job(definition)
    with pytest.raises(ValueError, match="top level"):
        job.add_error_handler(lambda context, error=None: None, 1)
    with pytest.raises(CannotKeep):
        job.add_error_handler(note, object())


def test_the_newest_input_is_bound(definition: JobDef) -> None:
    """The agent's adapter gets the newest message only, after an ordinary handler."""
    definition.agent.context["critical_error_handler"] = note
    job = Job(definition, job_status=JobStatus.STARTED)
    job.add_error_handler(note, "mine")
    job.push_user_message("one")
    job.push_user_message("two")
    job.notify_handlers()
    assert calls == [("mine", None), ("two", None)]
