"""An ASGI application that gives a host's own clients the client API over HTTP. Only where a host mounts it.

It routes, checks who asks, and translates; what is submitted goes through `StatekClientAPI` into the ledger, so it
works in the process that has the store and in any other one. The one idea: the host's loop never waits for a disk. All
ledger work runs on one thread of this application's own, with a connection of its own.

    app.mount("/statek", client_app(StatekClientAPI(store), authenticate))

What each route takes and gives stands in one table in `mount_table`, from which `/openapi.json` is made, too.
"""

import asyncio
import inspect
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from statek.base.redaction import SECRETS
from statek.exceptions import NotApplied, StatekError
from statek.ledger.submit import BadInputs, QueueFull
from statek.worker.api import Json
from statek.worker.client import JobHandle, StatekClientAPI
from statek.worker.mount_input import bad, key_of, list_of, object_of, own_key, read_body, seconds_of, text_of
from statek.worker.mount_table import OPERATIONS, Operation, openapi

MAX_BODY = 1 << 20  # bytes
_LOOK_SECONDS = 0.1
_CODES = {
    401: "Unauthenticated", 403: "Forbidden", 404: "NotFound", 405: "NotFound", 413: "TooLarge", 500: "Failed",
}  # fmt: skip
_PATH = re.compile(r"([A-Za-z_][\w.\[\]-]*): ")
_log = logging.getLogger(__name__)
_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Identity:
    """Who asks. `agents`: the only agents whose jobs it may start, see and stop; None: all."""

    name: str
    agents: frozenset[str] | None = None

    def may(self, agent: str | None) -> bool:
        """Whether it may have to do with jobs of this agent; None is an agent that nobody knows."""
        return self.agents is None or agent in self.agents


Authenticate = Callable[[Request], Awaitable[Identity | None] | Identity | None]


class Data(Json):
    """A good answer: what a job gave belongs to its client, as it is."""

    def render(self, content: Any) -> bytes:
        """The bytes of `content`."""
        return json.dumps(content, separators=(",", ":")).encode()


class ClientApp(Starlette):
    """What `client_app` gives. `close` lets go of the ledger; under a host's own lifespan, call it there."""

    desk: "_Desk"

    async def close(self) -> None:
        """Close the ledger's connection. Harmless when repeated."""
        await self.desk.close()


def client_app(api: StatekClientAPI, authenticate: Authenticate, *, max_body: int = MAX_BODY) -> ClientApp:
    """The client API as an ASGI application, for `app.mount(...)` or a server of its own.

    Args:
        api: whose store it is; its ledger is opened once more, on a thread of the application's own.
        authenticate: who asks, from the request; None refuses with 401. It may be `async`; one that is not must not
            wait. When it raises, the request ends with 500 and the reason is in the log only.
        max_body: bytes that a request's body may have; more is refused with 413.

    Raises:
        StoreError, LedgerError: the store has no ledger.
        TypeError: `authenticate` cannot be called.
    """
    if not callable(authenticate):
        raise TypeError(f"authenticate: expected a function from a request to an Identity, got {authenticate!r}")
    desk = _Desk(api.ledger_path)
    answers = _Answers(desk, max_body)

    def route(operation: Operation) -> Route:
        answer: Callable[[Request, Identity], Awaitable[Response]] = getattr(answers, operation.name)

        async def endpoint(request: Request) -> Response:
            return await answer(request, await _identity(authenticate, request))

        return Route(operation.path.replace("{id}", "{id:path}"), endpoint, methods=[operation.method])

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await desk.close()

    handlers: Any = {StatekError: _refuse, HTTPException: _refuse, Exception: _fail}
    app = ClientApp(routes=[route(one) for one in OPERATIONS], exception_handlers=handlers, lifespan=lifespan)
    app.desk = desk
    return app


