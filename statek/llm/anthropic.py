"""Anthropic's messages format. Pure; no I/O.

The format has no system message in the middle of a conversation and wants roles to alternate, so later system texts
go into the user's turn, marked, and neighbours of one role are joined. Nothing is dropped.
"""

from collections.abc import Mapping, Sequence

from statek.llm.messages import Call, Json, Message, Request
from statek.llm.wire import (
    BUDGETS,
    Adapter,
    Endpoint,
    Outgoing,
    Reply,
    Tokens,
    arguments_of,
    bad_answer,
    bad_request,
    count_of,
    effort_of,
    items,
    mapping,
    own_reasoning,
    params_of,
    split_query,
    text_of,
)

VERSION = "2023-06-01"
DEFAULT_MAX_TOKENS = 4096  # the format demands one


def encode(endpoint: Endpoint, request: Request) -> Outgoing:
    """The POST for `request`."""
    headers = {"anthropic-version": VERSION}
    if endpoint.api_key is not None:
        headers["x-api-key"] = endpoint.api_key
    start = next((n for n, m in enumerate(request.messages) if m.role != "system"), len(request.messages))
    body: dict[str, Json] = {
        "model": request.model,
        "messages": _turns(request.messages[start:], endpoint.provider),
        **_params(request),
    }
    if system := "\n\n".join(m.text for m in request.messages[:start] if m.text):
        body["system"] = system
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    return Outgoing(address(endpoint.base_url), {**headers, **endpoint.headers}, body)


def address(base_url: str) -> str:
    """Where to POST: the host, its `/v1` or the whole address may be given."""
    path, query = split_query(base_url)
    if path.endswith("/messages"):
        return path + query
    return path + ("/messages" if path.endswith("/v1") else "/v1/messages") + query


def decode(body: Json, provider: str) -> Reply:
    """What the answer says. Raises ProviderError for a shape that is no message."""
    data = mapping(body, "the answer")
    if "content" not in data:
        raise bad_answer("no content")
    blocks = [mapping(block, "a block of content") for block in items(data["content"], "content")]
    texts = [text_of(block.get("text"), "text of a block") for block in blocks if block.get("type") == "text"]
    thinking = any(block.get("type") in ("thinking", "redacted_thinking") for block in blocks)
    return Reply(
        text="".join(texts) if texts else None,
        calls=tuple(_call(block, n) for n, block in enumerate(blocks) if block.get("type") == "tool_use"),
        tokens=_tokens(data.get("usage")),
        model=data["model"] if isinstance(data.get("model"), str) else None,
        reasoning={"provider": provider, "blocks": [dict(block) for block in blocks]} if thinking else None,
    )


def _params(request: Request) -> dict[str, Json]:
    params = params_of(request, unsupported=frozenset({"seed"}))
    out: dict[str, Json] = {name: params[name] for name in ("temperature", "top_p") if name in params}
    thinking, budget = _thinking(params.get("reasoning"))
    # Thinking counts as output there; what the user bounds is the answer.
    out["max_tokens"] = params.get("max_output_tokens", DEFAULT_MAX_TOKENS) + budget
    return out | ({"thinking": thinking} if thinking else {})


def _thinking(value: Json) -> tuple[dict[str, Json] | None, int]:
    if value is None:
        return None, 0
    if isinstance(value, Mapping):
        return dict(value), 0
    effort = effort_of(value)
    if effort is None:
        return None, 0
    return {"type": "enabled", "budget_tokens": BUDGETS[effort]}, BUDGETS[effort]


def _turns(messages: Sequence[Message], provider: str) -> list[dict[str, Json]]:
    turns: list[dict[str, Json]] = []
    for message in messages:
        role = "assistant" if message.role == "assistant" else "user"
        blocks = _blocks(message, provider)
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        elif blocks:
            turns.append({"role": role, "content": blocks})
    for turn in turns:
        if turn["role"] == "user":  # results of calls must come first in their turn
            turn["content"].sort(key=lambda block: block["type"] != "tool_result")
    return turns


def _blocks(message: Message, provider: str) -> list[dict[str, Json]]:
    if message.role == "tool":
        if message.call_id is None:
            raise bad_request("a tool message has no call_id")
        return [{"type": "tool_result", "tool_use_id": message.call_id, "content": message.text or ""}]
    if blocks := own_reasoning(message, provider, "blocks"):
        return list(blocks)
    text = message.text
    if text and message.role == "system":
        text = f"<system>\n{text}\n</system>"
    said = [{"type": "text", "text": text}] if text else []
    return said + [{"type": "tool_use", "id": c.id, "name": c.name, "input": dict(c.arguments)} for c in message.calls]


def _tool(tool: Mapping[str, Json]) -> dict[str, Json]:
    spec = {name: value for name, value in tool.items() if name != "parameters"}
    return {**spec, "input_schema": tool.get("parameters") or {"type": "object", "properties": {}}}


def _call(block: Mapping[str, Json], number: int) -> Call:
    where = f"content[{number}]"
    name = text_of(block.get("name"), f"{where}.name")
    return Call(text_of(block.get("id"), f"{where}.id"), name, arguments_of(block.get("input")))


def _tokens(value: Json) -> Tokens | None:
    if value is None:
        return None
    usage = mapping(value, "usage")
    counts = {
        name: count_of(usage.get(name), f"usage.{name}")
        for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")
    }
    # Its input count leaves out what was read from and written to the cache.
    cached = counts["cache_read_input_tokens"]
    return Tokens(
        counts["input_tokens"] + cached + counts["cache_creation_input_tokens"], counts["output_tokens"], cached
    )


ADAPTER = Adapter(encode, decode, "https://api.anthropic.com/v1")
