"""The JSON Schemas of what is said over other objects: defaults, overlays, policies, evals. Only data; see `schema`."""

from statek.spec.schema.agent import shared_fields
from statek.spec.schema.parts import ANY, NAME, TEXT_MAP, reply
from statek.spec.schema.shapes import (
    Schema,
    choice,
    either,
    fields,
    formatted,
    listing,
    mapping,
    percentage,
    text,
)

PATCHED_KINDS = ("Agent", "ToolSet", "Model", "Provider", "Script", "Queue", "Schedule", "Fleet")
JUDGED_KINDS = (*PATCHED_KINDS, "Tool")
_SCALAR: Schema = {"type": ["string", "number", "boolean"]}
_PATHS = {"limits.turns": 30}


def defaults() -> Schema:
    """The spec of Defaults."""
    match = {
        "labels": mapping(TEXT_MAP, "Labels an agent must have, all of them.", {"team": "support"}),
        "names": listing(formatted("names", "A name; `*`: any characters.", "desk-*"), "Names of agents.", ["triage"]),
    }
    values = fields("Fields of an agent.", shared_fields(), example={"limits": {"turns": 20}})
    parts = {
        "match": fields("The agents; all without it.", match, example={"labels": {"team": "support"}}),
        "set": values,
    }
    words = "What agents get that do not say it themselves."
    return fields(words, parts, required=["set"], example={"set": {"limits": {"turns": 20}}})


def overlay() -> Schema:
    """The spec of an Overlay."""
    target = {
        "kind": choice(PATCHED_KINDS, "Kind of the object."),
        "name": {**NAME, "description": "Name of the object."},
    }
    example = {"kind": "Agent", "name": "triage"}
    patch = {
        "target": fields("The object.", target, required=["kind", "name"], example=example),
        "set": {**mapping(ANY, "Values by dotted path.", _PATHS, keys="path"), "minProperties": 1},
    }
    one = fields("A change.", patch, required=["target", "set"], example={"target": example, "set": _PATHS})
    parts = {
        "env": {**NAME, "description": "The environment it is for."},
        "vars": mapping(_SCALAR, "Variables of the environment.", {"REGION": "eu"}, keys="identifier"),
        "patches": listing(one, "Changes, one after the other.", one["examples"], repeats=True),
    }
    whole = {"env": "prod", "patches": one["examples"]}
    return fields("What is different in one environment.", parts, required=["env"], example=whole)


def policy() -> Schema:
    """The spec of a Policy."""
    match = {
        "kind": choice(JUDGED_KINDS, "Kind of the object; `Tool`: each tool of every ToolSet."),
        "effect": choice(("read", "write", "external"), "Effect of a tool."),
        "labels": mapping(TEXT_MAP, "Labels of the object, or of the tool's ToolSet: all of them.", {"team": "money"}),
    }
    required = either(
        "What the value must be; true: that there is one.", [True], string={}, number={}, boolean={}, array={}, null={}
    )
    example = {"limits.cost_usd": True}
    rule = {
        "id": {**NAME, "description": "Name of the rule.", "examples": ["every-agent-has-a-budget"]},
        "severity": choice(("error", "warn"), "What a violation is.", "error"),
        "match": fields("The objects it is about; all without it.", match, example={"kind": "Agent"}),
        "require": {**mapping(required, "Values by dotted path.", example, keys="path"), "minProperties": 1},
        "message": text("Why, and what to do.", "anything that leaves the company needs a person"),
    }
    one = fields("A rule.", rule, required=["id", "require"], example={"id": "budget", "require": example})
    rules = listing(one, "The rules.", one["examples"], least=1, repeats=True)
    return fields("What objects must follow.", {"rules": rules}, required=["rules"], example={"rules": one["examples"]})


def _expect() -> Schema:
    some = {"minItems": 1}
    words = either(
        "Text, or several.",
        ["Order A2", ["Order A2", "5"]],
        string=text("Text.", "Order A2"),
        array={**listing(text("Text.", "Order A2"), "Texts.", ["Order A2"]), **some},
    )
    tool = formatted("identifier", "A tool by the name the model calls it.", "pay_out")
    tools = either(
        "A tool, or several.",
        ["pay_out", ["pay_out", "refund"]],
        string=tool,
        array={**listing(tool, "Tools.", ["pay_out"]), **some},
    )
    parts = {
        "prompt_contains": {**words, "description": "Stands in the prompt."},
        "prompt_lacks": {**words, "description": "Does not stand in the prompt."},
        "tool_called": {**tools, "description": "Was called."},
        "tool_not_called": {**tools, "description": "Was not called."},
        "tool_denied": {**tools, "description": "Was called and refused, or waits for a person's yes."},
        "output": {**ANY, "description": "The result of the job."},
        "output_contains": {**words, "description": "Stands in the result, written as text."},
        "outcome": choice(("ok", "failed"), "How the job ends."),
    }
    shape = fields("What must hold.", parts, example={"prompt_contains": "Order A2"})
    return {**shape, "minProperties": 1}


def evaluation() -> Schema:
    """The spec of an Eval."""
    answer = either(
        "What the model answers: its code, or text, code and tool calls.",
        ["exit()"],
        string=text("Code.", "exit()", longest=100_000),
        object=fields("An answer.", reply(), example={"text": "Done."}),
    )
    case = {
        "name": text("What it shows.", "prompt names the order", longest=200),
        "inputs": mapping(ANY, "Inputs of the job.", {"question": "What is new?"}, keys="identifier"),
        "replies": listing(answer, "Answers of the model, one after the other.", ["exit()"], repeats=True),
        "expect": _expect(),
    }
    example = {"name": "prompt names the order", "expect": {"prompt_contains": "Order A2"}}
    one = fields("A case.", case, required=["name", "expect"], example=example)
    parts = {
        "agent": {**NAME, "description": "The agent that is tried."},
        "cases": listing(one, "The cases.", [example], least=1, repeats=True),
        "min_pass": {**percentage("Share of cases that must pass.", "90%"), "default": "100%"},
    }
    whole = {"agent": "triage", "cases": [example]}
    return fields("Cases that an agent must pass, offline.", parts, required=["agent", "cases"], example=whole)
