"""Problems as SARIF 2.1.0, the form that code scanning services read. Only the shape; nothing is decided here.

Files are named relative to the project's root (`%SRCROOT%`), columns count code points. A result keeps its fingerprint
when lines move above it: it is made of what is wrong and where in the document, not of the line.
"""

import hashlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from statek import __version__
from statek.spec.problems import RULES, Problem, Range

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "%SRCROOT%"
Json = dict[str, Any]


def sarif(problems: Sequence[Problem]) -> Json:
    """The log of one run that found these problems."""
    codes = sorted({problem.code for problem in problems})
    driver = {
        "name": "statek",
        "version": __version__,
        "rules": [_rule(code) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem, codes.index(problem.code)) for problem in problems],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> Json:
    from statek.spec.codes.table import CODES  # only where there is something wrong: it is long

    said = CODES.get(code)
    rule: Json = {"id": code, "name": RULES[code]}
    if said is not None:
        rule |= {"shortDescription": {"text": said.title}, "fullDescription": {"text": said.why}}
    return rule


def _result(problem: Problem, rule: int) -> Json:
    found: Json = {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": problem.severity,
        "message": {"text": problem.message},
        "locations": [_location(problem.file, problem.range, problem.object)],
        "partialFingerprints": {"statek/v1": _fingerprint(problem)},
    }
    if problem.related:
        found["relatedLocations"] = [
            {"id": number, **_location(other.file, other.range), "message": {"text": other.message}}
            for number, other in enumerate(problem.related, 1)
        ]
    if problem.fixes:
        found["fixes"] = [
            {
                "description": {"text": fix.title},
                "artifactChanges": [
                    {
                        "artifactLocation": _artifact(problem.file),
                        "replacements": [{"deletedRegion": _region(fix.range), "insertedContent": {"text": fix.text}}],
                    }
                ],
            }
            for fix in problem.fixes
        ]
    return found


def _location(file: str, where: Range, name: str | None = None) -> Json:
    found: Json = {"physicalLocation": {"artifactLocation": _artifact(file), "region": _region(where)}}
    if name is not None:
        found["logicalLocations"] = [{"fullyQualifiedName": name}]
    return found


def _artifact(file: str) -> Json:
    return {"uri": quote(file), "uriBaseId": _ROOT}


def _region(where: Range) -> Json:
    return {
        "startLine": where.start.line,
        "startColumn": where.start.column,
        "endLine": where.end.line,
        "endColumn": where.end.column,
    }


def _fingerprint(problem: Problem) -> str:
    facts = (problem.code, problem.file, problem.object or "", problem.pointer, problem.message)
    return hashlib.sha256("\n".join(facts).encode("utf-8", "backslashreplace")).hexdigest()[:32]
