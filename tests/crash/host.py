"""A host application that embeds the loops, and dies: `python -m tests.crash.host FOLDER EVENTS MAIL [end]`.

It opens dbzero itself, which then writes its files by itself a few times a second. Its own code pushes events for an
agent and messages to the jobs these became, to the push queue on the prefix MAIL: its own, or one with a file of its
own. Nothing is ever pushed twice: what it tried stands in `pushed.log`, which no kill takes back, and so does from when
on it knew that its files hold it. With `end` it works until nothing is left, and prints what there is.
"""

import asyncio
import json
import os
import random
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
LOG = Path("pushed.log")
UNDER_WAY = 6  # jobs
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
    """What the host's tools did."""

    def __init__(self) -> None:
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
    _append(Path("outside.log"), text)
    return text


def _append(path: Path, line: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, f"{line}\n".encode())
    os.fsync(descriptor)
    os.close(descriptor)


class _Pushing:
    """The host's own code: called before each pass."""

    def __init__(self, agent: Any, events: int, mail: str) -> None:
        self._agent = agent
        self._events = events
        self._mail = mail
        self._tried = [line.split()[1:] for line in _lines() if line.startswith("try ")]
        self._unsure: list[str] = []
        self._dice = random.Random(len(self._tried))

    def __call__(self, _capacity: int) -> None:
        jobs = list(current_root().jobs)
        done = [job for job in jobs if job.job_status == JobStatus.DONE]
        if self._count("event") < self._events and len(jobs) - len(done) < UNDER_WAY:
            number = self._note("event")
            with db0.locked():
                StatekPushQueue(prefix=self._mail).push_to_agent_queue(self._agent, {"number": number})
        for _ in range(self._dice.randrange(3) if done else 0):
            text = f"note {self._note('note')}."
            with db0.locked():
                StatekPushQueue(prefix=self._mail).push_to_job_console(self._dice.choice(done[-2:]).id, text)
        if self._unsure and self._dice.random() < 0.2:
            db0.commit()
            for line in self._unsure:
                _append(LOG, f"ack {line}")
            self._unsure.clear()

    def _count(self, kind: str) -> int:
        return sum(entry[0] == kind for entry in self._tried)

    def _note(self, kind: str) -> int:
        number = self._count(kind)
        self._tried.append([kind, str(number)])
        self._unsure.append(f"{kind} {number}")
        _append(LOG, f"try {kind} {number}")
        return number


def _lines() -> list[str]:
    return LOG.read_text().splitlines() if LOG.exists() else []


def _answer(request: dict[str, Any]) -> str:
    told = str(request["messages"])
    return "exit('heard')" if "note " in told else CODE


def main(folder: Path, events: int, mail: str, *, is_last: bool) -> None:
    """Live."""
    os.chdir(folder)
    with LoopbackLLM(_answer) as llm:
        api = LLM_API_Settings(api_url=llm.url, api_key="test")
        set_statek_settings(StatekSettings(
            llm_api_settings={"OPENROUTER": api}, max_turns=50, max_exceptions=9, max_consecutive_exceptions=9,
            max_token_usage=1_000_000,
        ))  # fmt: skip
        db0.init(str(folder), prefix=PREFIX)
        if mail != PREFIX:
            db0.open(mail, "rw")
            db0.open(PREFIX, "rw")  # the current one
        agent = find_agent(role="listener")
        if agent is None:
            agent = SupervisedAgent("listener", "Listen.", [count, doubt, send], _metadata={"MODEL": "f/m"})
            agent.update_warmup_def(WARMUP)
            Host()
            StatekPushQueue(prefix=mail)
            db0.commit()
        (folder / "alive").touch()
        pushing = _Pushing(agent, events, mail)
        asyncio.run(run_jobs_loop(
            queue_prefixes=[mail], start_jobs_func=None if is_last else pushing, auto_terminate=is_last,
        ))  # fmt: skip
        _tell()
        db0.close()
    os._exit(0)


def _tell() -> None:
    host = Host()
    jobs = [job for job in current_root().jobs if job is not None]
    found = {
        "counted": list(host.counted), "doubted": list(host.doubted),
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
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], is_last=len(sys.argv) > 4)
