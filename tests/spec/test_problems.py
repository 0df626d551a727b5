"""Problems as values: order, JSON, one line of text."""

import json
import re
from pathlib import Path

from statek.spec.problems import RULES, Fix, Related, SpecProblems, brief, make_problem, ordered, span, to_json

WHERE = span(17, 19, 4)


def test_the_json_of_a_problem_is_the_documented_one():
    """Every documented field is there, in the documented shape."""
    problem = make_problem(
        "STK301", "unknown input 'evnt'", "agents/triage.md", WHERE, object="Agent/triage", pointer="/body",
        fixes=(Fix("replace with 'event'", safe=True, range=WHERE, text="event"),),
        related=(Related("agents/triage.md", span(5, 3), "inputs are declared here"),),
    )  # fmt: skip
    where = {"start": {"line": 17, "column": 19}, "end": {"line": 17, "column": 23}}
    first = {"start": {"line": 5, "column": 3}, "end": {"line": 5, "column": 4}}
    assert to_json(problem) == {
        "code": "STK301", "rule": "unknown-input", "severity": "error", "message": "unknown input 'evnt'",
        "file": "agents/triage.md", "range": where, "object": "Agent/triage", "pointer": "/body",
        "fixes": [{"title": "replace with 'event'", "safe": True, "range": where, "text": "event"}],
        "related": [{"file": "agents/triage.md", "range": first, "message": "inputs are declared here"}],
    }  # fmt: skip
    assert json.dumps(to_json(problem))


def test_problems_are_in_the_order_of_the_files():
    """File, line, column, code; and each once."""
    first = make_problem("STK103", "x", "a.md", span(2, 1))
    second = make_problem("STK101", "x", "a.md", span(10, 1))
    third = make_problem("STK102", "x", "a.md", span(10, 1))
    last = make_problem("STK001", "x", "b.md", span(1, 1))
    assert ordered([last, third, second, first, first]) == (first, second, third, last)


def test_a_line_of_text_leads_with_the_place():
    """Editors can jump to it."""
    assert brief(make_problem("STK005", "a tab", "a.md", span(3, 1))) == "a.md:3:1: error[STK005]: a tab"


def test_the_exception_says_what_is_wrong():
    """The message of the exception has every problem."""
    assert "a.md:3:1" in str(SpecProblems([make_problem("STK005", "a tab", "a.md", span(3, 1))]))


def test_every_code_in_the_source_has_a_rule():
    """No code without a name."""
    rings = Path(__file__).parents[2] / "statek"
    source = "\n".join(file.read_text() for ring in ("spec", "compiler") for file in (rings / ring).glob("*.py"))
    assert set(re.findall(r"\"(STK\d{3})\"", source)) <= set(RULES)
