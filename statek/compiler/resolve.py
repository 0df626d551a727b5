"""Specs of every kind but Agent to compiled values. Each default of the language stands here or in `agents`."""

from collections.abc import Mapping
from typing import Any

from statek.ledger import compiled
from statek.spec.checking.rules import tool_names
from statek.spec.formats import duration_us, rate_parts, token_count
from statek.spec.reading.documents import Document
from statek.spec.types import Spec
from statek.text.warmup import split_blocks


def tool_set(spec: Spec) -> compiled.ToolSet:
    """A ToolSet with its tools in the order of the file."""
    return compiled.ToolSet(spec.name, tuple(tool(spec.name, data) for data in spec.data["tools"]))


def tool(toolset: str, data: Mapping[str, Any]) -> compiled.Tool:
    """One tool of the set `toolset`."""
    timeout = data.get("timeout")
    return compiled.Tool(
        name=tool_names(data)[0],
        toolset=toolset,
        target=data["python"],
        effect=data.get("effect", "external"),
        idempotent=data.get("idempotent", False),
        timeout_us=None if timeout is None else duration_us(timeout),
        description=data.get("description"),
        thread=data.get("thread", False),
    )


def warmup(document: Document, *, timeout: str = "30s", hidden: bool = False) -> compiled.Warmup:
    """A warmup without problems; `hidden` hides all of its blocks. Lines count from the first line of code."""
    located = split_blocks(document.text)
    blocks = tuple(
        compiled.Block(block.code, block.line - located[0].line + 1, block.hidden or hidden, block.label)
        for block in located
    )
    return compiled.Warmup(document.stem, f"Warmup/{document.stem}", blocks, duration_us(timeout))


def retry(data: Mapping[str, Any], *, attempts: int = 1, least: str = "1s", most: str = "1m") -> compiled.Retry:
    """A retry policy; a wait that is not given never contradicts one that is."""
    given = data.get("backoff", {})
    shortest, longest = duration_us(given.get("min", least)), duration_us(given.get("max", most))
    if "max" not in given:
        longest = max(longest, shortest)
    if "min" not in given:
        shortest = min(longest, shortest)
    backoff = compiled.Backoff(shortest, longest, float(given.get("factor", 2)))
    return compiled.Retry(data.get("max_attempts", attempts), backoff)


def params(data: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a model call, token counts as integers."""
    found = dict(data)
    if "max_output_tokens" in found:
        found["max_output_tokens"] = token_count(found["max_output_tokens"])
    return found


def model(spec: Spec) -> compiled.Model:
    """A Model."""
    data = spec.data
    given = data.get("price")
    price = None
    if given is not None:
        cached = given.get("cached_per_mtok")
        price = compiled.Price(
            float(given["input_per_mtok"]), float(given["output_per_mtok"]), None if cached is None else float(cached)
        )
    fallback = tuple(data.get("fallback", ()))
    return compiled.Model(spec.name, data["provider"], data["id"], fallback, params(data.get("params", {})), price)


def timeouts(given: str | Mapping[str, str]) -> compiled.Timeouts:
    """Bounds of one call; those not given are never longer than the whole."""
    parts = {"total": given} if isinstance(given, str) else given
    total = duration_us(parts.get("total", "120s"))

    def bound(name: str, default: str) -> int:
        return duration_us(parts[name]) if name in parts else min(duration_us(default), total)

    return compiled.Timeouts(bound("connect", "10s"), bound("first_byte", "60s"), bound("idle", "60s"), total)


def provider(spec: Spec) -> compiled.Provider:
    """A Provider; `${secret:NAME}` and `${env:NAME}` stay in the text."""
    data, bounds = spec.data, spec.data.get("limits", {})
    return compiled.Provider(
        name=spec.name,
        driver=data.get("driver", "openai"),
        base_url=data.get("base_url"),
        api_key=data.get("api_key"),
        headers=dict(data.get("headers", {})),
        timeout=timeouts(data.get("timeout", {})),
        concurrent=bounds.get("concurrent"),
        rpm=None,
        tpm=None,
        cost_usd_per_day=None,
        retry=retry(data.get("retry", {}), attempts=4, least="500ms", most="20s"),
    )


def script(spec: Spec) -> compiled.Script:
    """A Script with its rules in the order of the file."""
    return compiled.Script(spec.name, tuple(_rule(rule) for rule in spec.data["rules"]))


def _rule(data: Mapping[str, Any]) -> compiled.Rule:
    when, reply = data.get("when", {}), data.get("reply", {})
    calls = [{"name": call["name"], "arguments": call.get("arguments", {})} for call in reply.get("tool_calls", [])]
    return compiled.Rule(
        agent=when.get("agent"),
        turn=when.get("turn"),
        last=when.get("last"),
        text=reply.get("text"),
        code=reply.get("code"),
        tool_calls=tuple(calls),
        usage=dict(data.get("usage", {})),
        latency_us=duration_us(data.get("latency", "0s")),
        error=data.get("error"),
    )


def queue(spec: Spec) -> compiled.Queue:
    """A Queue."""
    data = spec.data
    bounds = data.get("concurrency")
    concurrency = bounds if isinstance(bounds, Mapping) else {"max": bounds}
    order = data.get("order", "fifo")
    priority = order if isinstance(order, Mapping) else {}
    keep = data.get("dedupe", {}).get("keep", "forever")
    return compiled.Queue(
        name=spec.name,
        agent=data.get("agent"),
        deliver_as=data.get("deliver_as"),
        concurrency=concurrency.get("max"),
        dedupe_key=data.get("dedupe", {}).get("key"),
        max_depth=data.get("max_depth"),
        overflow=data.get("overflow", "refuse"),
        retry=retry(data.get("retry", {})),
        dead_letter=data.get("dead_letter"),
        paused=data.get("paused", False),
        dedupe_keep_us=None if keep == "forever" else duration_us(keep),
        key=data.get("key"),
        order="priority" if priority else order,
        priority=priority.get("priority"),
        priorities=tuple(priority.get("values", ())),
        per_key=concurrency.get("per_key"),
        rate=compiled.Rate(*rate_parts(data["rate"])) if "rate" in data else None,
        ttl_us=duration_us(data["ttl"]) if "ttl" in data else None,
    )


def fleet(spec: Spec) -> compiled.Fleet:
    """A Fleet."""
    data, watch = spec.data, spec.data.get("watch", {})
    return compiled.Fleet(
        name=spec.name,
        agents=tuple(data.get("agents", ())),
        queues=tuple(data.get("queues", ())),
        max_concurrency=data.get("max_concurrency", 100),
        drain_us=duration_us(data.get("shutdown", {}).get("drain", "10s")),
        watch=watch.get("enabled", True),
        settle_us=duration_us(watch.get("settle", "300ms")),
        poll=watch.get("poll", False),
    )
