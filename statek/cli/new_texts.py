"""The files that `statek new` writes, each explaining itself. Only texts; what they refer to comes in as arguments."""

import json
from collections.abc import Sequence

_AGENT = """\
---
# `statek explain Agent` lists every field, `statek render {name} task=...` shows what a job is given.
description: Does one task and says how it went.
model: {model}
inputs:
  task:
    type: string
    description: what is to be done
{tools}limits: {{turns: 10, tokens: 60k, wall_clock: 10m}}
---
You do one task for the person who asks:

{{{{ inputs.task }}}}

You answer with Python; it runs at once and you see what it prints.{listing}
End with `exit(result)`, where the result is one sentence.
"""
_LISTING = """ Your tools:

{{ tools }}
"""

_TOOL = """\
# `effect` says what the function may do: read (looks, changes nothing), write (changes durable objects of this store
# only) or external (anything else; what is taken when nothing is said). `statek explain ToolSet.tools` has the rest.
apiVersion: statek/v1
kind: ToolSet
metadata: {{name: {name}}}
spec:
  tools:
    - python: {module}:{function}
      effect: read
"""

_FUNCTION = '''\
"""Tools of the agents: ordinary annotated functions."""


def {function}(text: str) -> str:
    """Say what the function does in one sentence; this is what the model reads.

    Args:
        text: what it works on.
    """
    return text
'''

_QUEUE = """\
# Items put on this queue become jobs of the agent: `statek submit --queue {name} --from items.jsonl`.
# `statek explain Queue` lists every field.
apiVersion: statek/v1
kind: Queue
metadata: {{name: {name}}}
spec:
"""
_SERVED = """\
  agent: {agent}
  deliver_as: {variable}  # the input that an item becomes
  concurrency: 4{pad}  # jobs of this queue at one time
"""
_UNSERVED = """\
  max_depth: 1000  # items that may wait
  # agent: NAME        # no agent takes its items yet: name one,
  # deliver_as: INPUT  # and the input that an item becomes
"""

_WARMUP = """\
# Runs once, before the first model call of a job whose agent says `warmup: {name}`. The model sees this code and its
# output as work already done. Blocks are divided by a dashed comment; inputs and tools of the agent are names here.
{first}
# ----------
print("Everything is ready.")
"""


def agent_text(name: str, model: str, toolset: str | None) -> str:
    """An agent with one input."""
    tools = f"tools: [{toolset}/*]\n" if toolset else ""
    return _AGENT.format(name=name, model=model, tools=tools, listing=_LISTING if toolset else "")


def toolset_text(name: str, module: str, function: str) -> str:
    """A ToolSet with one function."""
    return _TOOL.format(name=name, module=module, function=function)


def function_text(function: str) -> str:
    """The module with that function."""
    return _FUNCTION.format(function=function)


def queue_text(name: str, agent: str | None, variable: str | None) -> str:
    """A queue, of an agent when there is one."""
    served = agent and variable
    pad = " " * max(0, len(f"deliver_as: {variable}") - len("concurrency: 4"))
    return _QUEUE.format(name=name) + (_SERVED.format(agent=agent, variable=variable, pad=pad) if served else _UNSERVED)


def warmup_text(name: str, inputs: Sequence[str]) -> str:
    """Two blocks of code; the first shows the inputs."""
    shown = [f"print({json.dumps(f'{variable}:')}, {variable})" for variable in inputs]
    return _WARMUP.format(name=name, first="\n".join(shown) or 'print("Getting ready.")')
