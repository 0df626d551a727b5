"""What a schema cannot say about one document: limits that contradict, secrets written out, defaults of a wrong type.

Runs on documents that follow their schema. Called by `validate`; knows no other document.
"""

import functools
import keyword
import re
from collections.abc import Iterator, Mapping
from typing import Any

from statek.base.nearest import did_you_mean
from statek.sandbox.policy import BUILTIN_NAMES
from statek.spec.checking.outside import check_outside
from statek.spec.checking.referring import check_referring
from statek.spec.checking.secrets import check_secrets
from statek.spec.fixes import word_fix
from statek.spec.formats import duration_us
from statek.spec.positions import inside
from statek.spec.problems import Problem
from statek.spec.quick import quick_look
from statek.spec.schema.tools import SOURCES
from statek.spec.types import Path, Spec, dotted

_NEEDED = ("exit", "print")  # of the names of every job, those that no input may take: others are good names of data
_TIMEOUTS = {"connect": "10s", "first_byte": "60s", "idle": "60s"}


def check_rules(spec: Spec) -> Iterator[Problem]:
    """Every problem of one document beyond its schema."""
    yield from check_referring(spec)
    yield from {
        "Agent": _agent, "ToolSet": _tool_set, "Provider": _provider, "Script": _script, "Queue": _queue,
    }.get(spec.kind, _nothing)(spec)  # fmt: skip


def _nothing(_spec: Spec) -> Iterator[Problem]:
    return iter(())


def _backoff(spec: Spec) -> Iterator[Problem]:
    waits = spec.data.get("retry", {}).get("backoff", {})
    if {"min", "max"} <= set(waits) and duration_us(waits["min"]) > duration_us(waits["max"]):
        message = f"retry.backoff.min ({waits['min']}) is longer than retry.backoff.max ({waits['max']})"
        yield spec.problem("STK601", message, "retry", "backoff", "min")


def _agent(spec: Spec) -> Iterator[Problem]:
    yield from _backoff(spec)
    yield from _agent_concurrency(spec)
    limits = spec.data.get("limits", {})
    most = limits.get("exceptions", 10)
    if limits.get("consecutive_exceptions", 0) > most:
        found = limits["consecutive_exceptions"]
        message = f"limits.consecutive_exceptions ({found}) is never reached: limits.exceptions is {most}"
        yield spec.problem("STK601", message, "limits", "consecutive_exceptions")
    for index, name in enumerate(spec.data.get("subagents", [])):
        if not name.isidentifier() or keyword.iskeyword(name):
            message = f"subagent '{name}' cannot be called: a job calls it by name, so it must be a Python name"
            yield spec.problem("STK105", message, "subagents", index)
        yield from _of_every_job(spec, "subagent", name, "subagents", index)
    for name, shape in spec.data.get("inputs", {}).items():
        yield from _keyword(spec, name, "inputs", name)
        yield from _of_every_job(spec, "input", name, "inputs", name) if name in _NEEDED else ()
        yield from _value(spec, shape, ("inputs", name))
    if "output" in spec.data:
        yield from _value(spec, spec.data["output"]["schema"], ("output", "schema"))


def _agent_concurrency(spec: Spec) -> Iterator[Problem]:
    given = spec.data.get("concurrency", {})
    if "per_key" in given:
        key = given["per_key"]["key"]
        yield from _key_bound(spec, given["per_key"]["max"], given.get("max"), "concurrency", "per_key", "max")
        name, inputs = key.partition(".")[0], spec.data.get("inputs", {})
        if name not in inputs:
            message = f"concurrency.per_key.key begins with '{name}', which is no input{did_you_mean(name, inputs)}"
            where = spec.where("concurrency", "per_key", "key")
            part = inside(where, key, 0, len(name))
            fixes = word_fix(part, name, inputs) if part != where or name == key else ()
            yield spec.problem("STK201", message, "concurrency", "per_key", "key", fixes=fixes)


def _key_bound(spec: Spec, one: int, every: int | None, *path: str | int) -> Iterator[Problem]:
    if every is not None and one > every:
        message = f"{dotted(path)} ({one}) is never reached: concurrency is {every}"
        yield spec.problem("STK601", message, *path)


