"""The small fleet, for tests that kill it or its disk: every kind of work that a kill can cut, and little of each.

When the worker died during a call that may not be repeated the job is told so, files a doubt in place of calling again,
and goes on. What a job gives at its end therefore depends on its number alone, and on its doubts.
"""

import json
from pathlib import Path

from tests.acceptance.projects import Project, make_project

HERE = Path(__file__).parent
AGENTS = ("sender", "second", "mixer", "waiter", "opener", "family", "breaker", "fragile", "chatty", "victim", "brief",
          "looper", "timely", "rash")  # fmt: skip
_AGENT = """\
---
description: {name}.
model: desk
inputs: {inputs}
tools: [small/*]
{more}limits:
  {{turns: 60, tool_calls: 200, subjobs: 9, depth: 3, exceptions: {exceptions}, consecutive_exceptions: {exceptions}}}
---
Do what {name} does.
"""
_ITEM = "{item: {type: object, properties: {number: {type: integer}}}}"
_NUMBER = "{number: {type: integer}}"
_MORE = {
    "sender": "subagents: [second]\n", "family": "subagents: [second, breaker]\n", "victim": "subagents: [waiter]\n",
    "looper": "warmup: {use: looper, timeout: 300ms}\n",
}  # fmt: skip
_TOOLS = """\
apiVersion: statek/v1
kind: ToolSet
metadata: {name: small}
spec:
  tools:
    - {python: "fleet:count", effect: write}
    - {python: "fleet:half", effect: write}
    - {python: "fleet:doubt", effect: write}
    - {python: "fleet:brief", effect: write}
    - {python: "fleet:stamp", effect: write}
    - {python: "fleet:dare", effect: write}
    - {python: "fleet:attempt_of", effect: write}
    - {python: "fleet:step", effect: write}
    - {python: "fleet:the_tally", effect: read}
    - {python: "fleet:open_gate", effect: write}
    - {python: "fleet:wait_gate", effect: write}
    - {python: "fleet:send", effect: external}
    - {python: "fleet:send_slowly", effect: external}
    - {python: "fleet:send_in_thread", effect: external, thread: true}
    - {python: "fleet:send_keyed", effect: external, idempotent: true}
    - {python: "fleet:hang", effect: external, timeout: 50ms}
    - {python: "fleet:claim", effect: external}
"""
_ATTEMPT = """\
def attempt(do, text):
    try:
        return do(text=text)
    except Exception as error:
        doubt(text=text, why=type(error).__name__)
        return "?"
"""
_RULES: dict[tuple[str, int | None], str] = {
    ("sender", 1): _ATTEMPT + """\
number = item["number"]
count(number=number)
attempt(send, f"n{number}")
if number % 5 == 0:
    other = second(number=number)
if number % 5 == 0:
    print("half is", other.result)
exit("sent")
""",
    ("second", 1): "exit(str(half(number=number)))",
    ("mixer", 1): _ATTEMPT + """\
import random, time
kept = {f"m{number}.{n}" for n in range(4)}
def scaled(x, by=number):
    return x * by
class Bag:
    def __init__(self):
        self.items = []
    def add(self, item):
        self.items.append(item)
        return len(self.items)
def counter():
    n = 0
    def more():
        nonlocal n
        n += 1
        return n
    return more
bag = Bag()
more = counter()
first = time.time()
draws = [random.random()]
t = the_tally()
t.total += number
t.direct.append(number)
for key in kept:
    bag.add(send_keyed(text=key))
    more()
""",
    ("mixer", 2): """\
draws.append(random.random())
for key in kept:
    bag.add(attempt(send, key + ".once")) and more()
both = [attempt(send_slowly, f"m{number}.slow"), attempt(send_in_thread, f"m{number}.thread")]
late = attempt(hang, f"m{number}.late")
""",
    ("mixer", 3): """\
step(text=f"m{number}")
draws.append(random.random())
exit({"draws": draws, "bag": sorted(bag.items), "scaled": scaled(2), "later": time.time() > first, "more": more(),
      "both": both, "late": late})
""",
    ("waiter", 1): """\
value = wait_gate(number=number)
step(text=f"w{number}.{value}")
exit(value)
""",
    ("opener", 1): "exit(open_gate(number=number))",
    ("family", 1): """\
kids = [second(number=100000 + number * 10 + n) for n in range(3)]
bad = breaker(number=1000000 + number)
total = sum(int(kid.result) for kid in kids)
try:
    bad.result
    said = "ok"
except Exception as error:
    said = type(error).__name__
step(text=f"f{number}.{total}.{said}")
exit([total, said])
""",
    ("breaker", 1): """\
try:
    claim(text=f"c{number}")
except Exception as error:
    doubt(text=f"c{number}", why=type(error).__name__)
raise ValueError("broken")
""",
    ("breaker", None): "raise ValueError('again')",
    ("fragile", 1): """\
number = item["number"]
tries = attempt_of(number=number)
if number % 3 == 0 or (number % 3 == 1 and tries < 2):
    raise ValueError(f"try {tries}")
exit(tries)
""",
    ("fragile", None): "raise ValueError('again')",
    ("chatty", None): "exit('heard')",
    ("victim", 1): "kid = waiter(number=-1 - number)\nexit(kid.result)\n",
    ("rash", 1): "dare(number=number)\nwhile True:\n    pass\n",
    ("rash", 2): "exit('stopped')\n",
    ("timely", 1): "stamp(number=item['number'])\nexit('in time')\n",
    ("brief", 1): "brief(number=number)\nexit('brief')\n",
}  # fmt: skip
_QUEUES = """\
apiVersion: statek/v1
kind: Queue
metadata: {name: numbers}
spec: {agent: sender, deliver_as: item, concurrency: 10, dedupe: {key: number, keep: forever}}
---
apiVersion: statek/v1
kind: Queue
metadata: {name: fragile}
spec:
  agent: fragile
  deliver_as: item
  concurrency: 3
  rate: 40/s
  dedupe: {key: number, keep: forever}
  retry: {max_attempts: 3, backoff: {min: 50ms, max: 200ms}}
  dead_letter: graves
---
apiVersion: statek/v1
kind: Queue
metadata: {name: graves}
spec: {}
---
apiVersion: statek/v1
kind: Queue
metadata: {name: brisk}
spec:
  agent: timely
  deliver_as: item
  rate: 3/s
  ttl: 2s
  dedupe: {key: number, keep: forever}
  dead_letter: late
---
apiVersion: statek/v1
kind: Queue
metadata: {name: late}
spec: {}
---
apiVersion: statek/v1
kind: Fleet
metadata: {name: small}
spec: {shutdown: {drain: 5s}}
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
"""


