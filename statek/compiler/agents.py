"""An agent to its compiled value: prompt, partials, tools and warmup written out, every default filled in."""

from collections.abc import Mapping
from typing import Any

from statek.compiler import resolve
from statek.compiler.environments import model_in
from statek.compiler.templates import prompt_of
from statek.ledger import compiled
from statek.spec.checking.patterns import selected
from statek.spec.formats import duration_us, token_count
from statek.spec.reading.project import EnvConfig
from statek.spec.types import Spec, SpecSet
from statek.tools.selection import KEY

RELOAD = {
    "prompt": "on-resume", "model": "next-job", "tools": "next-job", "warmup": "next-job", "limits": "next-job",
}  # fmt: skip


def agent(spec: Spec, specs: SpecSet, env: EnvConfig) -> compiled.Agent:
    """The compiled agent of a spec without problems, for one environment."""
    data, document = spec.data, spec.document
    prompt = prompt_of(spec, specs)
    used = {name: value for name, value in env.vars.items() if prompt.variables is None or name in prompt.variables}
    return compiled.Agent(
        name=spec.name,
        description=data["description"],
        prompt=document.body,
        prompt_path=spec.id,
        prompt_line=1,
        partials=prompt.partials,
        model=tuple(dict.fromkeys(model_in(env, name) for name in _models(data["model"]))),  # each is asked once
        params=_params(data),
        inputs={name: _input(shape) for name, shape in data.get("inputs", {}).items()},
        output=data["output"]["schema"] if "output" in data else None,
        vars=used,
        tools=tuple(resolve.tool(tool.toolset.name, tool.data) for _, tool in selected(spec, specs)),
        subagents=tuple(data.get("subagents", ())),
        warmup=_warmup(data.get("warmup"), specs),
        limits=limits(data.get("limits", {}), has_subagents=bool(data.get("subagents"))),
        max_running=data.get("concurrency", {}).get("max"),
        retry=resolve.retry(data.get("retry", {})),
        reload=compiled.Reload(**{**RELOAD, **env.reload, **data.get("reload", {})}),
        chat_style=data.get("chat_style", "console"),
        imports=tuple(data.get("sandbox", {}).get("imports", ())),
        locale=None,
        metadata={KEY: data["tools_scope"]} if "tools_scope" in data else {},
        per_key=_per_key(data.get("concurrency", {})),
    )


def _per_key(given: Mapping[str, Any]) -> compiled.PerKey | None:
    bound = given.get("per_key")
    return None if bound is None else compiled.PerKey(bound["key"], bound["max"])


def _models(model: str | Mapping[str, Any]) -> tuple[str, ...]:
    return (model,) if isinstance(model, str) else (model["use"], *model.get("fallback", ()))


def _params(data: Mapping[str, Any]) -> dict[str, Any]:
    """The agent's parameters; those beside the model win."""
    model = data["model"]
    nearer = model.get("params", {}) if isinstance(model, Mapping) else {}
    return resolve.params({**data.get("params", {}), **nearer})


def _input(shape: Mapping[str, Any]) -> dict[str, Any]:
    return {"optional": False, **shape}


def _warmup(given: str | Mapping[str, Any] | None, specs: SpecSet) -> compiled.Warmup | None:
    if given is None:
        return None
    options: Mapping[str, Any] = {"use": given} if isinstance(given, str) else given
    document = specs.warmup(options["use"])
    assert document is not None
    return resolve.warmup(document, timeout=options.get("timeout", "30s"), hidden=options.get("hidden", False))


def limits(data: Mapping[str, Any], *, has_subagents: bool) -> compiled.Limits:
    """What one job may use. A default never contradicts what is given."""
    cost = data.get("cost_usd")
    exceptions = data.get("exceptions", 10)
    return compiled.Limits(
        turns=data.get("turns", 50),
        tokens=token_count(data.get("tokens", "200k")),
        cost_usd=None if cost is None else float(cost),
        wall_clock_us=duration_us(data.get("wall_clock", "1h")),
        tool_calls=data.get("tool_calls"),
        exceptions=exceptions,
        consecutive_exceptions=data.get("consecutive_exceptions", min(3, exceptions)),
        subjobs=data.get("subjobs", 20 if has_subagents else 0),
        depth=data.get("depth", 1),
    )
