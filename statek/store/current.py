"""Which job runs here: a context variable, set around everything a job causes, read by documented helpers.

Not a service locator: it answers `get_current_job()` for tools. Functions of the kit that a tool may call also find the
stretch's clock and place here, because what they do inside a stretch must come out the same when it is run again.
"""

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from statek.base.clock import SystemClock


@dataclass
class Scene:
    """A job at work, and what its tools did to jobs.

    Attributes:
        job: the job.
        names: its live names while its code runs; None where they are the stored ones.
        clock_us: the stretch's clock; 0 outside of a stretch, where the machine's counts.
        place: turn and statement, from which ids of new jobs are derived; empty outside of a stretch.
        limits: what bounds its children, None outside of a stretch.
        added: names that the call in progress gave to the job.
        made: ids of jobs made meanwhile.
        woken: ids of jobs that can go on because of what was done.
        agent: stands for the job's own, in tests.
        context: what tools lay down for each other; it belongs to this process and is never stored.
    """

    job: Any
    names: dict[str, Any] | None = None
    clock_us: int = 0
    place: str = ""
    limits: Any = None
    added: dict[str, Any] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    woken: list[str] = field(default_factory=list)
    agent: Any = None
    context: dict[str, Any] = field(default_factory=dict)


_scene: ContextVar[Scene | None] = ContextVar("statek_scene", default=None)


def get_current_job() -> Any | None:
    """The job whose code or tool call runs now, or None outside of a job."""
    scene = _scene.get()
    return None if scene is None else scene.job


def get_current_agent() -> Any | None:
    """The agent of the job that runs now, or None outside of a job."""
    scene = _scene.get()
    if scene is None or scene.agent is not None:
        return None if scene is None else scene.agent
    return None if scene.job is None else scene.job.job_def.agent


def get_current_agent_name() -> str | None:
    """The role of the current agent (of an object without one the name of its class), or None outside of a job."""
    agent = get_current_agent()
    return None if agent is None else getattr(agent, "role", None) or type(agent).__name__


def get_scene() -> Scene | None:
    """What runs here, or None outside of a job."""
    return _scene.get()


def scene_of(job: Any) -> Scene | None:
    """What runs here if it is this job, else None."""
    scene = _scene.get()
    return scene if scene is not None and scene.job is not None and scene.job.id == job.id else None


def now_us() -> int:
    """The stretch's clock, or the machine's outside of a stretch."""
    scene = _scene.get()
    return scene.clock_us if scene is not None and scene.clock_us else SystemClock().now_us()


def derive_job_id() -> str | None:
    """The id of the next job that the running stretch makes; None outside of a stretch, where any new id will do."""
    scene = _scene.get()
    if scene is None or not scene.place:
        return None
    scene.job.subjobs += 1
    return f"{scene.job.id}.{scene.place}.{scene.job.subjobs}"


def announce(*, made: str | None = None, woken: str | None = None) -> None:
    """Tell the scheduler of the running job about a job that was made, or one that can go on."""
    scene = _scene.get()
    if scene is None:
        return
    if made is not None:
        scene.made.append(made)
    if woken is not None:
        scene.woken.append(woken)


class running:  # noqa: N801 - a context manager, used as a function
    """Make `job` the current one inside, with all that `scene` says of its stretch."""

    def __init__(self, job: Any, scene: Scene | None = None) -> None:
        self._scene = scene if scene is not None else Scene(job)

    def __enter__(self) -> Scene:
        self._token = _scene.set(self._scene)
        return self._scene

    def __exit__(self, *_error: object) -> None:
        _scene.reset(self._token)
