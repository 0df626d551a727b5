"""How severe the rules of the language are in one project: `[tool.statek.lint]`, applied to problems at the end.

    [tool.statek.lint]
    rules = {limits-contradict = "warn", STK505 = "off"}

    [[tool.statek.lint.paths]]
    files = ["agents/old/**"]
    rules = {policy-violated = "warn"}

A later entry wins over an earlier one, any of `paths` over `rules`. Only rules in `SETTABLE` can be set: what breaks
another one leaves nothing that could be compiled, or must never be overlooked.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal, NamedTuple

from statek.base.nearest import did_you_mean, nearest
from statek.spec.globs import path_pattern
from statek.spec.problems import RULES, Problem

Keys = tuple[str | int, ...]
Report = Callable[[str, str, Keys], None]  # code, message, place below [tool.statek.lint]
Level = Literal["error", "warn", "off"]
LEVELS: tuple[Level, ...] = ("error", "warn", "off")

SETTABLE = frozenset({
    "STK301", "STK402", "STK403", "STK404", "STK405", "STK501", "STK502", "STK504", "STK505", "STK601", "STK607",
    "STK701",
})  # fmt: skip
"""Codes of problems in spite of which the object means what its file says."""


class Scope(NamedTuple):
    """Levels by code, for files that fit one of the patterns; no pattern: for all files."""

    levels: Mapping[str, Level]
    files: tuple[re.Pattern[str], ...] = ()

    def fits(self, file: str) -> bool:
        """Whether the levels count for this file."""
        return not self.files or any(pattern.fullmatch(file) for pattern in self.files)


class Lint(NamedTuple):
    """The settings of one project, in their order."""

    scopes: tuple[Scope, ...] = ()

    def level(self, problem: Problem) -> Level:
        """How severe a problem is here."""
        found: Level = "warn" if problem.severity == "warning" else "error"
        for scope in self.scopes:
            if problem.code in scope.levels and scope.fits(problem.file):
                found = scope.levels[problem.code]
        return found


def code_of(word: str) -> str | None:
    """The code of a rule, which is named by its code or its name."""
    if word in RULES:
        return word
    return next((code for code, rule in RULES.items() if rule == word), None)


_LEGIBLE = frozenset({"STK100", "STK508", "STK605", "STK802", "STK803", *SETTABLE})


def spoils(problems: Iterable[Problem]) -> bool:
    """Whether these problems leave an object that later phases cannot judge, however severe they are."""
    return any(problem.severity == "error" and problem.code not in _LEGIBLE for problem in problems)


def apply_lint(problems: Iterable[Problem], lint: Lint) -> Iterator[Problem]:
    """The problems with the severity that the project gives them, without those that are off."""
    for problem in problems:
        level = lint.level(problem)
        if level != "off":
            yield replace(problem, severity="warning" if level == "warn" else "error")


def read_lint(table: Any, report: Report) -> Lint:
    """The settings of a table as TOML gives it; what is wrong with it is told to `report`."""
    table = _table(table, ("rules", "paths"), report, ())
    scopes = [Scope(_levels(table.get("rules", {}), report, ("rules",)))]
    entries = table.get("paths", [])
    if not isinstance(entries, list):
        report("STK103", "'paths' must be a list of tables; write [[tool.statek.lint.paths]]", ("paths",))
        entries = []
    for index, entry in enumerate(entries):
        keys: Keys = ("paths", index)
        given = _table(entry, ("files", "rules"), report, keys)
        for name in ("files", "rules"):
            misspelt = any(word not in {"files", "rules"} and nearest(word, [name]) for word in given)
            if name not in given and isinstance(entry, dict) and not misspelt:
                report("STK102", f"missing field '{name}' in [[tool.statek.lint.paths]]", keys)
        files = _files(given["files"], report, (*keys, "files")) if "files" in given else ()
        levels = _levels(given.get("rules", {}), report, (*keys, "rules"))
        scopes.extend([Scope(levels, files)] if files else [])
    return Lint(tuple(scopes))


def _table(value: Any, fields: tuple[str, ...], report: Report, keys: Keys) -> dict[str, Any]:
    if not isinstance(value, dict):
        report("STK103", f"'{keys[0] if keys else 'lint'}' must hold tables, found {value!r}", keys)
        return {}
    for name in value:
        if name not in fields and not name.startswith("x-"):
            hint = "; rules stand in 'rules = {...}'" if code_of(name) else did_you_mean(name, fields)
            report("STK101", f"unknown field '{name}' in the lint settings{hint}", (*keys, name))
    return value


def _files(value: Any, report: Report, keys: Keys) -> tuple[re.Pattern[str], ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        report("STK103", f"'files' must be a list of patterns such as 'agents/old/**', found {value!r}", keys)
        return ()
    if not value:
        report("STK110", "'files' is empty; give at least one pattern such as 'agents/old/**'", keys)
    return tuple(path_pattern(pattern) for pattern in value)


def _levels(table: Any, report: Report, keys: Keys) -> dict[str, Level]:
    if not isinstance(table, dict):
        report("STK103", f"'rules' must be a table of rules and their levels, found {table!r}", keys)
        return {}
    levels: dict[str, Level] = {}
    for word, level in table.items():
        code = code_of(word)
        why = _refusal(word, code, level, levels)
        if why is not None:
            report(*why, (*keys, word))
        elif code is not None:
            levels[code] = level
    return levels


def _refusal(word: str, code: str | None, level: Any, known: Mapping[str, Level]) -> tuple[str, str] | None:
    """Code and message of what is wrong with one entry."""
    if code is None:
        settable = [name for found in sorted(SETTABLE) for name in (found, RULES[found])]
        close = nearest(word, settable) or nearest(word, [*RULES, *RULES.values()])
        hint = f"; did you mean '{close}'?" if close else ""
        return "STK101", f"unknown rule '{word}'{hint}"
    if code not in SETTABLE:
        names = ", ".join(RULES[found] for found in sorted(SETTABLE))
        return "STK104", f"rule {code} ({RULES[code]}) is always an error; those that can be set: {names}"
    if level not in LEVELS:
        return "STK104", f"'{word}' must be one of {', '.join(LEVELS)}; found {level!r}{_level_hint(level)}"
    return ("STK110", f"rule {code} ({RULES[code]}) is set twice here; remove one") if code in known else None


def _level_hint(level: Any) -> str:
    words = {"warning": "warn", "ignore": "off", "none": "off", "false": "off"}
    close = words.get(str(level).lower()) or nearest(str(level), LEVELS)
    return f"; did you mean '{close}'?" if close else ""
