"""Compiled objects: the values that a release is made of. No SQLite here, no parsing of files.

The compiler writes them, the runtime reads them; neither knows the other. An object travels as canonical JSON text
(`encode`), its revision is `name@` + the first 12 hex digits of the SHA-256 of that text. Every default is filled in
before an object gets here: a reader never invents a value. Durations are whole microseconds, money is USD.

A field that came later has a default here, which stands for what builds before it did. The text leaves it out while it
has that value: texts written before still read, and an object that does not use the field keeps its revision.
"""

import dataclasses
import hashlib
import json
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from statek.exceptions import BugError

Json = Any  # JSON data: None, bool, int, float, str, list, dict with str keys
Effect = Literal["read", "write", "external"]


@dataclass(frozen=True, slots=True)
class Tool:
    """One callable offered to a job."""

    name: str
    toolset: str
    target: str  # "package.module:function"
    effect: Effect
    idempotent: bool
    timeout_us: int | None
    description: str | None  # overrides the docstring
    thread: bool = False  # runs in a thread, off the loop


@dataclass(frozen=True, slots=True)
class Block:
    """One block of warmup code.

    Attributes:
        line: its first line, counted from the warmup's first line of code: where that stands is no part of a revision.
        label: what a `#STATEK: label = "..."` line called it, for people who read the warmup.
    """

    code: str
    line: int
    hidden: bool
    label: str | None


@dataclass(frozen=True, slots=True)
class Warmup:
    """Code that runs before the first model call. `path` is `Warmup/NAME`: places are no part of a revision."""

    name: str
    path: str
    blocks: tuple[Block, ...]
    timeout_us: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may use. N is allowed, N + 1 is refused, checked before the paid call. None: no bound."""

    turns: int
    tokens: int
    cost_usd: float | None
    wall_clock_us: int
    tool_calls: int | None
    exceptions: int
    consecutive_exceptions: int
    subjobs: int
    depth: int


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waiting between tries: min, then times factor, at most max."""

    min_us: int
    max_us: int
    factor: float


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a failed call or job is tried again (1: never)."""

    max_attempts: int
    backoff: Backoff


@dataclass(frozen=True, slots=True)
class PerKey:
    """At most `max` jobs of one value of `key`, a dotted path into the inputs."""

    key: str
    max: int


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` in `period_us` on average, and as many at once after a pause."""

    count: int
    period_us: int


@dataclass(frozen=True, slots=True)
class Reload:
    """When a running job takes over a new revision, aspect by aspect (the language's section on running jobs)."""

    prompt: Literal["next-job", "on-resume", "next-turn"]
    model: Literal["next-job", "on-resume", "next-turn"]
    tools: Literal["next-job", "on-resume", "next-turn"]
    warmup: Literal["next-job", "restart"]
    limits: Literal["next-job", "tighten-now", "now"]


@dataclass(frozen=True, slots=True)
class Agent:
    """A whole agent: everything that changes its behaviour, with partials, tools and warmup written out.

    `prompt_path` is `Agent/NAME` and `prompt_line` 1: a place for messages about the prompt that changes with no file.
    """

    name: str
    description: str
    prompt: str
    prompt_path: str
    prompt_line: int
    partials: Mapping[str, str]
    model: tuple[str, ...]  # the model and its fallbacks: names of Models, or model strings family/model
    params: Mapping[str, Json]
    inputs: Mapping[str, Json]  # name -> JSON-schema-like; "optional" and "default" as in the language
    output: Json | None
    vars: Mapping[str, Json]
    tools: tuple[Tool, ...]
    subagents: tuple[str, ...]
    warmup: Warmup | None
    limits: Limits
    max_running: int | None
    retry: Retry
    reload: Reload
    chat_style: Literal["console", "markdown", "md_dialog", "direct"]
    imports: tuple[str, ...]  # modules that the sandbox offers beyond its own list
    locale: str | None
    metadata: Mapping[str, str]
    per_key: PerKey | None = None  # jobs of one key that have begun and not ended


@dataclass(frozen=True, slots=True)
class ToolSet:
    """Tools as declared; agents carry their own copy."""

    name: str
    tools: tuple[Tool, ...]


@dataclass(frozen=True, slots=True)
class Price:
    """USD for a million tokens."""

    input_per_mtok: float
    output_per_mtok: float
    cached_per_mtok: float | None