class _Desk:
    """The one thread that has the ledger."""

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger
        self._thread = ThreadPoolExecutor(1, "statek-client")
        self._api: StatekClientAPI | None = None

    async def ask(self, work: Callable[[StatekClientAPI], _Found]) -> _Found:
        """What `work` says, from that thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, work)

    async def close(self) -> None:
        """Close the ledger; the next question opens it again."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)

    def _run(self, work: Callable[[StatekClientAPI], _Found]) -> _Found:
        if self._api is None:
            self._api = StatekClientAPI(self._ledger)
        return work(self._api)

    def _close(self) -> None:
        if self._api is not None:
            self._api.close()
            self._api = None


class _Answers:
    """One method for each operation of the table."""

    def __init__(self, desk: _Desk, max_body: int) -> None:
        self._desk = desk
        self._max_body = max_body

    async def openapi(self, request: Request, _who: Identity) -> Response:
        return Data(openapi(str(request.scope.get("root_path", ""))))

    async def submit(self, request: Request, who: Identity) -> Response:
        body = await read_body(request, self._max_body)
        agent, inputs = text_of(body, "agent"), object_of(body, "inputs")
        _require(who, agent)
        return Data(await self._desk.ask(partial(_submit, agent=agent, batch=[(inputs, key_of(request, body))])), 202)

    async def submit_batch(self, request: Request, who: Identity) -> Response:
        body = await read_body(request, self._max_body)
        agent = text_of(body, "agent")
        _require(who, agent)
        jobs = list_of(body, "jobs")
        for place, job in enumerate(jobs):
            if not isinstance(job, dict):
                raise bad(f"jobs[{place}]", "expected an object", job)
        batch = [(object_of(job, "inputs", f"jobs[{place}]."), own_key(job)) for place, job in enumerate(jobs)]
        return Data(await self._desk.ask(partial(_submit, agent=agent, batch=batch, is_batch=True)), 202)

    async def job(self, request: Request, who: Identity) -> Response:
        return Data(await self._desk.ask(partial(_job, who=who, job_id=request.path_params["id"])))

    async def wait(self, request: Request, who: Identity) -> Response:
        """The same when the job has ended, or after the time given."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds_of(request.query_params.get("timeout", "30"))
        pause = _LOOK_SECONDS
        while True:
            found = await self._desk.ask(partial(_job, who=who, job_id=request.path_params["id"]))
            left = until - loop.time()
            if found["status"] == "DONE" or left <= 0:
                return Data(found)
            await asyncio.sleep(min(pause, left))
            pause = min(pause * 1.2, 1.0)  # many may wait long for the same thread

    async def push(self, request: Request, who: Identity) -> Response:
        body = await read_body(request, self._max_body)
        text, key = text_of(body, "text"), key_of(request, body)
        work = partial(_push, who=who, job_id=request.path_params["id"], text=text, key=key)
        return Data(await self._desk.ask(work), 202)

    async def cancel(self, request: Request, who: Identity) -> Response:
        return Data(await self._desk.ask(partial(_cancel, who=who, job_id=request.path_params["id"])), 202)

    async def put(self, request: Request, who: Identity) -> Response:
        body = await read_body(request, self._max_body)
        items = list_of(body, "items")
        key = text_of(body, "key") if "key" in body else None
        work = partial(_put, who=who, queue=request.path_params["name"], items=items, key=key)
        return Data(await self._desk.ask(work), 202)


# -- what the thread does -----------------------------------------------------------------------------------------


def _submit(
    api: StatekClientAPI, *, agent: str, batch: list[tuple[dict[str, Any], str | None]], is_batch: bool = False
) -> dict[str, Any]:
    places = [f"jobs[{place}].inputs" for place in range(len(batch))] if is_batch else ["inputs"]
    inputs, keys = [entry[0] for entry in batch], [entry[1] for entry in batch]
    jobs = [{"id": job.id, "status": job.status()} for job in api.submit_batch(agent, inputs, ids=keys, places=places)]
    return {"jobs": jobs} if is_batch else jobs[0]


def _job(api: StatekClientAPI, *, who: Identity, job_id: str) -> dict[str, Any]:
    handle = _find(api, who, job_id)
    told = handle.told() or {}
    return {
        "id": handle.id, "status": handle.status(), "outcome": told.get("outcome"), "result": told.get("result"),
        "resultType": told.get("resultType"), "error": SECRETS.text(told.get("error") or "") or None,
    }  # fmt: skip


def _push(api: StatekClientAPI, *, who: Identity, job_id: str, text: str, key: str | None) -> dict[str, Any]:
    handle = _find(api, who, job_id)
    handle.push(text, key=key)
    return {"id": handle.id, "status": handle.status()}


def _cancel(api: StatekClientAPI, *, who: Identity, job_id: str) -> dict[str, Any]:
    handle = _find(api, who, job_id)
    return {"id": handle.id, "asked": handle.cancel(), "status": handle.status()}


def _put(api: StatekClientAPI, *, who: Identity, queue: str, items: list[Any], key: str | None) -> dict[str, Any]:
    if who.agents is not None:
        _require(who, api.agent_of(f"{queue}:"), f"queue {queue!r}")
    places = [f"items[{place}]" for place in range(len(items))]
    done = api.put(queue, items, key=key, places=places)
    return {"ids": list(done.ids), "new": done.new, "known": done.known, "dropped": done.dropped}


def _find(api: StatekClientAPI, who: Identity, job_id: str) -> JobHandle:
    """The job; one that the caller may not see does not exist for it."""
    handle = api.job(job_id)
    if (who.agents is not None and not who.may(api.agent_of(job_id))) or not handle.exists():
        raise NotApplied(f"there is no job {job_id!r}", hint="submit it first")
    return handle


# -- what comes in ------------------------------------------------------------------------------------------------


async def _identity(authenticate: Authenticate, request: Request) -> Identity:
    """Who asks. Whatever goes wrong here lets nobody in."""
    try:
        found = authenticate(request)
        who = await found if inspect.isawaitable(found) else found
    except Exception as error:
        _log.exception("authenticate failed")
        raise HTTPException(500, "who asks could not be found out") from error
    if who is None:
        raise HTTPException(401, "nobody the host knows", headers={"WWW-Authenticate": "Bearer"})
    if not isinstance(who, Identity):
        _log.error("authenticate gave %s, expected an Identity or None", type(who).__name__)
        raise HTTPException(500, "who asks could not be found out")
    return who


def _require(who: Identity, agent: str | None, what: str = "") -> None:
    if not who.may(agent):
        raise HTTPException(403, f"{what or f'agent {agent!r}'} is not for {who.name!r}")


# -- errors -------------------------------------------------------------------------------------------------------


async def _refuse(_request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException):
        code = _CODES.get(error.status_code, "BadRequest")
        return _error(error.status_code, code, error.detail, headers=error.headers)
    assert isinstance(error, StatekError)
    if isinstance(error, BadInputs):
        return _error(400, "BadInputs", str(error), error.hint, problems=[_problem(line) for line in error.problems])
    if isinstance(error, NotApplied | QueueFull):
        status = 404 if isinstance(error, NotApplied) else 429
        return _error(status, type(error).__name__, str(error), error.hint)
    _log.error("a client's request failed: %s", error, exc_info=error)
    return _error(
        503, "Unavailable", "the store cannot be used now", "try again; what was not acknowledged is not done"
    )


def _problem(line: str) -> dict[str, str]:
    """`jobs[3].inputs: event.mag: expected a number` as path and message."""
    path, _, rest = line.partition(": ")
    deeper = _PATH.match(rest)
    if deeper is None:
        return {"path": path, "message": rest}
    return {"path": f"{path}.{deeper[1]}", "message": rest[deeper.end() :]}


async def _fail(_request: Request, _error_raised: Exception) -> Response:
    # What is behind it goes to the host's log: Starlette raises the error again after this answer.
    return _error(500, "Failed", "the request failed inside the host", "look at the host's log")


def _error(
    status: int, code: str, message: str, hint: str = "", *, headers: Any = None, **more: Any
) -> Response:  # fmt: skip
    response = Json({"error": {"code": code, "message": message, "hint": hint, **more}}, status)
    response.headers.update(dict(headers or {}))
    return response
