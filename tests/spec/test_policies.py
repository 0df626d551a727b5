"""Rules over objects: what they match, what they require, and rules that cannot be judged."""

import pytest

from statek.spec.checking.policies import check_policies
from tests.spec.declared import AGENT, declared, document

FILES = {
    "agents/a.md": AGENT.format("labels: {team: money}\nlimits: {turns: 9, wall_clock: 60m}\ntools: ['shop/*']\n"),
    "agents/base.md": AGENT.format("abstract: true\n"),
    "agents/shop.yaml": document(
        "ToolSet", "{tools: [{python: 'shop:find', effect: read}, {python: 'shop:pay'}]}", "shop", ", labels: {a: b}"
    ),
    "queues/q.yaml": document("Queue", "{concurrency: {max: 4, per_key: 1}, key: id}", "q", ", protect: true"),
}


def problems_of(match: str, require: str, more: str = ""):
    """What becomes of one rule."""
    rule = f"{{rules: [{{id: house, match: {{{match}}}, require: {{{require}}}{more}}}]}}"
    return tuple(check_policies(declared({**FILES, "queues/p.yaml": document("Policy", rule, "laws")})))


@pytest.mark.parametrize(
    ("match", "require"),
    [
        ("kind: Agent", "limits.turns: 9"),
        ("kind: Agent", "limits.wall_clock: 1h"),
        ("kind: Agent", "limits.exceptions: 10"),
        ("kind: Agent", "model.use: fast/one, model: fast/one"),
        ("kind: Agent", "tools.use: ['shop/*'], description: true"),
        ("kind: Agent", "retry: false, labels.team: money"),
        ("kind: Agent, labels: {team: other}", "limits.turns: 1"),
        ("kind: Tool, effect: write", "approval: always"),
        ("kind: Tool, labels: {x: y}", "approval: always"),
        ("effect: external", "thread: false"),
        ("kind: Queue", "concurrency: 4, concurrency.max: 4, protect: true"),
        ("", "annotations.owner: false, max_depth: false"),
    ],
)
def test_what_follows_a_rule_has_no_problem(match, require):
    """By value, by size, by default, in short form and long; what is not matched is not judged."""
    assert problems_of(match, require) == ()


@pytest.mark.parametrize(
    ("match", "require", "place"),
    [
        ("kind: Agent", "limits.turns: 5", ("agents/a.md", 5, 17)),
        ("kind: Agent", "limits.turns: false", ("agents/a.md", 5, 17)),
        ("kind: Agent", "limits.cost_usd: true", ("agents/a.md", 2, 1)),
        ("kind: Agent", "limits.exceptions: 3", ("agents/a.md", 2, 1)),
        ("kind: Agent, labels: {team: money}", "labels.team: people", ("agents/a.md", 4, 16)),
        ("kind: Tool, effect: external", "approval: always", ("agents/shop.yaml", 4, 53)),
        ("kind: Tool, effect: read", "effect: write", ("agents/shop.yaml", 4, 46)),
        ("kind: Queue", "concurrency.max: 5", ("queues/q.yaml", 4, 27)),
        ("kind: Queue", "protect: false", ("queues/q.yaml", 3, 30)),
        ("kind: Queue", "max_depth: true", ("queues/q.yaml", 4, 7)),
    ],
)
def test_a_violation_stands_at_the_value(match, require, place):
    """Or where the object starts when the file does not give it; the rule is a second place."""
    (problem,) = problems_of(match, require)
    found = (problem.file, problem.range.start.line, problem.range.start.column)
    assert (problem.code, problem.severity, found) == ("STK701", "error", place)
    assert problem.related[0].file == "queues/p.yaml"


def test_a_violation_names_policy_rule_and_reason():
    """And what was found; the rule says how severe it is."""
    (problem,) = problems_of("kind: Tool, effect: external", "approval: always", ", severity: warn, message: ask first")
    assert problem.severity == "warning"
    assert "tool 'shop/pay' violates rule 'house' of Policy 'laws': ask first;" in problem.message
    assert 'found nothing, which means "never"' in problem.message


@pytest.mark.parametrize(
    ("match", "require", "code", "hint"),
    [
        ("kind: Agent", "limits.cost_us: true", "STK101", "did you mean 'limits.cost_usd'?"),
        ("kind: Agent", "wall_clock: true", "STK101", "did you mean 'limits.wall_clock'?"),
        ("kind: Queue", "limits.turns: 5", "STK101", "have none of that name"),
        ("", "foo: true", "STK101", "objects of any kind"),
        ("kind: Agent, effect: read", "limits.turns: 9", "STK101", "write 'kind: Tool'"),
        ("kind: Agent", "limits.wall_clock: 90", "STK103", "write 90s"),
        ("kind: Agent", "chat_style: Markdown", "STK104", "did you mean 'markdown'?"),
        ("kind: Tool", "timeout: soon", "STK105", "a duration"),
    ],
)
def test_a_rule_that_cannot_be_judged_is_a_problem_of_its_policy(match, require, code, hint):
    """It is told once, and nobody is judged by it."""
    (problem,) = problems_of(match, require)
    assert (problem.code, problem.file) == (code, "queues/p.yaml")
    assert hint in problem.message


def test_rules_of_one_policy_have_names_of_their_own():
    """A violation names its rule, so there is one of each name."""
    rules = "{rules: [{id: one, require: {protect: true}, match: {kind: Fleet}}, {id: one, require: {protect: true}}]}"
    found = check_policies(declared({"queues/p.yaml": document("Policy", rules, "laws")}))
    assert [problem.code for problem in found if problem.code != "STK701"] == ["STK110"]


def test_a_rule_that_stands_twice_is_judged_once() -> None:
    """That it stands twice is told, its violation once, and what is wrong with the second one all the same."""
    good, bad = "match: {kind: Agent}, require: {limits.turns: 1}", "match: {kind: Agent}, require: {limits.nothing: 1}"
    found = []
    for second in (good, bad):
        rules = f"{{rules: [{{id: house, {good}}}, {{id: house, {second}}}]}}"
        problems = check_policies(declared({**FILES, "queues/p.yaml": document("Policy", rules, "laws")}))
        found.append(sorted(problem.code for problem in problems))
    once = ["STK110", "STK701"]
    assert found[0] == once
    assert len(found[1]) == len(once) + 1
