"""What a job uses of its agent, under the names that its files have for it: `limits.wall_clock` is "1h". Pure.

A revision holds compiled values; people ask for fields of the language. Short forms are written out, and what stands
for several things (patterns of tools, a chain of models) is what it came to.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from statek.ledger import compiled
from statek.spec.formats import UNITS_US
from statek.tools.selection import KEY


def fields_of(agent: compiled.Agent) -> dict[str, Any]:
    """Every field that has to do with how a job of the agent runs, as JSON data."""
    limits, retry, warmup, per_key = agent.limits, agent.retry, agent.warmup, agent.per_key
    return {
        "description": agent.description,
        "model": {"use": agent.model[0], "fallback": list(agent.model[1:]), "params": dict(agent.params)},
        "inputs": {name: dict(shape) for name, shape in agent.inputs.items()},
        "output": None if agent.output is None else {"schema": agent.output},
        "tools": {"use": [f"{tool.toolset}/{tool.name}" for tool in agent.tools]},
        "subagents": list(agent.subagents),
        "warmup": None if warmup is None else {"use": warmup.name, "timeout": duration_text(warmup.timeout_us)},
        "limits": {
            "turns": limits.turns, "tokens": limits.tokens, "cost_usd": limits.cost_usd,
            "wall_clock": duration_text(limits.wall_clock_us), "tool_calls": limits.tool_calls,
            "exceptions": limits.exceptions, "consecutive_exceptions": limits.consecutive_exceptions,
            "subjobs": limits.subjobs, "depth": limits.depth,
        },
        "concurrency": {
            "max": agent.max_running,
            "per_key": None if per_key is None else {"key": per_key.key, "max": per_key.max},
        },
        "retry": {
            "max_attempts": retry.max_attempts,
            "backoff": {
                "min": duration_text(retry.backoff.min_us), "max": duration_text(retry.backoff.max_us),
                "factor": retry.backoff.factor,
            },
        },
        "reload": {name: getattr(agent.reload, name) for name in agent.reload.__slots__},
        "chat_style": agent.chat_style,
        "sandbox": {"imports": list(agent.imports)},
        "tools_scope": agent.metadata.get(KEY),
    }  # fmt: skip


def value_at(data: Mapping[str, Any], path: Sequence[str]) -> Any:
    """The value under `path`. Raises KeyError when there is none."""
    found: Any = data
    for step in path:
        if not isinstance(found, Mapping):
            raise KeyError(step)
        found = found[step]
    return found


def duration_text(duration_us: int) -> str:
    """A duration as the language writes it, in the largest units that fit: `1h30m`."""
    parts, rest = [], duration_us
    for unit, size in sorted(UNITS_US.items(), key=lambda item: -item[1]):
        count, rest = divmod(rest, size)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts) or "0s"
