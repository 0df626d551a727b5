"""The documented quickstart, verbatim, in processes of its own against a model on loopback.

`quickstart/*.py.txt` are the documents' files, blank for blank; the test only lays them into a folder and runs them.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from statek.ledger.file import LedgerFile
from statek.ledger.records import Kind, Records
from tests.loopback_llm import LoopbackLLM

ROOT = Path(__file__).parents[2]
FILES = Path(__file__).parent / "quickstart"
SECONDS = 90.0
RUN_ASYNC = "import asyncio\nfrom worker_async import run_worker\nasyncio.run(run_worker())\n"
LOOK = """
import dbzero
from quickstart_common import open_statek_store
from statek.executors.job import Job
open_statek_store()
for job in dbzero.find(Job):
    print(job.status, job.outcome, job.exit_value, job.job_def.job_params, job.job_def.locale)
"""


def _hears_interrupts() -> None:
    """As in a terminal, also where the tests run in the background of a shell, which lets nobody there hear Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Quickstart:
    """The folder with the files, and the environment that the documents ask for."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        (folder / "statek-data").mkdir()  # mkdir -p ./statek-data
        for file in FILES.glob("*.py.txt"):
            (folder / file.stem).write_text(file.read_text())
        (folder / "run_async.py").write_text(RUN_ASYNC)
        (folder / "look.py").write_text(LOOK)
        keep = {name: value for name, value in os.environ.items() if not name.endswith(("_API_KEY", "_API_URL"))}
        asked = {"OPENROUTER_API_URL": url, "OPENROUTER_API_KEY": "test", "STATEK_LOG_LEVEL": "ERROR"}
        self.env = {**keep, **asked, "PYTHONPATH": str(ROOT)}

    def run(self, file: str) -> str:
        """Run a file to its end; its output."""
        command = [sys.executable, file]
        done = subprocess.run(
            command, cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def work(self, file: str, until: Callable[[], bool]) -> None:
        """Run a worker until `until` is true, then stop it as Ctrl-C does."""
        worker = subprocess.Popen(
            [sys.executable, file],
            cwd=self.folder,
            env=self.env,
            stderr=subprocess.DEVNULL,
            preexec_fn=_hears_interrupts,
        )
        try:
            end = time.monotonic() + SECONDS
            while not until():
                assert worker.poll() is None, "the worker ended by itself"
                assert time.monotonic() < end, "the job was not done in time"
                time.sleep(0.05)
            worker.send_signal(signal.SIGINT)
            worker.wait(SECONDS)
        finally:
            worker.kill()
            worker.wait()

    def has_said(self) -> bool:
        """Whether the ledger beside the store holds the end of a job. Not to be asked before the worker has begun."""
        for path in self.folder.rglob("*.ledger.sqlite"):
            with LedgerFile.open(path) as ledger:
                return any(record.kind == Kind.SAID for record in Records(ledger).after(0))
        return False


@pytest.fixture
def llm() -> Iterator[LoopbackLLM]:
    """A model that always ends the job."""
    with LoopbackLLM(lambda _: 'exit("triaged")') as server:
        yield server


@pytest.mark.parametrize("worker", ["worker.py", "run_async.py"])
def test_submitted_job_is_worked_on(tmp_path: Path, llm: LoopbackLLM, worker: str) -> None:
    """A job submitted before the worker runs is asked once and ends with what the model exits with."""
    quickstart = Quickstart(tmp_path, llm.url)
    assert quickstart.run("submit_direct.py").startswith("submitted job:")
    quickstart.work(worker, lambda: bool(llm.requests) and quickstart.has_said())
    assert quickstart.run("look.py") == "DONE ok triaged {'source': 'quickstart'} EN-US\n"
    assert len(llm.requests) == 1


def test_request_holds_prompt_and_warmup(tmp_path: Path, llm: LoopbackLLM) -> None:
    """The model sees the agent's prompt, the warmup's code as its own words, and its output as the answer."""
    quickstart = Quickstart(tmp_path, llm.url)
    quickstart.run("submit_direct.py")
    quickstart.work("worker.py", lambda: bool(llm.requests))
    system, code, output = llm.requests[0]["messages"]
    assert system["content"].startswith("You are a concise triage agent.")
    assert code["content"] == 'print("received event:", event)'
    assert output["content"].startswith("received event:")
    assert "Invoice total looks wrong" in output["content"]
