"""Fixes for words and values: what a problem offers, and when it is certain enough to be made without asking.

The one idea: a fix is safe when a slip of the fingers explains what was written and nothing else does. Names that
differ in a digit, short words and names with two near neighbours are told, not changed.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from statek.base.nearest import nearest
from statek.spec.formats import FORMATS
from statek.spec.problems import Fix, Position, Range
from statek.spec.quick import quick_look

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./*-]*|(?:[0-9]+(?:ms|[smhdkM]))+|[0-9]+/[smhd]")
_WORDS_OF_YAML = {"true", "false", "null"}
_UNITS = {
    "ms": "ms", "msec": "ms", "millisecond": "ms", "milliseconds": "ms", "s": "s", "sec": "s", "secs": "s",
    "second": "s", "seconds": "s", "m": "m", "min": "m", "mins": "m", "minute": "m", "minutes": "m", "h": "h",
    "hr": "h", "hrs": "h", "hour": "h", "hours": "h", "d": "d", "day": "d", "days": "d", "w": "w", "week": "w",
    "weeks": "w",
}  # fmt: skip
_CHECKS = (
    "type", "pattern", "enum", "minimum", "maximum", "minLength", "maxLength", "uniqueItems", "minItems", "allOf",
)  # fmt: skip
_DURATION = re.compile(r"(?:[0-9]+ *[A-Za-z]+[ ,]*)+")


def word_fix(where: Range, found: str, known: Iterable[str], *, beside: Any = ()) -> tuple[Fix, ...]:
    """The nearest of `known` in the place of the word `found`, which stands at `where`.

    Args:
        where: the place of the word, with its quotes.
        found: the word as it reads.
        known: what could stand there.
        beside: the list or mapping that it is a part of; what is there already is not put there again.
    """
    names = set(known)
    close = nearest(found, names)
    return () if close is None or close in beside else replaced(where, found, close, safe=is_slip(found, close, names))


def replaced(where: Range, found: str, text: str, *, safe: bool) -> tuple[Fix, ...]:
    """`text` in the place of `found`, within its quotes; none when `found` is written in another way than it reads."""
    quotes = where.end.column - where.start.column - len(found)
    if where.start.line != where.end.line or quotes not in {0, 2}:
        return ()
    line, column = where.start.line, where.start.column + quotes // 2
    place = Range(Position(line, column), Position(line, column + len(found)))
    written = text if quotes or (_PLAIN.fullmatch(text) and text not in _WORDS_OF_YAML) else json.dumps(text)
    return (Fix(f"replace with '{text}'", safe=safe, range=place, text=written),)


def is_slip(found: str, meant: str, known: Iterable[str]) -> bool:
    """Whether `found` is certainly a misspelt `meant`, of all that is `known`."""
    if re.findall(r"[0-9]+", found) != re.findall(r"[0-9]+", meant):
        return False
    near = [name for name in known if _folded(name) == _folded(found)]
    if near:
        return near == [meant]
    most = 0 if min(len(found), len(meant)) < 4 else 1 if len(meant) < 8 else 2
    return 0 < _distance(found, meant) <= most and all(
        _distance(found, name) > _distance(found, meant) for name in known if name != meant
    )


def _folded(name: str) -> str:
    return re.sub(r"[-_ ]", "", name).casefold()


def _distance(one: str, other: str) -> int:
    """Letters added, left out, changed, or swapped with their neighbour; more than a few are not counted exactly."""
    if abs(len(one) - len(other)) > 2 or len(set(one) ^ set(other)) > 4 or len(one) > 200:
        return 9
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        above, before, row = before, row, [i]
        for j, right in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                cost = min(cost, above[j - 2] + 1)
            row.append(cost)
    return row[-1]


def respelled(form: str, text: str) -> str | None:
    """A text as the language writes it: `10 min` -> `10m`, `triage.md` -> `triage`; None when it is not clear."""
    write = _RESPELL.get(form, _cleaned)
    found = (write(text), write(_cleaned(text)), _cleaned(text))
    return next((new for new in found if new is not None and new != text and FORMATS[form].fits(new)), None)


def _cleaned(text: str) -> str:
    """Without what only looks like part of a text: invisible characters, typographic quotes, a comma at the end."""
    return re.sub(r"[,;]$", "", "".join(filter(str.isprintable, text)).strip()).strip("\u201c\u201d\u2018\u2019 ")


def _duration(text: str) -> str | None:
    half = re.fullmatch(r"([0-9]+)\.5 *([A-Za-z]+)", text)
    if half is not None:
        smaller = {"s": "500ms", "m": "30s", "h": "30m", "d": "12h"}
        unit = _UNITS.get(half[2] if half[2] == "M" else half[2].lower(), "")
        return f"{int(half[1]) or ''}{unit if int(half[1]) else ''}{smaller[unit]}" if unit in smaller else None
    if _DURATION.fullmatch(text) is None:
        return None
    parts = re.findall(r"([0-9]+) *([A-Za-z]+)", text)
    units = [_UNITS.get(unit if unit == "M" else unit.lower()) for _, unit in parts]
    if None in units or (len(parts) > 1 and "w" in units):
        return None
    return "".join(
        f"{int(count) * 7}d" if unit == "w" else f"{int(count)}{unit}"
        for (count, _), unit in zip(parts, units, strict=True)
    )


def _rate(text: str) -> str | None:
    found = re.fullmatch(r"([0-9]+) *(?:/|per) *([A-Za-z]+)", text) or re.fullmatch(r"([0-9]+) *rp([smh])", text)
    unit = _UNITS.get(found[2].lower()) if found else None
    return f"{found[1]}/{unit}" if found and unit else None


def _target(text: str) -> str:
    return text.removesuffix("()").replace("::", ":")


def _name(text: str) -> str:
    """Of a file or of `Kind/name`: the name. Of a model with its family, `openai/gpt-5`, nobody knows the name."""
    stem = re.sub(r"\.(md|py|ya?ml)$", "", text)
    kind, _, name = stem.rpartition("/")
    return name if stem != text or kind[:1].isupper() else text


def _path(text: str) -> str:
    return re.sub(r"^\{\{ *(.*?) *\}\}$", r"\1", text).removeprefix("$.")


def _pattern(text: str) -> str:
    return re.sub(r"^([\w-]+) *[.:/] *([\w*]+)$", r"\1/\2", text)


def _model(text: str) -> str:
    return re.sub(r" */ *", "/", text)


def _tokens(text: str) -> str | None:
    found = re.fullmatch(r"([0-9]+) *([kK]|M)(?: *tokens)?", text)
    return f"{found[1]}{'M' if found[2] == 'M' else 'k'}" if found else None


_RESPELL: Mapping[str, Callable[[str], str | None]] = {
    "duration": _duration, "positive-duration": _duration, "rate": _rate, "tokens": _tokens, "target": _target,
    "name": _name, "path": _path, "pattern": _pattern, "model": _model,
}  # fmt: skip


def fits(shape: Mapping[str, Any], value: Any) -> bool:
    """Whether a value follows what a schema says of texts and numbers, or of a list of texts."""
    plain = {name: shape[name] for name in _CHECKS if name in shape}
    items = shape.get("items", {})
    whole = all(fits(items, item) for item in value) if isinstance(value, list) else True
    return whole and "$ref" not in str(shape) and quick_look(plain)(value)
