"""The control surface over a real Unix socket."""

import asyncio
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from statek.exceptions import LedgerError, NotApplied
from statek.worker import api
from statek.worker.server import Server, bind
from tests.asking_http import Answer, UnixClient


class Desk:
    """A surface that remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def health(self) -> dict[str, Any]:
        return {"state": "running"}

    def status(self) -> dict[str, Any]:
        return {
            "done": 3,
            "queued": {'q"1': 2},
            "release": "r-1",
            "env": "dev",
            "reload": {"ok": True},
            "usage": [{"name": "a", "answers": 2, "inputTokens": 7, "outputTokens": 3, "costUsd": 0.5}],
        }

    def jobs(self, **choice: Any) -> dict[str, Any]:
        self.asked.append(choice)
        return {"jobs": [{"id": "\ud800"}], "total": 1}

    def job(self, job: str) -> dict[str, Any]:
        if job != "q:a/b 1":
            raise NotApplied(f"there is no job {job!r}", hint="look")
        return {"id": job}

    def log(self, job: str) -> list[dict[str, Any]]:
        return [{"text": job}]

    async def prepare(self, release: str) -> list[dict[str, Any]]:
        if release == "r-0":
            raise LedgerError("there is no release r-0", hint="history")
        return [{"code": "STK502", "message": release, "object": "Agent/a"}]

    def poke(self) -> None:
        self.asked.append("poke")

    def shutdown(self) -> None:
        raise RuntimeError("secret of the process")


@pytest.fixture
def desk() -> Desk:
    """What the routes ask."""
    return Desk()


@pytest.fixture
async def path(desk: Desk) -> AsyncIterator[Path]:
    """The socket of a running server."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(api.build(desk), Path(folder) / "c.sock")
        server.start()
        yield server.path
        await server.stop()


async def ask(path: Path, method: str, url: str, **more: Any) -> Answer:
    """Ask without holding up the server."""
    return await asyncio.to_thread(UnixClient(path).request, method, url, **more)


def test_the_socket_is_its_owners_alone(tmp_path: Path) -> None:
    """Rights 0600, whatever the umask: nobody else may even connect."""
    before = os.umask(0)
    with bind(tmp_path / "c.sock"):
        assert stat.S_IMODE((tmp_path / "c.sock").stat().st_mode) == 0o600
    os.umask(before)


async def test_health_is_answered(path: Path) -> None:
    """GET /health gives JSON."""
    assert (await ask(path, "GET", "/health")).json() == {"state": "running"}


async def test_the_choice_of_jobs_is_passed_on(path: Path, desk: Desk) -> None:
    """Query parameters become the surface's own arguments."""
    await ask(path, "GET", "/jobs", params={"agent": "a", "all": "1", "limit": "7"})
    assert desk.asked == [{"agent": "a", "status": None, "everything": True, "limit": 7}]


async def test_half_a_surrogate_pair_does_not_spoil_an_answer(path: Path) -> None:
    """Text that is not valid Unicode comes through."""
    assert (await ask(path, "GET", "/jobs")).json()["jobs"] == [{"id": "\ud800"}]


async def test_a_job_id_may_hold_slashes_and_spaces(path: Path) -> None:
    """The whole rest of the path is the id."""
    assert (await ask(path, "GET", "/jobs/q:a/b%201")).json() == {"id": "q:a/b 1"}


async def test_an_unknown_job_is_404_with_a_hint(path: Path) -> None:
    """Errors have code, message and hint."""
    response = await ask(path, "GET", "/jobs/x")
    expected = {"error": {"code": "NotApplied", "message": "there is no job 'x'", "hint": "look"}}
    assert (response.status_code, response.json()) == (404, expected)


@pytest.mark.parametrize("limit", ["0", "-1", "x", "1e9", "99999999"])
async def test_a_wrong_limit_is_refused(path: Path, limit: str) -> None:
    """A limit that is no sensible number is the asker's mistake."""
    assert (await ask(path, "GET", "/jobs", params={"limit": limit})).status_code == 400


async def test_an_unknown_route_is_an_error_of_the_same_form(path: Path) -> None:
    """404 and 405 of the router itself look like every other error."""
    codes = [(await ask(path, verb, url)) for verb, url in (("GET", "/nothing"), ("GET", "/poke"))]
    assert [(r.status_code, set(r.json()["error"])) for r in codes] == [
        (404, {"code", "message", "hint"}), (405, {"code", "message", "hint"}),
    ]  # fmt: skip


async def test_prepare_gives_the_problems(path: Path) -> None:
    """POST /prepare answers with what is wrong with the release."""
    problems = (await ask(path, "POST", "/prepare", json={"release": "r-1"})).json()["problems"]
    assert [problem["message"] for problem in problems] == ["r-1"]


async def test_preparing_an_unknown_release_is_an_error(path: Path) -> None:
    """An error of the kit keeps its class, so that the asker can raise it again."""
    response = await ask(path, "POST", "/prepare", json={"release": "r-0"})
    assert (response.status_code, response.json()["error"]["code"]) == (409, "LedgerError")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"release": 1}', b"\xff"])
async def test_a_wrong_body_is_refused(path: Path, body: bytes) -> None:
    """A body that does not name a release is the asker's mistake."""
    assert (await ask(path, "POST", "/prepare", content=body)).status_code == 400


async def test_a_huge_body_is_refused(path: Path) -> None:
    """More than a megabyte is not read."""
    assert (await ask(path, "POST", "/prepare", content=b" " * (api.LONGEST_BODY + 1))).status_code == 413


async def test_a_poke_reaches_the_fleet(path: Path, desk: Desk) -> None:
    """POST /poke does one thing."""
    await ask(path, "POST", "/poke")
    assert desk.asked == ["poke"]


async def test_a_failure_of_the_worker_tells_nothing_of_it(path: Path) -> None:
    """What a bug says may hold anything: the asker learns its class, the log the rest."""
    response = await ask(path, "POST", "/shutdown")
    assert response.status_code == 500
    assert "secret" not in response.text


async def test_metrics_have_the_counts(path: Path) -> None:
    """GET /metrics is text for Prometheus, labels escaped."""
    text = (await ask(path, "GET", "/metrics")).text
    assert 'statek_jobs{state="done"} 3\n' in text
    assert 'statek_queued{queue="q\\"1"} 2\n' in text
    assert 'statek_agent_input_tokens_total{agent="a"} 7\n' in text
    assert 'statek_release_info{release="r-1",env="dev"} 1\n' in text


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
async def test_another_user_is_dropped_before_a_byte_is_read(path: Path) -> None:
    """Even with rights to the file, a connection of another user is closed without an answer."""
    os.chmod(path.parent, 0o755)  # noqa: PTH101 - no waiting in it
    os.chmod(path, 0o666)  # noqa: PTH101 - as above
    code = (
        "import os, socket, sys; os.setuid(65534); s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n"
        "try: s.sendall(b'GET /health HTTP/1.1\\r\\nHost: w\\r\\n\\r\\n'); got = s.recv(100)\n"
        "except OSError: got = b''\n"
        "sys.exit(len(got))"
    )
    other = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", code, str(path)], check=False)
    assert other.returncode == 0
    assert (await ask(path, "GET", "/health")).status_code == 200
