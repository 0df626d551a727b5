"""Starting helper processes of the worker so that none outlives its parent.

It knows how to start, not what is started. The supervisor, readers and recovery start with it; each started process
calls `tie_to_parent` first. The one idea: a process that may write the store must die with whoever watches it, so the
kernel is asked to kill it (Linux), and it holds the parent's lock as long as it lives.
"""

import ctypes
import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

_PR_SET_PDEATHSIG = 1

PYTHON = (sys.executable, "-P", "-m")  # -P: nothing is imported from the folder we happen to be in
FATAL = 78  # exit code of a child that reported why no other child could do better
FAILED = 75  # exit code of a child that reported why it cannot go on; another one may
CHILD = (*PYTHON, "statek.worker.child")


@dataclass(frozen=True)
class ChildOptions:
    """What a child is told, as JSON in its only argument. Paths are absolute.

    Attributes:
        root: the project's folder.
        env: its environment.
        store: the store's folder.
        python_path: where tool modules are found.
        hash_seed: PYTHONHASHSEED, the same for a store's whole life: replayed steps meet sets in the same order.
        socket: where to serve the control surface; None: nowhere.
        until_idle: end when nothing is left to do.
        watch: apply edits of the project's files.
        max_concurrency: instead of the fleet's; None: the fleet's.
        copy_now: make a copy of the store as soon as it is up to date.
        recover_only: bring the store up to date and end.
        parent: the process that started it.
        report: descriptor for reports.
        lock: descriptor of the lock.
    """

    root: str
    env: str
    store: str
    python_path: tuple[str, ...]
    hash_seed: int
    socket: str | None = None
    until_idle: bool = False
    watch: bool = False
    max_concurrency: int | None = None
    copy_now: bool = False
    recover_only: bool = False
    parent: int = 0
    report: int = -1
    lock: int = -1

    @classmethod
    def read(cls, text: str) -> Self:
        """What `start_child` wrote."""
        data = json.loads(text)
        return cls(**{**data, "python_path": tuple(data["python_path"])})


def hash_seed(store_id: str) -> int:
    """PYTHONHASHSEED for the children of a store: 1 to 4294967295, from its id."""
    return int(store_id[:8], 16) or 1


def start_child(command: Sequence[str], options: ChildOptions) -> "tuple[subprocess.Popen[bytes], int]":
    """Start a child; returns it and the descriptor its reports come from. Its stdout goes to our stderr."""
    ours, theirs = os.pipe()
    told = dataclasses.replace(options, parent=os.getpid(), report=theirs)
    try:
        process = start_tied(
            [*command, json.dumps(dataclasses.asdict(told))],
            pass_fds=tuple(fd for fd in (told.report, told.lock) if fd >= 0),
            stdout=sys.__stderr__.fileno() if sys.__stderr__ else subprocess.DEVNULL,
            more_env={"PYTHONHASHSEED": str(options.hash_seed)},
        )
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    return process, ours


def start_tied(
    command: Sequence[str],
    *,
    pass_fds: Sequence[int] = (),
    stdout: int = subprocess.DEVNULL,
    more_env: Mapping[str, str] | None = None,
) -> "subprocess.Popen[bytes]":
    """Start a process without stdin, in a group of its own.

    The group keeps a terminal's Ctrl-C from it, and lets `kill_group` take along what it has started.
    """
    return subprocess.Popen(  # noqa: S603 - our own module, or what a test gave
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        pass_fds=pass_fds,
        env={**os.environ, **(more_env or {})},  # handed on, not read
        process_group=0,
    )


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process of `start_tied` with all it has started, and wait for its end."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def tie_to_parent(parent: int) -> None:
    """Let this process be killed when `parent`, its parent, dies; end at once when it is dead already."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
