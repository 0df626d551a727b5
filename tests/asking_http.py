"""Asking HTTP servers of ours in tests: one on a Unix socket, and an ASGI application without any socket."""

import asyncio
import json
import socket
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode


@dataclass
class Answer:
    """What came back."""

    status_code: int = 500
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return self.content.decode()

    def json(self) -> Any:
        return json.loads(self.content)


class UnixClient:
    """Asks the server of a socket, each time over a connection of its own; `head` goes with every request."""

    def __init__(
        self, path: Path, *, base: str = "", head: Mapping[str, str] | None = None, timeout: float = 30
    ) -> None:
        self._path, self._base, self._head, self._timeout = path, base, head or {}, timeout

    def get(self, url: str, **more: Any) -> Answer:
        return self.request("GET", url, **more)

    def post(self, url: str, **more: Any) -> Answer:
        return self.request("POST", url, **more)

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send `json` or the bytes `content`, and read the whole answer."""
        target = self._base + url + (f"?{urlencode(params)}" if params else "")
        body = _dumped(json) if json is not None else content
        with closing(HTTPConnection("host", timeout=self._timeout)) as connection:
            connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.sock.settimeout(self._timeout)
            connection.sock.connect(str(self._path))
            with suppress(BrokenPipeError):  # refused before it was sent whole; why is in the answer
                connection.request(method, target, body, {**self._head, **(headers or {})})
            answer = connection.getresponse()
            return Answer(answer.status, answer.read(), dict(answer.getheaders()))


async def ask_app(
    app: Any, method: str, url: str, content: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """One request to an ASGI application; one that raises before it answers is a 500, as servers make it."""
    path, _, query = url.partition("?")
    sent = {"host": "host", **{name.lower(): value for name, value in (headers or {}).items()}}
    if content is not None:
        sent["content-length"] = str(len(content))
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": unquote(path), "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        "server": ("host", 80), "client": ("127.0.0.1", 123),
    }  # fmt: skip
    answer, parts = Answer(), [{"type": "http.request", "body": content or b"", "more_body": False}]
    ended = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if parts:
            return parts.pop()
        await ended.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answer.status_code = message["status"]
            answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            answer.content += message.get("body", b"")
            if not message.get("more_body", False):
                ended.set()

    with suppress(Exception):
        await app(scope, receive, send)
    return answer


def _dumped(value: Any) -> bytes:
    return json.dumps(value).encode()
