"""Parts of the JSON Schemas that several kinds share. Only data; see `schema`."""

from statek.spec.schema.shapes import (
    Schema,
    boolean,
    choice,
    duration,
    fields,
    formatted,
    integer,
    later,
    later_values,
    listing,
    mapping,
    text,
    tokens,
)

API_VERSION = "statek/v1"
ANY: Schema = {"description": "Any JSON value.", "examples": ["text"]}
NAME = formatted("name", "The object's name, unique for its kind in the project.", "support")
TEXT_MAP = {"type": "string"}


def labels() -> dict[str, Schema]:
    """What an object says about itself beside its name."""
    return {
        "labels": mapping(TEXT_MAP, "Words to select objects by; not part of the revision.", {"team": "support"}),
        "annotations": mapping(TEXT_MAP, "Notes for people and programs; not part of the revision.", {"owner": "Ada"}),
        "aliases": later(listing(NAME, "Earlier names of the object.", ["refund-clerk"])),
        "protect": boolean("Whether prune refuses to remove it.", default=False),
    }


def retry(default: int, backoff: dict[str, str]) -> Schema:
    """Tries and waits; `default` tries, and the default waits `min` and `max`."""
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


def params() -> Schema:
    """Parameters of a model call."""
    number = {"type": "number", "minimum": 0}
    efforts = ("none", "minimal", "low", "medium", "high")
    parts = {
        "temperature": {**number, "maximum": 2, "description": "Spread of the answers.", "examples": [0]},
        "top_p": {**number, "maximum": 1, "description": "Share of likely words considered.", "examples": [0.9]},
        "max_output_tokens": tokens("Longest answer."),
        "reasoning": later_values(choice(efforts, "Effort of thinking before the answer."), efforts[:2]),
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
    "default": {**ANY, "description": "The value when none is given."},
    "optional": boolean("Whether the input may be absent.", default=False),
}
VALUE = fields("The shape of a value.", _VALUE_FIELDS, required=["type"], example={"type": "string"})
INPUT = fields("The shape of one input.", _INPUT_FIELDS, required=["type"], example={"type": "string"})
# The same in an agent, which may inherit the type.
VALUE_OF_AGENT = fields("The shape of a value.", _VALUE_FIELDS, merged=["type"], example={"type": "string"})
INPUT_OF_AGENT = fields("The shape of one input.", _INPUT_FIELDS, merged=["type"], example={"type": "string"})


def reply() -> dict[str, Schema]:
    """What a scripted model answers."""
    call = {
        "name": formatted("identifier", "The tool.", "lookup"),
        "arguments": mapping(ANY, "Its arguments.", {"id": "T1"}),
    }
    one = fields("One call.", call, required=["name"], example={"name": "lookup"})
    return {
        "text": {**text("What the model says.", "Done.", longest=100_000), "minLength": 0},
        "code": text("Python after the text, in one fence.", "print(1)", longest=100_000),
        "tool_calls": listing(one, "Tool calls.", [{"name": "lookup"}], repeats=True),
    }
