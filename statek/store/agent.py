"""Agents as stored: role, prompt, tools by name, metadata, warmup.

Not here: what a job of the agent may do (the runtime) and files (the compiler). An agent made in Python keeps its
tools as import names; a function the store cannot name (a nested one) lives in the agent's context, which belongs to
the process and is made anew by `init_context`. An agent that comes from a spec carries the id of its revision and
nothing else: prompt, tools and warmup are read from the release in the ledger.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import dbzero as db0

from statek.settings import ChatStyle, get_prompt_def
from statek.store import root
from statek.store.derived import Derived
from statek.store.encoding import bytes_json, json_bytes
from statek.store.future import function_name, resolve_function
from statek.store.job_def import JobDef, make_definition, warmup_data, warmup_from
from statek.store.layout import lay_out_first
from statek.store.prompt import SystemPromptData, TaskDifficulty, from_text, make_system_prompt, render_prompt, to_text
from statek.store.signatures import Documented
from statek.text.warmup import CodeBlock, parse_warmup_code, referenced_names
from statek.tools import describe, registry

WarmupCode = str | CodeBlock | Sequence[str | CodeBlock] | None
_contexts: dict[str, dict[str, Any]] = {}  # by the agent's address: names that live in this process only
_initialised: set[str] = set()  # addresses of agents whose `init_context` has run in this process


@db0.memo(id="statek/WarmupDef")
class WarmupDef:
    """Warmup code of an agent, parsed into blocks."""

    def __init__(self, warmup_code: WarmupCode = None, metadata: dict[str, Any] | None = None) -> None:
        """Keep the blocks (`parse_warmup_code` is applied) and what they say about themselves."""
        self._code = json_bytes(warmup_data(parse_warmup_code(warmup_code)))
        self._metadata = json_bytes(metadata)

    @property
    def warmup_code(self) -> Any:
        """None, a text, a CodeBlock or a list of them."""
        return warmup_from(bytes_json(self._code))

    @property
    def metadata(self) -> dict[str, Any] | None:
        """Metadata of all blocks together."""
        data: dict[str, Any] | None = bytes_json(self._metadata)
        return data

    @property
    def hidden(self) -> bool:
        """True only when the metadata has `hidden` set to the boolean True."""
        return (self.metadata or {}).get("hidden") is True


@db0.memo(id="statek/Agent")
class Agent(Derived):
    """A role with a prompt, tools and metadata."""

    _inside: Any = None  # of `_tool_names`, those given as internal ones; not in older stores
    _late_fields: ClassVar[tuple[str, ...]] = ("_inside",)
    __signature__ = Documented({"_revision"})

    def __init__(
        self,
        role: str,
        _system_prompt: SystemPromptData | str | None,
        _tools: Sequence[Callable[..., Any]],
        _tools_by_name: Sequence[str] = (),
        _internal_tools: Sequence[Callable[..., Any]] = (),
        _internal_tools_by_name: Sequence[str] = (),
        _metadata: dict[str, str] | None = None,
        _X__context: dict[str, Any] | None = None,  # noqa: N803 - documented name
        _description: str | None = None,
        _revision: str = "",
    ) -> None:
        """Store the agent. `_metadata["MODEL"]` is needed when a job is created, not here.

        A prompt file of the settings for this role takes the place of `_system_prompt`, and its metadata comes first.
        """
        file = None if _revision else get_prompt_def(role)
        if file is not None:
            _system_prompt, _metadata = make_system_prompt(file.system), {**(_metadata or {}), **file.metadata} or None
        self.role = role
        self.revision = _revision
        self._prompt_text = _prompt_text(_system_prompt)
        self._metadata_bytes = json_bytes(dict(_metadata) if _metadata is not None else None)
        self._description_bytes = json_bytes(_description)
        self._tool_names: Any = []
        self._inside = None
        lay_out_first(self)
        me = db0.materialized(self)
        _contexts[db0.uuid(me)] = dict(_X__context or {})
        _initialised.discard(db0.uuid(me))  # of another store
        for tool in (*_tools, *_tools_by_name):
            me.append_tool(tool)
        for tool in (*_internal_tools, *_internal_tools_by_name):
            me.append_internal_tool(tool)
        root.add_agent(me)

    @property
    def description(self) -> str | None:
        """What the agent is good for, in words for other agents and people."""
        text: str | None = bytes_json(self._description_bytes)
        return text

    @property
    def metadata(self) -> dict[str, str] | None:
        """A copy of the metadata."""
        data: dict[str, str] | None = bytes_json(self._metadata_bytes)
        return data

    @property
    def prompt(self) -> SystemPromptData | None:
        """The structured prompt, or None."""
        return from_text(self._prompt_text) if self._prompt_text else None

    @property
    def context(self) -> dict[str, Any]:
        """Names that belong to this process: never stored, filled by `init_context`."""
        address = db0.uuid(self)
        found = _contexts.setdefault(address, {})
        if address not in _initialised:
            _initialised.add(address)
            self.init_context()
        return found

    def init_context(self) -> None:
        """Fill the context; for subclasses."""

    @property
    def all_tools(self) -> list[Callable[..., Any]]:
        """Every callable the agent offers in this process, internal ones included; unknown names are left out."""
        return self._found(list(self._tool_names))

    @property
    def tools(self) -> list[Callable[..., Any]]:
        """The callables shown to the model."""
        inside = list(self._inside or ())
        found = self._found([name for name in self._tool_names if name not in inside])
        return [tool for tool in found if not tool.__name__.startswith("_")]

    @property
    def internal_tools(self) -> list[Callable[..., Any]]:
        """Those of `all_tools` that the model is not shown."""
        shown = self.tools
        return [tool for tool in self.all_tools if tool not in shown]

    @property
    def _tools(self) -> list[Callable[..., Any]]:
        return self.tools

    @property
    def _internal_tools(self) -> list[Callable[..., Any]]:
        return self.internal_tools

    @property
    def _metadata(self) -> dict[str, str] | None:
        return self.metadata

    @property
    def _description(self) -> str | None:
        return self.description

    @property
    def _system_prompt(self) -> SystemPromptData | None:
        return self.prompt

    def get_adapter(self, name: str) -> Callable[..., Any] | None:
        """What the context has under `name`, `_name` or `__name`, or None."""
        found = (self.context.get(prefix + name) for prefix in ("", "_", "__"))
        return next((adapter for adapter in found if adapter is not None), None)

    def append_tool(self, tool: Callable[..., Any] | str) -> None:
        """Offer one more callable, or the name of one in the context or of a module ("module:function")."""
        self._tool_names.append(self._name_of(tool))

    def append_internal_tool(self, tool: Callable[..., Any] | str) -> None:
        """As `append_tool`, but the model is not shown it; a name with a leading underscore needs no more than that."""
        name = self._name_of(tool)
        self._tool_names.append(name)
        self._inside = [*(self._inside or ()), name]

    def _name_of(self, tool: Callable[..., Any] | str) -> str:
        """The name under which a tool is found again."""
        if isinstance(tool, str):
            return tool
        try:
            name = function_name(tool)
        except (TypeError, ValueError):  # nested or bound: it lives in this process only
            name = tool.__name__
            _contexts.setdefault(db0.uuid(self), {})[name] = tool
        return name

    def update_system_prompt(self, new: SystemPromptData | str | None) -> bool:
        """Replace the prompt; True when it changed."""
        text = _prompt_text(new)
        if text == self._prompt_text:
            return False
        self._prompt_text = text
        return True

    def update_metadata(self, new: dict[str, str] | None) -> bool:
        """Replace the metadata; True when it changed. Definitions made before keep theirs."""
        data = json_bytes(dict(new) if new is not None else None)
        if data == self._metadata_bytes:
            return False
        self._metadata_bytes = data
        return True

    def update_description(self, new: str | None) -> bool:
        """Replace the description; True when it changed."""
        data = json_bytes(new)
        if data == self._description_bytes:
            return False
        self._description_bytes = data
        return True

    def system_prompt(
        self,
        task_difficulty: TaskDifficulty | None = None,
        job_params: dict[str, Any] | None = None,
        available_tools: Sequence[Callable[..., Any]] | None = None,
        **kwargs: Any,
    ) -> str:
        """The prompt for a difficulty, placeholders filled. Raises KeyError for an unknown placeholder."""
        shown = [registry.from_callable(tool) for tool in (self.tools if available_tools is None else available_tools)]
        return render_prompt(
            self.prompt,
            task_difficulty,
            brief_tools=describe.listing(shown),
            detailed_tools=describe.listing(shown, detailed=True),
            params={**(job_params or {}), **kwargs} or None,
        )

    def create_job_def(
        self,
        tools: Any = None,
        warmup_code: WarmupCode = None,
        shared_vars: dict[str, Any] | None = None,
        locale: Any = None,
        **kwargs: Any,
    ) -> JobDef:
        """A definition for a job of this agent: dynamic warmup first, then the agent's own.

        Raises:
            ValueError: the agent has no MODEL metadata.
        """
        params = dict(kwargs)
        if shared_vars is not None:
            params["shared_vars"] = list(shared_vars)
        blocks = (warmup_data(parse_warmup_code(warmup_code)) or []) + self.warmup_blocks
        return make_definition(self, self.job_metadata(), params or None, blocks, locale)

    def job_metadata(self) -> dict[str, str]:
        """The metadata that jobs get. Raises ValueError when there is no MODEL in it."""
        metadata = self.metadata or {}
        if not metadata.get("MODEL"):
            raise ValueError(f"agent {self.role!r} has no MODEL metadata")
        return metadata

    @property
    def warmup_blocks(self) -> list[dict[str, Any]]:
        """The agent's own warmup as data, block by block; a plain agent has none."""
        return []

    def _found(self, names: list[str]) -> list[Callable[..., Any]]:
        found = (self._resolve(name) for name in names)
        return [tool for tool in found if tool is not None]

    def _resolve(self, name: str) -> Callable[..., Any] | None:
        if ":" in name:
            return resolve_function(name)
        tool: Callable[..., Any] | None = self.context.get(name)
        return tool


