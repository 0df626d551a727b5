"""The one source of the JSON Schemas: every kind with every field. `python -m statek.spec.schema DIR` writes them.

`validate` checks documents against these very dictionaries, and the files in `schemas/` are for editors. A field that
the language has and this build does not run is declared with `later`, so it is refused by name.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from statek.spec.schema_agent import agent
from statek.spec.schema_parts import ANY, API_VERSION, NAME, TEXT_MAP, VALUE, labels, params, retry
from statek.spec.shapes import (
    Schema,
    boolean,
    choice,
    duration,
    either,
    fields,
    formatted,
    integer,
    later,
    listing,
    mapping,
    money,
    nullable,
    only,
    text,
)

LATER_KINDS = ("Schedule", "Defaults", "Overlay", "Policy", "Eval")
BASE = "urn:statek:v1"


def _tool_set() -> Schema:
    effects = ("read", "write", "external")
    parts = {
        "python": formatted("target", "A plain annotated function.", "shop.tickets:lookup"),
        "http": later("One HTTP call."),
        "openapi": later("Operations of an OpenAPI file."),
        "mcp": later("Tools of an MCP server."),
        "name": formatted("identifier", "Name for the model; default: the function's name.", "lookup"),
        "description": text("Replaces the docstring.", "Finds a ticket."),
        "effect": choice(effects, "What it changes; `write`: only durable objects of this store.", "external"),
        "idempotent": boolean("Whether calling twice does no more than calling once.", default=False),
        "timeout": duration("Longest call; for `async def` functions and those with `thread: true`."),
        "approval": later("Whether a person must say yes."),
        "thread": boolean("Whether a plain `def` runs in a thread, with plain data only.", default=False),
    }
    tool = fields("One tool.", parts, example={"python": "shop.tickets:lookup", "effect": "read"})
    tool["oneOf"] = [{"required": [name]} for name in ("python", "http", "openapi", "mcp")]
    tools = {"type": "array", "items": tool, "minItems": 1, "description": "The tools.", "examples": []}
    return fields("Tools under one name.", {"tools": tools}, required=["tools"])


def _provider() -> Schema:
    waits = {
        "connect": duration("Until the connection stands.", "10s"),
        "first_byte": duration("Until the answer begins.", "60s"),
        "idle": duration("Between two parts of the answer.", "60s"),
        "total": duration("The whole call.", "120s"),
    }
    bounds = {
        "concurrent": integer("Calls at the same time.", least=1, example=24),
        "rpm": later("Calls a minute."),
        "tpm": later("Tokens a minute."),
        "cost_usd_per_day": later("US dollars a day."),
    }
    total = duration("The whole call.", "120s")
    parts = {
        "driver": choice(("openai", "anthropic", "gemini", "scripted"), "The protocol it speaks.", "openai"),
        "base_url": formatted("url", "Address of the interface.", "https://openrouter.ai/api/v1"),
        "api_key": text("The key, by reference.", "${secret:OPENROUTER_API_KEY}"),
        "headers": mapping(TEXT_MAP, "Headers of every call.", {"X-Team": "support"}),
        "timeout": either("Bounds of one call.", ["120s"], string=total, object=fields("Bounds of one call.", waits)),
        "limits": fields("Bounds over all calls.", bounds, example={"concurrent": 24}),
        "retry": retry(4, {"min": "500ms", "max": "20s"}),
    }
    parts["headers"]["propertyNames"] = {"pattern": formatted("header", "")["pattern"], "x-format": "header"}
    return fields("Where models are called.", parts)


def _model() -> Schema:
    price = {
        "input_per_mtok": money("A million tokens sent.", 0.25),
        "output_per_mtok": money("A million tokens received.", 2),
        "cached_per_mtok": nullable(money("A million tokens sent from the cache.", 0.03)),
    }
    parts = {
        "provider": {**NAME, "description": "The Provider that serves it."},
        "id": text("The provider's name of the model; the Script's name for a scripted one.", "openai/gpt-5-mini"),
        "fallback": listing(NAME, "Models tried in this order when a call fails for good.", ["deep"]),
        "params": params(),
        "price": fields("US dollars.", price, required=["input_per_mtok", "output_per_mtok"]),
    }
    return fields("A model of a provider.", parts, required=["provider", "id"])


def _script() -> Schema:
    when = {
        "agent": {**NAME, "description": "The agent that asks."},
        "turn": integer("Number of the model call; 1 is the first.", least=1, example=1),
        "last": formatted("regex", "Fits the newest user or console text.", "(?i)refund"),
    }
    call = {
        "name": formatted("identifier", "The tool.", "lookup"),
        "arguments": mapping(ANY, "Its arguments.", {"id": "T1"}),
    }
    calls = {"type": "array", "items": fields("One call.", call, required=["name"]), "description": "Tool calls."}
    reply = {
        "text": {**text("What the model says.", "Done.", longest=100_000), "minLength": 0},
        "code": text("Python after the text, in one fence.", "print(1)", longest=100_000),
        "tool_calls": {**calls, "examples": [[{"name": "lookup"}]]},
    }
    counts = {f"{name}_tokens": integer(f"Tokens: {name}.", example=100) for name in ("input", "output", "cached")}
    rule = {
        "when": fields("Conditions; those left out always hold.", when, example={"turn": 1}),
        "reply": fields("The answer.", reply, example={"text": "Done."}),
        "usage": fields("Usage reported; what is left out is estimated.", counts),
        "latency": duration("Time until the answer.", "0s", zero=True),
        "error": text("Fails with this message in place of an answer.", "overloaded"),
    }
    shape = fields("One rule.", rule, example={"reply": {"text": "Done."}})
    shape["oneOf"] = [{"required": ["reply"]}, {"required": ["error"]}]
    rules = {"type": "array", "items": shape, "minItems": 1, "description": "The first that fits.", "examples": []}
    return fields("Answers of a scripted provider.", {"rules": rules}, required=["rules"])


def _queue() -> Schema:
    dedupe = {
        "key": formatted("path", "Path of the key in the item.", "id"),
        "keep": formatted("keep", "How long a key is remembered: a duration or `forever`.", "30d"),
    }
    dedupe["keep"]["default"] = "forever"
    running = integer("Running jobs of this queue.", least=1, example=20)
    bounds = {
        "max": nullable(integer("Running jobs of this queue.", least=1, example=20)),
        "per_key": integer("Running jobs of one `key`.", least=1, example=1),
    }
    words = choice(("fifo", "key-fifo"), "Oldest first; `key-fifo`: of one `key` one after the other.", "fifo")
    priority = {
        "priority": formatted("path", "Path of the urgency in the item: a number, higher first.", "event.priority"),
        "values": listing(ANY, "Values of it, the most urgent first, when they are no numbers.", ["high", "low"]),
    }
    by_priority = fields("The most urgent item first, of these the oldest.", priority, required=["priority"])
    parts = {
        "description": text("What the queue is for; not part of the revision.", "Tickets of the help desk."),
        "agent": {**NAME, "description": "The agent whose jobs the items become."},
        "deliver_as": formatted("identifier", "The variable that holds the item.", "event"),
        "prefix": later(
            "Own prefix of a host application, whose process holds that prefix's file.",
            "remove it, and run `start_statek(push_queues=[...])` in the application that holds the prefix, or put"
            " items on this queue with `StatekClientAPI(STORE).put`",
        ),
        "concurrency": either(
            "Running jobs of this queue, of all keys and of one key.",
            [20, {"max": 20, "per_key": 1}],
            integer=running,
            null={},
            object=fields("Running jobs.", bounds, example={"max": 20, "per_key": 1}),
        ),
        "rate": formatted("rate", "Items that become jobs in a time; as many at once after a pause.", "60/m"),
        "order": either(
            "Which waiting item is next.",
            ["key-fifo", {"priority": "event.priority"}],
            string=words,
            object=by_priority,
        ),
        "key": formatted("path", "Path into the item; groups items for `order` and `per_key`.", "event.customer_id"),
        "dedupe": fields("An item whose key was seen is dropped.", dedupe, required=["key"], example={"key": "id"}),
        "max_depth": integer("Most items that wait.", least=1, example=1000),
        "overflow": choice(("refuse", "drop-oldest", "drop-newest"), "What happens beyond max_depth.", "refuse"),
        "retry": retry(1, {"min": "1s", "max": "1m"}),
        "dead_letter": {**NAME, "description": "The Queue that takes items that failed for good or waited too long."},
        "ttl": duration("Longest wait of an item.", "7d"),
        "paused": boolean("Whether no item becomes a job.", default=False),
    }
    return fields("Items that become jobs.", parts)


def _fleet() -> Schema:
    watch = {
        "enabled": boolean("Whether edits are taken over while running.", default=True),
        "settle": duration("Quiet time before an edit is read.", "300ms"),
        "poll": boolean("Whether files are polled, not watched.", default=False),
        "prune": only(value=False, description="Whether deleted files remove objects."),
    }
    parts = {
        "agents": listing(NAME, "Agents whose jobs it begins; none: all.", ["triage"]),
        "queues": listing(NAME, "Queues it serves; none: all.", ["support"]),
        "max_concurrency": integer("Running jobs at the same time.", least=1, default=100, example=40),
        "providers": later("Bounds for providers."),
        "budget": later("Money for a day."),
        "shutdown": fields("How it ends.", {"drain": duration("Time for running steps.", "10s", zero=True)}),
        "watch": fields("Watching files.", watch, example={"settle": "300ms"}),
    }
    return fields("What a worker runs.", parts)


def _document(kind: str, spec: Schema) -> Schema:
    parts = {
        "apiVersion": text("Version of the language.", API_VERSION),
        "kind": text("The kind of object.", kind),
        "metadata": fields("Name and labels.", {"name": NAME, **labels()}, required=["name"]),
        "spec": {**spec, "examples": []},
    }
    return fields(spec["description"], parts, required=["apiVersion", "kind", "metadata", "spec"])


def _finish(kind: str, shape: Schema) -> Schema:
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"{BASE}:{kind.lower()}"}
    return {**head, "title": kind, **shape, "$defs": {"value": VALUE}}


SCHEMAS: dict[str, Schema] = {
    "Agent": _finish("Agent", agent()),
    **{
        kind: _finish(kind, _document(kind, build()))
        for kind, build in {
            "ToolSet": _tool_set, "Model": _model, "Provider": _provider, "Script": _script, "Queue": _queue,
            "Fleet": _fleet,
        }.items()
    },
}  # fmt: skip


def schema_text(kind: str) -> str:
    """The text of the kind's schema file."""
    return json.dumps(SCHEMAS[kind], indent=1, ensure_ascii=False) + "\n"


def schema_files() -> dict[str, str]:
    """File name -> text, for every kind."""
    return {f"{kind.lower()}.schema.json": schema_text(kind) for kind in SCHEMAS}


def main(arguments: Sequence[str]) -> int:
    """Write all schemas into the folder given. Returns the exit code."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m statek.spec.schema DIR\n")
        return 2
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in schema_files().items():
        (folder / name).write_text(content, encoding="utf-8", newline="\n")
    return 0


def describe(kind: str, path: Sequence[str]) -> Any:
    """The declaration of one field (`describe("Queue", ["spec", "agent"])`). Raises KeyError when there is none."""
    shape: Any = SCHEMAS[kind]
    for step in path:
        shape = shape["properties"][step]
    return shape


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
