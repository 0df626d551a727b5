"""Which job runs here: a context variable, set around everything a job causes, read by documented helpers.

Not a service locator: it answers `get_current_job()` for tools and nothing inside the kit decides by it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_job: ContextVar[Any] = ContextVar("statek_job", default=None)


def get_current_job() -> Any | None:
    """The job whose code or tool call runs now, or None outside of a job."""
    return _job.get()


def get_current_agent() -> Any | None:
    """The agent of the job that runs now, or None outside of a job."""
    job = _job.get()
    return None if job is None else job.agent


def get_current_agent_name() -> str | None:
    """The class name of the current agent, or None outside of a job."""
    agent = get_current_agent()
    return None if agent is None else type(agent).__name__


@contextmanager
def running(job: Any) -> Iterator[None]:
    """Make `job` the current one inside."""
    token = _job.set(job)
    try:
        yield
    finally:
        _job.reset(token)
