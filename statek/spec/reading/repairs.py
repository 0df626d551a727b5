"""Fixes for files that cannot be read: quotes, spaces in place of tabs, a fence, a line too much. Pure guesses.

`documents` reads the file again with each fix and offers only one that gets the reading further, so a guess here may
be wrong but never makes things worse. One that is `safe` is the only thing the author can have meant.
"""

import json
import re
from collections.abc import Callable, Mapping

from statek.spec.problems import Fix, Position, Problem, Range

_FIELD = re.compile(r"(?P<before>\s*(?:- +)*(?P<key>[A-Za-z_][\w.-]*): +)(?P<value>[^\s#].*?)(?P<after>(?:\s+#.*)?)")
_REFERENCE = re.compile(r"[^\s,{}\[\]\"']*(?:\$\{[^}\s]*\}[^\s,{}\[\]\"']*)+")
_LONGEST = 2000  # characters of a line that are looked at
_ODD_BLANKS = re.compile(r"[\u00a0\u2000-\u200b\u202f\u205f\u3000\ufeff]+")
_TYPOGRAPHIC = "\u201c\u201d\u201e\u2018\u2019"
_RESERVED = ("@", "`", "%")  # no value begins with these
_FENCE = re.compile(r"---[ \t]*")
_NEAR_FENCE = re.compile(r"[ \t]+---[ \t]*|----+[ \t]*|\.\.\.[ \t]*")
_TABS = re.compile(r"[ ]*\t[ \t]*(?=\S)")


def repair(text: str, problem: Problem) -> Fix | None:
    """What may be done about a problem of the STK00x family; `text` is that of its file, with line feeds only."""
    found = _REPAIRS.get(problem.code)
    return found(text.split("\n"), problem) if found is not None else None


def _line_fix(title: str, line: int, old: str, new: str, *, safe: bool = True) -> Fix | None:
    where = Range(Position(line, 1), Position(line, len(old) + 1))
    return None if old == new else Fix(title, safe=safe, range=where, text=new)


def _removal(title: str, first: int, after: int) -> Fix:
    """The lines from `first` up to, not including, `after` go."""
    return Fix(title, safe=True, range=Range(Position(first, 1), Position(after, 1)), text="")


def _quotes(lines: list[str], problem: Problem) -> Fix | None:
    number = problem.range.start.line
    line = lines[number - 1]
    found = _FIELD.fullmatch(line) if len(line) <= _LONGEST else None
    if found is None:
        return None
    value = found["value"]
    if value[0] in "{[" and "${" in value:
        quoted = _REFERENCE.sub(lambda part: json.dumps(part[0], ensure_ascii=False), value)
    elif value[0] in "[\"'|>&*!" or (value[0] == "{" and not value.startswith("{{")):
        return None
    else:
        quoted = json.dumps(value, ensure_ascii=False)
    certain = found["key"] == "description" or value.startswith(("{{", *_RESERVED)) or "${" in value
    return _line_fix("put it in quotes", number, line, found["before"] + quoted + found["after"], safe=certain)


def _syntax(lines: list[str], problem: Problem) -> Fix | None:
    """Spaces that are none, other marks of items, other comments; else quotes."""
    start = problem.range.start
    line = lines[start.line - 1]
    before, after = line[: start.column - 1], line[start.column - 1 :]
    if len(line) > _LONGEST:
        return None
    if _ODD_BLANKS.match(after):
        plain = _ODD_BLANKS.sub(lambda odd: " " * len(odd[0]), line)
        return _line_fix("write ordinary spaces", start.line, line, plain)
    if after[:1] in _TYPOGRAPHIC:
        end = problem.range.end.column - 1
        word = json.dumps(line[start.column - 1 : end].strip(_TYPOGRAPHIC), ensure_ascii=False)
        return _line_fix(f"write {word}", start.line, line, before + word + line[end:])
    if not before.strip() and after.startswith(("* ", "\u2022 ", "\u2013 ", "\u2014 ")):
        return _line_fix("write '- '", start.line, line, f"{before}-{after[1:]}", safe=False)
    if not before.strip() and after.startswith("//"):
        return _line_fix("write '#'", start.line, line, f"{before}#{after[2:]}", safe=False)
    return _quotes(lines, problem)


def _closing_fence(lines: list[str], problem: Problem) -> Fix | None:
    for other in problem.related:
        number = other.range.start.line
        if _NEAR_FENCE.fullmatch(lines[number - 1]):
            return _line_fix("write '---' here", number, lines[number - 1], "---")
    return None


def _opening_fence(lines: list[str], problem: Problem) -> Fix | None:
    if lines[0].strip() == "---":
        return _line_fix("write '---' from column 1", 1, lines[0], "---")
    first = next((number for number, line in enumerate(lines, 1) if line.strip()), 1)
    if first > 1 and _FENCE.fullmatch(lines[first - 1]):
        return _removal("remove the lines above", 1, first)
    return None


def _spaces(lines: list[str], problem: Problem) -> Fix | None:
    """All tabs of indentation from the first one on, in the YAML."""
    first = problem.range.start.line
    is_markdown = problem.file.endswith(".md")
    end = next((n for n in range(first, len(lines)) if is_markdown and _FENCE.fullmatch(lines[n])), len(lines))
    last = max(n for n in range(first, end + 1) if n == first or _TABS.match(lines[n - 1]))
    old = lines[first - 1 : last]
    new = [
        _TABS.sub(lambda tabs: tabs[0].replace("\t", "  "), line, count=1) if _TABS.match(line) else line
        for line in old
    ]
    where = Range(Position(first, 1), Position(last, len(old[-1]) + 1))
    return Fix("indent with two spaces for each tab", safe=True, range=where, text="\n".join(new))


def _space_after_colon(lines: list[str], problem: Problem) -> Fix | None:
    start = problem.range.start
    found = re.match(r"[\w-]+:(?=\S)", lines[start.line - 1][start.column - 1 :])
    if found is None:
        return None
    place = Position(start.line, start.column + found.end())
    return Fix("put a space after the ':'", safe=True, range=Range(place, place), text=" ")


def _no_directive(lines: list[str], problem: Problem) -> Fix | None:
    number = problem.range.start.line
    return _removal("remove the line", number, number + 1) if lines[number - 1].startswith("%YAML") else None


def _no_separator(lines: list[str], problem: Problem) -> Fix | None:
    last = max((number for number, line in enumerate(lines, 1) if line.strip()), default=0)
    if last > 1 and last < len(lines) and problem.range.start.line >= last and _FENCE.fullmatch(lines[last - 1]):
        return _removal("remove the '---' at the end", last, last + 1)
    return None


def _quoted_key(lines: list[str], problem: Problem) -> Fix | None:
    start, end = problem.range.start, problem.range.end
    key = lines[start.line - 1][start.column - 1 : end.column - 1]
    if key.startswith("{"):  # a template, read as a mapping that is the key of another one
        return _quotes(lines, problem)
    if start.line != end.line or re.fullmatch(r"[\w.+-]+", key) is None:
        return None
    return Fix("put the key in quotes", safe=True, range=problem.range, text=f'"{key}"')


_REPAIRS: Mapping[str, Callable[[list[str], Problem], Fix | None]] = {
    "STK001": _syntax, "STK002": _closing_fence, "STK003": _opening_fence, "STK005": _spaces,
    "STK006": _space_after_colon, "STK007": _no_directive, "STK012": _no_separator, "STK013": _quoted_key,
}  # fmt: skip
