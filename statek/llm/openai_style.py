"""The chat-completions format that OpenAI, OpenRouter and most other endpoints speak. Pure; no I/O.

`base_url` may end in `/chat/completions` or not: the quickstart gives the base, other pages give the whole address.
"""

import json
from collections.abc import Mapping

from statek.llm.errors import ProviderError, code_of_status, excerpt
from statek.llm.messages import Call, Json, Message, Request
from statek.llm.wire import (
    Adapter,
    Endpoint,
    Outgoing,
    Reply,
    Tokens,
    arguments_of,
    bad_answer,
    bad_request,
    cost_of,
    count_of,
    effort_of,
    hostname,
    items,
    mapping,
    own_reasoning,
    params_of,
    split_query,
    text_of,
)

PATH = "/chat/completions"
THOUGHTS = ("reasoning_details", "reasoning", "reasoning_content")


def encode(endpoint: Endpoint, request: Request) -> Outgoing:
    """The POST for `request`."""
    headers = {} if endpoint.api_key is None else {"Authorization": f"Bearer {endpoint.api_key}"}
    body: dict[str, Json] = {
        "model": request.model,
        "messages": [_message(message, endpoint.provider) for message in request.messages],
    }
    if request.tools:
        body["tools"] = [{"type": "function", "function": dict(tool)} for tool in request.tools]
    body.update(_params(request, hostname(endpoint.base_url)))
    return Outgoing(address(endpoint.base_url), {**headers, **endpoint.headers}, body)


def address(base_url: str) -> str:
    """Where to POST: `base_url`, with the path added unless it is there."""
    path, query = split_query(base_url)
    return (path if path.endswith(PATH) else path + PATH) + query


def decode(body: Json, provider: str) -> Reply:
    """What the answer says. Raises ProviderError for a shape that is no chat completion."""
    data = mapping(body, "the answer")
    choices = items(data.get("choices"), "choices")
    if not choices:
        raise _failure(data)
    message = mapping(mapping(choices[0], "choices[0]").get("message"), "choices[0].message")
    thoughts = {name: message[name] for name in THOUGHTS if message.get(name)}
    return Reply(
        text=_text(message),
        calls=tuple(_call(call, n) for n, call in enumerate(items(message.get("tool_calls"), "tool_calls"))),
        tokens=_tokens(data.get("usage")),
        model=data["model"] if isinstance(data.get("model"), str) else None,
        reasoning={"provider": provider, "fields": thoughts} if thoughts else None,
    )


def _message(message: Message, provider: str) -> dict[str, Json]:
    if message.role == "tool":
        if message.call_id is None:
            raise bad_request("a tool message has no call_id")
        return {"role": "tool", "tool_call_id": message.call_id, "content": message.text or ""}
    if message.role != "assistant":
        return {"role": message.role, "content": message.text or ""}
    out: dict[str, Json] = {"role": "assistant", "content": message.text}
    if message.calls:
        out["tool_calls"] = [
            {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": json.dumps(dict(c.arguments))}}
            for c in message.calls
        ]
    return out | (own_reasoning(message, provider, "fields") or {})


def _params(request: Request, host: str) -> dict[str, Json]:
    params = params_of(request)
    out: dict[str, Json] = {name: params[name] for name in ("temperature", "top_p", "seed") if name in params}
    if "max_output_tokens" in params:
        # OpenAI's newer models refuse the old name; most other endpoints know only that one.
        name = "max_completion_tokens" if host == "api.openai.com" else "max_tokens"
        out[name] = params["max_output_tokens"]
    return out | _reasoning(params.get("reasoning"), host)


def _reasoning(value: Json, host: str) -> dict[str, Json]:
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return {"reasoning": dict(value)}
    effort = effort_of(value)
    if effort is None:
        return {}
    return {"reasoning": {"effort": effort}} if host.endswith("openrouter.ai") else {"reasoning_effort": effort}


def _failure(data: Mapping[str, Json]) -> ProviderError:
    # Gateways report an upstream failure with status 200 and an error object.
    error = data.get("error")
    if not isinstance(error, dict):
        return bad_answer(f"no choices: {excerpt(json.dumps(data))}")
    status = error.get("code")
    message = f"the provider reports an error: {excerpt(str(error.get('message')))}"
    if isinstance(status, int) and 400 <= status <= 599:
        return ProviderError(message, code=code_of_status(status), status=status)
    return ProviderError(message, code="bad-answer")


def _text(message: Mapping[str, Json]) -> str | None:
    content = message.get("content")
    if content is None:
        return None if message.get("refusal") is None else text_of(message["refusal"], "refusal")
    if isinstance(content, str):
        return content
    parts = [mapping(part, "a part of content") for part in items(content, "content")]
    return "".join(text_of(part.get("text"), "text of a part") for part in parts if part.get("type") == "text")


def _call(value: Json, number: int) -> Call:
    where = f"tool_calls[{number}]"
    call = mapping(value, where)
    function = mapping(call.get("function"), f"{where}.function")
    name = text_of(function.get("name"), f"{where}.function.name")
    call_id = call.get("id") or f"call-{number + 1}"
    return Call(text_of(call_id, f"{where}.id"), name, arguments_of(function.get("arguments")))


def _tokens(value: Json) -> Tokens | None:
    if value is None:
        return None
    usage = mapping(value, "usage")
    details = mapping(usage.get("prompt_tokens_details") or {}, "usage.prompt_tokens_details")
    cost = usage.get("cost")
    return Tokens(
        count_of(usage.get("prompt_tokens"), "usage.prompt_tokens"),
        count_of(usage.get("completion_tokens"), "usage.completion_tokens"),
        count_of(details.get("cached_tokens"), "usage.prompt_tokens_details.cached_tokens"),
        cost_of(cost) if isinstance(cost, int | float) and not isinstance(cost, bool) else None,
    )


ADAPTER = Adapter(encode, decode, "https://api.openai.com/v1")
