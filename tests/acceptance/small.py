"""A small fleet whose jobs count, call outside and wait for each other; for tests that need little of each.

A job counts its number in the store, sends it outside, and every fifth waits for a second job. When the worker died
during the sending the job is told so, and files a doubt in place of sending again.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.acceptance.projects import Project, make_project

FLEET = Path(__file__).with_name("small_fleet.py")

_SENDER = """\
---
description: Counts a number, sends it, and waits for the second job of every fifth.
model: desk
inputs: {item: {type: object, properties: {number: {type: integer}}}}
tools: [small/*]
subagents: [second]
limits: {turns: 4, tool_calls: 10, subjobs: 1, depth: 2}
---
Number {{ inputs.item.number }}.
"""
_SECOND = """\
---
description: Halves a number.
model: desk
inputs: {number: {type: integer}}
tools: [small/half]
limits: {turns: 3}
---
Halve {{ inputs.number }}.
"""
_TOOLS = """\
apiVersion: statek/v1
kind: ToolSet
metadata: {name: small}
spec:
  tools:
    - {python: "fleet:count", effect: write}
    - {python: "fleet:half", effect: write}
    - {python: "fleet:doubt", effect: write}
    - {python: "fleet:send", effect: external}
"""
_MODELS = """\
apiVersion: statek/v1
kind: Provider
metadata: {name: rehearsal}
spec: {driver: scripted}
---
apiVersion: statek/v1
kind: Model
metadata: {name: desk}
spec: {provider: rehearsal, id: rehearsal}
---
apiVersion: statek/v1
kind: Script
metadata: {name: rehearsal}
spec:
  rules:
    - when: {agent: sender, turn: 1}
      reply:
        code: |
          number = item["number"]
          count(number=number)
          send(number=number)
          if number % 5 == 0:
              other = second(number=number)
          if number % 5 == 0:
              print("half is", other.result)
          exit("sent")
    - when: {agent: sender, turn: 2, last: OutcomeUnknown}
      reply:
        code: |
          doubt(number=item["number"])
          exit("in doubt")
    - when: {agent: second, turn: 1}
      reply:
        code: |
          exit(str(half(number=number)))
"""
_QUEUE = """\
apiVersion: statek/v1
kind: Queue
metadata: {name: numbers}
spec: {agent: sender, deliver_as: item, concurrency: 10, dedupe: {key: number, keep: forever}}
---
apiVersion: statek/v1
kind: Fleet
metadata: {name: small}
spec: {shutdown: {drain: 5s}}
"""


def make_small_fleet(folder: Path) -> Project:
    """The project in `folder`, nothing applied."""
    files = {
        "pyproject.toml": '[tool.statek]\nproject = "small"\n',
        "agents/sender.md": _SENDER, "agents/second.md": _SECOND,
        "agents/tools.yaml": _TOOLS, "agents/models.yaml": _MODELS, "queues/numbers.yaml": _QUEUE,
        "fleet.py": FLEET.read_text(),
    }  # fmt: skip
    return make_project(folder, files)


def submit(project: Project, numbers: range) -> None:
    """Put numbers on the queue; the exit code says that they are kept from now on."""
    lines = "".join(json.dumps({"number": number}) + "\n" for number in numbers)
    project.do("submit", "--queue", "numbers", "--from", "-", stdin=lines)


def wrongs(project: Project, accepted: range) -> list[str]:
    """What is wrong with a project that has finished these numbers: lost, doubled, sent again, failed."""
    return list(_wrongs(project, set(accepted)))


def _wrongs(project: Project, accepted: set[int]) -> Iterator[str]:
    tally = project.look("tally")
    counted, halves, doubted = Counter(tally["numbers"]), Counter(tally["halves"]), set(tally["doubted"])
    log = project.root / "sent.log"
    sent = Counter(int(line) for line in log.read_text().split()) if log.exists() else Counter[int]()
    jobs = project.jobs()
    own = Counter(job["id"] for job in jobs if job["agent"] == "sender")
    seconds = {number for number in accepted if number % 5 == 0} - doubted
    yield from (f"{number} not counted" for number in sorted(accepted - counted.keys()))
    yield from (f"{number} neither sent nor in doubt" for number in sorted(accepted - sent.keys() - doubted))
    yield from (f"{number} without job" for number in sorted(accepted) if f"numbers:{number}" not in own)
    yield from (f"{number} without second job" for number in sorted(seconds - halves.keys()))
    for found in (counted, halves, own, sent):
        yield from (f"{what} x {times}" for what, times in found.items() if times > 1)
    yield from (f"{job['id']}: {job['outcome']} {job['error']}" for job in jobs if job["outcome"] != "ok")
