"""The JSON Schema of an agent's front matter. Only data; see `schema`.

No field that an agent may inherit is required here: what must be there in the end is marked, see `shapes.fields`.
"""

from statek.spec.reading.project import RELOAD_LATER, RELOAD_VALUES
from statek.spec.schema.parts import (
    API_VERSION,
    INPUT_OF_AGENT,
    NAME,
    VALUE_OF_AGENT,
    labels,
    params,
    retry,
)
from statek.spec.schema.shapes import (
    Schema,
    boolean,
    choice,
    duration,
    either,
    fields,
    formatted,
    integer,
    later,
    later_values,
    listing,
    mapping,
    money,
    nullable,
    percentage,
    text,
    tokens,
)

_DIFFICULTIES = ("low", "medium", "high")
_PATTERN = formatted("pattern", "`set/name` or `set/*`.", "ticketing/*")


def _concurrency() -> Schema:
    one = {
        "key": formatted("path", "Path into the inputs.", "request.order_id"),
        "max": integer("Jobs of one key that have begun and not ended.", least=1, example=1),
    }
    per_key = fields("Bound for each key.", one, merged=["key", "max"], example={"key": "topic", "max": 1})
    parts = {"max": nullable(integer("Running jobs of this agent.", least=1, example=10)), "per_key": per_key}
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
    parts = {
        name: later_values(choice(values, when.format(name)), RELOAD_LATER[name])
        for name, values in RELOAD_VALUES.items()
    }
    return fields("When running jobs move to a new revision.", parts, example={"prompt": "next-turn"})


def _model() -> Schema:
    one = formatted("model", "A Model by name, or a model string.", "fast", "openrouter/openai/gpt-5-mini")
    by_difficulty = fields("The model for work of each difficulty.", dict.fromkeys(_DIFFICULTIES, one))
    parts = {
        "use": one,
        "fallback": listing(one, "Tried in this order when a call fails for good.", ["deep"]),
        "params": params(),
        "by_difficulty": later({**by_difficulty, "examples": [{"low": "fast", "high": "deep"}]}),
    }
    whole = fields("Model with fallbacks and parameters.", parts, merged=["use"])
    return either("The model that answers.", ["fast", {"use": "fast", "fallback": ["deep"]}], string=one, object=whole)


def _tools() -> Schema:
    use = listing(_PATTERN, "Tools the agent may call.", ["ticketing/*"])
    parts = {
        "use": use,
        "deny": listing(_PATTERN, "Tools taken away again.", ["ticketing/close"]),
        "approve": later(listing(_PATTERN, "Tools whose calls need a person's yes.", ["ticketing/assign"])),
    }
    whole = fields("Tools by what is done with them; deny is stronger than approve, approve than use.", parts)
    return either("Tools the agent may call.", [["ticketing/*"], {"use": ["a/*"]}], array=use, object=whole)


def _warmup() -> Schema:
    name = formatted("name", "The warmup's file name without ending.", "triage")
    parts = {
        "use": name,
        "timeout": duration("Longest run of the whole warmup.", "30s"),
        "hidden": boolean("Whether the model sees none of its blocks.", default=False),
    }
    whole = fields("A warmup with options.", parts, merged=["use"])
    return either(
        "Code that runs before the first model call.",
        ["triage", {"use": "triage", "timeout": "20s"}],
        string=name,
        object=whole,
    )


def _rollout() -> Schema:
    abort = {
        "error_rate": percentage("Share of failed jobs.", "5%"),
        "cost_per_job_usd": money("Mean price of a job in US dollars.", 0.6),
    }
    parts = {
        "strategy": choice(("immediate", "canary"), "All new jobs at once, or a growing share.", "immediate"),
        "steps": listing(
            percentage("A share of new jobs."), "The shares, one after the other.", ["5%", "100%"], least=1
        ),
        "interval": duration("Time on each step.", "30m"),
        "min_jobs": integer("Jobs that must end on each step.", least=1, default=20, example=20),
        "abort_on": fields("What ends the rollout.", abort, example={"error_rate": "5%"}),
        "auto_rollback": boolean("Whether an end of the rollout goes back to what was.", default=True),
    }
    return fields("How a new revision reaches new jobs.", parts, example={"strategy": "canary"})


def _sandbox() -> Schema:
    parts = {
        "imports": listing(formatted("module", "A module."), "Modules that its code may import.", ["statistics"]),
        "network": later(choice(("deny",), "Whether its code may reach the network.", "deny")),
        "max_source_bytes": later(integer("Longest code of one turn.", least=1, example=20_000)),
    }
    return fields("What its code may do.", parts, example={"imports": ["statistics"]})


