"""Reading specs: a project of a thousand agents as a whole process, a small one, and one edit beside a worker.

The floor is what the same files cost with the bare libraries: PyYAML's C loader for the front matter and documents and
jsonschema over the schemas of `schemas/`, in a process of its own too.
"""

import os
import resource
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

from benchmarks.measure import Row
from statek.compiler.project import Compiler

AGENTS, WARMUPS, QUEUES, TOOLS = 1000, 200, 50, 20
ROOT = Path(__file__).parents[1]
FLOOR = """
import json, sys
from pathlib import Path
import yaml
from jsonschema import Draft202012Validator

project, schemas = Path(sys.argv[1]), Path(sys.argv[2])
judges = {}
for path in sorted(project.glob("*/*")):
    if path.suffix not in {".md", ".yaml"}:
        continue
    text = path.read_text()
    if path.suffix == ".md" and not text.startswith("---"):
        continue
    found = [text.split("---\\n")[1]] if path.suffix == ".md" else [text]
    for document in yaml.load_all(found[0], Loader=yaml.CSafeLoader):
        kind = document.get("kind", "Agent").lower()
        if kind not in judges:
            judges[kind] = Draft202012Validator(json.loads((schemas / f"{kind}.schema.json").read_text()))
        assert not list(judges[kind].iter_errors(document)), path
"""
AGENT = """\
---
description: Reads support ticket number {n} and picks the next action.
labels: {{team: team-{team}}}
model: {{use: fast, fallback: [deep], params: {{temperature: 0}}}}
inputs:
  event:
    type: object
    description: the ticket, as the help desk sent it
    properties:
      id: {{type: string}}
      subject: {{type: string}}
      priority: {{type: string, enum: [low, normal, high]}}
tools: [ticketing/*]
{warmup}limits: {{turns: 12, tokens: 60k, cost_usd: 0.20, wall_clock: 10m}}
concurrency: {{max: 10}}
reload: {{prompt: next-turn}}
---
{{% include "tone" %}}

You sort support tickets for shop {n}.

Ticket {{{{ inputs.event.id }}}}: {{{{ inputs.event.subject | default("(no subject)") }}}}
{{% if inputs.event.priority %}}
Priority given by the customer: {{{{ inputs.event.priority }}}}
{{% endif %}}

Pick exactly one action and call it:

{{{{ tools }}}}

Reply in JSON such as {{"action": "close", "why": "duplicate"}} when you are done.
"""
MODELS = """\
apiVersion: statek/v1
kind: Provider
metadata: {name: router}
spec: {base_url: https://router.example.test/v1, api_key: "${secret:KEY}", limits: {concurrent: 24}}
---
apiVersion: statek/v1
kind: Model
metadata: {name: fast}
spec: {provider: router, id: openai/gpt-5-mini, fallback: [deep], price: {input_per_mtok: 0.25, output_per_mtok: 2}}
---
apiVersion: statek/v1
kind: Model
metadata: {name: deep}
spec: {provider: router, id: anthropic/claude-sonnet-4.5}
"""
QUEUE = """\
apiVersion: statek/v1
kind: Queue
metadata: {{name: queue-{n}, labels: {{team: support}}}}
spec:
  agent: agent-{agent}
  deliver_as: event
  concurrency: 20
  key: event.customer_id
  retry: {{max_attempts: 3, backoff: {{min: 10s, max: 5m}}}}
"""


def write_project(root: Path, agents: int, warmups: int, queues: int) -> Path:
    """A good project of this size in the folder `root`."""
    files = {
        "pyproject.toml": '[tool.statek]\nproject = "crowd"\n',
        "shop/__init__.py": "",
        "shop/tickets.py": "\n\n".join(f"def tool_{n}(id: str) -> str:\n    return id\n" for n in range(TOOLS)),
        "agents/models.yaml": MODELS,
        "agents/_tone.md": "Write short sentences. Say so when you do not know.\n",
        "agents/ticketing.yaml": "apiVersion: statek/v1\nkind: ToolSet\nmetadata: {name: ticketing}\nspec:\n  tools:\n"
        + "".join(f"    - {{python: shop.tickets:tool_{n}, effect: read, idempotent: true}}\n" for n in range(TOOLS)),
    }
    for n in range(agents):
        warmup = f"warmup: warm-{n % warmups}\n" if n % 4 == 0 else ""
        files[f"agents/agent-{n}.md"] = AGENT.format(n=n, team=n % 10, warmup=warmup)
    for n in range(warmups):
        files[f"warmups/warm-{n}.py"] = textwrap.dedent(f"""\
            ticket = tool_{n % TOOLS}(event["id"])
            # ----------
            print("Ticket:", ticket)
            for number in range({n}):
                print(number, event["subject"])
            """)
    for n in range(queues):
        files[f"queues/queue-{n}.yaml"] = QUEUE.format(n=n, agent=n * 4 % agents)
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def process_ms(command: list[str], rounds: int) -> float:
    """Milliseconds of CPU of a whole process, the system's part too: the best of `rounds`."""
    best = float("inf")
    for _ in range(rounds):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(ROOT)})
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return best * 1000


def edit_ms(root: Path, rounds: int) -> float:
    """Milliseconds of CPU to compile anew, as a worker does, after an edit of one agent: the median of `rounds`."""
    edited = root / "agents" / "agent-0.md"
    text = edited.read_text(encoding="utf-8")
    compiler = Compiler()
    compiler.compile(root)
    spent = []
    for n in range(rounds):
        edited.write_text(f"{text}Round {n}.\n", encoding="utf-8")
        began = time.process_time()
        compiler.compile(root)
        spent.append(time.process_time() - began)
    return sorted(spent)[rounds // 2] * 1000


def measure() -> list[Row]:
    """All rows."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        sizes = {"1,000 agents": (AGENTS, WARMUPS, QUEUES, 3000.0, 3), "4 agents": (4, 1, 1, 400.0, 7)}
        for title, (agents, warmups, queues, target, rounds) in sizes.items():
            root = write_project(Path(folder, title), agents, warmups, queues)
            bare = process_ms([sys.executable, "-c", FLOOR, str(root), str(ROOT / "schemas")], rounds)
            ours = process_ms([sys.executable, "-m", "statek", "validate", str(root)], rounds)
            floor = f"PyYAML and jsonschema, {title}"
            rows.append(Row(floor, bare, "ms CPU"))
            rows.append(Row(f"statek validate, {title}", ours, "ms CPU", floor, ours / bare, target))
            edit = edit_ms(root, rounds)
            rows.append(Row(f"one edit beside a worker, {title}", edit, "ms CPU", floor, edit / bare, 50.0))
    return rows
