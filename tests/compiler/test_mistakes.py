"""Common mistakes of people and models: each is told once, at the token to blame, in words that say what to do."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from statek.compiler.project import Compilation, compile_project
from statek.spec.problems import Problem, SpecProblems

AGENT, TOOLS, MODELS, QUEUES = "agents/triage.md", "agents/tools.yaml", "agents/models.yaml", "queues/support.yaml"
FLEET, WARMUP, SETTINGS = "queues/fleet.yaml", "warmups/triage.py", "pyproject.toml"
GOOD = {
    SETTINGS: """\
[tool.statek]
project = "shop"
roots = ["agents", "warmups", "queues"]

[tool.statek.env.dev]
vars = {REGION = "eu"}
""",
    AGENT: """\
---
description: Reads one ticket and picks the next action.
labels: {team: support}
model: fast
params:
  temperature: 0.5
inputs:
  event:
    type: object
    properties:
      id: {type: string}
      subject: {type: string}
tools:
  - ticketing/*
subagents: [reader]
warmup: triage
limits:
  turns: 12
  tokens: 60k
  cost_usd: 0.20
  wall_clock: 10m
concurrency: {max: 10}
reload: {prompt: next-turn}
chat_style: console
---
Region {{ vars.REGION }}.
{% include "tone" %}

Ticket {{ inputs.event.id }}: {{ inputs.event.subject | default("none") }}
{% if inputs.event.subject %}
It has a subject.
{% endif %}
""",
    "agents/_tone.md": "Write short sentences.\n",
    "agents/reader.md": """\
---
description: Reads about one topic.
model: {use: fast, fallback: [deep]}
inputs:
  topic: {type: string}
---
Read about {{ inputs.topic }}.
""",
    TOOLS: """\
apiVersion: statek/v1
kind: ToolSet
metadata:
  name: ticketing
spec:
  tools:
    - python: shop.tickets:lookup
      effect: read
      idempotent: true
    - python: shop.tickets:close
      effect: write
""",
    MODELS: """\
apiVersion: statek/v1
kind: Provider
metadata: {name: router}
spec:
  base_url: https://router.example.test/v1
  api_key: ${secret:ROUTER_KEY}
  limits: {concurrent: 24}
---
apiVersion: statek/v1
kind: Model
metadata: {name: fast}
spec:
  provider: router
  id: openai/gpt-5-mini
  fallback: [deep]
---
apiVersion: statek/v1
kind: Model
metadata: {name: deep}
spec: {provider: router, id: anthropic/claude-sonnet-4.5}
""",
    QUEUES: """\
apiVersion: statek/v1
kind: Queue
metadata:
  name: support
spec:
  agent: triage
  deliver_as: event
  concurrency: 20
  rate: 60/m
  key: event.customer_id
  retry: {max_attempts: 3, backoff: {min: 10s, max: 5m}}
  dead_letter: support-dead
  ttl: 7d
---
apiVersion: statek/v1
kind: Queue
metadata:
  name: support-dead
spec:
  max_depth: 1000
  overflow: drop-oldest
""",
    FLEET: """\
apiVersion: statek/v1
kind: Fleet
metadata:
  name: desk
spec:
  agents: [triage]
  max_concurrency: 40
  shutdown: {drain: 30s}
  watch: {settle: 300ms}
""",
    WARMUP: 'ticket = lookup(event["id"])\n# ----------\nprint("Ticket:", ticket)\n',
    "shop/__init__.py": "",
    "shop/tickets.py": "def lookup(id: str) -> str:\n    return id\n\n\ndef close(id: str) -> None:\n    pass\n",
}


@dataclass(frozen=True)
class Mistake:
    """`old` of `file` becomes `new`; `at` is the text that the one diagnostic with `code` begins at."""

    file: str
    old: str
    new: str
    code: str
    at: str
    words: tuple[str, ...] = field(default=())


def it(file: str, old: str, new: str, code: str, at: str, *words: str) -> Mistake:
    """One row of the table."""
    return Mistake(file, old, new, code, at, words)


MISTAKES = [
    # the text of a file
    it(
        AGENT,
        "next-turn}\nchat_style: console\n---\n",
        "next-turn}\nchat_style: console\n",
        "STK002",
        "---\ndesc",
        "never closed",
    ),
    it(AGENT, "console\n---\n", "console\n...\n", "STK002", "---\ndesc", "..."),
    it(AGENT, "console\n---\n", "console\n  ---\n", "STK002", "---\ndesc", "---"),
    it(AGENT, "console\n---\n", "console\n----\n", "STK002", "---\ndesc"),
    it(AGENT, "---\ndescription", "description", "STK003", "---\nRegion", "line 1"),
    it(AGENT, "---\ndescription", "# Triage\n---\ndescription", "STK003", "---", "line 1"),
    it(AGENT, "---\ndescription", "\n---\ndescription", "STK003", "---", "line 1"),
    it(AGENT, "---\ndescription", "```yaml\n---\ndescription", "STK003", "---"),
    it(AGENT, "---\ndescription", "----\ndescription", "STK003", "---\nRegion", "line 1"),
    it(AGENT, "model: fast\n", "model: fast\nmodel: deep\n", "STK004", "model: deep", "model", "line 4"),
    it(QUEUES, "  concurrency: 20\n", "  concurrency: 20\n  concurrency: 30\n", "STK004", "concurrency: 30", "line 8"),
    it(AGENT, "limits:\n  turns", "limits:\n\tturns", "STK005", "\tturns", "spaces"),
    it(QUEUES, "spec:\n  agent: triage", "spec:\n\tagent: triage", "STK005", "\tagent", "spaces"),
    it(AGENT, "description: Reads one", "description: Note: reads one", "STK001", ": reads", "quotes"),
    it(AGENT, "description: Reads one", 'description: "Reads one', "STK001", '"Reads', "quot"),
    it(AGENT, "description: Reads one", "description: @home reads", "STK001", "@home", "quotes"),
    it(AGENT, "description: Reads one", "description: *reads one", "STK008", "*reads", "quotes"),
    it(AGENT, "description: Reads one", "description: `reads` one", "STK001", "`reads", "quotes"),
    it(AGENT, "concurrency: {max: 10}", "concurrency: {max: 10", "STK001", "{max: 10"),
    it(AGENT, "subagents: [reader]", "subagents: [reader", "STK001", "[reader"),
    it(AGENT, "  turns: 12\n", "   turns: 12\n", "STK001", "tokens"),
    it(AGENT, "model: fast\n", "<<<<<<< HEAD\nmodel: fast\n", "STK001", "<<<<<<<", "conflict"),
    it(AGENT, "model: fast", "model:fast", "STK001", "model:fast"),
    it(AGENT, "labels: {team: support}", "labels: &all {team: support}", "STK008", "&all", "value"),
    it(AGENT, "labels: {team: support}", "labels: !map {team: support}", "STK007", "!map", "tag"),
    it(MODELS, "base_url: https", "base_url: !env https", "STK007", "!env", "${env:NAME}"),
    it(AGENT, "labels: {team: support}", "labels: {1: support}", "STK013", "1: support", "quotes"),
    it(AGENT, "team: support", "team: sup\x07port", "STK010", "\x07", "U+0007"),
    # fields: misspelt, misplaced, in another case
    it(AGENT, "description:", "desciption:", "STK101", "desciption", "did you mean 'description'"),
    it(AGENT, "description:", "Description:", "STK101", "Description", "did you mean 'description'"),
    it(AGENT, "model: fast", "models: fast", "STK101", "models", "did you mean 'model'"),
    it(AGENT, "limits:\n", "limit:\n", "STK101", "limit:", "did you mean 'limits'"),
    it(AGENT, "  turns: 12", "  max_turns: 12", "STK101", "max_turns", "limits", "turns"),
    it(AGENT, "  turns: 12", "  turn: 12", "STK101", "turn:", "did you mean 'turns'"),
    it(AGENT, "wall_clock:", "wallclock:", "STK101", "wallclock", "did you mean 'wall_clock'"),
    it(AGENT, "wall_clock:", "wall-clock:", "STK101", "wall-clock", "did you mean 'wall_clock'"),
    it(AGENT, "cost_usd:", "costUsd:", "STK101", "costUsd", "did you mean 'cost_usd'"),
    it(AGENT, "tools:\n", "tool:\n", "STK101", "tool:", "did you mean 'tools'"),
    it(AGENT, "subagents:", "sub_agents:", "STK101", "sub_agents", "did you mean 'subagents'"),
    it(AGENT, "subagents:", "subagent:", "STK101", "subagent:", "did you mean 'subagents'"),
    it(AGENT, "warmup:", "warm_up:", "STK101", "warm_up", "did you mean 'warmup'"),
    it(AGENT, "warmup:", "warmups:", "STK101", "warmups", "did you mean 'warmup'"),
    it(AGENT, "reload:", "reloads:", "STK101", "reloads", "did you mean 'reload'"),
    it(AGENT, "params:\n  temperature: 0.5", "temperature: 0.5", "STK101", "temperature", "params.temperature"),
    it(AGENT, "model: fast", "system_prompt: x\nmodel: fast", "STK101", "system_prompt"),
    it(AGENT, "model: fast\n", "metadata:\n  model: fast\n", "STK102", "description", "'model'", "in 'metadata'"),
    it(
        AGENT,
        "limits:\n  turns: 12\n  tokens: 60k\n  cost_usd: 0.20\n  wall_clock: 10m\nconcurrency: {max: 10}\n",
        "metadata:\n  limits: {turns: 12}\n  concurrency: {max: 10}\n",
        "STK101",
        "limits: {",
        "'limits', 'concurrency' in 'metadata' are fields of the agent",
    ),
    it(
        AGENT,
        "description: Reads one ticket and picks the next action.\nlabels: {team: support}\nmodel: fast\n",
        "metadata:\n  name: triage\n  labels: {team: support}\nspec:\n  description: Reads.\n  model: fast\n",
        "STK101",
        "spec:",
        "stand in the front matter without it",
    ),
    it(QUEUES, "deliver_as: event", "deliver_as: print", "STK503", "print", "the code of every job", "hide"),
    it(TOOLS, "effect: read", "effects: read", "STK101", "effects", "did you mean 'effect'"),
    it(TOOLS, "idempotent: true", "idempotant: true", "STK101", "idempotant", "did you mean 'idempotent'"),
    it(QUEUES, "deliver_as:", "deliverAs:", "STK101", "deliverAs", "did you mean 'deliver_as'"),
    it(QUEUES, "dead_letter:", "deadletter:", "STK101", "deadletter", "did you mean 'dead_letter'"),
    it(QUEUES, "max_attempts: 3", "attempts: 3", "STK101", "attempts", "max_attempts"),
    it(FLEET, "max_concurrency:", "maxConcurrency:", "STK101", "maxConcurrency", "did you mean 'max_concurrency'"),
    it(MODELS, "api_key:", "apikey:", "STK101", "apikey", "did you mean 'api_key'"),
    it(MODELS, "fallback: [deep]", "fallbacks: [deep]", "STK101", "fallbacks", "did you mean 'fallback'"),
    it(
        QUEUES,
        "apiVersion: statek/v1\nkind: Queue\nmetadata:\n  name: support\n",
        "apiversion: statek/v1\nkind: Queue\nmetadata:\n  name: support\n",
        "STK101",
        "apiversion",
        "apiVersion",
    ),
    it(QUEUES, "metadata:\n  name: support\n", "metadata:\n  nmae: support\n", "STK101", "nmae", "did you mean 'name'"),
    it(
        QUEUES,
        "metadata:\n  name: support\n",
        "metadata:\n  name: support\n  namespace: shop\n",
        "STK101",
        "namespace",
        "metadata",
    ),
    # what is missing
    it(AGENT, "description: Reads one ticket and picks the next action.\n", "", "STK102", "labels", "description"),
    it(AGENT, "model: fast\n", "", "STK102", "description", "model"),
    it(
        QUEUES,
        "metadata:\n  name: support-dead\n",
        "",
        "STK102",
        "apiVersion: statek/v1\nkind: Queue\nspec:\n  max_depth",
        "metadata",
    ),
    it(FLEET, "kind: Fleet\n", "", "STK102", "apiVersion", "kind"),
    it(FLEET, "apiVersion: statek/v1\n", "", "STK102", "kind", "apiVersion"),
    it(
        FLEET,
        "spec:\n  agents: [triage]\n  max_concurrency: 40\n  shutdown: {drain: 30s}\n  watch: {settle: 300ms}\n",
        "",
        "STK102",
        "apiVersion",
        "spec",
    ),
    it(QUEUES, "  deliver_as: event\n", "", "STK102", "agent: triage", "deliver_as"),
    it(AGENT, "id: {type: string}", "id: {}", "STK102", "{}", "type"),
    it(MODELS, "  provider: router\n  id: openai", "  id: openai", "STK102", "id: openai", "provider"),
    # types
    it(TOOLS, "idempotent: true", "idempotent: yes", "STK103", "yes", "write true"),
    it(TOOLS, "idempotent: true", 'idempotent: "true"', "STK103", '"true"', "true"),
    it(TOOLS, "idempotent: true", "idempotent: True", "STK103", "True", "write true"),
    it(TOOLS, "idempotent: true", "timeout: 5", "STK103", "5\n", "write 5s"),
    it(AGENT, "wall_clock: 10m", "wall_clock: 600", "STK103", "600", "write 600s"),
    it(AGENT, "turns: 12", 'turns: "12"', "STK103", '"12"', "write 12"),
    it(AGENT, "turns: 12", "turns: twelve", "STK103", "twelve", "whole number"),
    it(AGENT, "turns: 12", "turns: 1.5", "STK103", "1.5", "whole number"),
    it(AGENT, "turns: 12", "turns: null", "STK103", "null", "whole number"),
    it(AGENT, "cost_usd: 0.20", "cost_usd: $0.20", "STK103", "$0.20", "a number"),
    it(AGENT, "cost_usd: 0.20", "cost_usd: 0,20", "STK103", "0,20", "a number"),
    it(AGENT, "labels: {team: support}", "labels: [support]", "STK103", "[support]", "a mapping", "a list"),
    it(AGENT, "labels: {team: support}", "labels: {team: 1}", "STK103", "1}", '"1"'),
    it(AGENT, "subagents: [reader]", "subagents: reader", "STK103", "reader", "a list", "[reader]"),
    it(AGENT, "tools:\n  - ticketing/*", "tools: ticketing/*", "STK103", "ticketing/*", "[ticketing/*]"),
    it(
        AGENT,
        "limits:\n  turns: 12\n  tokens: 60k\n  cost_usd: 0.20\n  wall_clock: 10m",
        "limits:\n  - turns: 12",
        "STK103",
        "- turns",
        "a mapping",
        "a list",
    ),
    it(
        AGENT,
        "inputs:\n  event:\n    type: object\n    properties:\n      id: {type: string}\n"
        "      subject: {type: string}\n",
        "inputs: [event]\n",
        "STK103",
        "[event]",
        "a mapping",
    ),
    it(AGENT, "id: {type: string}", "id: string", "STK103", "string\n", "a mapping"),
    it(
        TOOLS,
        "  tools:\n    - python: shop.tickets:lookup\n",
        "  tools:\n      python: shop.tickets:lookup\n      x-a: 1\n  x-b:\n    - y: 1\n",
        "STK103",
        "python",
        "a list",
    ),
    it(FLEET, "agents: [triage]", "agents: triage", "STK103", "triage\n", "[triage]"),
    it(FLEET, "metadata:\n  name: desk", "metadata: desk", "STK103", "desk", "a mapping"),
    it(MODELS, "limits: {concurrent: 24}", "limits: 24", "STK103", "24", "a mapping"),
    it(
        AGENT,
        "description: Reads one ticket and picks the next action.",
        "description: [Reads]",
        "STK103",
        "[Reads]",
        "text",
    ),
    it(AGENT, "wall_clock: 10m", "wall_clock: 1.5", "STK103", "1.5", "duration"),
    # values
    it(AGENT, "prompt: next-turn", "prompt: next_turn", "STK104", "next_turn", "did you mean 'next-turn'"),
    it(AGENT, "prompt: next-turn", "prompt: immediately", "STK104", "immediately", "next-turn"),
    it(AGENT, "chat_style: console", "chat_style: Console", "STK104", "Console", "did you mean 'console'"),
    it(AGENT, "type: object", "type: dict", "STK104", "dict", "object"),
    it(AGENT, "id: {type: string}", "id: {type: str}", "STK104", "str}", "string"),
    it(AGENT, "id: {type: string}", "id: {type: int}", "STK104", "int}", "integer"),
    it(TOOLS, "effect: write", "effect: writes", "STK104", "writes", "did you mean 'write'"),
    it(QUEUES, "overflow: drop-oldest", "overflow: drop_oldest", "STK104", "drop_oldest", "did you mean 'drop-oldest'"),
    it(AGENT, "wall_clock: 10m", "wall_clock: 10 minutes", "STK105", "10 minutes", "30s"),
    it(AGENT, "wall_clock: 10m", "wall_clock: 10min", "STK105", "10min", "30s"),
    it(AGENT, "wall_clock: 10m", "wall_clock: 1:30", "STK105", "1:30", "30s"),
    it(AGENT, "tokens: 60k", "tokens: 60kb", "STK105", "60kb", "60k"),
    it(AGENT, "tokens: 60k", "tokens: 60,000", "STK105", "60,000", "60k"),
    it(AGENT, "tokens: 60k", "tokens: 60_000", "STK105", "60_000", "60k"),
    it(QUEUES, "rate: 60/m", "rate: 60 per minute", "STK105", "60 per minute", "60/m"),
    it(QUEUES, "rate: 60/m", "rate: 60/min", "STK105", "60/min", "60/m"),
    it(QUEUES, "rate: 60/m", "rate: 60", "STK103", "60\n", "60/m"),
    it(TOOLS, "python: shop.tickets:close", "python: shop.tickets.close", "STK105", "shop.tickets.close", ":"),
    it(TOOLS, "python: shop.tickets:close", "python: shop/tickets.py:close", "STK105", "shop/tickets.py"),
    it(FLEET, "name: desk", "name: My Desk", "STK105", "My Desk", "name"),
    it(AGENT, "- ticketing/*", "- ticketing", "STK105", "ticketing\n", "ticketing/*"),
    it(AGENT, "temperature: 0.5", "temperature: 3", "STK106", "3\n", "at most 2"),
    it(AGENT, "temperature: 0.5", "temperature: -1", "STK106", "-1", "at least 0"),
    it(AGENT, "turns: 12", "turns: 0", "STK106", "0\n", "at least 1"),
    it(QUEUES, "concurrency: 20", "concurrency: 0", "STK106", "0\n", "at least 1"),
    it(AGENT, "wall_clock: 10m", "wall_clock: 0s", "STK106", "0s"),
    it(FLEET, "kind: Fleet", "kind: Flete", "STK107", "Flete", "did you mean 'Fleet'"),
    it(FLEET, "kind: Fleet", "kind: fleet", "STK107", "fleet", "did you mean 'Fleet'"),
    it(TOOLS, "kind: ToolSet", "kind: Toolset", "STK107", "Toolset", "did you mean 'ToolSet'"),
    it(TOOLS, "kind: ToolSet", "kind: Tools", "STK107", "Tools", "ToolSet"),
    it(FLEET, "kind: Fleet", "kind: Deployment", "STK107", "Deployment"),
    it(FLEET, "apiVersion: statek/v1", "apiVersion: v1", "STK108", "v1", "statek/v1"),
    it(FLEET, "apiVersion: statek/v1", "apiVersion: statek/v2", "STK108", "statek/v2", "statek/v1"),
    it(FLEET, "apiVersion: statek/v1", "apiVersion: statek/v1beta1", "STK108", "statek/v1beta1", "statek/v1"),
    it(
        TOOLS,
        "    - python: shop.tickets:close\n      effect: write\n",
        "    - name: close\n      effect: write\n",
        "STK109",
        "name: close",
        "python",
    ),
    it(
        TOOLS,
        "    - python: shop.tickets:close\n",
        "    - python: shop.tickets:close\n      http: {url: https://a.example.test}\n",
        "STK109",
        "http",
        "exactly one",
    ),
    it(AGENT, "subagents: [reader]", "subagents: [reader, reader]", "STK110", "reader]", "twice"),
    it(AGENT, "description: Reads one ticket and picks the next action.", 'description: ""', "STK106", '""'),
    # references
    it(AGENT, "model: fast", "model: fats", "STK201", "fats", "did you mean 'fast'"),
    it(AGENT, "model: fast", "model: gpt-5", "STK201", "gpt-5", "Model"),
    it(AGENT, "warmup: triage", "warmup: triag", "STK201", "triag\n", "did you mean 'triage'"),
    it(AGENT, "warmup: triage", "warmup: triage.py", "STK105", "triage.py", "name"),
    it(AGENT, "subagents: [reader]", "subagents: [readr]", "STK201", "readr", "did you mean 'reader'"),
    it(AGENT, "- ticketing/*", "- ticketting/*", "STK201", "ticketting", "did you mean"),
    it(AGENT, "- ticketing/*", "- ticketing/lookup\n  - ticketing/clos", "STK504", "ticketing/clos", "did you mean"),
    it(MODELS, "spec: {provider: router,", "spec: {provider: ruoter,", "STK201", "ruoter", "did you mean 'router'"),
    it(MODELS, "fallback: [deep]", "fallback: [depe]", "STK201", "depe", "did you mean 'deep'"),
    it(MODELS, "fallback: [deep]", "fallback: [fast]", "STK203", "fast]", "fast"),
    it(QUEUES, "agent: triage", "agent: triage.md", "STK105", "triage.md"),
    it(QUEUES, "agent: triage", "agent: Triage", "STK201", "Triage", "did you mean 'triage'"),
    it(QUEUES, "agent: triage", "agent: fast", "STK206", "fast", "Model"),
    it(
        QUEUES,
        "dead_letter: support-dead",
        "dead_letter: support-daed",
        "STK201",
        "support-daed",
        "did you mean 'support-dead'",
    ),
    it(QUEUES, "dead_letter: support-dead", "dead_letter: support", "STK605", "support\n  ttl", "another"),
    it(
        MODELS,
        "kind: Model\nmetadata: {name: deep}",
        "kind: Provider\nmetadata: {name: router}\nspec: {base_url: https://b.example.test}\n"
        "---\napiVersion: statek/v1\nkind: Model\nmetadata: {name: deep}",
        "STK202",
        "router}\nspec: {base",
        "twice",
        "agents/models.yaml:3",
    ),
    it(FLEET, "agents: [triage]", "agents: [triagge]", "STK201", "triagge", "did you mean 'triage'"),
    it(AGENT, "model: fast", "name: sorter\nmodel: fast", "STK207", "sorter", "triage"),
    it(AGENT, "model: fast", "extends: base\nmodel: fast", "STK201", "base", "Agent"),
    # prompts
    it(AGENT, "inputs.event.id }}", "inputs.evnt.id }}", "STK301", "evnt", "did you mean 'inputs.event'"),
    it(AGENT, "inputs.event.id }}", "inputs.event.ids }}", "STK301", "ids", "inputs.event.id"),
    it(AGENT, "inputs.event.id }}", "event.id }}", "STK301", "event.id", "inputs.event"),
    it(AGENT, "inputs.event.id }}", "input.event.id }}", "STK301", "input.event", "inputs"),
    it(AGENT, "inputs.event.id }}", "inputs.event.id }", "STK302", "{{ inputs.event.id }"),
    it(AGENT, "{% endif %}\n", "", "STK302", "if inputs", "endif"),
    it(AGENT, "{% if inputs.event.subject %}\n", "", "STK302", "endif"),
    it(AGENT, '{% include "tone" %}', '{% include "tones" %}', "STK303", "tones", "did you mean"),
    it(AGENT, '{% include "tone" %}', '{% include "../tone" %}', "STK204", "../tone"),
    it(AGENT, "{{ vars.REGION }}", "{{ secrets.KEY }}", "STK305", "secrets"),
    it(AGENT, "{{ vars.REGION }}", "{{ env.KEY }}", "STK305", "env.KEY"),
    it(AGENT, '| default("none")', '| defalt("none")', "STK307", "defalt", "did you mean 'default'"),
    it(AGENT, '| default("none")', "| title", "STK307", "title"),
    it(AGENT, "{% if inputs.event.subject %}", "{% fi inputs.event.subject %}", "STK307", "fi ", "if"),
    it(AGENT, "{{ vars.REGION }}", "{{ vars.REGIN }}", "STK801", "REGIN", "did you mean 'REGION'"),
    # code
    it(WARMUP, "ticket = lookup", "ticket == = lookup", "STK401", "= lookup"),
    it(WARMUP, "ticket = lookup", "ticket = lokup", "STK404", "lokup", "did you mean 'lookup'"),
    it(WARMUP, "ticket = lookup", "import os\nticket = lookup", "STK403", "import os", "os"),
    it(WARMUP, 'lookup(event["id"])', 'lookup(evnt["id"])', "STK404", "evnt", "did you mean 'event'"),
    it(TOOLS, "shop.tickets:close", "shop.ticket:close", "STK501", "shop.ticket:", "did you mean 'shop.tickets'"),
    it(TOOLS, "shop.tickets:close", "shop.tickets:clsoe", "STK502", "clsoe", "did you mean 'close'"),
    it(
        TOOLS,
        "shop.tickets:close",
        "shop.tickets:lookup",
        "STK503",
        "shop.tickets:lookup\n      effect: write",
        "twice",
    ),
    # secrets and settings
    it(
        MODELS,
        "${secret:ROUTER_KEY}",
        "sk-or-v1-0123456789abcdef0123456789abcdef0123456789abcdef",
        "STK802",
        "sk-or",
        "${secret:",
    ),
    it(MODELS, "${secret:ROUTER_KEY}", "${secrets:ROUTER_KEY}", "STK803", "${secrets", "did you mean 'secret'"),
    it(MODELS, "${secret:ROUTER_KEY}", "${ROUTER_KEY}", "STK803", "${ROUTER_KEY}", "secret:ROUTER_KEY"),
    it(SETTINGS, "roots = [", "root = [", "STK101", "root =", "did you mean 'roots'"),
    it(SETTINGS, '"queues"]', '"queue"]', "STK021", "roots", "queue"),
    # what tired fingers write, and ways of other tools
    it(AGENT, "team: support", "team: \u201csupport\u201d", "STK001", "\u201csupport", 'write "support"'),
    it(AGENT, "  turns: 12", "\u00a0\u00a0turns: 12", "STK001", "\u00a0", "U+00A0", "ordinary space"),
    it(AGENT, "turns: 12", "turns:\u00a012", "STK001", "\u00a0", "U+00A0"),
    it(AGENT, "model: fast", "model: fast\u200b", "STK105", "fast\u200b", r"fast\u200b"),
    it(AGENT, "model: fast", "model: fast,", "STK105", "fast,"),
    it(AGENT, "model: fast", '"model": "fast",', "STK001", ",\nparams", "remove it"),
    it(AGENT, "model: fast", "// the model\nmodel: fast", "STK001", "// the", "a comment begins with '#'"),
    it(AGENT, "labels: {team", "  labels: {team", "STK001", ": {team", "indented further"),
    it(AGENT, "  - ticketing/*", "  -ticketing/*", "STK103", "-ticketing", "a dash and a space"),
    it(AGENT, "  - ticketing/*", "  \u2013 ticketing/*", "STK103", "\u2013", "a dash and a space"),
    it(AGENT, "  - ticketing/*", "  * ticketing/*", "STK001", "* ticketing", "begins with '- '"),
    it(AGENT, "turns: 12", "turns: 12;", "STK103", "12;", "write 12"),
    it(AGENT, "subagents: [reader]", 'subagents: "reader"', "STK103", '"reader"', "write [reader]"),
    it(AGENT, "subagents: [reader]", "subagents: reader, triage", "STK103", "reader, t", "write [reader, triage]"),
    it(AGENT, "console\n---\n", "console\n---\n---\nmodel: deep\n---\n", "STK003", "---\nmodel: deep", "second"),
    it(AGENT, "model: fast", "prompt: Be kind.\nmodel: fast", "STK101", "prompt:", "below the front matter"),
    it(AGENT, "model: fast\n", "spec:\n  model: fast\n", "STK101", "spec:", "without it"),
    it(AGENT, "model: fast", "model: gpt-4o", "STK201", "gpt-4o", "'family/model'"),
    it(AGENT, "wall_clock:", "timeout:", "STK101", "timeout", "did you mean 'wall_clock'"),
    it(AGENT, "- ticketing/*", "- ticketing.lookup", "STK105", "ticketing.lookup", "name of a ToolSet"),
    it(AGENT, "- ticketing/*", "- all", "STK105", "all\nsubagents", "write '*'"),
    it(
        AGENT,
        "subject: {type: string}",
        "subject: {type: string, required: true}",
        "STK103",
        "true}",
        "'optional: true'",
    ),
    it(
        AGENT,
        "    properties:\n      id: {type: string}\n      subject",
        "    id: {type: string}\n    subject",
        "STK101",
        "id: {type",
        "'id', 'subject'",
        "under 'inputs.event.properties'",
    ),
    it(AGENT, "limits:\n  turns: 12\n", "turns: 12\nlimits:\n", "STK101", "turns: 12", "did you mean 'limits.turns'"),
    it(AGENT, "{{ inputs.event.id }}", "{inputs.event.id}", "STK302", "{inputs.event.id}", "{{ inputs.event.id }}"),
    it(AGENT, "{{ inputs.event.id }}", "${inputs.event.id}", "STK302", "${inputs.event.id}", "{{ inputs.event.id }}"),
    it(AGENT, 'default("none")', "default(\u201cnone\u201d)", "STK302", "\u201cnone", "`\u201c`"),
    it(AGENT, '| default("none")', '| truncate("x")', "STK307", "truncate", "whole number"),
    it(AGENT, "{% endif %}", "{% end %}", "STK307", "end %}", "did you mean 'endif'"),
    it(AGENT, "It has", "{% elseif inputs.event.id %}\nIt has", "STK307", "elseif", "did you mean 'elif'"),
    it(AGENT, "It has", "{% else if inputs.event.id %}\nIt has", "STK302", "if inputs.event.id", "elif"),
    it(AGENT, "if inputs.event.subject", 'if inputs.event.subject = "x"', "STK302", '= "x"', "== to compare"),
    it(AGENT, "if inputs.event.subject", "if inputs.event.id && job.id", "STK302", "&& job", "`and`"),
    it(
        TOOLS,
        "    - python: shop.tickets:close",
        "      python: shop.tickets:close",
        "STK004",
        "python: shop.tickets:close",
        "write '- ' before it",
    ),
    it(TOOLS, "shop.tickets:close", "shop.tickets:close()", "STK105", "shop.tickets:close()", "shop.tickets:lookup"),
    it(
        TOOLS,
        "- python: shop.tickets:close",
        "- pyhton: shop.tickets:close",
        "STK101",
        "pyhton",
        "did you mean 'python'",
    ),
    it(TOOLS, "- python: shop.tickets:close", "- function: shop.tickets:close", "STK101", "function", "'python'"),
    it(TOOLS, "- python: shop.tickets:close", "- zzz: shop.tickets:close", "STK101", "zzz", "one of python, http"),
    it(TOOLS, "  tools:\n", "  functions:\n", "STK101", "functions", "did you mean 'tools'"),
    it(
        TOOLS,
        "- python: shop.tickets:close",
        "- {python: shop.tickets:close, name: print}\n    - python: shop.tickets:close",
        "STK503",
        "print}",
        "ticketing_print",
    ),
    it(TOOLS, "effect: read\n", "effect: read\n      timeout: 5s\n", "STK101", "timeout", "bounded by the step"),
    it(TOOLS, "effect: read\n", "effect: read\n      description: of ${env:SHOP}\n", "STK803", "${env", "would stay"),
    it(
        QUEUES,
        "kind: Queue\nmetadata:\n  name: support\n",
        "Kind: Queue\nmetadata:\n  name: support\n",
        "STK101",
        "Kind",
        "did you mean 'kind'",
    ),
    it(
        QUEUES,
        "  ttl: 7d\n---\n",
        "  ttl: 7d\n",
        "STK004",
        "apiVersion: statek/v1\nkind: Queue\nmetadata:\n  name: support-dead",
        "write '---' above it",
    ),
    it(QUEUES, "backoff: {min: 10s, max: 5m}", "min: 10s, max: 5m", "STK101", "min: 10s", "under 'spec.retry.backoff'"),
    it(QUEUES, "max: 5m}", "max: 1w}", "STK105", "1w}"),
    it(QUEUES, "key: event.customer_id", "key: $.customer_id", "STK105", "$.customer_id", "event.id"),
    it(FLEET, "metadata:\n  name: desk\n", "name: desk\n", "STK101", "name: desk", "did you mean 'metadata.name'"),
    it(FLEET, "metadata:\n  name: desk\nspec:\n", "spec:\n  name: desk\n", "STK101", "name: desk", "'metadata.name'"),
    it(
        FLEET,
        "spec:\n  agents: [triage]\n  max_concurrency: 40\n",
        "agents: [triage]\nmax_concurrency: 40\nspec:\n",
        "STK101",
        "agents: [triage]",
        "'agents', 'max_concurrency'",
        "under 'spec'",
    ),
    it(FLEET, "agents: [triage]", "agents: all", "STK103", "all", "leave it out to serve all"),
    it(FLEET, "shutdown: {drain: 30s}", "shutdown: 30s", "STK103", "30s\n", "write it like {drain: 2m}"),
    it(MODELS, "  id: openai/gpt-5-mini", "  model: openai/gpt-5-mini", "STK101", "model: openai", "did you mean 'id'"),
    it(MODELS, "id: openai/gpt-5-mini", "id: ${env:MODEL}", "STK803", "${env:MODEL}", "in a Model"),
    it(MODELS, "${secret:ROUTER_KEY}", "${{ secrets.ROUTER_KEY }}", "STK803", "${{", "write ${secret:ROUTER_KEY}"),
    it(MODELS, "${secret:ROUTER_KEY}", "${secret.ROUTER_KEY}", "STK803", "${secret.", "write ${secret:ROUTER_KEY}"),
    it(WARMUP, 'event["id"]', 'inputs["event"]["id"]', "STK404", "inputs", "a name of its own: 'event'"),
    it(
        WARMUP,
        "ticket = lookup",
        "from shop.tickets import lookup\nticket = lookup",
        "STK403",
        "from",
        "need no import",
    ),
    it(WARMUP, 'print("Ticket:", ticket)', "print(json.dumps(ticket))", "STK404", "json", "write 'import json'"),
    it(WARMUP, "lookup(event", "ticketing.lookup(event", "STK404", "ticketing", "by its own name: close, lookup"),
    it(WARMUP, "lookup(event", "close_ticket(event", "STK404", "close_ticket", "known: brief, close"),
    it(WARMUP, 'print("Ticket:", ticket)', "x = null", "STK404", "null", "did you mean 'None'"),
    it(WARMUP, "ticket = lookup", "```python\nticket = lookup", "STK401", "```python", "without a fence"),
    it(WARMUP, "# ----------", "----------", "STK401", "\nprint", "write '# ----------'"),
    it(SETTINGS, "[tool.statek.env.dev]", "[statek.env.dev]", "STK101", "statek.env.dev", "[tool.statek.env.dev]"),
    it(SETTINGS, 'REGION = "eu"', 'REGION = "${env:REGION}"', "STK803", "REGION", "plain text"),
]


def write(root: Path, files: dict[str, str]) -> None:
    """These files of a project."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")


def problems_of(root: Path) -> tuple[Problem, ...]:
    """Everything that is wrong with the project."""
    try:
        found: Compilation = compile_project(root)
    except SpecProblems as error:
        return error.problems
    return found.problems


def place(text: str, at: str) -> tuple[int, int]:
    """Line and column of the first `at` in `text`."""
    before = text[: text.index(at)]
    return before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1


def test_the_project_is_good_before(tmp_path: Path) -> None:
    """So whatever is found later comes of the mistake."""
    write(tmp_path, GOOD)
    found = compile_project(tmp_path)
    assert (found.problems, found.later, len(found.objects)) == ((), (), 10)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda item: f"{item.code}:{item.new[:40]!r}")
def test_a_mistake_is_told_once_at_its_token(tmp_path: Path, mistake: Mistake) -> None:
    """One diagnostic: its code, its place, and words that help."""
    assert GOOD[mistake.file].count(mistake.old) >= 1
    text = GOOD[mistake.file].replace(mistake.old, mistake.new, 1)
    write(tmp_path, {**GOOD, mistake.file: text})
    found = problems_of(tmp_path)
    assert [problem.code for problem in found] == [mistake.code], found
    (problem,) = found
    start = problem.range.start
    assert (problem.file, start.line, start.column) == (mistake.file, *place(text, mistake.at)), problem
    for word in mistake.words:
        assert word in problem.message
