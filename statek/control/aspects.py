"""What differs between two revisions of an object, in words: `prompt`, `limits`, `limits.turns 50 -> 12`. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from statek.ledger.compiled import canonical

_BYTES_A_TOKEN = 4  # the estimate that limits count with
_LONGEST = 40  # characters of a value in a detail

_OF_AGENT = {
    "prompt": "prompt", "partials": "prompt", "vars": "prompt", "model": "model", "params": "model", "tools": "tools",
    "imports": "tools", "max_running": "concurrency", "per_key": "concurrency",
}  # fmt: skip
_ORDER = ("prompt", "model", "tools", "warmup", "limits", "inputs", "output")
_PLACES = {"prompt_path", "prompt_line"}


def changed_aspects(kind: str, old: str, new: str) -> tuple[str, ...]:
    """Names of the aspects that differ between two canonical texts; for kinds other than Agent its fields."""
    names = {} if kind != "Agent" else _OF_AGENT
    found = {names.get(field, field) for field in _changed_fields(kind, old, new)}
    return (*(name for name in _ORDER if name in found), *sorted(found.difference(_ORDER)))


def details(kind: str, old: str, new: str) -> tuple[str, ...]:
    """One line for each difference that fits into a line: `limits.turns 50 -> 12`, `prompt +212 bytes`."""
    before, after = json.loads(old), json.loads(new)
    lines = []
    for field in _changed_fields(kind, old, new):
        if kind == "Agent" and field == "prompt":
            lines.append(_prompt_size(before["prompt"], after["prompt"]))
        elif kind == "Agent" and field == "tools":
            lines.extend(_named(before["tools"], after["tools"]))
        else:
            lines.extend(_values(field, before.get(field), after.get(field)))
    return tuple(lines)


def _changed_fields(kind: str, old: str, new: str) -> list[str]:
    before, after = json.loads(old), json.loads(new)
    fields = [name for name in {**after, **before} if before.get(name) != after.get(name)]  # unused ones are left out
    return [name for name in fields if not (kind == "Agent" and name in _PLACES)]


def _prompt_size(before: str, after: str) -> str:
    grown = len(after.encode()) - len(before.encode())
    tokens = round(grown / _BYTES_A_TOKEN)
    return f"prompt {grown:+d} bytes, about {tokens:+d} tokens a turn" if grown else "prompt of the same length"


def _named(before: list[Any], after: list[Any]) -> Iterator[str]:
    """Tools that came, went, or are declared in another way."""
    olds, news = ({f"{tool['toolset']}/{tool['name']}": tool for tool in tools} for tools in (before, after))
    for name in sorted(olds.keys() | news.keys()):
        if name not in olds:
            yield f"tools + {name}"
        elif name not in news:
            yield f"tools - {name}"
        elif olds[name] != news[name]:
            yield f"tools ~ {name}"


def _values(path: str, before: Any, after: Any) -> Iterator[str]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in sorted(before.keys() | after.keys()):
            yield from _values(f"{path}.{name}", before.get(name), after.get(name))
        return
    shown = f"{path} {_short(before)} -> {_short(after)}"
    if len(shown) <= len(path) + 2 * _LONGEST:
        yield shown


def _short(value: Any) -> str:
    return "none" if value is None else canonical(value)
