"""What is said of evals beyond their shape."""

import pytest

from statek.spec.checking.evals import check_evals
from tests.spec.declared import AGENT, declared, document

TOOLS = document("ToolSet", "{tools: [{python: 'shop:lookup'}]}", "shop")
OPEN = document("ToolSet", "{tools: [{mcp: {url: 'https://x.test'}}]}", "web")


def problems_of(cases: str, front: str = "", *more: str):
    """What is wrong with an eval of agent `a`."""
    files = {f"agents/{n}.yaml": text for n, text in enumerate([TOOLS, *more])}
    files["tests/one.eval.yaml"] = document("Eval", f"{{agent: a, cases: [{cases}]}}")
    return tuple(check_evals(declared({"agents/a.md": AGENT.format(front), **files})))


def test_a_right_eval_has_no_problem():
    """Tools of the kit and subagents are tools, too."""
    case = "{name: one, inputs: {topic: x}, expect: {tool_called: [lookup, panic], tool_not_called: reader}}"
    front = "inputs: {topic: {type: string}}\nsubagents: [reader]\n"
    assert problems_of(case, front) == ()


@pytest.mark.parametrize(
    ("cases", "code", "hint"),
    [
        ("{name: one, expect: {outcome: ok}}, {name: one, expect: {outcome: ok}}", "STK110", "stands twice"),
        ("{name: one, inputs: {topic: x}, expect: {outcome: ok}}", "STK607", "has no input 'topic'"),
        ("{name: one, expect: {tool_not_called: lokup}}", "STK201", "did you mean 'lookup'?"),
        ("{name: one, expect: {tool_denied: [lookup, lokup]}}", "STK201", "did you mean 'lookup'?"),
    ],
)
def test_a_mistake_in_a_case_is_told_once(cases, code, hint):
    """Names of cases, inputs, and tools that nobody has."""
    (problem,) = problems_of(cases)
    assert problem.code == code
    assert hint in problem.message


def test_a_tool_may_be_one_of_a_server_that_is_not_asked():
    """A server's tools are not known here, so no name is wrong."""
    assert problems_of("{name: one, expect: {tool_called: anything}}", "", OPEN) == ()
