"""What a person gives to `submit`, as JSON values with the place each was read: pairs, a file, a file of lines.

It parses and types, and never checks against an agent: that is the ledger ring's business. Reads one file or stdin.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from statek.base.strict_json import refuse_constant
from statek.exceptions import StatekError
from statek.ledger.compiled import Json
from statek.ledger.submit import BadInputs

STDIN = "-"


@dataclass(frozen=True)
class Items:
    """Values, and where each stands (`events.jsonl:3`)."""

    values: tuple[Json, ...]
    places: tuple[str, ...] = ()


def from_pairs(pairs: Sequence[str], shapes: Mapping[str, Json]) -> Items:
    """One object of `key=value` words; a value is typed as `shapes` declares its key, else it is text.

    Raises BadInputs naming every wrong word.
    """
    found: dict[str, Json] = {}
    problems = []
    for pair in pairs:
        name, sign, text = pair.partition("=")
        if not sign or not name:
            problems.append(f"{pair!r} is not of the form key=value")
        elif name in found:
            problems.append(f"{name} is given twice")
        else:
            try:
                found[name] = _typed(shapes.get(name, {}).get("type", "string"), text)
            except (ValueError, RecursionError):
                problems.append(f"{name}: {text!r} is not JSON for {shapes[name]['type']}")
    if problems:
        raise BadInputs(problems)
    return Items((found,))


def from_json(name: str) -> Items:
    """The one value in a file, or on stdin for `-`. Raises BadInputs."""
    text = _read(name)
    try:
        return Items((_parse(text),))
    except (ValueError, RecursionError) as error:
        raise BadInputs([f"{name}: not JSON: {error}"]) from error


def from_lines(name: str) -> Items:
    """The values in a file of JSON lines, or on stdin for `-`; empty lines do not count. Raises BadInputs."""
    values, places, problems = [], [], []
    for number, line in _lines(_read(name)):
        try:
            values.append(_parse(line))
            places.append(f"{name}:{number}")
        except (ValueError, RecursionError) as error:
            problems.append(f"{name}:{number}: not JSON: {error}")
    if problems:
        raise BadInputs(problems)
    if not values:
        raise BadInputs([f"{name} has no lines"])
    return Items(tuple(values), tuple(places))


def _typed(kind: str, text: str) -> Json:
    return text if kind == "string" else _parse(text)


def _parse(text: str) -> Json:
    return json.loads(text, parse_constant=refuse_constant)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, line


def _read(name: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StatekError(f"{name} is not UTF-8: byte {error.object[error.start]:#04x} at {error.start}") from error
    except OSError as error:
        raise StatekError(f"{name} cannot be read: {error.strerror}") from error
