"""The JSON Schema of tool sets. Only data; see `schema`."""

from statek.spec.schema.parts import INPUT, TEXT_MAP
from statek.spec.schema.shapes import (
    Schema,
    boolean,
    choice,
    duration,
    either,
    fields,
    formatted,
    later,
    listing,
    mapping,
    text,
)

SOURCES = ("python", "http", "openapi", "mcp")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_INCLUDE = text("A name as its source has it.", "scoreOrder", longest=200)


def headers(description: str) -> Schema:
    """HTTP headers."""
    shape = mapping(TEXT_MAP, description, {"X-Team": "support"})
    shape["propertyNames"] = {"pattern": formatted("header", "")["pattern"], "x-format": "header"}
    return shape


def _http() -> Schema:
    body = either(
        "Text, or values that are sent as JSON; without it the inputs that the address does not name are sent.",
        ["{text}", {"text": "{text}"}],
        string={},
        object={},
        array={},
    )
    parts = {
        "method": choice(_METHODS, "The HTTP method.", "GET"),
        "url": formatted("url", "The address; `{name}` stands for an input.", "https://api.example.test/pages/{slug}"),
        "headers": headers("Headers of the call."),
        "body": body,
        "input": mapping(INPUT, "What the model gives.", {"slug": {"type": "string"}}, keys="identifier"),
    }
    return fields("One HTTP call.", parts, required=["url"], example={"url": "https://api.example.test/rates"})


def _openapi() -> Schema:
    parts = {
        "spec": text("Path of the file, from the project's folder.", "openapi/fraud.json"),
        "include": listing(_INCLUDE, "Operations by `operationId`; all without it.", ["scoreOrder"], least=1),
        "base_url": formatted("url", "Address in place of the file's.", "https://fraud.example.test"),
    }
    return fields("Operations of an OpenAPI file.", parts, required=["spec"], example={"spec": "openapi/fraud.json"})


def _mcp() -> Schema:
    digest = formatted("digest", "Digest of a tool's schema.")
    parts = {
        "url": formatted("url", "Address of the server.", "https://mcp.example.test/search"),
        "command": listing(
            text("A word."), "The server's program and its arguments.", ["search-mcp"], least=1, repeats=True
        ),
        "include": listing(_INCLUDE, "Tools of the server; all without it.", ["search"], least=1),
        "pin": either(
            "What the schemas must be: one digest of all, or one for each tool.",
            [digest["examples"][0], {"search": digest["examples"][0]}],
            string=digest,
            object=mapping(digest, "Tool to digest.", {"search": digest["examples"][0]}),
        ),
    }
    shape = fields("Tools of an MCP server.", parts, example={"url": "https://mcp.example.test/search"})
    shape["oneOf"] = [{"required": [name]} for name in ("url", "command")]
    return shape


def tool_set() -> Schema:
    """The spec of a ToolSet."""
    parts = {
        "python": formatted("target", "A plain annotated function.", "shop.tickets:lookup"),
        "http": later(_http()),
        "openapi": later(_openapi()),
        "mcp": later(_mcp()),
        "name": formatted(
            "identifier",
            "Name for the model. Default: the function's name; before names of `openapi` and `mcp`, with a `_`.",
            "lookup",
        ),
        "description": text("What the model is told; default: the docstring.", "Finds a ticket."),
        "effect": choice(
            ("read", "write", "external"), "What it changes; `write`: only durable objects of this store.", "external"
        ),
        "idempotent": boolean("Whether calling twice does no more than calling once.", default=False),
        "timeout": duration("Longest call; for `async def` functions and those with `thread: true`."),
        "approval": later(choice(("never", "always"), "Whether each call needs a person's yes.", "never")),
        "thread": boolean("Whether a plain `def` runs in a thread, with plain data only.", default=False),
    }
    tool = fields("One tool.", parts, example={"python": "shop.tickets:lookup", "effect": "read"})
    tool["oneOf"] = [{"required": [name]} for name in SOURCES]
    tools = {
        "type": "array",
        "items": tool,
        "minItems": 1,
        "description": "The tools.",
        "examples": [tool["examples"]],
    }
    return fields("Tools under one name.", {"tools": tools}, required=["tools"], example={"tools": tool["examples"]})
