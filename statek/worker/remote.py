"""Asking a live worker over its control socket.

It asks and translates errors back; it never opens the store. Used by `questions`. The one idea: a worker whose child is
being restarted is still a worker: as long as its lock is held, a question is asked again for up to five seconds.
"""

import json
import logging
import socket
import time
from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from statek import exceptions
from statek.exceptions import StatekError, StoreError
from statek.worker.lock import Holder, held_by

RESTART_SECONDS = 5.0
_ANSWER_SECONDS = 30.0
_STEP_SECONDS = 0.1
_AWAY = (ConnectionError, FileNotFoundError, BlockingIOError, HTTPException)  # not there yet, or died while it answered
_log = logging.getLogger(__name__)


class WorkerEnded(StoreError):  # noqa: N818 - says what happened
    """The worker ended before it answered."""


class RemoteQuestions:
    """Questions to the worker that holds the lock of a store. Errors of the worker come back as their own classes."""

    live = True

    def __init__(self, store: Path, holder: Holder) -> None:
        """Ask `holder`, a worker."""
        self._store = store
        self._holder = holder

    def health(self) -> dict[str, Any]:
        """Whether it runs, its pid, its release."""
        return self._ask("GET", "/health")

    def status(self) -> dict[str, Any]:
        """Counts of jobs, usage, the release, the last reload."""
        return self._ask("GET", "/status")

    def jobs(
        self, *, agent: str | None = None, status: str | None = None, everything: bool = False, limit: int = 50
    ) -> dict[str, Any]:
        """Job rows."""
        asked = {"agent": agent, "status": status, "all": "1" if everything else None, "limit": str(limit)}
        return self._ask("GET", "/jobs", params={name: value for name, value in asked.items() if value is not None})

    def job(self, job: str, *, values: bool = False) -> dict[str, Any]:
        """One job whole, with the values of its names when asked. Raises NotApplied for an unknown one."""
        return self._ask("GET", f"/jobs/{quote(job)}", params={"locals": "1"} if values else {})

    def log(self, job: str) -> list[dict[str, Any]]:
        """What one job said and did. Raises NotApplied for an unknown one."""
        return list(self._ask("GET", f"/log/{quote(job)}")["log"])

    def follow(self, job: str, start: str = "") -> dict[str, Any]:
        """What one job said and did since `start`, the `next` of the answer before. Raises NotApplied."""
        return self._ask("GET", f"/follow/{quote(job)}", params={"from": start})

    def forgettable(self, *, before_us: int, newest: int) -> dict[str, Any]:
        """Finished jobs that may be forgotten, families whole."""
        asked = {"before_us": str(before_us), "newest": str(newest)}
        return self._ask("GET", "/forgettable", params=asked)

    def prepare(self, release: str, timeout: float) -> list[dict[str, Any]]:
        """Let the worker try a staged release out. Raises StoreError when it does not answer within `timeout` s."""
        return list(self._ask("POST", "/prepare", body={"release": release}, timeout=timeout)["problems"])

    def copy_store(self, target: Path, timeout: float) -> None:
        """Let it copy the store to the new file `target`. Raises StoreError, also when `timeout` s are not enough."""
        self._ask("POST", "/copy", body={"target": str(target)}, timeout=timeout)

    def poke(self) -> None:
        """Let it look at the inbox now."""
        self._ask("POST", "/poke")

    def shutdown(self) -> None:
        """Ask it to end."""
        self._ask("POST", "/shutdown")

    def close(self) -> None:
        """Nothing is open between two questions."""

    def _ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        timeout: float = _ANSWER_SECONDS,
    ) -> dict[str, Any]:
        target = f"{path}?{urlencode(params)}" if params else path
        content = None if body is None else json.dumps(body).encode()
        until = time.monotonic() + RESTART_SECONDS
        while True:
            try:
                return _answer(*self._exchange(method, target, content, timeout))
            except TimeoutError as error:
                raise StoreError(
                    f"the worker (pid {self._holder.pid}) did not answer within {timeout:g} s",
                    hint="it may be busy importing or reading much; try again, or look at its log",
                ) from error
            except _AWAY as error:
                _log.debug("asking %s again: %s", path, error)
            self._require_restart(until)
            time.sleep(_STEP_SECONDS)

    def _exchange(self, method: str, target: str, content: bytes | None, timeout: float) -> tuple[int, bytes]:
        if self._holder.socket is None:
            raise ConnectionRefusedError("the worker has no socket yet")
        headers = {} if content is None else {"Content-Type": "application/json"}
        with closing(_SocketConnection(self._holder.socket, timeout)) as connection:
            connection.request(method, target, content, headers)
            response = connection.getresponse()
            return response.status, response.read()

    def _require_restart(self, until: float) -> None:
        """Return when it makes sense to ask again."""
        holder = held_by(self._store)
        if holder is None or holder.role == "reader":
            raise WorkerEnded(f"the worker (pid {self._holder.pid}) ended before it answered", hint="ask again")
        if time.monotonic() > until:
            raise StoreError(
                f"the worker (pid {holder.pid}) does not answer on {holder.socket}",
                hint="its process may be starting again and again: look at the worker's log",
            )
        if holder != self._holder and holder.role == "worker":
            self._holder = holder


class _SocketConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, timeout: float) -> None:
        """Nothing is opened yet. Connecting and each part of an answer may take `timeout` seconds."""
        super().__init__("worker", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Open the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _answer(status: int, body: bytes) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(body)
    if 200 <= status < 300:
        return data
    error = data["error"]
    kind = getattr(exceptions, str(error["code"]), StoreError)
    if not (isinstance(kind, type) and issubclass(kind, StatekError)):
        kind = StoreError
    raise kind(str(error["message"]), hint=str(error["hint"]))