def make_small_fleet(folder: Path) -> Project:
    """The project in `folder`, nothing applied."""
    agents = {f"agents/{name}.md": _agent(name) for name in AGENTS}
    rules = "".join(_rule(agent, turn, code) for (agent, turn), code in _RULES.items())
    files = {
        **agents, "pyproject.toml": '[tool.statek]\nproject = "small"\n', "agents/tools.yaml": _TOOLS,
        "agents/models.yaml": _MODELS + rules, "queues/queues.yaml": _QUEUES,
        "warmups/looper.py": "n = 0\nwhile True:\n    n += 1\n",
        **{name: (HERE / name).read_text() for name in ("fleet.py",)},
    }  # fmt: skip
    return make_project(folder, files)


def put_numbers(project: Project, numbers: range) -> None:
    """Put items on the queue `numbers`; the exit code says that they are kept from now on."""
    lines = "".join(json.dumps({"number": number}) + "\n" for number in numbers)
    project.do("submit", "--queue", "numbers", "--from", "-", stdin=lines)


def _agent(name: str) -> str:
    inputs = _ITEM if name in ("sender", "fragile", "timely") else _NUMBER
    exceptions = 1 if name in ("breaker", "fragile") else 3
    return _AGENT.format(name=name, inputs=inputs, more=_MORE.get(name, ""), exceptions=exceptions)


def _rule(agent: str, turn: int | None, code: str) -> str:
    when = f"agent: {agent}" + (f", turn: {turn}" if turn else "")
    lines = "".join(f"          {line}\n" for line in code.splitlines())
    return f"    - when: {{{when}}}\n      reply:\n        code: |\n{lines}"
