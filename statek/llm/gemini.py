"""Google's generateContent format, for the Gemini API and Vertex AI. Pure; no I/O.

Later system texts go into the user's turn, marked: the format has one system text only. Parts that carry a thought
signature are given back as they came, else newer models refuse the conversation.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

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

SUFFIX = ":generateContent"
NAMES = {"temperature": "temperature", "top_p": "topP", "max_output_tokens": "maxOutputTokens", "seed": "seed"}


def encode(endpoint: Endpoint, request: Request) -> Outgoing:
    """The POST for `request`."""
    headers = {} if endpoint.api_key is None else {"x-goog-api-key": endpoint.api_key}
    start = next((n for n, m in enumerate(request.messages) if m.role != "system"), len(request.messages))
    body: dict[str, Json] = {"contents": _contents(request.messages[start:], endpoint.provider)}
    if system := "\n\n".join(m.text for m in request.messages[:start] if m.text):
        body["systemInstruction"] = {"parts": [{"text": system}]}
    if request.tools:
        body["tools"] = [{"functionDeclarations": [dict(tool) for tool in request.tools]}]
    if settings := _settings(request):
        body["generationConfig"] = settings
    return Outgoing(address(endpoint.base_url, request.model), {**headers, **endpoint.headers}, body)


def address(base_url: str, model: str) -> str:
    """Where to POST: `base_url` may hold `{model}`, end in `:generateContent` or `/models`, or be the bare base."""
    path, query = split_query(base_url)
    name = quote(model, safe="/@:")
    if "{model}" in path:
        path = path.replace("{model}", name)
    elif not path.endswith(SUFFIX):
        whole = path.endswith("/models") or name.startswith(("models/", "projects/", "tunedModels/"))
        path = f"{path}/{name}" if whole else f"{path}/models/{name}"
    return (path if path.endswith(SUFFIX) else path + SUFFIX) + query


def decode(body: Json, provider: str) -> Reply:
    """What the answer says. Raises ProviderError for a shape that is no candidate."""
    data = mapping(body, "the answer")
    candidates = items(data.get("candidates"), "candidates")
    if not candidates:
        feedback = mapping(data.get("promptFeedback") or {}, "promptFeedback")
        raise bad_answer(f"no candidates (block reason: {feedback.get('blockReason', 'none given')})")
    content = mapping(mapping(candidates[0], "candidates[0]").get("content") or {}, "candidates[0].content")
    parts = [mapping(part, "a part") for part in items(content.get("parts"), "parts")]
    texts = [text_of(part["text"], "text of a part") for part in parts if "text" in part and not part.get("thought")]
    signed = any("thoughtSignature" in part for part in parts)
    return Reply(
        text="".join(texts) if texts else None,
        calls=tuple(_call(part["functionCall"], n) for n, part in enumerate(parts) if "functionCall" in part),
        tokens=_tokens(data.get("usageMetadata")),
        model=data["modelVersion"] if isinstance(data.get("modelVersion"), str) else None,
        reasoning={"provider": provider, "parts": [dict(part) for part in parts]} if signed else None,
    )


def _settings(request: Request) -> dict[str, Json]:
    params = params_of(request)
    out = {there: params[here] for here, there in NAMES.items() if here in params}
    reasoning = params.get("reasoning")
    if isinstance(reasoning, Mapping):
        out["thinkingConfig"] = dict(reasoning)
    elif reasoning is not None and (effort := effort_of(reasoning)) is not None:
        out["thinkingConfig"] = {"thinkingBudget": BUDGETS[effort]}
        if "maxOutputTokens" in out:  # thinking counts as output there; what the user bounds is the answer
            out["maxOutputTokens"] += BUDGETS[effort]
    return out


def _contents(messages: Sequence[Message], provider: str) -> list[dict[str, Json]]:
    names = {call.id: call.name for message in messages for call in message.calls}
    contents: list[dict[str, Json]] = []
    for message in messages:
        role = "model" if message.role == "assistant" else "user"
        parts = _parts(message, provider, names)
        if contents and contents[-1]["role"] == role:
            contents[-1]["parts"] += parts
        elif parts:
            contents.append({"role": role, "parts": parts})
    return contents


def _parts(message: Message, provider: str, names: Mapping[str, str]) -> list[dict[str, Json]]:
    if message.role == "tool":
        if message.call_id is None or message.call_id not in names:
            raise bad_request(f"a tool message answers the call {message.call_id!r}, which no earlier message made")
        return [{"functionResponse": {"name": names[message.call_id], "response": {"content": message.text or ""}}}]
    if parts := own_reasoning(message, provider, "parts"):
        return list(parts)
    text = message.text
    if text and message.role == "system":
        text = f"<system>\n{text}\n</system>"
    said: list[dict[str, Json]] = [{"text": text}] if text else []
    return said + [{"functionCall": {"name": c.name, "args": dict(c.arguments)}} for c in message.calls]


def _call(value: Json, number: int) -> Call:
    call = mapping(value, f"parts[{number}].functionCall")
    name = text_of(call.get("name"), f"parts[{number}].functionCall.name")
    call_id = call.get("id") or f"{name}-{number + 1}"  # most models give none
    return Call(text_of(call_id, f"parts[{number}].functionCall.id"), name, arguments_of(call.get("args")))


def _tokens(value: Json) -> Tokens | None:
    if value is None:
        return None
    usage = mapping(value, "usageMetadata")
    counts = {
        name: count_of(usage.get(name), f"usageMetadata.{name}")
        for name in ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "cachedContentTokenCount")
    }
    output = counts["candidatesTokenCount"] + counts["thoughtsTokenCount"]
    return Tokens(counts["promptTokenCount"], output, counts["cachedContentTokenCount"])


ADAPTER = Adapter(encode, decode, "https://generativelanguage.googleapis.com/v1beta")