def _eval() -> Schema:
    parts = {
        "require": listing(NAME, "Evals that must pass before it is applied.", ["refund-rules"]),
        "gate": choice(("error", "warn"), "What an Eval that does not pass is.", "error"),
    }
    return fields("Evals of the agent.", parts, example={"require": ["refund-rules"]})


def _preset() -> Schema:
    kinds = choice(("dialog", "dispatcher", "researcher", "coordinator"), "The kind of agent.")
    tool = formatted("pattern", "A tool as `set/name`.", "chat/send")
    reminder = {
        "text": text("What the agent is reminded of before it ends.", "Ask whether anything else is needed."),
        "min_dialog_len": integer("Messages there must be at least.", least=1, example=4),
    }
    parts = {
        "use": kinds,
        "reminder": fields(
            "For `dialog`: what it is reminded of.", reminder, merged=["text"], example={"text": "Ask."}
        ),
        "chat_history": {**tool, "description": "For `dispatcher`: reads the threads."},
        "start_new_thread": {**tool, "description": "For `dispatcher`: opens a thread."},
        "dispatch_to": {**tool, "description": "For `dispatcher`: hands the message to a thread."},
        "send_message": {**tool, "description": "For `researcher`: reaches whom it works for."},
        "agents": listing(NAME, "For `coordinator`: whom it hands parts to.", ["reader"]),
    }
    whole = fields("A kind of agent with options.", parts, merged=["use"], example={"use": "dialog"})
    return either("Specialised agent.", ["dialog", {"use": "dialog"}], string=kinds, object=whole)


def _post_processors() -> Schema:
    name = choice(("FinalCheck",), "The processor.")
    parts = {
        "use": name,
        "max_llm_actions": integer("Answers up to which it acts.", least=1, default=3, example=3),
    }
    one = either("A processor.", ["FinalCheck"], string=name, object=fields("With options.", parts, required=["use"]))
    return listing(one, "What looks at each answer before it counts.", ["FinalCheck"])


def own_fields() -> dict[str, Schema]:
    """What an agent says about itself alone: never inherited, and no default of a project."""
    return {
        "apiVersion": text("Version of the language.", API_VERSION),
        "kind": text("The kind; may be left out in a .md file.", "Agent"),
        "description": text("What other agents and people see.", "Reads one ticket.", longest=1024),
        "name": {**NAME, "description": "The file name without ending; may be left out."},
        **labels(),
        "extends": formatted("name", "The agent it inherits from.", "desk"),
        "abstract": boolean("Whether it only serves to inherit from, and never runs.", default=False),
    }


def shared_fields() -> dict[str, Schema]:
    """What an agent may inherit, and get by a project's Defaults."""
    name = formatted("name", "A name.", "reader")
    nested = {"schema": {**VALUE_OF_AGENT, "examples": [{"type": "object"}]}}
    styles = ("console", "markdown", "md_dialog", "direct")
    free = {"type": ["string", "number", "boolean"]}
    return {
        "model": _model(),
        "params": params(),
        "inputs": mapping(INPUT_OF_AGENT, "Variables of a job.", {"question": {"type": "string"}}, keys="identifier"),
        "output": fields("What a job gives back.", nested, merged=["schema"], example={"schema": {"type": "object"}}),
        "tools": _tools(),
        "subagents": listing(name, "Agents that it may start as subjobs.", ["reader"]),
        "warmup": _warmup(),
        "limits": _limits(),
        "concurrency": _concurrency(),
        "retry": retry(1, {"min": "1s", "max": "1m"}),
        "reload": _reload(),
        "rollout": later(_rollout()),
        "sandbox": _sandbox(),
        "eval": later(_eval()),
        "locale": later(text("Language of the built-in texts.", "en-US", longest=64)),
        "chat_style": choice(styles, "What the model sees and how its answer becomes code.", "console"),
        "preset": later(_preset()),
        "difficulty": later(choice((*_DIFFICULTIES, "L", "M", "H"), "Difficulty of the agent's work.", "medium")),
        "tools_scope": text("Formal tools of a request.", "APPLICATION+docstr"),
        "post_processors": later(_post_processors()),
        "metadata": later(mapping(free, "Free values, handed to the runtime.", {"TEAM": "support"})),
    }


def agent() -> Schema:
    """All of the front matter."""
    parts = {**own_fields(), **shared_fields()}
    words = "An agent: the front matter of a .md file."
    return fields(words, parts, required=["description"], merged=["model"])
