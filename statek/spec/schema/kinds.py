"""The one source of the JSON Schemas: every kind. `python -m statek.spec.schema.kinds DIR` writes them.

`validate` checks documents against these very dictionaries, and the files in `schemas/` are for editors. A field that
this build does not run yet is declared by its shape like any other, and marked with `later`.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from statek.spec.schema.agent import agent
from statek.spec.schema.models import model, provider, script
from statek.spec.schema.parts import API_VERSION, NAME, VALUE, VALUE_OF_AGENT, labels
from statek.spec.schema.project import defaults, evaluation, overlay, policy
from statek.spec.schema.queues import fleet, queue, schedule
from statek.spec.schema.shapes import Schema, fields, text
from statek.spec.schema.tools import tool_set

LATER_KINDS = ("Schedule", "Eval")  # checked, and not run by this build yet
INHERITING_KINDS = ("Agent", "Defaults")  # those whose values need not be whole before they are merged
BASE = "urn:statek:v1"


def _document(kind: str, spec: Schema) -> Schema:
    parts = {
        "apiVersion": text("Version of the language.", API_VERSION),
        "kind": text("The kind of object.", kind),
        "metadata": fields(
            "Name and labels.", {"name": NAME, **labels()}, required=["name"], example={"name": "support"}
        ),
        "spec": spec,
    }
    return fields(spec["description"], parts, required=["apiVersion", "kind", "metadata", "spec"])


def _finish(kind: str, shape: Schema) -> Schema:
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"{BASE}:{kind.lower()}"}
    value = VALUE_OF_AGENT if kind in INHERITING_KINDS else VALUE
    return {**head, "title": kind, **shape, "$defs": {"value": value}}


SCHEMAS: dict[str, Schema] = {
    "Agent": _finish("Agent", agent()),
    **{
        kind: _finish(kind, _document(kind, build()))
        for kind, build in {
            "ToolSet": tool_set, "Model": model, "Provider": provider, "Script": script, "Queue": queue,
            "Schedule": schedule, "Fleet": fleet, "Defaults": defaults, "Overlay": overlay, "Policy": policy,
            "Eval": evaluation,
        }.items()
    },
}  # fmt: skip


def schema_text(kind: str) -> str:
    """The text of the kind's schema file."""
    return json.dumps(SCHEMAS[kind], indent=1, ensure_ascii=False) + "\n"


def file_name(kind: str) -> str:
    """The name of the kind's schema file."""
    return f"{kind.lower()}.schema.json"


def schema_files() -> dict[str, str]:
    """File name -> text, for every kind."""
    return {file_name(kind): schema_text(kind) for kind in SCHEMAS}


def main(arguments: Sequence[str]) -> int:
    """Write all schemas into the folder given. Returns the exit code."""
    return write_files("statek.spec.schema.kinds", arguments, schema_files())


def write_files(module: str, arguments: Sequence[str], files: Mapping[str, str]) -> int:
    """What `python -m MODULE DIR` does: write `files`, text by name, into the folder. Returns the exit code."""
    if len(arguments) != 1:
        sys.stderr.write(f"usage: python -m {module} DIR\n")
        return 2
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
