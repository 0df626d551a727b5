"""A model provider on loopback for tests: real HTTP, an OpenAI-style endpoint, answers as the test says.

    with LoopbackLLM(["hello", {"error": ...}, Canned(429, headers={"Retry-After": "2"})]) as llm:
        ... base_url=llm.url ...
    llm.requests[0]["messages"]        # the JSON bodies, in order of arrival

`answers` is a list, used in order (then HTTP 500), or a function from a request's JSON body to one answer. An answer is
text (what the assistant says), a dict (a whole JSON body), a Canned, or a Raw. Every path is answered alike.
"""

import json
import socket
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Canned:
    """A whole HTTP answer; `delay` seconds pass before it."""

    status: int = 200
    body: bytes | str | dict[str, Any] = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0


@dataclass(frozen=True)
class Raw:
    """Bytes for the socket as they are, numbers are seconds to wait; then the connection is closed."""

    parts: Iterable[bytes | float]


Reply = str | dict[str, Any] | Canned | Raw


def completion(text: str | None, *, calls: Sequence[tuple[str, Mapping[str, Any]]] = (), **more: Any) -> dict[str, Any]:
    """An OpenAI-style body saying `text` and calling tools, each a name and arguments."""
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if calls:
        message["tool_calls"] = [
            {"id": f"c{n}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
            for n, (name, arguments) in enumerate(calls, 1)
        ]
    usage = {"prompt_tokens": 10, "completion_tokens": 5}
    return {"id": "x", "model": "loopback-1", "choices": [{"index": 0, "message": message}], "usage": usage, **more}


class LoopbackLLM:
    """The server; `with` starts and stops it. `requests`, `headers` and `paths` are parallel, oldest first."""

    def __init__(self, answers: Sequence[Reply] | Callable[[dict[str, Any]], Reply] = ()) -> None:
        self.answers = answers if callable(answers) else list(answers)
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.url = ""
        self._given = 0
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._server: _Server | None = None

    def start(self) -> "LoopbackLLM":
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def stop(self) -> None:
        assert self._server is not None
        self._stopping.set()
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()

    def __enter__(self) -> "LoopbackLLM":
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def is_connected(self) -> bool:
        """Whether a connection is open that the server has not closed."""
        return self._server is not None and bool(self._server._open)

    def wait(self, seconds: float) -> bool:
        """Wait in a server thread; True when the server stops meanwhile."""
        return self._stopping.wait(seconds)

    def take(self, path: str, headers: dict[str, str], body: bytes) -> Reply:
        """Record a request and choose its answer."""
        data = json.loads(body)
        with self._lock:
            self.requests.append(data)
            self.headers.append(headers)
            self.paths.append(path)
            if not callable(self.answers):
                self._given += 1
                left = self._given <= len(self.answers)
                return self.answers[self._given - 1] if left else Canned(500, "no answer left in the test's list")
        return self.answers(data)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = True
    request_queue_size = 128

    def __init__(self, llm: LoopbackLLM) -> None:
        self.llm = llm
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self._open.discard(request)  # by now the end of the connection is on its way

    def hang_up(self) -> None:
        """Wake the threads that wait for a kept-alive connection's next request."""
        for request in list(self._open):
            try:
                request.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it closed by itself meanwhile

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that leave early are what many tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._give(self.server.llm.take(self.path, headers, body))

    def log_message(self, *args: Any) -> None:
        """Silent."""

    def _give(self, reply: Reply) -> None:
        if isinstance(reply, Raw):
            self._give_raw(reply)
            return
        if isinstance(reply, str):
            reply = completion(reply)
        if isinstance(reply, dict):
            reply = Canned(body=reply)
        if reply.delay and self.server.llm.wait(reply.delay):
            return
        body = json.dumps(reply.body) if isinstance(reply.body, dict) else reply.body
        payload = body.encode() if isinstance(body, str) else body
        headers = {"Content-Type": "application/json", "Content-Length": str(len(payload)), **reply.headers}
        head = f"HTTP/1.1 {reply.status} X\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + "\r\n"
        self.wfile.write(head.encode() + payload)

    def _give_raw(self, reply: Raw) -> None:
        self.close_connection = True
        for part in reply.parts:
            if isinstance(part, bytes):
                self.wfile.write(part)
            elif self.server.llm.wait(part):
                return
