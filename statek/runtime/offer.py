"""What a job is offered: prompt, tools, model chain, limits, warmup; for agents from specs and from Python alike.

An Offer is immutable and shared by all jobs of one revision. Not here: which revision a job uses (`catalog`), running
anything. Tools appear to model code as `Offered` callables that find the running job by themselves, so one set of
builtins serves every job of the offer.
"""

import inspect
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from statek.exceptions import StatekError
from statek.ledger import compiled
from statek.llm.model_name import parse_model_name
from statek.runtime import harness, system_tools
from statek.sandbox.policy import MODULES, Policy
from statek.settings import StatekSettings
from statek.text import template
from statek.text.warmup import CallSpec
from statek.tools import describe, selection
from statek.tools.registry import Tool, from_callable
from statek.tools.targets import import_target

DOCUMENTED_LIMITS = compiled.Limits(
    turns=5, tokens=10_000, cost_usd=None, wall_clock_us=0, tool_calls=None, exceptions=3, consecutive_exceptions=1,
    subjobs=100, depth=10,
)  # fmt: skip


@dataclass(frozen=True)
class Part:
    """A piece of code of one turn: a warmup block, an answer's code, or one formal call written as code."""

    code: str
    hidden: bool = False
    call: str | None = None  # id of the formal call whose result this is
    tool: str = ""  # the tool that a formal call names; none for `python_cli`, whose code is the part's
    error: str = ""  # why it is not run
    calls: int = 0  # how many of its first statements are formal calls of a warmup, whose failure is told and no more


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
    tools_scope: str = ""  # which tools are formal ones too, as `LLM_TOOLS_SCOPE` says it
    scope_style: str | None = None  # the chat style that formal tools must be made for; None where none was chosen
    limit_extension: float = 0.0  # part of each limit that a job gains whenever it is brought back
    console_box: str = ""  # XML tag around what a console says to the model

    @cached_property
    def classes(self) -> dict[str, type]:
        """Classes of values that the tools take and give, by lasting names: a job may keep them."""
        return {name: kind for tool in self.tools.values() for name, kind in tool.classes.items()}

    def chain_of(self, job: Any) -> tuple[str, ...]:
        """The models to ask, in order; of an agent made in Python the one for the job's difficulty."""
        if self.spec is not None:
            return self.chain
        return (_with_provider(job.get_current_model(), job.job_def.metadata.get("PROVIDER")),)

    def prompt(self, job: Any) -> str:
        """The system prompt of a job. Raises RenderError (spec) or KeyError (Python agent)."""
        if self.spec is None:
            text: str = job.system_prompt()
            return text
        return self.prompt_for(job.inputs or {}, job.id)

    def prompt_for(self, given: Mapping[str, Any], job_id: str) -> str:
        """The system prompt of a job with these inputs, of an agent from files. Raises RenderError."""
        assert self.spec is not None
        inputs = {name: given.get(name, declared.get("default")) for name, declared in self.inputs.items()}
        values = {
            "inputs": inputs,
            "vars": dict(self.spec.vars),
            "agent": {"name": self.role},
            "job": {"id": job_id},
            "tools": self.listing,
        }
        return template.render(self.spec.prompt, partials=self.spec.partials, values=values)

    @cached_property
    def listing(self) -> str:
        """The agent's own tools in words, for the prompt."""
        return describe.listing(self._own_tools)

    @cached_property
    def _own_tools(self) -> list[Tool]:
        return [tool for name, tool in self.tools.items() if system_tools.IN_CODE.get(name) is not tool]

    def formal_tools(self) -> tuple[dict[str, Any], ...]:
        """Specifications of formal tools: those of the scope; without one `python_cli` in direct style, else none.

        Raises:
            StatekError: the scope cannot be read, or names a tool that there is not.
        """
        return self._formal_tools

    @cached_property
    def _formal_tools(self) -> tuple[dict[str, Any], ...]:
        try:
            scope = selection.parse_llm_tools_scope(self.tools_scope)
            available = (*self._own_tools, *system_tools.FORMAL)
            chosen = selection.formal_tools(scope, available, self.scope_style)
        except ValueError as error:
            raise StatekError(f"agent {self.role!r}: {error}") from error
        if not scope.is_set and self.chat_style == "direct":
            chosen = [system_tools.PYTHON_CLI]
        return tuple(describe.formal_spec(tool) for tool in chosen)


@dataclass(frozen=True)
class Allowances:
    """What the operator's settings say of the code of jobs.

    Attributes:
        policy: bounds and imports of agents made in Python; those from files have their own.
        exposed: hidden tools that code may call all the same.
        console_box: XML tag around what a console says to the model; "" for none.
    """

    policy: Policy = field(default_factory=Policy)
    exposed: frozenset[str] = frozenset()
    console_box: str = ""

    def of_tools(self, tools: Mapping[str, Tool]) -> dict[str, Tool]:
        """The tools with those marked that are exposed."""
        return {n: replace(t, exposed=True) if t.hidden and t.name in self.exposed else t for n, t in tools.items()}


def allowances(settings: StatekSettings) -> Allowances:
    """What `settings` say; a module that the sandbox does not know is one that the operator answers for."""
    named = None if settings.python_sandbox_allowed_imports is None else _names(settings.python_sandbox_allowed_imports)
    policy = Policy(
        imports=tuple(sorted((named or frozenset()) - MODULES)), only=named,
        max_source_bytes=settings.python_sandbox_max_source_bytes, max_nodes=settings.python_sandbox_max_ast_nodes,
    )  # fmt: skip
    return Allowances(policy, _names(settings.python_sandbox_allowed_tools), settings.xml_box_console or "")


