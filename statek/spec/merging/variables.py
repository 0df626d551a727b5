"""Variables of an environment: `vars` of its Overlays over those of the settings, and `${var:NAME}` in documents. Pure.

A variable is replaced within text when the project is compiled; `${secret:NAME}` and `${env:NAME}` stay as they are,
for they are looked up at use. What a field makes of the text is checked after that.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from statek.base.nearest import did_you_mean
from statek.spec.merging.descent import in_order
from statek.spec.problems import Problem, Related
from statek.spec.reading.nodes import Node
from statek.spec.reading.project import EnvConfig
from statek.spec.references import REFERENCE, VARIABLE, at_part, awaits_variable
from statek.spec.types import Path, Spec, SpecSet


def variables(env: EnvConfig, specs: SpecSet) -> Mapping[str, Any]:
    """All variables of an environment; `env` has those of the settings."""
    return specs.remembered(_variables, env)


def _variables(env: EnvConfig, specs: SpecSet) -> Mapping[str, Any]:
    found = dict(env.vars)
    for overlay in in_order(specs.of("Overlay")):
        if overlay.data["env"] == env.name:
            found.update(overlay.data.get("vars", {}))
    return found


def check_variables(specs: SpecSet) -> Iterator[Problem]:
    """Variables that two Overlays set for one environment, and those that hold references."""
    first: dict[tuple[str, str], Spec] = {}
    for overlay in in_order(specs.of("Overlay")):
        env = overlay.data["env"]
        for name, value in overlay.data.get("vars", {}).items():
            if REFERENCE.search(_text(value)):
                message = f"variable '{name}' holds '{value[:60]}', but a variable is plain text"
                yield overlay.problem("STK803", f"{message}; write the reference where it is used", "vars", name)
            other = first.setdefault((env, name), overlay)
            if other is not overlay:
                file, where = other.document.file, other.node.key_span(("vars", name))
                message = (
                    f"variable '{name}' is set twice for environment '{env}'; "
                    f"the first is at {file}:{where.start.line}: keep one"
                )
                related = (Related(file, where, "set here first"),)
                yield overlay.at_key("STK110", message, "vars", name, related=related)


def refers(node: Node) -> bool:
    """Whether any text of the tree holds a variable."""
    if isinstance(node.data, str):
        return awaits_variable(node.data)
    return any(map(refers, node.items)) or any(map(refers, node.members.values()))


def check_references(spec: Spec, values: Mapping[str, Any], env: str) -> Iterator[Problem]:
    """Variables that are not set, or are no plain text."""
    for path, text in _texts(spec.node, ()):
        for found in VARIABLE.finditer(text):
            name = found[1]
            if name not in values:
                hint = did_you_mean(name, values, also=f"set in environment '{env}'")
                problem = spec.problem("STK801", f"variable '{name}' is not set in environment '{env}'{hint}", *path)
                yield at_part(problem, text, found)
            elif REFERENCE.search(_text(values[name])):
                continue  # told where it is set
            elif "${" in _text(values[name]):
                message = f"variable '{name}' holds '{_text(values[name])[:60]}', but a variable is plain text"
                problem = spec.problem("STK803", f"{message}; write the reference here", *path)
                yield at_part(problem, text, found)


def _texts(node: Node, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(node.data, str):
        yield path, node.data
    for name, inner in node.members.items():
        yield from _texts(inner, (*path, name))
    for index, inner in enumerate(node.items):
        yield from _texts(inner, (*path, index))


def filled(node: Node, values: Mapping[str, Any]) -> Node:
    """The tree with every variable that is set replaced; places stay."""
    if isinstance(node.data, str):
        return replace(node, data=VARIABLE.sub(lambda found: _value(found, values), node.data))
    members = {name: filled(inner, values) for name, inner in node.members.items()}
    items = tuple(filled(inner, values) for inner in node.items)
    data = {name: inner.data for name, inner in members.items()} if isinstance(node.data, dict) else node.data
    data = [inner.data for inner in items] if isinstance(node.data, list) else data
    return replace(node, members=members, items=items, data=data)


def _value(found: re.Match[str], values: Mapping[str, Any]) -> str:
    return _text(values[found[1]]) if found[1] in values else found[0]


def _text(value: Any) -> str:
    """A variable as text: `true`, not `True`."""
    return str(value).lower() if isinstance(value, bool) else str(value)
