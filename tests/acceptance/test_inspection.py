"""Looking at jobs as a user does: logs as they come, usage, and no secret in anything that is shown."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jsonschema
import pytest

from tests.acceptance.projects import LONGEST, REPO, Project, as_lines, events
from tests.acceptance.providers import END, GO_ON, KEY, HeldLLM, held_desk

pytestmark = pytest.mark.timeout(300)
EVENT = next(event for event in events(6) if event["type"] == "earthquake")
JOB = f"quakes:{EVENT['id']}"


@pytest.fixture
def held(desk: Project) -> Iterator[HeldLLM]:
    """The desk with one event in its queue, and a model that waits for the test."""
    with held_desk(desk) as llm:
        desk.write("one.jsonl", as_lines([EVENT]))
        desk.do("submit", "--queue", "quakes", "--from", "one.jsonl", "--key", "id")
        yield llm


class Following:
    """A `statek logs -f` that runs."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def line(self) -> dict[str, Any]:
        """The next line of its stdout."""
        assert self.process.stdout is not None
        text = self.process.stdout.readline()
        assert text, f"it ended with {self.process.wait(LONGEST)}"
        found: dict[str, Any] = json.loads(text)
        return found

    def until(self, kind: str, text: str) -> dict[str, Any]:
        """The next entry of this kind that has the text."""
        end = time.monotonic() + LONGEST
        while time.monotonic() < end:
            found = self.line()
            entry = found.get("entry", {})
            if entry.get("kind") == kind and text in entry["text"]:
                return found
        raise AssertionError(f"no {kind} with {text!r}")


@contextmanager
def following(desk: Project, *words: str) -> Iterator[Following]:
    """`statek logs -f -o json WORDS` in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "statek", "logs", "-f", "-o", "json", *words], cwd=desk.root,
        env=desk._environment(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield Following(process)
    finally:
        process.kill()
        process.communicate()


def test_a_job_is_followed_until_it_ends(desk: Project, held: HeldLLM) -> None:
    """What the model says and the code prints comes while the job works; the last line says how it ended."""
    with desk.serving("--no-watch"):
        held.next_prompt(1)  # by now there is a job
        with following(desk, JOB[:-1]) as log:
            held.give(GO_ON)
            assert log.until("print", "on")["job"] == JOB
            held.next_prompt(2)
            held.give(END)
            log.until("answer", "filed")
            last = log.line()
            assert (last["kind"], last["outcome"]) == ("LogEnd", "ok")
            assert log.process.wait(LONGEST) == 0


def test_without_a_worker_it_shows_what_is_there_and_says_so(desk: Project, held: HeldLLM) -> None:
    """Nobody works on the job: following ends at once, with a word about it."""
    ran = desk.do("logs", "-f", JOB)
    assert "no worker runs" in ran.err


def test_what_was_used_is_counted_once_over_a_kill(desk: Project, held: HeldLLM) -> None:
    """After kill -9 and a replay the counters say what the job itself says."""
    with desk.serving("--no-watch") as worker:
        held.give(GO_ON)
        held.next_prompt(2)
        worker.kill()
    with desk.serving("--no-watch"), following(desk, JOB) as log:
        held.give(END)
        held.give(END)  # the answer to the request of the killed worker, which nobody hears
        log.until("answer", "filed")
    job = desk.do("show", JOB, "-o", "json").json["job"]["usage"]
    [row] = desk.do("usage", "-o", "json").json["usage"]
    assert row["name"] == "triage"
    assert (row["inputTokens"], row["outputTokens"]) == (job["inputTokens"], job["outputTokens"])
    assert desk.do("usage", "--by", "model", "-o", "json").json["total"]["answers"] == 2


def test_no_view_of_a_job_shows_the_providers_key(desk: Project, held: HeldLLM) -> None:
    """A key that the model's code prints is blotted out, with a worker and without."""
    with desk.serving("--no-watch"):
        held.next_prompt(1)
        with following(desk, JOB) as log:
            held.give(f"```python\nprint('the key is {KEY}')\nexit('filed')\n```")
            log.until("print", "the key is ***")
        shown = [desk.do(verb, JOB, *more).out for verb in ("show", "logs") for more in ((), ("-o", "json"))]
    shown += [desk.do(verb, JOB, *more).out for verb in ("show", "logs") for more in ((), ("-o", "json"))]
    assert all("the key is ***" in text for text in shown)
    assert not any(KEY in text for text in shown)


def test_logs_of_worker_and_job_are_lines_of_json_without_the_key(desk: Project, held: HeldLLM) -> None:
    """STATEK_LOGS_PATH: a file for the job from prompt to end, written over a kill; the key is in no file."""
    desk.environ["STATEK_LOGS_PATH"] = "logs"
    with desk.serving("--no-watch") as worker:
        held.give(f"```python\nprint('the key is {KEY}')\n```")
        held.next_prompt(2)
        worker.kill()
    with desk.serving("--no-watch") as worker, following(desk, JOB) as log:
        held.give(END)
        held.give(END)  # the first is for the killed worker
        log.until("answer", "filed")
        worker.terminate()
    for verb, kind in (("show", "job"), ("logs", "log"), ("usage", "usage"), ("status", "status")):
        shape = json.loads((REPO / f"schemas/cli/{kind}.schema.json").read_text())
        words = (verb, JOB) if verb in ("show", "logs") else (verb,)
        jsonschema.validate(desk.do(*words, "-o", "json").json, shape)
    [path] = (desk.root / "logs").glob("triage_*.log")
    found = [json.loads(line) for line in path.read_text().splitlines()]
    kinds = [line["kind"] for line in found]
    assert (kinds[0], kinds[-1], found[-1]["text"]) == ("prompt", "end", "ok")
    assert {line["job"] for line in found} == {JOB}
    assert [line["text"] for line in found if line["kind"] == "print"].count("the key is ***") == 1
    written = [file.read_text() for file in (desk.root / "logs").iterdir()] + [worker.said]
    assert not any(KEY in text for text in written)