@dataclass(frozen=True, slots=True)
class Model:
    """A model of a provider. For a `scripted` provider `id` names the Script."""

    name: str
    provider: str
    id: str
    fallback: tuple[str, ...]
    params: Mapping[str, Json]
    price: Price | None


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Bounds of one provider call; `total_us` covers the whole of it."""

    connect_us: int
    first_byte_us: int
    idle_us: int
    total_us: int


@dataclass(frozen=True, slots=True)
class Provider:
    """Where models are called. `base_url`, `api_key` and header values may hold `${secret:NAME}`, resolved at use."""

    name: str
    driver: Literal["openai", "anthropic", "gemini", "scripted"]
    base_url: str | None
    api_key: str | None
    headers: Mapping[str, str]
    timeout: Timeouts
    concurrent: int | None
    rpm: int | None
    tpm: int | None
    cost_usd_per_day: float | None
    retry: Retry


@dataclass(frozen=True, slots=True)
class Rule:
    """One scripted answer. Conditions that are None hold always; `last` is a regular expression."""

    agent: str | None
    turn: int | None
    last: str | None
    text: str | None
    code: str | None
    tool_calls: tuple[Mapping[str, Json], ...]
    usage: Mapping[str, int]  # input_tokens, output_tokens, cached_tokens; what is not given is estimated
    latency_us: int
    error: str | None


@dataclass(frozen=True, slots=True)
class Script:
    """Answers for a scripted provider: the first rule that fits."""

    name: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Queue:
    """Items that become jobs of one agent when capacity allows.

    Attributes:
        agent: None: the queue only holds items.
        concurrency: unfinished jobs of this queue.
        dedupe_key: dotted path into the item.
        dedupe_keep_us: how long a key is remembered; None: for ever.
        retry: of items whose job fails; one attempt: the agent's own retry counts.
        dead_letter: the queue that takes what failed for good or waited too long.
        key: dotted path of what groups items, for `order` and `per_key`.
        order: which waiting item is next.
        priority: dotted path of an item's urgency: a number, higher first, or one of `priorities`.
        priorities: values of `priority`, the most urgent first.
        per_key: unfinished jobs of one key.
        rate: how often an item may become a job.
        ttl_us: how long an item may wait.
    """

    name: str
    agent: str | None
    deliver_as: str | None
    concurrency: int | None
    dedupe_key: str | None
    max_depth: int | None
    overflow: Literal["refuse", "drop-oldest", "drop-newest"]
    retry: Retry
    dead_letter: str | None
    paused: bool
    dedupe_keep_us: int | None = None
    key: str | None = None
    order: Literal["fifo", "key-fifo", "priority"] = "fifo"
    priority: str | None = None
    priorities: tuple[Json, ...] = ()
    per_key: int | None = None
    rate: Rate | None = None
    ttl_us: int | None = None


@dataclass(frozen=True, slots=True)
class Fleet:
    """What a worker runs. Empty `agents` or `queues`: all of the release."""

    name: str
    agents: tuple[str, ...]
    queues: tuple[str, ...]
    max_concurrency: int
    drain_us: int
    watch: bool
    settle_us: int
    poll: bool


Compiled = Agent | ToolSet | Warmup | Model | Provider | Script | Queue | Fleet
KINDS: dict[str, type] = {
    "Agent": Agent, "ToolSet": ToolSet, "Warmup": Warmup, "Model": Model, "Provider": Provider, "Script": Script,
    "Queue": Queue, "Fleet": Fleet,
}  # fmt: skip

T = TypeVar("T")


def encode(value: Compiled) -> str:
    """Canonical JSON text: sorted keys, no spaces, whole floats written as integers, nothing that came later unused."""
    return canonical(_used(value))


def canonical(data: Json) -> str:
    """JSON text that is the same for equal data."""
    return json.dumps(_whole(data), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(text: str) -> str:
    """First 12 hex digits of the SHA-256 of `text` in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def decode(kind: str, text: str) -> Compiled:
    """The object that `encode` wrote, in this build or one before. Raises BugError for other fields than its kind's."""
    value: Compiled = _build(KINDS[kind], json.loads(text), kind)
    return value


def _used(value: Any) -> Json:
    """JSON data of a value, without what came later and stands at its default."""
    if dataclasses.is_dataclass(value):
        held = [(field, getattr(value, field.name)) for field in dataclasses.fields(value)]
        return {f.name: _used(entry) for f, entry in held if not _is_later(f) or entry != f.default}
    if isinstance(value, Mapping):
        return {str(key): _used(entry) for key, entry in value.items()}
    return [_used(entry) for entry in value] if isinstance(value, list | tuple) else value


def _whole(data: Json) -> Json:
    if isinstance(data, float) and data.is_integer():
        return int(data)
    if isinstance(data, Mapping):
        return {str(key): _whole(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_whole(value) for value in data]
    return data


def _build(shape: Any, data: Json, where: str) -> Any:
    origin = typing.get_origin(shape)
    if dataclasses.is_dataclass(shape):
        return _build_dataclass(typing.cast("type", shape), data, where)
    if origin is tuple:
        item = typing.get_args(shape)[0]
        return tuple(_build(item, entry, f"{where}[{n}]") for n, entry in enumerate(data))
    if origin is types.UnionType:
        inner = [part for part in typing.get_args(shape) if part is not type(None)]
        return None if data is None else _build(inner[0], data, where)
    return float(data) if shape is float else data


def _build_dataclass(shape: type, data: Json, where: str) -> Any:
    hints = typing.get_type_hints(shape)
    needed = {field.name for field in dataclasses.fields(shape) if not _is_later(field)}
    if not isinstance(data, dict) or not needed <= set(data) <= set(hints):
        raise BugError(f"stored {where} has other fields than this build expects")
    return shape(**{name: _build(hints[name], entry, f"{where}.{name}") for name, entry in data.items()})


def _is_later(field: "dataclasses.Field[Any]") -> bool:
    return field.default is not dataclasses.MISSING
