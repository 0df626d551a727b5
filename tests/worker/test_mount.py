"""The client API over HTTP: who gets in, what comes in, what goes out. No worker runs; the ledger is the truth."""

import asyncio
import dataclasses
import json
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from statek.asgi import ClientApp, Identity, client_app
from statek.ledger import inbox, releases
from statek.ledger.compiled import Agent, Backoff, Limits, Queue, Reload, Retry, encode
from statek.ledger.file import LedgerFile
from statek.ledger.records import Kind, Records, pack, said_key
from statek.ledger.releases import Release, StoredObject
from statek.statek_client_api import StatekClientAPI
from statek.worker.mount_table import OPERATIONS, openapi
from tests.asking_http import Answer, ask_app

RETRY = Retry(1, Backoff(1, 2, 2.0))
EVENT = {"type": "object", "properties": {"id": {"type": "string"}, "mag": {"type": "number"}}}
PEOPLE = {
    "Bearer all": Identity("all"),
    "Bearer triage": Identity("triage only", frozenset({"triage"})),
    "Bearer other": Identity("other only", frozenset({"other"})),
}


def agent(name: str) -> Agent:
    """An agent with one input."""
    return Agent(
        name=name, description="d", prompt="p", prompt_path="p.md", prompt_line=4, partials={}, model=("fast",),
        params={}, inputs={"event": EVENT}, output=None, vars={}, tools=(), subagents=(), warmup=None,
        limits=Limits(50, 200_000, None, 3_600_000_000, None, 10, 3, 0, 1), max_running=None, retry=RETRY,
        reload=Reload("on-resume", "next-job", "next-job", "next-job", "tighten-now"), chat_style="console",
        imports=(), locale=None, metadata={},
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a store whose ledger has two agents and a queue applied."""
    queue = Queue("quakes", "triage", "event", None, None, None, "refuse", RETRY, None, False)
    queue = dataclasses.replace(queue, dedupe_key="id")
    values = [("Agent", agent("triage")), ("Agent", agent("other")), ("Queue", queue)]
    objects = {
        f"{kind}/{value.name}": StoredObject(kind, value.name, f"{value.name}@1", encode(value), "f", 1, "a")
        for kind, value in values
    }
    release = Release(releases.release_id("dev", objects), "dev", objects)
    with LedgerFile.create(tmp_path / "ledger.sqlite") as ledger:
        releases.stage(ledger, release)
        releases.move_head(ledger, base=None, target=release.id, reason="apply", at_us=1)
    return tmp_path


@pytest.fixture
def ledger(folder: Path) -> Iterator[LedgerFile]:
    """The ledger, seen from outside."""
    with LedgerFile.open(folder / "ledger.sqlite") as file:
        yield file


def authenticate(request: Any) -> Identity | None:
    """By a table of tokens; one of them breaks it."""
    token = request.headers.get("authorization", "")
    if token == "Bearer boom":
        raise ValueError("the password of the database is hunter22")
    return PEOPLE.get(token)


@pytest.fixture
async def app(folder: Path) -> AsyncIterator[ClientApp]:
    """The application."""
    found = client_app(StatekClientAPI(folder), authenticate, max_body=2_000)
    yield found
    await found.close()


async def ask(app: Any, method: str, path: str, body: Any = None, *, as_: str = "all", **more: Any) -> Answer:
    """One request of somebody; `body` as JSON, bytes as they are."""
    content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {as_}", **more}
    return await ask_app(app, method, path, content, headers)


def end(ledger: LedgerFile, job: str, **told: Any) -> None:
    """Let a job have ended."""
    with ledger.transaction():
        Records(ledger).put(Kind.SAID, said_key(job, 0), pack(told))


async def test_a_job_is_acknowledged_in_the_ledger(app: ClientApp, ledger: LedgerFile) -> None:
    """What was answered with 202 waits in the inbox under the id that was told."""
    answer = await ask(app, "POST", "/jobs", {"agent": "triage", "inputs": {"event": {"id": "e1"}}})
    assert answer.status_code == 202
    entry = inbox.find(ledger, answer.json()["id"])
    assert entry is not None
    assert (entry.target, entry.body) == ("triage", {"inputs": {"event": {"id": "e1"}}})


@pytest.mark.parametrize("header", [True, False])
async def test_a_repeated_id_is_the_same_job(app: ClientApp, ledger: LedgerFile, header: bool) -> None:
    """Sent twice, by field or by header, it is one job."""
    body = {"agent": "triage", "inputs": {"event": {}}} | ({} if header else {"id": "x/1 é"})
    more = {"Idempotency-Key": "x-1"} if header else {}
    first, second = [(await ask(app, "POST", "/jobs", body, **more)).json() for _ in range(2)]
    assert first == second
    assert inbox.depth(ledger, "submit") == 1


async def test_a_batch_is_written_whole_or_not_at_all(app: ClientApp, ledger: LedgerFile) -> None:
    """One wrong entry refuses all, with the paths of what is wrong."""
    jobs = [{"inputs": {"event": {}}, "id": "a"}, {"inputs": {"event": {"mag": "big"}, "x": 1}}]
    answer = await ask(app, "POST", "/jobs/batch", {"agent": "triage", "jobs": jobs})
    problems = {problem["path"]: problem["message"] for problem in answer.json()["error"]["problems"]}
    assert answer.status_code == 400
    assert problems["jobs[1].inputs.event.mag"] == 'expected a number, got "big"'
    assert "jobs[1].inputs.x" in problems
    assert inbox.depth(ledger, "submit") == 0
    good = await ask(app, "POST", "/jobs/batch", {"agent": "triage", "jobs": jobs[:1]})
    assert good.json() == {"jobs": [{"id": "triage/a", "status": "WAITING"}]}


async def test_a_job_that_ended_tells_outcome_and_result(app: ClientApp, ledger: LedgerFile) -> None:
    """The result is what the job gave to exit, whatever it looks like."""
    job = (await ask(app, "POST", "/jobs", {"agent": "triage", "inputs": {"event": {}}})).json()["id"]
    assert (await ask(app, "GET", f"/jobs/{job}")).json()["outcome"] is None
    end(ledger, job, outcome="ok", result={"token": "sk-abcdefghijklmnopqrstuvwx"})
    found = (await ask(app, "GET", f"/jobs/{job}")).json()
    assert (found["status"], found["outcome"]) == ("DONE", "ok")
    assert found["result"] == {"token": "sk-abcdefghijklmnopqrstuvwx"}


async def test_waiting_ends_when_the_job_does(app: ClientApp, ledger: LedgerFile) -> None:
    """A client that waits hears of the end; the host's loop goes on meanwhile."""
    await ask(app, "POST", "/jobs", {"agent": "triage", "inputs": {"event": {}}, "id": "w"})
    asked = asyncio.create_task(ask(app, "GET", "/jobs/triage/w/wait?timeout=30"))
    assert (await ask(app, "GET", "/jobs/triage/w/wait?timeout=0")).json()["status"] == "WAITING"
    end(ledger, "triage/w", outcome="failed", error="no")
    assert (await asked).json()["error"] == "no"


async def test_messages_and_cancellations_reach_the_inbox(app: ClientApp, ledger: LedgerFile) -> None:
    """A message with an id is sent once; a second cancellation asks for nothing."""
    await ask(app, "POST", "/jobs", {"agent": "triage", "inputs": {"event": {}}, "id": "m"})
    for _ in range(2):
        assert (await ask(app, "POST", "/jobs/triage/m/messages", {"text": "hi", "id": "1"})).status_code == 202
    asked = [(await ask(app, "POST", "/jobs/triage/m/cancel")).json()["asked"] for _ in range(2)]
    assert asked == [True, False]
    assert [entry.body for entry in inbox.waiting(ledger, kinds=["push"])] == [{"text": "hi"}]


async def test_items_enter_a_queue(app: ClientApp) -> None:
    """By the queue's own key; known ones are counted as such."""
    items = [{"id": "e1"}, {"id": "e2"}]
    first = (await ask(app, "POST", "/queues/quakes/items", {"items": items})).json()
    assert first == {"ids": ["quakes:e1", "quakes:e2"], "new": 2, "known": 0, "dropped": 0}
    assert (await ask(app, "POST", "/queues/quakes/items", {"items": items})).json()["known"] == 2


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda found: found.name)
async def test_nobody_gets_in_without_a_name(app: ClientApp, operation: Any) -> None:
    """Every route refuses a stranger, and says nothing when the host's own check breaks."""
    path = operation.path.replace("{id}", "triage/x").replace("{name}", "quakes")
    stranger = await ask(app, operation.method, path, b"{}", as_="nobody")
    broken = await ask(app, operation.method, path, b"{}", as_="boom")
    assert (stranger.status_code, stranger.json()["error"]["code"]) == (401, "Unauthenticated")
    assert broken.status_code == 500
    assert "hunter22" not in broken.text


