"""The documented host in a process of its own, beside a worker and around one."""

import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.projects import LONGEST, REPO, Project, events, until
from tests.asking_http import UnixClient
from tests.doors.test_quickstart import Quickstart
from tests.loopback_llm import LoopbackLLM

pytestmark = pytest.mark.timeout(300)
EVENT = next(event for event in events(6) if event["type"] == "earthquake" and event["mag"] < 5)
INSIDE = """
import asyncio
import json

from quickstart_common import create_triage_agent, open_statek_store

from statek import start_statek_async
from statek.asgi import Identity, client_app
from statek.statek_client_api import StatekClientAPI
from tests.asking_http import ask_app

open_statek_store()
agent = create_triage_agent()
app = client_app(StatekClientAPI(), lambda request: Identity("me"))


async def submit(body):
    return (await ask_app(app, "POST", "/jobs", json.dumps(body).encode())).json()["id"]


async def main():
    working = asyncio.create_task(start_statek_async(agents=[agent]))
    job = await submit({"agent": "triage_agent", "inputs": {"event": {"n": 1}}, "id": "1"})
    found = (await ask_app(app, "GET", f"/jobs/{job}/wait?timeout=60")).json()
    nobody = await submit({"agent": "nobody", "inputs": {}})
    refused = (await ask_app(app, "GET", f"/jobs/{nobody}/wait?timeout=60")).json()
    print(found["id"], found["outcome"], found["result"], refused["outcome"])
    await app.close()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


asyncio.run(main())
"""


def takes_calls(path: Path) -> bool:
    """Whether somebody listens at the socket; its file is there a little earlier."""
    with socket.socket(socket.AF_UNIX) as caller:
        return caller.connect_ex(str(path)) == 0


@contextmanager
def host(desk: Project) -> Iterator[UnixClient]:
    """The host of the documents, as it stands there, served by uvicorn on a socket."""
    text = (REPO / "docs/client-api.md").read_text()
    [source] = re.findall(r"<!-- file: host.py -->\n```python\n(.*?)```", text, re.DOTALL)
    desk.write("host.py", source)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "h.sock"
        process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "host:app", "--uds", str(path)], cwd=desk.root,
            env=desk._environment() | {"DESK_TOKEN": "t0ken"}, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            until(lambda: takes_calls(path) or process.poll() is not None, "the host serves")
            yield UnixClient(path, base="/statek", head={"Authorization": "Bearer t0ken"}, timeout=90)
        finally:
            process.terminate()
            process.wait(LONGEST)


def test_the_documented_host_works_beside_a_worker(applied: Project) -> None:
    """Submit, wait and read the result over HTTP while another process has the store; a stranger gets nothing."""
    with applied.serving("--no-watch"), host(applied) as client:
        job = client.post("/jobs", json={"agent": "triage", "inputs": {"event": EVENT}, "id": "one"}).json()
        assert job["id"] == "triage/one"
        found = client.get("/jobs/triage/one/wait", params={"timeout": 60}).json()
        assert (found["status"], found["outcome"], found["result"]) == ("DONE", "ok", "filed")
        assert client.get("/jobs/triage/one", headers={"Authorization": "Bearer x"}).status_code == 401
        assert client.post("/jobs", json={"agent": "analyst", "inputs": {}}).status_code == 403
        assert client.get("/openapi.json").json()["servers"] == [{"url": "/statek"}]


def test_it_works_in_the_process_that_has_the_store(tmp_path: Path) -> None:
    """One loop serves clients and runs the jobs; an agent that nobody made is refused, and the client hears of it."""
    with LoopbackLLM(lambda _: 'exit("triaged")') as llm:
        quickstart = Quickstart(tmp_path, llm.url)
        quickstart.env["STATEK_LOGS_PATH"] = "logs"
        (tmp_path / "inside.py").write_text(INSIDE)
        assert quickstart.run("inside.py") == "triage_agent/1 ok triaged refused\n"
    assert len(list((tmp_path / "logs").glob("triage_agent_*.log"))) == 1
