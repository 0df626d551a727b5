"""What a job's code and its tools may ask and tell about their own job: names, persistent context, notices, difficulty.

Offered to agents made in Python and importable by applications. Everything is about the job that runs here; nothing
reads a clock or makes anything up, so that a replay comes to the same.
"""

import itertools
from typing import Any

from statek.store import current
from statek.store.chat_items import NotificationLogItem, SubTaskLogItem
from statek.store.job import Job
from statek.store.pyenv import PERM_CTX
from statek.store.subtask import SubTaskHandler


def get_pending_notifications() -> list[str]:
    """What the current job was told by children and other jobs and its model has not read yet.

    Raises:
        RuntimeError: outside of a job.
    """
    items = _current("get_pending_notifications").pending_notifications()
    return [item.message for item in items if isinstance(item, SubTaskLogItem | NotificationLogItem)]


def send_notification_to(target: Any, message: str) -> None:
    """Send a text to another job; its model reads it before its next answer.

    Args:
        target: a Job, or the handler of one.
        message: the text.

    Raises:
        TypeError: the target is something else.
    """
    job = target.job if isinstance(target, SubTaskHandler) else target
    if not isinstance(job, Job):
        raise TypeError(f"a notification goes to a Job or a SubTaskHandler, not to a {type(target).__name__}")
    job.send_notification(message)


def panic() -> str:
    """Raise the difficulty of the current job by one level, when the task turns out to be harder than it seemed.

    Raises:
        RuntimeError: outside of a job, or at the highest level already.
    """
    return f"# task difficulty raised to {_current('panic').panic().name}"


def find_locals(var_type: type | None = None, var_name: str | None = None, ext_scan: bool = True) -> list[Any]:
    """Values of the current job's names: by name, by type or all; with `ext_scan` of its persistent context too.

    Raises:
        RuntimeError: outside of a job.
        FutureError: the value of `var_name` is not ready.
    """
    return list(_current("find_locals").find_locals(var_type, var_name, ext_scan))


def perm_ctx_set(**values: Any) -> None:
    """Put values into the current job's persistent context, which lasts as long as the job.

    Raises:
        RuntimeError: outside of a job.
        CannotKeep: a value cannot be stored.
    """
    job = _current("perm_ctx_set")
    job.add_locals(**{PERM_CTX: {**(job.read_names().get(PERM_CTX) or {}), **values}})


def perm_ctx_get(key: str, *default: Any) -> Any:
    """A value of the current job's persistent context, or the default.

    Raises:
        KeyError: there is none, and no default.
        RuntimeError: outside of a job, and no default.
        TypeError: more than one default.
    """
    if len(default) > 1:
        raise TypeError(f"perm_ctx_get takes a key and a default, {1 + len(default)} arguments were given")
    if default and current.get_current_job() is None:
        return default[0]
    found = _current("perm_ctx_get").read_names().get(PERM_CTX) or {}
    if key not in found and default:
        return default[0]
    return found[key]


def perm_ctx_set_unique(key: str, value: Any) -> str:
    """Put a value into the persistent context under `key`, or the first of `key_1`, `key_2`, ... that is free.

    Returns:
        The name it got. Raises as `perm_ctx_set`.
    """
    names = _current("perm_ctx_set_unique").read_names()
    taken = {*names, *(names.get(PERM_CTX) or {})}
    name = next(name for n in itertools.count() if (name := f"{key}_{n}" if n else key) not in taken)
    perm_ctx_set(**{name: value})
    return name


def statek_ctx_set(**values: Any) -> None:
    """Lay down values for other functions of the application that run for the current job in this process.

    Raises:
        RuntimeError: outside of a job.
    """
    scene = current.get_scene()
    if scene is None:
        raise RuntimeError("statek_ctx_set was called outside of a job")
    scene.context.update(values)


def statek_ctx_get(key: str, *default: Any) -> Any:
    """A value that `statek_ctx_set` laid down, else one of the agent's context, else the default.

    Raises:
        KeyError: there is none, and no default.
        RuntimeError: outside of a job, and no default.
        TypeError: more than one default.
    """
    if len(default) > 1:
        raise TypeError(f"statek_ctx_get takes a key and a default, {1 + len(default)} arguments were given")
    scene = current.get_scene()
    if scene is None and not default:
        raise RuntimeError("statek_ctx_get was called outside of a job")
    agent_context = getattr(current.get_current_agent(), "context", None) or {}
    for found in (scene.context if scene is not None else {}, agent_context):
        if key in found:
            return found[key]
    if default:
        return default[0]
    raise KeyError(key)


def _current(name: str) -> Job:
    job: Job | None = current.get_current_job()
    if job is None:
        raise RuntimeError(f"{name} was called outside of a job")
    return job
