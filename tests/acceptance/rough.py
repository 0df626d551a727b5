"""A project whose model and tools behave as badly as they can, and what its users are told of each job.

A case is one job: the model reads its name in the prompt, and what it answers to each turn is the case's. Beside the
cases of a group runs a job with a pulse: what holds up everybody is a gap in it.
"""

import contextlib
import io
import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.acceptance.projects import Json, Project, Worker, as_lines, make_project, until
from tests.loopback_llm import LoopbackLLM, Reply

TOOLS = Path(__file__).with_name("rough_tools.py")
PULSE = "for _ in range(20):\n    if not tick():\n        exit('steady')"
WENT_ON = "exit('went on')"

_AGENT = """\
---
description: Does what its case says.
model: patient
inputs: {case: {type: string}}
tools: [rough/*]
sandbox: {imports: [re, decimal, itertools, math]}
limits: %s
%s
---
CASE {{ inputs.case }}.
"""
_LIMITS = "{turns: 6, exceptions: 3, consecutive_exceptions: 3, tokens: 2M}"
_AGENTS = {
    "clerk": _AGENT % (_LIMITS, ""),
    "hurried": (_AGENT % (_LIMITS, "")).replace("patient", "impatient"),
    "talker": _AGENT % (_LIMITS, "chat_style: direct\ntools_scope: ALL"),
    "spender": _AGENT % ("{turns: 50, tokens: 2k, cost_usd: 50}", ""),
    "payer": _AGENT % ("{turns: 50, tokens: 2M, cost_usd: 0.05}", ""),
    "late": _AGENT % ("{turns: 500, tokens: 20M, wall_clock: 1s}", ""),
    "raiser": _AGENT % (_LIMITS, "warmup: raises"),
    "looper": _AGENT % (_LIMITS, "warmup: {use: loops, timeout: 300ms}"),
    "waiter": _AGENT % (_LIMITS, "warmup: waits"),
    "pulse": _AGENT % ("{turns: 100000, tokens: 2000M, wall_clock: 10m}", ""),
}
_WARMUPS = {
    "raises": "print('begun')\nfail('plain')\n",
    "loops": "while True:\n    pass\n",
    "waits": "hang()\n",
}
_MODEL = """\
apiVersion: statek/v1
kind: Provider
metadata: {{name: {name}}}
spec:
  driver: openai
  base_url: {url}
  api_key: ${{secret:ROUGH_KEY}}
  timeout: {timeout}
  retry: {{max_attempts: 2, backoff: {{min: 10ms, max: 20ms}}}}
---
apiVersion: statek/v1
kind: Model
metadata: {{name: {name}}}
spec: {{provider: {name}, id: rough, price: {{input_per_mtok: 1000, output_per_mtok: 1000}}}}
"""
_TIMEOUTS = {
    "patient": "{connect: 60s, first_byte: 60s, idle: 60s, total: 90s}",
    "impatient": "{connect: 3s, first_byte: 3s, idle: 1s, total: 3s}",  # for slow providers; no other may be slow
}
_TOOLSET = "apiVersion: statek/v1\nkind: ToolSet\nmetadata: {name: rough}\nspec:\n  tools:\n"
_FLEET = "apiVersion: statek/v1\nkind: Fleet\nmetadata: {name: rough}\nspec: {shutdown: {drain: %s}}\n"
_QUICK = "timeout: 300ms"
_TOOL_LINES = {
    "tick": "effect: external, idempotent: true",
    **dict.fromkeys(("fail", "fail_later", "shout", "leave_in_thread", "import_missing"), "effect: external"),
    **dict.fromkeys(("stay", "die", "give", "steps", "after"), "effect: external"),
    **dict.fromkeys(("send", "send_and_note", "send_for_notes"), "effect: external"),
    "fail_in_thread": "effect: external, thread: true",
    **dict.fromkeys(("fail_in_store", "change", "die_always", "note", "note_begin"), "effect: write"),
    "notes": "effect: read",
    "hang": f"effect: external, {_QUICK}",
    "hang_in_thread": f"effect: external, thread: true, {_QUICK}",
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """What a job meets and how it ends.

    Attributes:
        reply: what the model answers to request 1, 2, ...; after the last of a sequence it ends the job.
        says: what is in its error, or when it went well in what its model was told before its last answer.
    """

    name: str
    reply: "Sequence[Reply] | Callable[[int], Reply]"
    outcome: str = "ok"
    says: str = ""
    agent: str = "clerk"


class Rough(LoopbackLLM):
    """The model: it answers by case and turn. `asked` counts requests, `told` is what the last one said, by case."""

    def __init__(self, cases: Sequence[Case], *, by_turn: bool = False) -> None:
        self.by_turn = by_turn  # a question that is asked again because the worker died gets the same answer
        self.cases = {case.name: case for case in cases}
        self.asked: Counter[str] = Counter()
        self.told: dict[str, str] = {}
        super().__init__(self._answer)

    def _answer(self, request: dict[str, Any]) -> Reply:
        name = str(request["messages"][0]["content"]).removeprefix("CASE ").strip().removesuffix(".")
        if name == "pulse":
            return PULSE
        self.asked[name] += 1
        answered = sum(message["role"] == "assistant" for message in request["messages"])
        number = answered + 1 if self.by_turn else self.asked[name]
        self.told[name] = json.dumps(request["messages"][1:], ensure_ascii=False)
        case = self.cases[name]
        if callable(case.reply):
            return case.reply(number)
        return case.reply[number - 1] if number <= len(case.reply) else WENT_ON


def make_rough(folder: Path, llm: LoopbackLLM, *, drain: str = "60s") -> Project:
    """The project, applied. `drain`: how long calls under way are waited for when the worker leaves."""
    models = (_MODEL.format(name=name, url=llm.url, timeout=timeout) for name, timeout in _TIMEOUTS.items())
    lines = (f"    - {{python: 'rough_tools:{name}', {line}}}\n" for name, line in _TOOL_LINES.items())
    project = make_project(folder, {
        "pyproject.toml": '[tool.statek]\nproject = "rough"\n',
        "agents/models.yaml": "---\n".join(models),
        "agents/tools.yaml": _TOOLSET + "".join(lines),
        "agents/fleet.yaml": _FLEET % drain,
        **{f"agents/{name}.md": text for name, text in _AGENTS.items()},
        **{f"warmups/{name}.py": text for name, text in _WARMUPS.items()},
        "rough_tools.py": TOOLS.read_text(),
    })  # fmt: skip
    project.environ |= {"ROUGH_KEY": "sk-rough-key-of-nobody", "STATEK_STEP_SECONDS": "1"}
    project.do("apply", ".", "--yes")
    return project


def submit(project: Project, cases: Sequence[Case]) -> None:
    """A job for each case, and the pulse."""
    for agent in sorted({case.agent for case in cases}):
        project.write("cases.jsonl", as_lines([{"case": case.name} for case in cases if case.agent == agent]))
        project.do("submit", agent, "--from", "cases.jsonl", "--key", "case")
    project.do("submit", "pulse", "case=pulse")


@dataclass(frozen=True)
class Shown:
    """One job as `statek show` has it."""

    row: Json
    text: str


def run(project: Project, cases: Sequence[Case], seconds: float = 150.0) -> tuple[Worker, dict[str, Shown]]:
    """Run the jobs of the cases to their ends beside the pulse; the worker's last words and the jobs as shown."""
    submit(project, cases)
    with project.worker("--no-watch", "--until-idle", "-o", "json") as worker:
        until(lambda: _ended(worker) >= len(cases) or worker.process.poll() is not None, "the cases ended", seconds)
        project.write("stop", "")
        code = worker.wait()
    assert code in (0, 1), worker.said
    return worker, look_at(project, cases)


def look_at(project: Project, cases: Sequence[Case]) -> dict[str, Shown]:
    """What `statek show` tells of every case, as text and as JSON."""
    ids = {case.name: f"{case.agent}/{case.name}" for case in cases}
    ran = project.module("tests.acceptance.rough", *ids.values())
    assert ran.code == 0, ran.told
    found = [json.loads(line) for line in ran.out.splitlines()]
    return {name: Shown(json.loads(data)["job"], text) for name, (text, data) in zip(ids, found, strict=True)}


def longest_gap(project: Project) -> float:
    """Seconds between two beats of the pulse, at most."""
    beats = [float(line) for line in (project.root / "pulse.log").read_text().split()]
    assert len(beats) > 5, beats
    return max(later - earlier for earlier, later in pairwise(beats))


def _ended(worker: Worker) -> int:
    reports = worker.reports()
    return max((int(report.get("done", 0)) for report in reports), default=0)


def _say(job: str) -> None:
    """A line with `statek show JOB` as text and as JSON."""
    from statek.cli.main import main

    said = []
    for more in ([], ["-o", "json"]):
        page = io.StringIO()
        with contextlib.redirect_stdout(page):
            main(["show", job, *more])
        said.append(page.getvalue())
    print(json.dumps(said))


if __name__ == "__main__":
    for one in sys.argv[1:]:
        _say(one)