def test_there_is_no_way_to_leave_the_check_out(folder: Path) -> None:
    """`authenticate` is required."""
    with pytest.raises(TypeError, match="authenticate"):
        client_app(StatekClientAPI(folder), None)  # type: ignore[arg-type]


async def test_an_identity_sees_its_agents_alone(app: ClientApp) -> None:
    """Other agents' jobs do not exist for it, and it can start none, also not through a queue."""
    await ask(app, "POST", "/jobs", {"agent": "triage", "inputs": {"event": {}}, "id": "s"})
    await ask(app, "POST", "/queues/quakes/items", {"items": [{"id": "e1"}]})
    assert (await ask(app, "GET", "/jobs/triage/s", as_="triage")).status_code == 200
    assert (await ask(app, "GET", "/jobs/quakes:e1", as_="triage")).status_code == 200
    for path in ("triage/s", "quakes:e1"):
        hidden = [(await ask(app, "GET", f"/jobs/{path}", as_="other")), await ask(app, "GET", "/jobs/x", as_="other")]
        assert [answer.status_code for answer in hidden] == [404, 404]
        assert (await ask(app, "POST", f"/jobs/{path}/cancel", as_="other")).status_code == 404
    start = await ask(app, "POST", "/jobs", {"agent": "triage"}, as_="other")
    put = await ask(app, "POST", "/queues/quakes/items", {"items": [{"id": "e2"}]}, as_="other")
    assert (start.status_code, put.status_code) == (403, 403)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"[]", 400), (b"\xff", 400), (b'{"agent": 1}', 400), (b'{"agent": "triage", "inputs": []}', 400),
        (b'{"agent": "triage", "inputs": {"event": {"mag": NaN}}}', 400),
        (b'{"agent": "triage", "inputs": {"event": {"mag": 1e999}}}', 400), (b"[" * 1_900, 400), (b" " * 2_001, 413),
        (b'{"agent": "nobody", "inputs": {}}', 404),
        (b'{"agent": "triage", "inputs": {"event": {}}, "id": "wait"}', 400),
        (b'{"agent": "triage", "inputs": {"event": {}}, "id": 7}', 400),
    ],
)  # fmt: skip
async def test_what_does_not_fit_is_refused(app: ClientApp, ledger: LedgerFile, body: bytes, status: int) -> None:
    """With the status of its kind, an error of the one form, and nothing in the ledger."""
    answer = await ask(app, "POST", "/jobs", body)
    assert (answer.status_code, {"code", "message", "hint"} <= set(answer.json()["error"])) == (status, True)
    assert inbox.depth(ledger, "submit") == 0


