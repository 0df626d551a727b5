"""The JSON Schema of an agent's front matter. Only data; see `schema`."""

from statek.spec.project import RELOAD_LATER, RELOAD_VALUES
from statek.spec.schema_parts import API_VERSION, INPUT, NAME, VALUE, labels, params, retry
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
    some,
    text,
    tokens,
)


def _concurrency() -> Schema:
    one = {
        "key": formatted("path", "Path into the inputs.", "request.order_id"),
        "max": integer("Jobs of one key that have begun and not ended.", least=1, example=1),
    }
    parts = {
        "max": nullable(integer("Running jobs of this agent.", least=1, example=10)),
        "per_key": fields("Bound for each key.", one, required=["key", "max"], example={"key": "topic", "max": 1}),
    }
    return fields("Jobs of this agent at the same time.", parts, example={"max": 6})


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
    parts = {name: some(values, RELOAD_LATER[name], when.format(name)) for name, values in RELOAD_VALUES.items()}
    return fields("When running jobs move to a new revision.", parts, example={"prompt": "next-turn"})


def _agent_model() -> Schema:
    one = formatted("model", "A Model by name, or a model string.", "fast", "openrouter/openai/gpt-5-mini")
    parts = {
        "use": one,
        "fallback": listing(one, "Tried in this order when a call fails for good.", ["deep"]),
        "params": params(),
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


def agent() -> Schema:
    """All of the front matter."""
    name = formatted("name", "A name.", "reader")
    nested = {"schema": {**VALUE, "examples": [{"type": "object"}]}}
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
        "name": {**NAME, "description": "The file name without ending; may be left out."},
        **labels(),
        "extends": later("Agent it inherits from."),
        "abstract": later("Whether it only serves to inherit from."),
        "model": _agent_model(),
        "params": params(),
        "inputs": mapping(INPUT, "Variables of a job.", {"question": {"type": "string"}}, keys="identifier"),
        "output": fields("What a job gives back.", nested, required=["schema"]),
        "tools": _agent_tools(),
        "subagents": listing(name, "Agents that it may start as subjobs.", ["reader"]),
        "warmup": _agent_warmup(),
        "limits": _limits(),
        "concurrency": _concurrency(),
        "retry": retry(1, {"min": "1s", "max": "1m"}),
        "reload": _reload(),
        "rollout": later("Step by step release."),
        "sandbox": fields("What its code may do.", sandbox, example={"imports": ["statistics"]}),
        "eval": later("Evals that must pass at apply."),
        "locale": later("Language of the built-in texts."),
        "chat_style": choice(styles, "What the model sees and how its answer becomes code.", "console"),
        "preset": later("Specialised agent."),
        "difficulty": later("Difficulty of the agent's work."),
        "tools_scope": text("Formal tools of a request.", "APPLICATION+docstr"),
        "post_processors": later("Functions over the answer."),
        "metadata": later("Free values, handed to the runtime."),
    }
    return fields("An agent: the front matter of a .md file.", parts, required=["description", "model"])