def _keyword(spec: Spec, name: str, *path: str | int) -> Iterator[Problem]:
    if keyword.iskeyword(name):
        message = f"'{name}' is a word of Python and cannot be a name; choose another"
        told = spec.at_key if "inputs" in path[:1] or "input" in path else spec.problem
        yield told("STK105", message, *path)


def _of_every_job(spec: Spec, what: str, name: str, *path: str | int) -> Iterator[Problem]:
    """A name under which the code of every job finds something else, which would be lost to it."""
    if name in BUILTIN_NAMES:
        other = f"{spec.name}_{name}".replace("-", "_")
        instead = f"give it another 'name', such as '{other}'" if what == "tool" else f"rename it, to '{other}' perhaps"
        message = f"{what} '{name}' has the name of what the code of every job has already, and would hide it"
        told = spec.at_key if what == "input" else spec.problem
        yield told("STK503", f"{message}; {instead}", *path)


def _value(spec: Spec, shape: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    """The declaration of a value fits itself: default and enum have its type, required names exist."""
    if "default" in shape:
        plain = {key: value for key, value in shape.items() if key not in {"default", "optional"}}
        complaint = _complaint(plain, shape["default"])
        if complaint is not None:
            message = f"default of '{dotted(path)}' does not fit its declaration: {complaint[:200]}"
            yield spec.problem("STK103", message, *path, "default")
    for index, value in enumerate(shape.get("enum", [])):
        if _complaint({"type": shape["type"]}, value) is not None:
            message = f"'{dotted((*path, 'enum', index))}' must be of type {shape['type']}, found {value!r}"
            yield spec.problem("STK103", message, *path, "enum", index)
    properties = shape.get("properties", {})
    for index, name in enumerate(shape.get("required", [])):
        if name not in properties:
            message = f"required property '{name}' is not declared{did_you_mean(name, properties, also='properties')}"
            where = spec.where(*path, "required", index)
            fixes = word_fix(where, name, properties, beside=shape["required"])
            yield spec.problem("STK201", message, *path, "required", index, fixes=fixes)
    for name, inner in properties.items():
        yield from _value(spec, inner, (*path, "properties", name))
    if "items" in shape:
        yield from _value(spec, shape["items"], (*path, "items"))


def _complaint(shape: Mapping[str, Any], value: Any) -> str | None:
    if quick_look(shape)(value):
        return None
    from statek.spec.checking.judging import complaint  # see there

    return complaint(shape, value)


def tool_names(tool: Mapping[str, Any]) -> tuple[str, ...]:
    """The names that the model calls a declared tool by: several of a file or server, none when it lists none."""
    source: Mapping[str, Any] | None = tool.get("openapi") or tool.get("mcp")
    if source is not None:
        before = f"{tool['name']}_" if "name" in tool else ""
        return tuple(before + re.sub(r"[^A-Za-z0-9_]", "_", name) for name in source.get("include", ()))
    return (tool.get("name") or tool["python"].partition(":")[2],)


def _tool_set(spec: Spec) -> Iterator[Problem]:
    yield from check_secrets(spec)
    seen: dict[str, int] = {}
    for index, tool in enumerate(spec.data["tools"]):
        yield from check_outside(spec, index, tool)
        for name, shape in tool.get("http", {}).get("input", {}).items():
            yield from _keyword(spec, name, "tools", index, "http", "input", name)
            yield from _value(spec, shape, ("tools", index, "http", "input", name))
        if "http" in tool and "name" not in tool:
            message = "missing required field 'name': what the model calls this HTTP call by"
            yield spec.missing("STK102", message, "tools", index)
            continue
        yield from _tool_names(spec, index, tool, seen)


def _tool_names(spec: Spec, index: int, tool: Mapping[str, Any], seen: dict[str, int]) -> Iterator[Problem]:
    """Every name can be called and is new; `seen` takes them in."""
    source = next(name for name in SOURCES if name in tool)
    for number, name in enumerate(tool_names(tool)):
        path: Path = ("tools", index, "name" if "name" in tool else source)
        if source in {"openapi", "mcp"}:
            path = ("tools", index, source, "include", number)
        if name.startswith("_") or not name.isidentifier():
            why = "names that start with '_' are refused" if name.startswith("_") else "it is no name of Python"
            yield spec.problem("STK105", f"tool '{name}' cannot be called: {why}; give it a 'name'", *path)
        yield from _keyword(spec, name, *path)
        yield from _of_every_job(spec, "tool", name, *path)
        if name in seen:
            line = spec.where("tools", seen[name]).start.line
            message = f"tool '{name}' stands twice in ToolSet '{spec.name}'; the first is on line {line}"
            yield spec.problem("STK503", message, *path)
        seen.setdefault(name, index)


def _provider(spec: Spec) -> Iterator[Problem]:
    yield from check_secrets(spec)
    yield from _backoff(spec)
    yield from _timeouts(spec)
    yield from _scripted(spec)


def _timeouts(spec: Spec) -> Iterator[Problem]:
    given = spec.data.get("timeout", {})
    if not isinstance(given, Mapping):
        return
    total = given.get("total", "120s")
    for name in _TIMEOUTS:
        if name in given and duration_us(given[name]) > duration_us(total):
            message = f"timeout.{name} ({given[name]}) is longer than timeout.total ({total})"
            yield spec.problem("STK601", message, "timeout", name)


def _scripted(spec: Spec) -> Iterator[Problem]:
    """A scripted provider reaches nobody: what says how to would never be read."""
    for name in ("base_url", "api_key", "headers", "timeout"):
        if spec.data.get("driver") == "scripted" and name in spec.data:
            message = f"'{name}' has no place beside driver 'scripted', which calls nobody; remove it"
            yield spec.at_key("STK101", message, name)


def _script(spec: Spec) -> Iterator[Problem]:
    for index, rule in enumerate(spec.data["rules"]):
        last = rule.get("when", {}).get("last")
        reason = _regex_error(last) if last is not None else None
        if reason is not None:
            message = f"'when.last' must be a regular expression: {reason}"
            yield spec.problem("STK105", message, "rules", index, "when", "last")
        if "reply" in rule and not rule["reply"]:
            message = "'reply' is empty; give it text, code or tool_calls"
            yield spec.problem("STK110", message, "rules", index, "reply")


@functools.lru_cache(maxsize=1000)
def _regex_error(pattern: str) -> str | None:
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return str(error)
    return None


def _queue(spec: Spec) -> Iterator[Problem]:
    data = spec.data
    if "agent" in data and "deliver_as" not in data:
        message = "missing field 'deliver_as': the variable of the job that holds the item"
        yield spec.missing("STK102", message)
    if "deliver_as" in data:
        yield from _keyword(spec, data["deliver_as"], "deliver_as")
        if "agent" not in data:
            yield spec.missing("STK102", "missing field 'agent': 'deliver_as' says how it gets the items")
    yield from _backoff(spec)
    yield from _grouping(spec)
    if data.get("dead_letter") == spec.name:
        message = f"queue '{spec.name}' is its own dead letter queue; name another one"
        yield spec.problem("STK605", message, "dead_letter")


def _grouping(spec: Spec) -> Iterator[Problem]:
    """What goes by key needs one."""
    data = spec.data
    given = data.get("concurrency")
    per_key = given.get("per_key") if isinstance(given, Mapping) else None
    by_key = data.get("order") == "key-fifo"
    if (by_key or per_key is not None) and "key" not in data:
        written = "order: key-fifo" if by_key else "concurrency.per_key"
        yield spec.missing("STK102", f"missing field 'key': '{written}' goes by the item's key")
    if per_key is not None and isinstance(given, Mapping):
        found = tuple(_key_bound(spec, per_key, given.get("max"), "concurrency", "per_key"))
        yield from found
        if by_key and per_key > 1 and not found:
            message = f"concurrency.per_key ({per_key}) is never reached: key-fifo runs one job of a key at a time"
            yield spec.problem("STK601", message, "concurrency", "per_key")
