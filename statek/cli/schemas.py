"""JSON Schemas of what `-o json` prints, one for each kind of document. `python -m statek.cli.schemas DIR` writes them.

Only data; the commands print, the tests check what they print against this. Documents may gain fields within a format
version, so no schema forbids more of them.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from statek.spec.schema.kinds import write_files

Schema = dict[str, Any]
BASE = "urn:statek:cli:v1"

_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_FLAG: Schema = {"type": "boolean"}
_ANY: Schema = {}
_NUMBER: Schema = {"type": "number"}
_COUNTS: Schema = {"type": "object", "additionalProperties": _COUNT}
_REVISION: Schema = {"type": ["string", "null"]}


def _or_null(shape: Schema) -> Schema:
    return {"anyOf": [shape, {"type": "null"}]}


def _list(shape: Schema) -> Schema:
    return {"type": "array", "items": shape}


def _object(**fields: Schema) -> Schema:
    return {"type": "object", "properties": fields, "required": list(fields)}


_POSITION = _object(line={"type": "integer", "minimum": 1}, column={"type": "integer", "minimum": 1})
_RANGE = _object(start=_POSITION, end=_POSITION)
_FIX = _object(title=_TEXT, safe=_FLAG, range=_RANGE, text=_TEXT)
_RELATED = _object(file=_TEXT, range=_RANGE, message=_TEXT)
_DIAGNOSTIC = _object(
    code={"type": "string", "pattern": "^STK[0-9]{3}$"}, rule=_TEXT, severity={"enum": ["error", "warning"]},
    message=_TEXT, file=_TEXT, range=_RANGE, object=_or_null(_TEXT), pointer=_TEXT, fixes=_list(_FIX),
    related=_list(_RELATED),
)  # fmt: skip
_SOURCE = _object(file=_TEXT, line={"type": "integer", "minimum": 1})
_ACTION = _object(
    action={"enum": ["new", "changed", "pruned", "orphaned", "same", "kept"]}, object=_TEXT, before=_REVISION,
    after=_REVISION, aspects=_list(_TEXT), details=_list(_TEXT), source=_SOURCE,
)  # fmt: skip
_PLAN = {
    "env": _TEXT,
    "base": _REVISION,
    "target": _TEXT,
    "nothingToDo": _FLAG,
    "actions": _list(_ACTION),
    "refusals": _list(_object(code=_TEXT, object=_or_null(_TEXT), message=_TEXT)),
}
_USAGE = _object(inputTokens=_COUNT, outputTokens=_COUNT, cachedTokens=_COUNT, costUsd=_or_null(_NUMBER))
_ROW = _object(
    id=_TEXT, agent=_TEXT, status=_TEXT, outcome=_or_null(_TEXT), waitingFor=_ANY, queue=_or_null(_TEXT), inputs=_ANY,
    release=_REVISION, turns=_COUNT, usage=_USAGE, createdAt=_or_null(_TEXT), endedAt=_or_null(_TEXT),
    error=_or_null(_TEXT), scripted=_FLAG,
)  # fmt: skip
_NUMBERED = _object(
    inputTokens=_COUNT, outputTokens=_COUNT, cachedTokens=_COUNT, costUsd=_or_null(_NUMBER), bytesSent=_COUNT,
    bytesReceived=_COUNT, seconds=_NUMBER,
)  # fmt: skip
_WHOLE = _object(
    **{**_ROW["properties"], "usage": _NUMBERED}, revision=_REVISION, parent=_or_null(_TEXT), children=_list(_TEXT),
    tries=_list(_object(id=_TEXT, outcome=_or_null(_TEXT))), prompt=_TEXT, warmup=_list(_TEXT),
    chat=_list(_object(at=_TEXT, kind=_TEXT, text=_or_null(_TEXT), calls=_list(_ANY))),
    toolLog=_list(
        _object(at=_TEXT, answer=_or_null(_COUNT), call=_or_null(_TEXT), result=_or_null(_TEXT), error=_or_null(_TEXT))
    ),
    pushLog=_list(_object(at=_TEXT, position=_COUNT, text=_TEXT)), console=_list(_TEXT),
    errorTrace=_or_null(_list(_TEXT)), exceptions=_list(_object(position=_COUNT, kind=_TEXT, message=_TEXT)),
    names={"type": "object", "additionalProperties": _TEXT}, exit=_or_null(_TEXT), stands=_TEXT,
    statement=_or_null(_object(part=_COUNT, index=_COUNT)),
)  # fmt: skip
_NO_JOB = _object(
    id=_TEXT, status={"enum": ["waiting", "refused"]}, outcome={"enum": [None, "refused"]}, queue=_or_null(_TEXT),
    inputs=_ANY, createdAt=_or_null(_TEXT), stands=_TEXT,
)  # fmt: skip
_ENTRY = _object(at=_ANY, kind=_TEXT, text=_TEXT)
_SUM = _object(
    name=_TEXT, answers=_COUNT, inputTokens=_COUNT, outputTokens=_COUNT, cachedTokens=_COUNT, costUsd=_NUMBER,
    unpriced=_COUNT, scripted=_COUNT,
)  # fmt: skip
_PROGRESS = {
    "done": _COUNT, "waiting": _COUNT, "running": _COUNT, "failed": _COUNT, "total": _COUNT, "jobsPerSecond": _NUMBER,
    "elapsedSeconds": _NUMBER, "inputTokens": _COUNT, "outputTokens": _COUNT, "costUsd": _or_null(_NUMBER),
    "scripted": _FLAG,
}  # fmt: skip
_CONDITION = _object(
    type=_TEXT, status={"enum": ["True", "False", "Unknown"]}, reason=_TEXT, message=_TEXT, source=_or_null(_SOURCE)
)
_MOVE = _object(number=_COUNT, at=_TEXT, release=_TEXT, base=_REVISION, reason=_TEXT, changed={"type": "object"})
_ITEM = _object(
    **{"from": _or_null(_TEXT)}, id=_TEXT, item=_ANY, at=_TEXT, dueAt=_or_null(_TEXT), reason=_or_null(_TEXT),
    failures=_list(_object(job=_TEXT, outcome=_TEXT, reason=_TEXT, atUs=_TEXT)),
)  # fmt: skip
_QUEUE = _object(
    name=_TEXT, agent=_or_null(_TEXT), waiting=_COUNT, again=_COUNT, maxDepth=_or_null(_COUNT), paused=_FLAG,
    deadLetter=_or_null(_TEXT), oldestAt=_or_null(_TEXT),
)  # fmt: skip
_COPY = _object(seq=_COUNT, madeAt=_TEXT, bytes=_COUNT)
_SAFETY = _object(
    copies=_object(count=_COUNT, newest=_or_null(_COPY)),
    ledger=_object(bytes=_COUNT, low=_COUNT, removed=_COUNT, held=_COUNT),
    pausedAt=_or_null(_TEXT),
)
_STORAGE = _object(store=_COUNT, ledger=_COUNT, perDay=_or_null(_COUNT), live=_or_null(_COUNT))
_SAID = _object(
    relation={"enum": ["counts", "fills", "overrides", "adds to", "from", "now"]}, text=_TEXT, owner=_TEXT,
    file=_or_null(_TEXT), line=_or_null(_COUNT), column=_or_null(_COUNT),
)  # fmt: skip
_REASON = _object(field=_TEXT, value=_ANY, chain=_list(_SAID))
_TEXTS: Schema = {"type": "object", "additionalProperties": _TEXT}
_CODE: dict[str, Schema] = {
    "code": _TEXT, "rule": _TEXT, "title": _TEXT, "why": _TEXT, "switchable": _FLAG, "wrong": _TEXTS, "right": _TEXTS,
    "unshown": _or_null(_TEXT),
}  # fmt: skip
_CHOICE = _object(name=_TEXT, provider=_or_null(_TEXT), id=_or_null(_TEXT), params={"type": "object"})
_RENDERED: dict[str, Schema] = {
    "env": _TEXT, "agent": _TEXT, "revision": _TEXT, "job": _TEXT, "inputs": {"type": "object"},
    "models": _list(_CHOICE), "chatStyle": _TEXT, "limits": {"type": "object"}, "prompt": _TEXT, "listing": _TEXT,
    "formalTools": _list({"type": "object"}), "warmup": _list(_object(code=_TEXT, hidden=_FLAG)),
    "estimate": _object(promptBytes=_COUNT, toolBytes=_COUNT, tokens=_COUNT),
}  # fmt: skip
_CONVERTED = _object(
    **{"from": _or_null(_TEXT)}, to=_TEXT, text=_TEXT, notes=_list(_object(line=_COUNT, message=_TEXT))
)
_FIELD: dict[str, Schema] = {
    "path": _TEXT, "types": _list(_TEXT), "description": _TEXT, "required": _TEXT, "default": _ANY,
    "hasDefault": _FLAG, "bounds": _list(_TEXT), "values": _list(_ANY), "examples": _list(_ANY), "runs": _FLAG,
    "laterValues": _list(_ANY), "oneOf": _list(_TEXT), "fields": _list({"type": "object"}),
}  # fmt: skip
_BACKUP = {
    "madeAt": _TEXT,
    "storeId": _TEXT,
    "seq": _or_null(_COUNT),
    "last": _COUNT,
    "files": {"type": "object", "additionalProperties": _object(bytes=_COUNT, sha256=_TEXT)},
}

_KINDS: dict[str, tuple[str, Mapping[str, Schema]]] = {
    "Validation": ("What is wrong in the files.", {"ok": _FLAG, "diagnostics": _list(_DIAGNOSTIC)}),
    "Schemas": (
        "The kinds of objects; `file`: of the JSON Schema.",
        {"schemas": _list(_object(name=_TEXT, file=_TEXT, description=_TEXT))},
    ),
    "Schema": (
        "The JSON Schema of one kind of object.",
        {"name": _TEXT, "file": _TEXT, "description": _TEXT, "schema": {"type": "object"}},
    ),
    "Explanations": (
        "What `statek explain` can explain.",
        {"codes": _list(_object(code=_TEXT, rule=_TEXT, title=_TEXT)), "kinds": _list(_TEXT)},
    ),
    "CodeExplained": (
        "A diagnostic code. `wrong` and `right`: texts of files by path; `unshown`: why there are none.",
        _CODE,
    ),
    "FieldExplained": (
        "A field of a kind, and those one step below it. `runs`: whether this build runs it, but for `laterValues`.",
        _FIELD,
    ),
    "Rendered": (
        "What a job would be given. `formalTools`: as they are sent; `estimate.tokens`: of prompt and formal tools.",
        _RENDERED,
    ),
    "Created": (
        "Files that `statek new` wrote.",
        {"object": _TEXT, "root": _TEXT, "files": _list(_TEXT), "next": _list(_TEXT), "notes": _list(_TEXT)},
    ),
    "Converted": (
        "Agents from files of the older style, `to` below `out`; `written` is false when they were only shown.",
        {"out": _TEXT, "written": _FLAG, "files": _list(_CONVERTED)},
    ),
    "Formatted": (
        "Files that have another form now, or would have (`written` is false). `left`: not formatted, for a reason.",
        {
            "ok": _FLAG,
            "written": _FLAG,
            "changed": _list(_object(file=_TEXT, diff=_or_null(_TEXT))),
            "unchanged": _COUNT,
            "left": _list(_object(file=_TEXT, reason=_TEXT)),
            "diagnostics": _list(_DIAGNOSTIC),
        },
    ),
    "Project": ("Files that init wrote.", {"root": _TEXT, "files": _list(_TEXT), "left": _list(_TEXT)}),
    "Plan": ("What apply would do.", _PLAN),
    "Applied": (
        "What apply did. `worker`: whether one runs.",
        {"release": _TEXT, "number": _COUNT, "moved": _FLAG, "worker": _FLAG, "plan": _object(**_PLAN)},
    ),
    "Submitted": (
        "Inputs that were acknowledged; `ids` are those of the jobs.",
        {"target": _TEXT, "new": _COUNT, "known": _COUNT, "dropped": _COUNT, "worker": _FLAG, "ids": _list(_TEXT)},
    ),
    "Queues": (
        "The queues; `again`: items that wait for another try. `items`: those of the queue that was asked for.",
        {"queues": _list(_QUEUE), "items": _or_null(_list(_ITEM))},
    ),
    "Requeued": ("Failed items that were put back; `ids` of their next tries.", {"ids": _list(_TEXT), "worker": _FLAG}),
    "Dropped": ("Items that were taken away.", {"ids": _list(_TEXT), "worker": _FLAG}),
    "Pushed": ("A message that was acknowledged.", {"job": _TEXT, "worker": _FLAG}),
    "Cancelled": (
        "The end that was asked for; `asked` is false when it was before or the job has ended.",
        {"job": _TEXT, "asked": _FLAG, "outcome": _or_null(_TEXT), "worker": _FLAG},
    ),
    "Jobs": (
        "Rows of jobs, and what is no job yet.",
        {"jobs": _list(_ROW), "total": _COUNT, "queued": _COUNTS, "worker": _FLAG},
    ),
    "Job": (
        "One job whole; `waiting` or `refused` for an input that is no job yet, or never; `stands` says why.",
        {"job": {"anyOf": [_WHOLE, _NO_JOB]}},
    ),
    "Log": ("What one job said and did.", {"entries": _list(_ENTRY)}),
    "LogEntry": ("A line of `statek logs -f`: one thing that a job said or did.", {"job": _TEXT, "entry": _ENTRY}),
    "LogEnd": (
        "The last line of `statek logs -f`; `outcome` is null when the job has not ended and no worker runs.",
        {"job": _TEXT, "status": _TEXT, "outcome": _or_null(_TEXT)},
    ),
    "Usage": (
        "What models were used for, in the order of names; `unpriced`: answers whose cost nobody knows.",
        {
            "by": {"enum": ["agent", "model", "day"]},
            "since": _or_null(_TEXT),
            "usage": _list(_SUM),
            "total": _SUM,
        },
    ),
    "Status": (
        "Conditions of the files, of what is applied, and of the worker.",
        {
            "project": _TEXT,
            "env": _TEXT,
            "release": _REVISION,
            "number": _COUNT,
            "conditions": _list(_CONDITION),
            "queued": _COUNTS,
            "worker": _or_null({"type": "object"}),
            "safety": _or_null(_SAFETY),
            "storage": _or_null(_STORAGE),
            "usage": _or_null(_object(today=_SUM, total=_SUM)),
        },
    ),
    "Forgotten": (
        "Finished jobs that were asked to leave the store; `asked` is false when they were only shown.",
        {"jobs": _list(_TEXT), "finished": _COUNT, "asked": _FLAG, "worker": _FLAG},
    ),
    "Compacted": (
        "A store file that was written anew. Bytes of the file; `former`: where the old one lies for now.",
        {"before": _COUNT, "after": _COUNT, "objects": _COUNTS, "lost": _COUNT, "seconds": _NUMBER, "former": _TEXT},
    ),
    "Backup": (
        "A backup that was made. `seq`: the last record in the store, null without one; `last`: in the ledger.",
        {"path": _TEXT, **_BACKUP},
    ),
    "Restored": (
        "A backup that was put in place. `aside`: where the files are that were there before.",
        {"store": _TEXT, "aside": _REVISION, **_BACKUP},
    ),
    "History": ("Moves of head, newest first.", {"releases": _list(_MOVE)}),
    "Why": (
        "Where values of an object or job come from; of each `chain` the first counts. `from`, `now`: what files say.",
        {"object": _TEXT, "field": _TEXT, "env": _TEXT, "values": _list(_REASON)},
    ),
    "Progress": ("A line of `statek work`: how far it is.", _PROGRESS),
    "Notice": ("A line of `statek work`: something out of the ordinary.", {"text": _TEXT}),
    "End": (
        "The last line of `statek work`.",
        {**_PROGRESS, "outcomes": _COUNTS, "failures": _list({"type": "object"})},
    ),
    "Error": (
        "Why a command did nothing.",
        {"exitCode": _COUNT, "error": _object(code=_TEXT, message=_TEXT, hint=_TEXT)},
    ),
}

_EXAMPLES: dict[str, dict[str, Any]] = {
    "Pushed": {"job": "triage/42", "worker": True},
    "Error": {"exitCode": 5, "error": {"code": "HeadMoved", "message": "head is at r-1", "hint": "plan again"}},
    "History": {"releases": []},
    "Validation": {"ok": True, "diagnostics": []},
}


def schema(kind: str) -> Schema:
    """The schema of one kind of document."""
    words, fields = _KINDS[kind]
    head: dict[str, Schema] = {"formatVersion": {"const": 1}, "kind": {"const": kind}}
    found = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{BASE}:{kind.lower()}",
        "title": kind,
        "description": words,
        **_object(**head, **fields),
    }
    if kind in _EXAMPLES:
        found["examples"] = [{"formatVersion": 1, "kind": kind, **_EXAMPLES[kind]}]
    return found


def schema_files() -> dict[str, str]:
    """File name -> text, for every kind."""
    return {f"{kind.lower()}.schema.json": json.dumps(schema(kind), indent=1) + "\n" for kind in _KINDS}


def main(arguments: Sequence[str]) -> int:
    """Write all schemas into the folder given. Returns the exit code."""
    return write_files("statek.cli.schemas", arguments, schema_files())


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
