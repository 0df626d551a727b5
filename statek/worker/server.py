"""Serving the control surface on a Unix socket that only this user can reach.

It knows sockets, not routes. Run by the child. The one idea: the socket is bound here, with its rights, and never by
the server, which would leave it open to everybody and take over the signals of the process. Whoever connects as
another user is dropped before a byte is read.
"""

import asyncio
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette

from statek.exceptions import StoreError

_PEER = struct.Struct("3i")  # pid, uid, gid
_CONNECTIONS = 100


class OwnUserSocket(socket.socket):
    """A listening Unix socket that takes connections of its own user, and of root, alone."""

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection. Raises ConnectionAbortedError, which a server passes over, for another user's."""
        connection, address = super().accept()
        if peer_uid(connection) not in {os.getuid(), 0}:
            connection.close()
            raise ConnectionAbortedError("a connection of another user")
        return connection, address


def peer_uid(connection: socket.socket) -> int:
    """The user at the other end."""
    _, uid, _ = _PEER.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
    return int(uid)


def bind(path: Path) -> OwnUserSocket:
    """A socket at `path`, readable and writable by its owner alone; an old one is replaced (the lock is ours).

    Raises StoreError when it cannot be made.
    """
    bound = OwnUserSocket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        path.unlink(missing_ok=True)
        bound.bind(str(path))
    except OSError as error:
        bound.close()
        raise StoreError(f"the control socket {path} cannot be made: {error.strerror}") from error
    finally:
        os.umask(mask)
    return bound


class Server:
    """Serves one application at one path, from `start` to `stop`."""

    def __init__(self, application: Starlette, path: Path) -> None:
        config = uvicorn.Config(
            application, lifespan="off", log_config=None, access_log=False, http="h11", ws="none",
            server_header=False, limit_concurrency=_CONNECTIONS, timeout_graceful_shutdown=1,
        )  # fmt: skip
        self.path = path
        self._server = _QuietServer(config)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Bind the socket and serve on the running loop. Raises StoreError when it cannot be bound."""
        self._task = asyncio.create_task(self._server.serve(sockets=[bind(self.path)]))

    async def stop(self) -> None:
        """Answer what was asked, for up to a second, and remove the socket."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task
        with suppress(FileNotFoundError):
            self.path.unlink()


class _QuietServer(uvicorn.Server):
    """Leaves signals to the child."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield
