"""The control surface: routes that answer questions about a worker and its jobs, as JSON.

No input enters here: those go to the ledger. Served by the child on its Unix socket, asked by `remote`. The one idea:
every route runs on the child's loop, so between two passes, and only looks at the store; an answer is never half of a
step. Errors are `{"error": {"code", "message", "hint"}}`.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from statek.base.redaction import SECRETS
from statek.exceptions import NotApplied, StatekError
from statek.worker.metrics import as_text

LONGEST_BODY = 1 << 20  # bytes
MOST_ROWS = 100_000
_TRUE = {"1", "true", "yes"}


class Surface(Protocol):
    """What the routes ask. Each may raise a StatekError, NotApplied for an unknown job."""

    def health(self) -> dict[str, Any]:
        """Whether it runs, its pid, its release; cheap."""
        ...

    def status(self) -> dict[str, Any]:
        """Counts of jobs, usage, the release, the last reload."""
        ...

    def jobs(self, *, agent: str | None, status: str | None, everything: bool, limit: int) -> dict[str, Any]:
        """Job rows."""
        ...

    def job(self, job: str, *, values: bool = False) -> dict[str, Any]:
        """One job whole, with the values of its names when asked."""
        ...

    def log(self, job: str) -> list[dict[str, Any]]:
        """What one job said and did."""
        ...

    def follow(self, job: str, start: str) -> dict[str, Any]:
        """What one job said and did since `start`, the `next` of the answer before, and where it is."""
        ...

    def forgettable(self, *, before_us: int, newest: int) -> dict[str, Any]:
        """Finished jobs that may be forgotten, families whole."""
        ...

    async def prepare(self, release: str) -> list[dict[str, Any]]:
        """Try a staged release out."""
        ...

    async def copy_store(self, target: str) -> dict[str, Any]:
        """Copy the store as it is between two passes to a new file."""
        ...

    def poke(self) -> None:
        """Look at the inbox now."""
        ...

    def shutdown(self) -> None:
        """Begin to end."""
        ...


class Json(Response):
    """JSON in ASCII, so that half a surrogate pair in a job's text does not spoil the answer; without secrets."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The bytes of `content`."""
        return json.dumps(SECRETS.data(content), separators=(",", ":")).encode()


def build(surface: Surface) -> Starlette:
    """The application that answers for `surface`."""

    def get(path: str, answer: Callable[[Request], Any]) -> Route:
        async def endpoint(request: Request) -> Response:
            return Json(answer(request))

        return Route(path, endpoint, methods=["GET"])

    def post(path: str, answer: Callable[[Request], Awaitable[Any]]) -> Route:
        async def endpoint(request: Request) -> Response:
            return Json(await answer(request))

        return Route(path, endpoint, methods=["POST"])

    async def metrics(_request: Request) -> Response:
        return PlainTextResponse(SECRETS.text(as_text(surface.status())))

    async def prepare(request: Request) -> Any:
        return {"problems": await surface.prepare(await _text(request, "release"))}

    async def copy(request: Request) -> Any:
        return await surface.copy_store(await _text(request, "target"))

    async def poke(_request: Request) -> Any:
        surface.poke()
        return {"ok": True}

    async def shutdown(_request: Request) -> Any:
        surface.shutdown()
        return {"ok": True}

    routes = [
        get("/health", lambda _request: surface.health()),
        get("/status", lambda _request: surface.status()),
        get("/jobs", lambda request: surface.jobs(**_choice(request))),
        get("/jobs/{id:path}", lambda request: surface.job(request.path_params["id"], **_values(request))),
        get("/forgettable", lambda request: surface.forgettable(**_keep(request))),
        get("/log/{id:path}", lambda request: {"log": surface.log(request.path_params["id"])}),
        get("/follow/{id:path}", lambda request: surface.follow(request.path_params["id"], _start(request))),
        Route("/metrics", metrics, methods=["GET"]),
        post("/prepare", prepare),
        post("/copy", copy),
        post("/poke", poke),
        post("/shutdown", shutdown),
    ]
    return Starlette(routes=routes, exception_handlers={StatekError: _refuse, HTTPException: _refuse, Exception: _fail})


def _choice(request: Request) -> dict[str, Any]:
    asked = request.query_params
    limit = asked.get("limit", "50")
    if not limit.isascii() or not limit.isdigit() or not 0 < int(limit) <= MOST_ROWS:
        raise HTTPException(400, f"limit {limit[:20]!r}: expected a number from 1 to {MOST_ROWS}")
    everything = asked.get("all", "") in _TRUE
    return {"agent": asked.get("agent"), "status": asked.get("status"), "everything": everything, "limit": int(limit)}


def _values(request: Request) -> dict[str, bool]:
    return {"values": True} if request.query_params.get("locals", "") in _TRUE else {}


def _start(request: Request) -> str:
    return request.query_params.get("from", "")


def _keep(request: Request) -> dict[str, int]:
    asked = {name: request.query_params.get(name, "") for name in ("before_us", "newest")}
    for name, text in asked.items():
        if not (text.isascii() and text.isdigit()):
            raise HTTPException(400, f"{name} {text[:20]!r}: expected a whole number")
    return {name: int(text) for name, text in asked.items()}


async def _text(request: Request, name: str) -> str:
    """The text under `name`, the one thing that a body says."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_BODY:
            raise HTTPException(413, f"the body has more than {LONGEST_BODY} bytes")
    try:
        found = json.loads(body)[name]
    except (ValueError, TypeError, KeyError) as error:
        raise HTTPException(400, f'expected {{"{name}": "..."}}') from error
    if not isinstance(found, str):
        raise HTTPException(400, f"{name}: expected text, found {type(found).__name__}")
    return found


async def _refuse(_request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException):
        return _error(error.status_code, "BadRequest", error.detail, "")
    hint = error.hint if isinstance(error, StatekError) else ""
    return _error(404 if isinstance(error, NotApplied) else 409, type(error).__name__, str(error), hint)


async def _fail(_request: Request, error: Exception) -> Response:
    # What is behind it goes to the worker's log: Starlette raises the error again after this answer.
    return _error(500, "BugError", f"the worker failed to answer: {type(error).__name__}", "look at the worker's log")


def _error(status: int, code: str, message: str, hint: str) -> Response:
    return Json({"error": {"code": code, "message": message, "hint": hint}}, status)
