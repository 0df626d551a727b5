"""The one source of the JSON Schemas: every kind with every field. `python -m statek.spec.schema DIR` writes them.

`validate` checks documents against these very dictionaries, and the files in `schemas/` are for editors. A field that
the language has and this build does not run is declared with `later`, so it is refused by name.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from statek.spec.project import RELOAD_VALUES
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
    tokens,
)

API_VERSION = "statek/v1"
LATER_KINDS = ("Schedule", "Defaults", "Overlay", "Policy", "Eval")
BASE = "urn:statek:v1"
_ANY: Schema = {"description": "Any JSON value.", "examples": ["text"]}
_NAME = formatted("name", "The object's name, unique for its kind in the project.", "support")
_TEXT_MAP = {"type": "string"}


def _labels() -> dict[str, Schema]:
    return {
        "labels": mapping(_TEXT_MAP, "Words to select objects by; not part of the revision.", {"team": "support"}),
        "annotations": mapping(_TEXT_MAP, "Notes for people and programs; not part of the revision.", {"owner": "Ada"}),
        "aliases": later("Earlier names of the object."),
        "protect": later("Never removed by prune."),
    }


def _retry(default: int, backoff: dict[str, str]) -> Schema:
    waits = {
        "min": duration("The first wait.", backoff["min"]),
        "max": duration("The longest wait.", backoff["max"]),
        "factor": {
            "type": "number",
            "minimum": 1,
            "maximum": 100,
            "default": 2,
            "description": "What each wait is multiplied by.",
            "examples": [2],
        },
    }
    parts = {
        "max_attempts": integer("How often it is tried at all; 1 is never again.", least=1, default=default, example=3),
        "backoff": fields("Waits between tries.", waits, example={"min": "10s", "max": "5m"}),
    }
    return fields("What happens after a failure.", parts, example={"max_attempts": 3})


def _params() -> Schema:
    number = {"type": "number", "minimum": 0}
    parts = {
        "temperature": {**number, "maximum": 2, "description": "Spread of the answers.", "examples": [0]},
        "top_p": {**number, "maximum": 1, "description": "Share of likely words considered.", "examples": [0.9]},
        "max_output_tokens": tokens("Longest answer."),
        "reasoning": choice(("none", "minimal", "low", "medium", "high"), "Effort of thinking before the answer."),
        "seed": {"type": "integer", "description": "Number that makes answers repeatable.", "examples": [7]},
    }
    return fields("Parameters of the model call.", parts, example={"temperature": 0})


_VALUE_FIELDS: dict[str, Schema] = {
    "type": choice(("string", "number", "integer", "boolean", "object", "array"), "The JSON type of the value."),
    "description": text("What the value is.", "the ticket, as the help desk sent it"),
    "enum": {
        "type": "array",
        "minItems": 1,
        "uniqueItems": True,
        "description": "The values allowed.",
        "examples": [["low", "high"]],
    },
    "properties": {
        **mapping({"$ref": "#/$defs/value"}, "Fields of an object.", {"id": {"type": "string"}}),
        "patternProperties": {"^x-": {}},
    },
    "required": listing(text("A property."), "Properties that must be there.", ["id"]),
    "items": {"$ref": "#/$defs/value"},
}
_INPUT_FIELDS: dict[str, Schema] = {
    **_VALUE_FIELDS,
    "default": {**_ANY, "description": "The value when none is given."},
    "optional": boolean("Whether the input may be absent.", default=False),
}
_VALUE = fields("The shape of a value.", _VALUE_FIELDS, required=["type"], example={"type": "string"})
_INPUT = fields("The shape of one input.", _INPUT_FIELDS, required=["type"], example={"type": "string"})


def _limits() -> Schema:
    parts = {
        "turns": integer("Model calls.", least=1, default=50, example=12),
        "tokens": tokens("Tokens sent and received, estimated as bytes // 4.", "200k"),
        "cost_usd": nullable(money("Price of all model calls in US dollars.", 0.2)),
        "wall_clock": duration("Time from the start of the job.", "1h"),
        "tool_calls": nullable(integer("Calls of tools.", example=100)),
        "exceptions": integer("Errors in the job's code.", default=10, example=6),
        "consecutive_exceptions": integer("Errors one after the other.", default=3, example=3),
        "subjobs": integer("Jobs it may start: 0, or 20 when it names subagents.", example=8),
        "depth": integer("How deep subjobs may start subjobs.", default=1, example=2),
    }
    return fields("What one job may use; N is allowed, N + 1 is refused.", parts, example={"turns": 12})


def _reload() -> Schema:
    when = "When a running job takes over a new {}."
    parts = {name: choice(values, when.format(name)) for name, values in RELOAD_VALUES.items()}
    return fields("When running jobs move to a new revision.", parts, example={"prompt": "next-turn"})


def _agent_model() -> Schema:
    one = formatted("model", "A Model by name, or a model string.", "fast", "openrouter/openai/gpt-5-mini")
    parts = {
        "use": one,
        "fallback": listing(one, "Tried in this order when a call fails for good.", ["deep"]),
        "params": _params(),
        "by_difficulty": later("Models by difficulty."),
    }
    whole = fields("Model with fallbacks and parameters.", parts, required=["use"])
    return either("The model that answers.", ["fast", {"use": "fast", "fallback": ["deep"]}], string=one, object=whole)


def _agent_tools() -> Schema:
    pattern = formatted("pattern", "`set/name` or `set/*`.", "ticketing/*")
    use = listing(pattern, "Tools the agent may call.", ["ticketing/*"])
    parts = {
        "use": use,
        "deny": listing(pattern, "Tools taken away again.", ["ticketing/close"]),
        "approve": later("Tools that need a person's yes."),
    }
    return either("Tools the agent may call.", [["ticketing/*"]], array=use, object=fields("Use and deny.", parts))


def _agent_warmup() -> Schema:
    name = formatted("name", "The warmup's file name without ending.", "triage")
    parts = {
        "use": name,
        "timeout": duration("Longest run of the whole warmup.", "30s"),
        "hidden": boolean("Whether the model sees none of its blocks.", default=False),
    }
    whole = fields("A warmup with options.", parts, required=["use"])
    return either("Code that runs before the first model call.", ["triage"], string=name, object=whole)


def _agent() -> Schema:
    name = formatted("name", "A name.", "reader")
    nested = {"schema": {**_VALUE, "examples": [{"type": "object"}]}}
    concurrency = {"max": integer("Running jobs of this agent.", least=1), "per_key": later("Running jobs for a key.")}
    sandbox = {
        "imports": listing(formatted("module", "A module."), "Modules that its code may import.", ["statistics"]),
        "network": later("Whether its code may reach the network."),
        "max_source_bytes": later("Longest code of one turn."),
    }
    styles = ("console", "markdown", "md_dialog", "direct")
    parts = {
        "apiVersion": text("Version of the language.", API_VERSION),
        "kind": text("The kind; may be left out in a .md file.", "Agent"),
        "description": text("What other agents and people see.", "Reads one ticket.", longest=1024),
        "name": {**_NAME, "description": "The file name without ending; may be left out."},
        **_labels(),
        "extends": later("Agent it inherits from."),
        "abstract": later("Whether it only serves to inherit from."),
        "model": _agent_model(),
        "params": _params(),
        "inputs": mapping(_INPUT, "Variables of a job.", {"question": {"type": "string"}}, keys="identifier"),
        "output": fields("What a job gives back.", nested, required=["schema"]),
        "tools": _agent_tools(),
        "subagents": listing(name, "Agents that it may start as subjobs.", ["reader"]),
        "warmup": _agent_warmup(),
        "limits": _limits(),
        "concurrency": fields("Running jobs at the same time.", concurrency, example={"max": 6}),
        "retry": _retry(1, {"min": "1s", "max": "1m"}),
        "reload": _reload(),
        "rollout": later("Step by step release."),
        "sandbox": fields("What its code may do.", sandbox, example={"imports": ["statistics"]}),
        "eval": later("Evals that must pass at apply."),
        "locale": text("Language of the built-in texts.", "en"),
        "chat_style": choice(styles, "What the model sees and how its answer becomes code.", "console"),
        "preset": later("Specialised agent."),
        "difficulty": later("Difficulty of the agent's work."),
        "tools_scope": later("Scope of the tools."),
        "post_processors": later("Functions over the answer."),
        "metadata": mapping(_TEXT_MAP, "Free values, handed to the runtime.", {"team": "support"}),
    }
    return fields("An agent: the front matter of a .md file.", parts, required=["description", "model"])


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
        "timeout": duration("Longest call."),
        "approval": later("Whether a person must say yes."),
        "thread": later("Whether it runs off the loop."),
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
        "rpm": integer("Calls a minute.", least=1, example=300),
        "tpm": tokens("Tokens a minute."),
        "cost_usd_per_day": money("US dollars a day.", 50),
    }
    total = duration("The whole call.", "120s")
    parts = {
        "driver": choice(("openai", "anthropic", "gemini", "scripted"), "The protocol it speaks.", "openai"),
        "base_url": formatted("url", "Address of the interface.", "https://openrouter.ai/api/v1"),
        "api_key": text("The key, by reference.", "${secret:OPENROUTER_API_KEY}"),
        "headers": mapping(_TEXT_MAP, "Headers of every call.", {"X-Team": "support"}),
        "timeout": either("Bounds of one call.", ["120s"], string=total, object=fields("Bounds of one call.", waits)),
        "limits": fields("Bounds over all calls.", bounds, example={"concurrent": 24}),
        "retry": _retry(4, {"min": "500ms", "max": "20s"}),
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
        "provider": {**_NAME, "description": "The Provider that serves it."},
        "id": text("The provider's name of the model; the Script's name for a scripted one.", "openai/gpt-5-mini"),
        "fallback": listing(_NAME, "Models tried in this order when a call fails for good.", ["deep"]),
        "params": _params(),
        "price": fields("US dollars.", price, required=["input_per_mtok", "output_per_mtok"]),
    }
    return fields("A model of a provider.", parts, required=["provider", "id"])


def _script() -> Schema:
    when = {
        "agent": {**_NAME, "description": "The agent that asks."},
        "turn": integer("Number of the model call; 1 is the first.", least=1, example=1),
        "last": formatted("regex", "Fits the newest user or console text.", "(?i)refund"),
    }
    call = {
        "name": formatted("identifier", "The tool.", "lookup"),
        "arguments": mapping(_ANY, "Its arguments.", {"id": "T1"}),
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
        "keep": only("forever", "How long a key is remembered."),
    }
    parts = {
        "description": text("What the queue is for; not part of the revision.", "Tickets of the help desk."),
        "agent": {**_NAME, "description": "The agent whose jobs the items become."},
        "deliver_as": formatted("identifier", "The variable that holds the item.", "event"),
        "prefix": later("Own prefix of a host application."),
        "concurrency": nullable(integer("Running jobs of this queue.", least=1, example=20)),
        "rate": later("Items for a time."),
        "order": later("Order of delivery."),
        "key": later("Path that groups items."),
        "dedupe": fields("An item whose key was seen is dropped.", dedupe, required=["key"], example={"key": "id"}),
        "max_depth": integer("Most items that wait.", least=1, example=1000),
        "overflow": choice(("refuse", "drop-oldest", "drop-newest"), "What happens beyond max_depth.", "refuse"),
        "retry": _retry(1, {"min": "1s", "max": "1m"}),
        "dead_letter": {**_NAME, "description": "The Queue that takes items that failed."},
        "ttl": later("Longest wait."),
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
        "agents": listing(_NAME, "Agents it runs; left out: all.", ["triage"]),
        "queues": listing(_NAME, "Queues it serves; left out: all.", ["support"]),
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
        "metadata": fields("Name and labels.", {"name": _NAME, **_labels()}, required=["name"]),
        "spec": {**spec, "examples": []},
    }
    return fields(spec["description"], parts, required=["apiVersion", "kind", "metadata", "spec"])


def _finish(kind: str, shape: Schema) -> Schema:
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"{BASE}:{kind.lower()}"}
    return {**head, "title": kind, **shape, "$defs": {"value": _VALUE}}


SCHEMAS: dict[str, Schema] = {
    "Agent": _finish("Agent", _agent()),
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
