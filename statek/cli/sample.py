"""The files that `statek init` writes: a project that works offline, each file explaining itself. Only data."""

_PYPROJECT = """\
# The settings of the statek project in this folder. Everything has a default; `project` names who owns the objects.
[tool.statek]
project = "{project}"

# Each environment has a store of its own under .statek/NAME. `dev` is the one used when --env is not given.
[tool.statek.env.dev.reload]
prompt = "next-turn"  # an edited prompt reaches jobs that are already running, with their next turn
"""

_AGENT = """\
---
# An agent is one file; its name is the file's name. The part between the dashes says what it is and what it may do.
description: Greets one person and knows a little about the name.
model: writer            # a Model from models.yaml
inputs:                  # what a job needs; checked when it is submitted
  name:
    type: string
    description: who is greeted
tools: [letters/*]       # every tool of the ToolSet `letters` in tools.yaml
warmup: greeter          # warmups/greeter.py runs before the first model call
limits: {turns: 5, tokens: 20k, wall_clock: 2m}  # for each job; what is not said here is bounded all the same
---
You greet people. This one is called {{ inputs.name }}.

You answer with Python; it runs at once and you see what it prints. Your tools:

{{ tools }}

Write one friendly sentence that mentions how many letters the name has, then end with `exit(sentence)`.
"""

_TOOLS = """\
# What agents may call: plain annotated Python functions. Their docstrings are what the model reads.
# `effect` says what a function may do, and so how it is kept from happening twice:
#   read      looks at its arguments and at the store, changes nothing
#   write     changes durable objects of this store only
#   external  anything else, and what is taken when nothing is said
apiVersion: statek/v1
kind: ToolSet
metadata: {name: letters}
spec:
  tools:
    - {python: "letters:count_letters", effect: read}
"""

_MODELS = """\
# `writer` is a rehearsal: its answers stand in rehearsal.yaml, so that nothing here needs a key or a network.
apiVersion: statek/v1
kind: Provider
metadata: {name: rehearsal}
spec: {driver: scripted}
---
apiVersion: statek/v1
kind: Model
metadata: {name: writer}
spec: {provider: rehearsal, id: rehearsal}  # with a scripted provider, `id` is the name of a Script
# For a real model, take the two documents above out and these two in, then set OPENROUTER_API_KEY:
# ---
# apiVersion: statek/v1
# kind: Provider
# metadata: {name: openrouter}
# spec:
#   driver: openai
#   base_url: https://openrouter.ai/api/v1
#   api_key: ${secret:OPENROUTER_API_KEY}
# ---
# apiVersion: statek/v1
# kind: Model
# metadata: {name: writer}
# spec: {provider: openrouter, id: openai/gpt-5-mini}
"""

_REHEARSAL = """\
# What the model `writer` answers. The first rule that fits is the answer; when none fits, the job fails and says so.
apiVersion: statek/v1
kind: Script
metadata: {name: rehearsal}
spec:
  rules:
    - when: {agent: greeter, turn: 1}
      reply:
        text: I count the letters and greet.
        code: |
          letters = count_letters(text=name)
          exit(f"Hello {name}, what a fine name of {letters} letters!")
"""

_WARMUP = """\
# Runs once, before the first model call. The model sees this code and its output as work already done.
# Blocks are divided by a dashed comment; inputs and tools are names that exist.
print(f"Somebody called {name} has come in.")
# ----------
print(f"The name has {count_letters(text=name)} letters.")
"""

_QUEUE = """\
# Items put on this queue become jobs of the agent: `statek submit --queue guests --from guests.jsonl`.
apiVersion: statek/v1
kind: Queue
metadata: {name: guests}
spec:
  agent: greeter
  deliver_as: name   # the input that an item becomes: here an item is a JSON text such as "Ada"
  concurrency: 4     # jobs of this queue at one time
"""

_GUESTS = '"Ada"\n"Grace"\n"Margaret"\n'

_LETTERS = '''\
"""Tools of the agents: ordinary functions."""


def count_letters(text: str) -> int:
    """How many letters there are in `text`."""
    return sum(char.isalpha() for char in text)
'''

_IGNORE = "# stores, ledgers, locks\n.statek/\n"

PROJECT_FILE = "pyproject.toml"
OPTIONAL = (PROJECT_FILE, ".gitignore")  # left alone when they are there already

FILES: dict[str, str] = {
    PROJECT_FILE: _PYPROJECT,
    ".gitignore": _IGNORE,
    "agents/greeter.md": _AGENT,
    "agents/models.yaml": _MODELS,
    "agents/rehearsal.yaml": _REHEARSAL,
    "agents/tools.yaml": _TOOLS,
    "warmups/greeter.py": _WARMUP,
    "queues/guests.yaml": _QUEUE,
    "letters.py": _LETTERS,
    "guests.jsonl": _GUESTS,
}
