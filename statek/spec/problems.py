"""What is wrong in a file, as values: code, message and position. No printing, no raising half way.

Every phase of the language collects Problems to the end; the command line and the worker render them. Lines and
columns start at 1 and count code points, `end` is exclusive, only a line feed ends a line.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from statek.exceptions import StatekError

Severity = Literal["error", "warning"]

RULES: dict[str, str] = {
    "STK001": "syntax",
    "STK002": "front-matter-not-closed",
    "STK003": "front-matter-missing",
    "STK004": "duplicate-key",
    "STK005": "tab-indentation",
    "STK006": "not-a-mapping",
    "STK007": "yaml-tag",
    "STK008": "yaml-anchor",
    "STK009": "file-limits",
    "STK010": "not-plain-text",
    "STK011": "path-leaves-root",
    "STK012": "empty-document",
    "STK013": "key-not-text",
    "STK014": "file-ending",
    "STK020": "files-keep-changing",
    "STK021": "cannot-read",
    "STK100": "not-supported-yet",
    "STK101": "unknown-field",
    "STK102": "missing-field",
    "STK103": "wrong-type",
    "STK104": "not-in-list",
    "STK105": "bad-format",
    "STK106": "out-of-range",
    "STK107": "unknown-kind",
    "STK108": "unsupported-version",
    "STK109": "exactly-one-of",
    "STK110": "empty-or-twice",
    "STK201": "not-defined",
    "STK202": "duplicate-object",
    "STK203": "cycle",
    "STK204": "reference-leaves-folder",
    "STK205": "file-not-found",
    "STK206": "wrong-kind",
    "STK207": "name-differs-from-file",
    "STK208": "alias-is-live",
    "STK209": "abstract-agent",
    "STK301": "unknown-input",
    "STK302": "block-not-closed",
    "STK303": "partial-not-found",
    "STK305": "secret-in-prompt",
    "STK306": "empty-prompt",
    "STK307": "unknown-template-word",
    "STK401": "warmup-syntax",
    "STK402": "warmup-refused",
    "STK403": "warmup-import",
    "STK404": "unknown-name",
    "STK405": "queue-delivers-other-name",
    "STK501": "tool-module-not-found",
    "STK502": "tool-function-not-found",
    "STK503": "duplicate-tool",
    "STK504": "pattern-matches-nothing",
    "STK505": "used-and-denied",
    "STK508": "placeholder-without-input",
    "STK601": "limits-contradict",
    "STK602": "bad-cron",
    "STK603": "bad-time-zone",
    "STK605": "own-dead-letter",
    "STK606": "prefix-bound-twice",
    "STK607": "missing-input",
    "STK701": "policy-violated",
    "STK704": "overlay-target",
    "STK705": "overlay-field",
    "STK706": "overlay-value",
    "STK720": "other-owner",
    "STK801": "variable-not-set",
    "STK802": "literal-secret",
    "STK803": "unknown-reference-scheme",
}


class Position(NamedTuple):
    """A place between two characters."""

    line: int
    column: int


class Range(NamedTuple):
    """From `start` up to, not including, `end`."""

    start: Position
    end: Position


@dataclass(frozen=True, slots=True)
class Fix:
    """A replacement that removes the problem; `safe` ones may be applied without asking."""

    title: str
    safe: bool
    range: Range
    text: str


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that the problem is about."""

    file: str
    range: Range
    message: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One root cause. `object` is `Kind/name` when known, `pointer` a JSON pointer into the document."""

    code: str
    rule: str
    severity: Severity
    message: str
    file: str
    range: Range
    object: str | None = None
    pointer: str = ""
    fixes: tuple[Fix, ...] = field(default=())
    related: tuple[Related, ...] = field(default=())

    @property
    def sort_key(self) -> tuple[Any, ...]:
        """Order of the output: file, line, column, code, then the text so that equal input gives equal bytes."""
        return (self.file, self.range.start, self.code, self.message)


class SpecProblems(StatekError):  # noqa: N818 - it carries problems
    """The project's files have problems."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keep `problems`; the message is the first of them."""
        super().__init__("\n".join(brief(problem) for problem in problems))
        self.problems = tuple(problems)


def span(line: int, column: int, width: int = 1) -> Range:
    """The range of `width` characters that start at `line`, `column`."""
    return Range(Position(line, column), Position(line, column + width))


def make_problem(
    code: str, message: str, file: str, where: Range, *, severity: Severity = "error", **more: Any
) -> Problem:
    """A Problem with the rule of its code filled in; `more` are the other fields of Problem."""
    return Problem(code, RULES[code], severity, message, file, where, **more)


def ordered(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Sorted, each once."""
    return tuple(dict.fromkeys(sorted(problems, key=lambda item: item.sort_key)))


def once(problems: Iterable[Problem], homes: Mapping[str, str]) -> list[Problem]:
    """Only one of the problems that several objects have with one place: of the object that lies in that file.

    `homes` has the file of each object, by `Kind/name`.
    """
    first: dict[tuple[str, Range, str], str | None] = {}
    homely = sorted(problems, key=lambda found: homes.get(found.object or "") != found.file)
    return [
        problem
        for problem in homely
        if first.setdefault((problem.file, problem.range, problem.code), problem.object) == problem.object
    ]


def brief(problem: Problem) -> str:
    """One line for logs: `agents/a.md:3:1: error[STK101]: ...`."""
    start = problem.range.start
    return f"{problem.file}:{start.line}:{start.column}: {problem.severity}[{problem.code}]: {problem.message}"


def to_json(problem: Problem) -> dict[str, Any]:
    """The documented JSON shape of one diagnostic."""
    return {
        "code": problem.code,
        "rule": problem.rule,
        "severity": problem.severity,
        "message": problem.message,
        "file": problem.file,
        "range": _range_json(problem.range),
        "object": problem.object,
        "pointer": problem.pointer,
        "fixes": [
            {"title": fix.title, "safe": fix.safe, "range": _range_json(fix.range), "text": fix.text}
            for fix in problem.fixes
        ],
        "related": [
            {"file": other.file, "range": _range_json(other.range), "message": other.message}
            for other in problem.related
        ],
    }


def _range_json(where: Range) -> dict[str, dict[str, int]]:
    return {
        "start": {"line": where.start.line, "column": where.start.column},
        "end": {"line": where.end.line, "column": where.end.column},
    }
