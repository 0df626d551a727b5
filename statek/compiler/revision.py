"""The name of a compiled value: `name@` and twelve hex digits of everything that changes its behaviour.

Where a value came from (paths, lines) is part of its text but not of its name: moving a prompt down by a comment
line, or a file to another folder, is no new revision. The version of the template engine is part of it for agents.
"""

import json
from collections.abc import Mapping
from typing import Any

from statek.ledger import compiled
from statek.text.template import ENGINE

_PLACES = {"Agent": ("prompt_path", "prompt_line"), "Warmup": ("path",)}


def revision_of(kind: str, value: compiled.Compiled) -> str:
    """The revision id of one compiled value."""
    data = json.loads(compiled.encode(value))
    content: dict[str, Any] = {"kind": kind, "value": _without_places(kind, data)}
    if kind == "Agent":
        content["engine"] = ENGINE
    return f"{value.name}@{compiled.digest(compiled.canonical(content))}"


def _without_places(kind: str, data: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: item for name, item in data.items() if name not in _PLACES.get(kind, ())}
    if kind == "Agent" and kept["warmup"] is not None:
        kept["warmup"] = _without_places("Warmup", kept["warmup"])
    if kind == "Warmup":
        kept["blocks"] = [{name: item for name, item in block.items() if name != "line"} for block in kept["blocks"]]
    return kept