@db0.memo(id="statek/SupervisedAgent")
class SupervisedAgent(Agent):
    """An agent that workers, queues and clients may start jobs of."""

    _late_fields = ("_inside", "warmup_def")
    __signature__ = Documented({"_revision"})

    def __init__(
        self,
        role: str,
        _system_prompt: SystemPromptData | str | None,
        _tools: Sequence[Callable[..., Any]],
        _tools_by_name: Sequence[str] = (),
        _internal_tools: Sequence[Callable[..., Any]] = (),
        _internal_tools_by_name: Sequence[str] = (),
        _metadata: dict[str, str] | None = None,
        _X__context: dict[str, Any] | None = None,  # noqa: N803 - documented name
        _description: str | None = None,
        warmup_def: WarmupDef | None = None,
        _revision: str = "",
    ) -> None:
        """Store the agent; see `Agent`."""
        self.warmup_def = warmup_def
        super().__init__(
            role, _system_prompt, _tools, _tools_by_name, _internal_tools, _internal_tools_by_name, _metadata,
            _X__context, _description, _revision,
        )  # fmt: skip

    def update_warmup_def(self, unparsed: str | None) -> bool:
        """Parse and replace the warmup; True when it changed. Raises ValueError or SyntaxError for bad directives."""
        parsed = parse_warmup_code(unparsed)
        code, metadata = warmup_data(parsed), _merged_metadata(parsed)
        if self.warmup_def is not None and (code, metadata) == (
            warmup_data(self.warmup_def.warmup_code),
            self.warmup_def.metadata,
        ):
            return False
        if parsed is None:
            changed = self.warmup_def is not None
            self.warmup_def = None
            return changed
        self.warmup_def = WarmupDef(parsed, metadata)
        return True

    @property
    def warmup_blocks(self) -> list[dict[str, Any]]:
        """The agent's own warmup as data, block by block."""
        return (warmup_data(self.warmup_def.warmup_code) or []) if self.warmup_def is not None else []

    @property
    def referenced_locals(self) -> list[str]:
        """External names the whole warmup reads, in order of first use."""
        return referenced_names("\n".join(block["code"] or "" for block in self.warmup_blocks))


