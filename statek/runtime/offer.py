"""What a job is offered: prompt, tools, model chain, limits, warmup; for agents from specs and from Python alike.

An Offer is immutable and shared by all jobs of one revision. Not here: which revision a job uses (`catalog`), running
anything. Tools appear to model code as `Offered` callables that find the running job by themselves, so one set of
builtins serves every job of the offer.
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from statek.exceptions import StatekError
from statek.ledger import compiled
from statek.runtime import delegation
from statek.sandbox.policy import Policy
from statek.text import template
from statek.text.warmup import CallSpec
from statek.tools import describe
from statek.tools.registry import Tool, from_callable, import_target

DOCUMENTED_LIMITS = compiled.Limits(
    turns=5, tokens=10_000, cost_usd=None, wall_clock_us=0, tool_calls=None, exceptions=3, consecutive_exceptions=1,
    subjobs=100, depth=10,
)  # fmt: skip
SYSTEM = tuple(
    from_callable(function, effect="write")
    for function in (delegation.complete_sub_task, delegation.find_sub_task_handler)
)  # offered to every agent made in Python


@dataclass(frozen=True)
class Part:
    """A piece of code of one turn: a warmup block, an answer's code, or one formal call written as code."""

    code: str
    hidden: bool = False
    call: str | None = None  # id of the formal call whose result this is


@dataclass(frozen=True)
class Offer:
    """Everything a job of one revision is offered.

    Attributes:
        role: name of the agent.
        revision: id of the revision, "" for agents made in Python.
        tools: by name, subagents included.
        chain: names of the model and its fallbacks.
        extra: further names its code finds (an agent's context).
    """

    role: str
    revision: str
    tools: Mapping[str, Tool]
    chain: tuple[str, ...]
    params: Mapping[str, Any]
    limits: compiled.Limits
    warmup: tuple[Part, ...]
    warmup_timeout_us: int
    chat_style: str
    subagents: tuple[str, ...]
    inputs: Mapping[str, Any]
    policy: Policy
    extra: Mapping[str, Any]
    spec: compiled.Agent | None = None

    def prompt(self, job: Any) -> str:
        """The system prompt of a job. Raises RenderError (spec) or KeyError (Python agent)."""
        if self.spec is None:
            text: str = job.system_prompt()
            return text
        given = job.inputs or {}
        inputs = {name: given.get(name, declared.get("default")) for name, declared in self.inputs.items()}
        values = {
            "inputs": inputs,
            "vars": dict(self.spec.vars),
            "agent": {"name": self.role},
            "job": {"id": job.id},
            "tools": self.listing,
        }
        return template.render(self.spec.prompt, partials=self.spec.partials, values=values)

    @cached_property
    def listing(self) -> str:
        """The tools in words, for the prompt."""
        return describe.listing(self.tools.values())

    def formal_tools(self) -> tuple[dict[str, Any], ...]:
        """Specifications of formal tools: `python_cli` in direct style, none in the others."""
        if self.chat_style != "direct":
            return ()
        code = {"type": "string", "description": "Python code to run in the job"}
        schema = {"type": "object", "properties": {"code": code}, "required": ["code"]}
        return ({"name": "python_cli", "description": "Run Python code in the job.", "parameters": schema},)


def from_spec(agent: compiled.Agent, revision: str, others: Mapping[str, compiled.Agent]) -> Offer:
    """The offer of a compiled revision. Raises StatekError when a tool cannot be imported.

    `others` are the release's agents by name: what subagents declare is shown in their signatures.
    """
    tools = {tool.name: _bound(tool) for tool in agent.tools}
    for name in agent.subagents:
        tools[name] = _subagent(name, others.get(name))
    warmup = tuple(Part(block.code, block.hidden) for block in agent.warmup.blocks) if agent.warmup else ()
    policy = Policy(imports=agent.imports)
    return Offer(
        role=agent.name, revision=revision, tools=tools, chain=agent.model, params=agent.params, limits=agent.limits,
        warmup=warmup, warmup_timeout_us=agent.warmup.timeout_us if agent.warmup else 0, chat_style=agent.chat_style,
        subagents=agent.subagents, inputs=agent.inputs, policy=policy, extra={}, spec=agent,
    )  # fmt: skip


def from_python(job_def: Any, limits: compiled.Limits) -> Offer:
    """The offer of a definition made in Python: tools of the agent, names of its context."""
    agent = job_def.agent
    tools = {tool.name: tool for tool in (*SYSTEM, *map(from_callable, agent.all_tools))}
    extra = {name: value for name, value in agent.context.items() if name not in tools}
    for name, value in list(extra.items()):
        if callable(value) and not isinstance(value, type):
            tools[name] = from_callable(value, name=name)
            del extra[name]
    style = job_def.chat_style.value if job_def.chat_style is not None else "console"
    parts = tuple(
        Part(_code(block), (block["metadata"] or {}).get("hidden") is True) for block in job_def.warmup_blocks
    )
    params = {"temperature": float(job_def.metadata["TEMPERATURE"])} if "TEMPERATURE" in job_def.metadata else {}
    return Offer(
        role=agent.role, revision="", tools=tools, chain=(job_def.model or "",), params=params, limits=limits,
        warmup=parts, warmup_timeout_us=0, chat_style=style, subagents=(), inputs={}, policy=Policy(),
        extra=extra,
    )  # fmt: skip


def _code(block: Mapping[str, Any]) -> str:
    """A block's formal calls written out before its code."""
    calls = [CallSpec(c["id"], c["name"], c["args"], c["kwargs"]).format() for c in block["calls"]]
    return "\n".join([*calls, block["code"] or ""])


def _bound(tool: compiled.Tool) -> Tool:
    try:
        function = import_target(tool.target)
    except StatekError as error:
        raise StatekError(f"tool {tool.name!r} of ToolSet {tool.toolset!r}: {error}", hint=error.hint) from error
    return from_callable(
        function, name=tool.name, effect=tool.effect, idempotent=tool.idempotent, timeout_us=tool.timeout_us,
        description=tool.description,
    )  # fmt: skip


def _subagent(name: str, child: compiled.Agent | None) -> Tool:
    """A callable that starts a child job; its signature shows the inputs the child declares."""

    def start(**inputs: Any) -> Any:
        raise StatekError(f"subagent {name!r} was called outside of a job")

    kind = inspect.Parameter.KEYWORD_ONLY
    declared = child.inputs if child is not None else {}
    start.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(key, kind, default=_default(shape)) for key, shape in sorted(declared.items())]
    )
    about = f"{child.description} " if child is not None else ""
    return Tool(
        name=name, call=start, effect="write", idempotent=False, timeout_us=None, is_async=False,
        description=f"{about}Starts a job of agent {name}; `.result` of what it returns waits for the job's end.",
    )  # fmt: skip


def _default(shape: Mapping[str, Any]) -> Any:
    if "default" in shape:
        return shape["default"]
    return None if shape.get("optional") else inspect.Parameter.empty
