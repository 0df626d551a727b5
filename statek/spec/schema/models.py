"""The JSON Schemas of providers, models and scripts. Only data; see `schema`."""

from statek.spec.schema.parts import NAME, params, reply, retry
from statek.spec.schema.shapes import (
    Schema,
    choice,
    duration,
    either,
    fields,
    formatted,
    integer,
    later,
    listing,
    money,
    nullable,
    text,
    tokens,
)
from statek.spec.schema.tools import headers


def provider() -> Schema:
    """The spec of a Provider."""
    waits = {
        "connect": duration("Until the connection stands.", "10s"),
        "first_byte": duration("Until the answer begins.", "60s"),
        "idle": duration("Between two parts of the answer.", "60s"),
        "total": duration("The whole call.", "120s"),
    }
    total = duration("The whole call.", "120s")
    parts = {
        "driver": choice(("openai", "anthropic", "gemini", "scripted"), "The protocol it speaks.", "openai"),
        "base_url": formatted("url", "Address of the interface.", "https://openrouter.ai/api/v1"),
        "api_key": text("The key, by reference.", "${secret:OPENROUTER_API_KEY}"),
        "headers": headers("Headers of every call."),
        "timeout": either("Bounds of one call.", ["120s"], string=total, object=fields("Bounds of one call.", waits)),
        "limits": fields("Bounds over all calls.", provider_limits(), example={"concurrent": 24}),
        "retry": retry(4, {"min": "500ms", "max": "20s"}),
    }
    example = {"base_url": "https://openrouter.ai/api/v1", "api_key": "${secret:OPENROUTER_API_KEY}"}
    return fields("Where models are called.", parts, example=example)


def provider_limits() -> dict[str, Schema]:
    """What a provider takes on at most."""
    return {
        "concurrent": integer("Calls at the same time.", least=1, example=24),
        "rpm": later(integer("Calls a minute.", least=1, example=300)),
        "tpm": later(tokens("Tokens a minute.")),
        "cost_usd_per_day": later(money("US dollars a day.", 20)),
    }


def model() -> Schema:
    """The spec of a Model."""
    price = {
        "input_per_mtok": money("A million tokens sent.", 0.25),
        "output_per_mtok": money("A million tokens received.", 2),
        "cached_per_mtok": nullable(money("A million tokens sent from the cache.", 0.03)),
    }
    example = {"input_per_mtok": 0.25, "output_per_mtok": 2}
    parts = {
        "provider": {**NAME, "description": "The Provider that serves it."},
        "id": text("The provider's name of the model; the Script's name for a scripted one.", "openai/gpt-5-mini"),
        "fallback": listing(NAME, "Models tried in this order when a call fails for good.", ["deep"]),
        "params": params(),
        "price": fields("US dollars.", price, required=["input_per_mtok", "output_per_mtok"], example=example),
    }
    whole = {"provider": "openrouter", "id": "openai/gpt-5-mini", "price": example}
    return fields("A model of a provider.", parts, required=["provider", "id"], example=whole)


def script() -> Schema:
    """The spec of a Script."""
    when = {
        "agent": {**NAME, "description": "The agent that asks."},
        "turn": integer("Number of the model call; 1 is the first.", least=1, example=1),
        "last": formatted("regex", "Fits the newest user or console text.", "(?i)refund"),
    }
    counts = {f"{name}_tokens": integer(f"Tokens: {name}.", example=100) for name in ("input", "output", "cached")}
    rule = {
        "when": fields("Conditions; those left out always hold.", when, example={"turn": 1}),
        "reply": fields("The answer.", reply(), example={"text": "Done."}),
        "usage": fields("Usage reported; what is left out is estimated.", counts, example={"input_tokens": 100}),
        "latency": duration("Time until the answer.", "0s", zero=True),
        "error": text("Fails with this message in place of an answer.", "overloaded"),
    }
    shape = fields("One rule.", rule, example={"reply": {"text": "Done."}})
    shape["oneOf"] = [{"required": ["reply"]}, {"required": ["error"]}]
    rules = {
        "type": "array",
        "items": shape,
        "minItems": 1,
        "description": "The first that fits.",
        "examples": [shape["examples"]],
    }
    example = {"rules": shape["examples"]}
    return fields("Answers of a scripted provider.", {"rules": rules}, required=["rules"], example=example)