def spec_agent(role: str, revision: str, model: str) -> SupervisedAgent:
    """The stored agent of a compiled revision, made once."""
    found: SupervisedAgent | None = root.find_agent(revision=revision)
    if found is None:
        found = SupervisedAgent(role, None, [], _metadata={"MODEL": model}, _revision=revision)
    return found


def update_prompt_config(prompt_defs: Mapping[str, Any], agents: Iterable[Agent] | None = None) -> None:
    """Apply prompt definitions to the agents whose role they name, and their chat style to definitions made before.

    Args:
        prompt_defs: by role, with `system` (a prompt or its text) and `metadata`.
        agents: None: all in the store.

    Raises:
        ValueError: CHAT_STYLE names no style.
    """
    for agent in stored_agents() if agents is None else list(agents):
        found = prompt_defs.get(agent.role)
        if found is None:
            continue
        agent.update_system_prompt(make_system_prompt(found.system))
        if found.metadata:
            agent.update_metadata({**(agent.metadata or {}), **found.metadata})
            agent.update_description(found.metadata.get("DESCRIPTION", agent.description))
        style = found.metadata.get("CHAT_STYLE")
        if style is not None and style.upper() not in ChatStyle.__members__:
            raise ValueError(
                f"CHAT_STYLE {style!r} of {agent.role!r}: expected one of {', '.join(ChatStyle.__members__)}"
            )
        for job_def in db0.find(JobDef, db0.as_tag(agent)):
            job_def.set_chat_style(ChatStyle[style.upper()] if style is not None else None)


