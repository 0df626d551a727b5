"""A host application that embeds the loops, and dies: `python -m tests.crash.host FOLDER EVENTS [end]`.

It opens dbzero itself, which then writes its file by itself a few times a second. Its own code pushes events for an
agent and messages to the jobs these became, each push in one transaction with the host's count of it. With `end` it
works until nothing is left, and prints what there is. Started with any hash seed, killed at any time.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import dbzero as db0

from statek.runtime.loops import run_jobs_loop
from statek.settings import LLM_API_Settings, StatekSettings, set_statek_settings
from statek.store.agent import SupervisedAgent
from statek.store.job import Job, JobStatus
from statek.store.queue import StatekPushQueue
from statek.store.root import current_root, find_agent
from statek.tools.registry import tool
from tests.loopback_llm import LoopbackLLM

PREFIX = "host"
WARMUP = "number = event['number']"
CODE = """\
kept = {f"e{number}.{n}" for n in range(4)}
count(number=number)
try:
    sent = [send(text=text) for text in kept]
except Exception as error:
    doubt(text=f"e{number}")
exit(number * 3)
"""


@db0.memo(id="crash/Host", singleton=True)
class Host:
    """What the host has pushed, and what its tools did."""

    def __init__(self) -> None:
        self.events = 0
        self.notes = 0
        self.counted: list[int] = []
        self.doubted: list[str] = []


@tool(effect="write")
def count(number: int, **_context: Any) -> None:
    """Count a number."""
    Host().counted.append(number)


@tool(effect="write")
def doubt(text: str, **_context: Any) -> None:
    """Keep a text of which not everything may have been sent."""
    Host().doubted.append(text)


@tool(effect="external")
def send(text: str, **_context: Any) -> str:
    """Send a text into the world."""
    descriptor = os.open("outside.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, f"{text}\n".encode())
    os.fsync(descriptor)
    os.close(descriptor)
    return text


class _Pushing:
    """The host's own code: called before each pass."""

    def __init__(self, agent: Any, events: int) -> None:
        self._agent = agent
        self._events = events

    def __call__(self, _capacity: int) -> None:
        host = Host()
        if host.events < self._events and sum(job.job_status != JobStatus.DONE for job in current_root().jobs) < 6:
            with db0.atomic():
                StatekPushQueue().push_to_agent_queue(self._agent, {"number": host.events})
                host.events += 1
        done = [job for job in current_root().jobs if job.job_status == JobStatus.DONE]
        if len(done) > host.notes:
            with db0.atomic():
                StatekPushQueue().push_to_job_console(done[host.notes].id, f"note {host.notes}.")
                host.notes += 1


def _answer(request: dict[str, Any]) -> str:
    told = str(request["messages"])
    return "exit('heard')" if "note " in told else CODE


def main(folder: Path, events: int, *, is_last: bool) -> None:
    """Live."""
    os.chdir(folder)
    with LoopbackLLM(_answer) as llm:
        api = LLM_API_Settings(api_url=llm.url, api_key="test")
        set_statek_settings(StatekSettings(
            llm_api_settings={"OPENROUTER": api}, max_turns=50, max_exceptions=9, max_consecutive_exceptions=9,
            max_token_usage=1_000_000,
        ))  # fmt: skip
        db0.init(str(folder), prefix=PREFIX)
        agent = find_agent(role="listener")
        if agent is None:
            agent = SupervisedAgent("listener", "Listen.", [count, doubt, send], _metadata={"MODEL": "f/m"})
            agent.update_warmup_def(WARMUP)
            Host()
            db0.commit()
        (folder / "alive").touch()
        pushing = _Pushing(agent, 0 if is_last else events)
        asyncio.run(run_jobs_loop(
            queue_prefixes=[PREFIX], start_jobs_func=None if is_last else pushing, auto_terminate=is_last,
        ))  # fmt: skip
        _tell()
        db0.close()
    os._exit(0)


def _tell() -> None:
    host = Host()
    jobs = [job for job in current_root().jobs if job is not None]
    found = {
        "events": host.events, "notes": host.notes, "counted": list(host.counted), "doubted": list(host.doubted),
        "jobs": [
            {
                "id": job.id, "outcome": job.outcome, "told": [r.text for r in job.records if r.kind == "user"],
                "error": job.error.error_message if job.error is not None else None,
            }
            for job in jobs
        ],
        "found": sorted(job.id for job in db0.find(Job, JobStatus.DONE)),
        "refused": [bytes(line).decode() for line in current_root().refused],
    }  # fmt: skip
    sys.stdout.write(json.dumps(found))
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), is_last=len(sys.argv) > 3)
