"""The operations of the client application as one table, and the OpenAPI document made from it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

MOST_JOBS = 1_000  # in one request
MOST_WAIT_SECONDS = 60
RESERVED = frozenset({"wait", "messages", "cancel"})  # ends of addresses: no id of a client's may be one of them

Schema = Mapping[str, Any]
_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_OR_NULL: Schema = {"type": ["string", "null"]}
_INPUTS: Schema = {"type": "object", "description": "Values of the agent's inputs."}
_ID: Schema = {"type": "string", "maxLength": 256, "description": "The same id is the same job, however often sent."}
_STATUS: Schema = {"enum": ["WAITING", "TAKEN", "DONE"]}


def _object(required: tuple[str, ...] = (), **fields: Schema) -> Schema:
    return {"type": "object", "properties": fields, "required": list(required)}


_ACK = _object(("id", "status"), id=_TEXT, status=_STATUS)
_JOB = _object(
    ("id", "status", "outcome", "result", "resultType", "error"), id=_TEXT, status=_STATUS,
    outcome={"enum": ["ok", "failed", "cancelled", "poisoned", "refused", None]},
    result={"description": "What the job gave to exit, when that is JSON data."},
    resultType={**_OR_NULL, "description": "The type of a result that is no JSON data, or is too long."},
    error=_OR_NULL,
)  # fmt: skip
_ERROR = _object(
    ("error",),
    error=_object(
        ("code", "message", "hint"), code=_TEXT, message=_TEXT, hint=_TEXT,
        problems={"type": "array", "items": _object(("path", "message"), path=_TEXT, message=_TEXT)},
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Operation:
    """One route.

    Attributes:
        name: of the method that answers.
        method: of HTTP.
        path: with `{id}`, which may hold slashes, or `{name}`.
        words: what it does.
        body: JSON Schema of what comes in, None for no body.
        answer: JSON Schema of what goes out.
        status: of a good answer.
        query: query parameters.
    """

    name: str
    method: Literal["GET", "POST"]
    path: str
    words: str
    answer: Schema
    body: Schema | None = None
    status: int = 200
    query: Mapping[str, Schema] = field(default_factory=dict)


# The longer path stands before the shorter one that would fit, too: the first that fits answers.
OPERATIONS: tuple[Operation, ...] = (
    Operation("openapi", "GET", "/openapi.json", "This document.", {"type": "object"}),
    Operation(
        "submit_batch", "POST", "/jobs/batch", "Start many jobs of one agent, all or none.",
        _object(("jobs",), jobs={"type": "array", "items": _ACK}),
        _object(
            ("agent", "jobs"), agent=_TEXT,
            jobs={"type": "array", "maxItems": MOST_JOBS, "items": _object(inputs=_INPUTS, id=_ID)},
        ),
        202,
    ),
    Operation(
        "submit", "POST", "/jobs", "Start a job. The header Idempotency-Key may stand for `id`.", _ACK,
        _object(("agent",), agent=_TEXT, inputs=_INPUTS, id=_ID), 202,
    ),
    Operation(
        "wait", "GET", "/jobs/{id}/wait", "The job, once it has ended or the time is up.", _JOB,
        query={"timeout": {"type": "number", "minimum": 0, "maximum": MOST_WAIT_SECONDS, "default": 30}},
    ),
    Operation(
        "push", "POST", "/jobs/{id}/messages", "Send the job a message.", _ACK,
        _object(("text",), text=_TEXT, id=_ID), 202,
    ),
    Operation(
        "cancel", "POST", "/jobs/{id}/cancel", "Ask for the job's end; `asked` is false when there is nothing to ask.",
        _object(("id", "asked", "status"), id=_TEXT, asked={"type": "boolean"}, status=_STATUS), None, 202,
    ),
    Operation("job", "GET", "/jobs/{id}", "Where the job is, how it ended, and with what.", _JOB),
    Operation(
        "put", "POST", "/queues/{name}/items", "Put items on a queue, all or none.",
        _object(
            ("ids", "new", "known", "dropped"), ids={"type": "array", "items": _TEXT}, new=_COUNT, known=_COUNT,
            dropped=_COUNT,
        ),
        _object(
            ("items",), items={"type": "array", "maxItems": MOST_JOBS},
            key={**_TEXT, "description": "Dotted path of the field that identifies an item."},
        ),
        202,
    ),
)  # fmt: skip


def openapi(root: str = "") -> dict[str, Any]:
    """The document. `root` is where the application is mounted."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "statek client API", "version": "1"},
        "servers": [{"url": root or "/"}],
        "paths": paths,
        "components": {"schemas": {"Error": _ERROR}},
    }


def _described(operation: Operation) -> dict[str, Any]:
    names = [name for name in ("id", "name") if f"{{{name}}}" in operation.path]
    found: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.words,
        "parameters": [
            *({"name": name, "in": "path", "required": True, "schema": _TEXT} for name in names),
            *({"name": name, "in": "query", "schema": shape} for name, shape in operation.query.items()),
        ],
        "responses": {
            str(operation.status): {"description": "Done.", **_content(operation.answer)},
            "default": {"description": "Not done.", **_content({"$ref": "#/components/schemas/Error"})},
        },
    }
    return found | ({"requestBody": {"required": True, **_content(operation.body)}} if operation.body else {})


def _content(shape: Schema) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": shape}}}