def update_warmup_defs(path: str | Path, agents: Iterable[Agent] | None = None) -> None:
    """Apply every `ROLE.py` directly in a folder as the warmup of the supervised agents of that role.

    The files are read, never imported. Agents without a file keep what they have.

    Args:
        path: the folder.
        agents: None: all in the store.

    Raises:
        ValueError, SyntaxError: a file has bad directives; it is named, and agents of other files are not touched.
    """
    texts = {file.stem: file.read_text(encoding="utf-8") for file in sorted(Path(path).glob("*.py"))}
    for role, text in texts.items():
        try:
            parse_warmup_code(text)
        except (ValueError, SyntaxError) as error:
            raise type(error)(f"{Path(path) / role}.py: {error}") from error
    for agent in stored_agents() if agents is None else list(agents):
        if isinstance(agent, SupervisedAgent) and agent.role in texts:
            agent.update_warmup_def(texts[agent.role])


def stored_agents() -> list[Agent]:
    """The agents made in Python that the store has, oldest first."""
    return [agent for agent in root.current_root().agents if agent is not None and not agent.revision]


def _prompt_text(prompt: SystemPromptData | str | None) -> str:
    if prompt is None:
        return ""
    return to_text(SystemPromptData(prompt, ()) if isinstance(prompt, str) else prompt)


def _merged_metadata(parsed: Any) -> dict[str, Any] | None:
    merged: dict[str, Any] = {}
    for block in warmup_data(parsed) or []:
        merged.update(block["metadata"] or {})
    return merged or None
