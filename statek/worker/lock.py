"""The lock beside the store: whoever holds it may touch the store file, and is written in it.

An flock on `worker.lock`; the content (JSON: pid, role, socket) is for others to read. It never looks at the store
and never breaks a lock. Worker and reader take it, everybody asks `held_by`.

The one idea: the lock belongs to the open file, not to the process. The supervisor hands its open file down to the
child, so the lock is free only when both are gone, and a second writer cannot begin while the first one still ends.
"""

import fcntl
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from statek.exceptions import StoreError
from statek.worker.places import lock_file

Role = Literal["worker", "reader", "starting"]
TURN_SECONDS = 5.0  # how long to wait for a reader to finish, or for the child of a killed supervisor to end
_GLANCE_SECONDS = 0.1  # somebody may be looking whether the lock is free
_STEP_SECONDS = 0.02


@dataclass(frozen=True)
class Holder:
    """Who has the lock. `starting`: took it just now and has not said who it is yet (pid 0)."""

    pid: int
    role: Role
    socket: Path | None


class WorkerLock:
    """The lock, held. `descriptor` is handed to the child."""

    def __init__(self, descriptor: int) -> None:
        """Use `take`."""
        self.descriptor = descriptor

    def release(self) -> None:
        """Let go; whoever inherited the descriptor still holds it. Harmless when repeated."""
        if self.descriptor >= 0:
            os.ftruncate(self.descriptor, 0)
            os.close(self.descriptor)
            self.descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def take(store: Path, role: Role, socket: Path | None = None) -> WorkerLock:
    """Take the lock of the store's folder, which is made when it is missing.

    A worker that runs is not waited for. A reader, and a child whose supervisor was killed, are, for up to 5 s.

    Raises:
        StoreError: somebody else has it.
    """
    store.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(lock_file(store), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    began = time.monotonic()
    while not _try(descriptor, fcntl.LOCK_EX):
        holder = _read(descriptor)
        lives = holder.role == "worker" and _is_alive(holder.pid)
        if time.monotonic() - began > (_GLANCE_SECONDS if lives else TURN_SECONDS):
            os.close(descriptor)
            raise _refusal(store, holder)
        time.sleep(_STEP_SECONDS)
    content = json.dumps({"pid": os.getpid(), "role": role, "socket": None if socket is None else str(socket)})
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, content.encode(), 0)
    return WorkerLock(descriptor)


def held_by(store: Path) -> Holder | None:
    """Who has the lock now; None when it is free."""
    try:
        descriptor = os.open(lock_file(store), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return None if _try(descriptor, fcntl.LOCK_SH) else _read(descriptor)
    finally:
        os.close(descriptor)


def _try(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(descriptor: int) -> Holder:
    content = os.pread(descriptor, 4096, 0)
    try:
        data = json.loads(content)
    except ValueError:  # between taking and writing, or between truncating and writing
        return Holder(0, "starting", None)
    return Holder(data["pid"], data["role"], Path(data["socket"]) if data["socket"] else None)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _refusal(store: Path, holder: Holder) -> StoreError:
    if holder.role == "worker":
        return StoreError(
            f"another worker (pid {holder.pid}) already runs on {store}",
            hint="`statek status` shows what it does; stop it first to run one here",
        )
    who = f"a command (pid {holder.pid}) reads" if holder.role == "reader" else "another process uses"
    return StoreError(f"{who} the store {store} and does not end", hint="end it, or try again")
