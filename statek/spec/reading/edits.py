"""Replacements in a text, as fixes describe them. Pure; line ends and the byte order mark of the text stay."""

import re
from collections.abc import Iterable, Sequence

from statek.spec.problems import Fix, Position

_BOM = "\ufeff"


def apart(fixes: Iterable[Fix]) -> list[Fix]:
    """Those that do not touch each other, the first of them first; the same fix of two problems counts once."""
    chosen: list[Fix] = []
    for fix in sorted(fixes, key=lambda fix: (fix.range.start, fix.range.end)):
        last = chosen[-1].range if chosen else None
        if last is None or (fix.range.start >= last.end and fix.range.start > last.start):
            chosen.append(fix)
    return chosen


def with_fixes(text: str, fixes: Sequence[Fix]) -> str:
    """The text with all of `fixes`, which must not overlap."""
    starts = [0, *(found.end() for found in re.finditer("\n", text))]
    mark = len(_BOM) if text.startswith(_BOM) else 0

    def offset(place: Position) -> int:
        return starts[place.line - 1] + place.column - 1 + (mark if place.line == 1 else 0)

    line_end = "\r\n" if "\r\n" in text else "\n"
    for fix in sorted(fixes, key=lambda fix: fix.range.start, reverse=True):
        new = fix.text.replace("\n", line_end)
        text = text[: offset(fix.range.start)] + new + text[offset(fix.range.end) :]
    return text