@pytest.mark.parametrize("path", ["/jobs/triage/none", "/jobs/triage/none/wait?timeout=0", "/nothing"])
async def test_what_is_not_there_is_404(app: ClientApp, path: str) -> None:
    """Jobs nobody submitted and routes that do not exist."""
    assert (await ask(app, "GET", path)).status_code == 404


@pytest.mark.parametrize("seconds", ["x", "-1", "1e9", "nan"])
async def test_a_wrong_timeout_is_refused(app: ClientApp, seconds: str) -> None:
    """Seconds within the bound."""
    assert (await ask(app, "GET", f"/jobs/triage/x/wait?timeout={seconds}")).status_code == 400


async def test_the_hosts_loop_does_no_ledger_work(app: ClientApp) -> None:
    """The ledger is opened on a thread of its own."""
    await ask(app, "GET", "/jobs/triage/x")
    assert any(thread.name.startswith("statek-client") for thread in threading.enumerate())


async def test_answers_are_what_the_document_says(app: ClientApp) -> None:
    """Each answer fits its schema in /openapi.json, which knows where it is mounted."""
    paths = (await ask(app, "GET", "/openapi.json")).json()["paths"]
    job = await ask(app, "POST", "/jobs", {"agent": "triage", "inputs": {"event": {}}, "id": "d"})
    found = await ask(app, "GET", "/jobs/triage/d")
    for answer, place in ((job, paths["/jobs"]["post"]), (found, paths["/jobs/{id}"]["get"])):
        response = place["responses"][str(answer.status_code)]
        jsonschema.validate(answer.json(), response["content"]["application/json"]["schema"])
    assert openapi("/statek")["servers"] == [{"url": "/statek"}]
    assert set(paths) == {operation.path for operation in OPERATIONS}