def _names(text: str) -> frozenset[str]:
    return frozenset(filter(None, (name.strip() for name in text.split(","))))


def from_spec(
    agent: compiled.Agent,
    revision: str,
    others: Mapping[str, compiled.Agent],
    allowed: Allowances | None = None,
) -> Offer:
    """The offer of a compiled revision. Raises StatekError when a tool cannot be imported.

    `others` are the release's agents by name: what subagents declare is shown in their signatures. Of what the
    operator allows, bounds and imports are the agent's own.
    """
    said = allowed if allowed is not None else Allowances()
    tools = {tool.name: _bound(tool) for tool in agent.tools}
    for name in agent.subagents:
        tools[name] = _subagent(name, others.get(name))
    tools |= {name: tool for name, tool in system_tools.IN_CODE.items() if name not in tools}
    warmup = tuple(Part(block.code, block.hidden) for block in agent.warmup.blocks) if agent.warmup else ()
    policy = Policy(imports=agent.imports)
    return Offer(
        role=agent.name, revision=revision, tools=said.of_tools(tools), chain=agent.model,
        params=agent.params, limits=agent.limits,
        warmup=warmup, warmup_timeout_us=agent.warmup.timeout_us if agent.warmup else 0, chat_style=agent.chat_style,
        subagents=agent.subagents, inputs=agent.inputs, policy=policy, extra={}, spec=agent,
        tools_scope=agent.metadata.get(selection.KEY, ""), scope_style=agent.chat_style, console_box=said.console_box,
    )  # fmt: skip


def model_chain(names: tuple[str, ...], models: Mapping[str, compiled.Model]) -> list[str]:
    """The models to ask, in order: `names`, each followed by its own fallbacks, none twice."""
    found: list[str] = []
    waiting = list(names)
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found.append(name)
            model = models.get(name)
            waiting = [*(model.fallback if model else ()), *waiting]
    return found


def from_python(job_def: Any, limits: compiled.Limits, allowed: Allowances) -> Offer:
    """The offer of a definition made in Python: tools of the agent, names of its context."""
    agent = job_def.agent
    inside = agent.internal_tools
    given = ((function, _made(agent.role, function)) for function in agent.all_tools)
    own = {tool.name: replace(tool, inside=True) if function in inside else tool for function, tool in given}
    tools = {**own, **{name: tool for name, tool in system_tools.IN_CODE.items() if name not in own}}
    extra = {name: value for name, value in agent.context.items() if name not in own}
    for name, value in list(extra.items()):
        if callable(value) and not isinstance(value, type):
            tools[name] = _made(agent.role, value, name)
            del extra[name]
    chosen_style = job_def.chat_style.value if job_def.chat_style is not None else None
    parts = tuple(
        Part(_code(block), (block["metadata"] or {}).get("hidden") is True, calls=len(block["calls"]))
        for block in job_def.warmup_blocks
    )
    params = {"temperature": _temperature(job_def)} if "TEMPERATURE" in job_def.metadata else {}
    bounds, extension = harness.limits_of_definition(limits, job_def.metadata)
    return Offer(
        role=agent.role, revision="", tools=allowed.of_tools(tools), chain=(job_def.model or "",), params=params,
        limits=bounds, warmup=parts, warmup_timeout_us=0, chat_style=chosen_style or "console", subagents=(), inputs={},
        policy=allowed.policy,
        extra=extra, limit_extension=extension, tools_scope=str(job_def.metadata.get(selection.KEY) or ""),
        scope_style=chosen_style, console_box=allowed.console_box,
    )  # fmt: skip


def _temperature(job_def: Any) -> float:
    text = job_def.metadata["TEMPERATURE"]
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise StatekError(f"TEMPERATURE {text!r} of {job_def.agent.role!r}: expected a number from 0 on, such as 0.3")
    return value


def _with_provider(model: str, provider: str | None) -> str:
    """A model string that names `provider` unless it names one itself."""
    name = parse_model_name(model)
    if name.provider or not provider:
        return model
    params = "&".join(f"{key}={value}" for key, value in (name.params or {}).items())
    return f"{provider}/{name.family or ''}/{name.model}" + (f"?{params}" if params else "")


def _code(block: Mapping[str, Any]) -> str:
    """A block's formal calls written out before its code."""
    calls = [CallSpec(c["id"], c["name"], c["args"], c["kwargs"]).format() for c in block["calls"]]
    return "\n".join([*calls, block["code"] or ""])


def _made(role: str, function: Any, name: str | None = None) -> Tool:
    try:
        return from_callable(function, name=name)
    except (TypeError, ValueError) as error:
        raise StatekError(f"agent {role!r}: {error}") from error


def _bound(tool: compiled.Tool) -> Tool:
    try:
        function = import_target(tool.target)
    except StatekError as error:
        raise StatekError(f"tool {tool.name!r} of ToolSet {tool.toolset!r}: {error}", hint=error.hint) from error
    try:
        return from_callable(
            function, name=tool.name, effect=tool.effect, idempotent=tool.idempotent, timeout_us=tool.timeout_us,
            description=tool.description, thread=tool.thread,
        )  # fmt: skip
    except (TypeError, ValueError) as error:
        raise StatekError(f"tool {tool.name!r} of ToolSet {tool.toolset!r}: {error}") from error


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
