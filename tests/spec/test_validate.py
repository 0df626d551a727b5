"""What a problem of the schema phase says and offers."""

import pytest

from statek.spec.documents import read_documents
from statek.spec.problems import Problem
from statek.spec.snapshot import SourceFile
from statek.spec.validate import load_specs

HEAD = "---\ndescription: One agent.\nmodel: a/b\n"


def problems_of(front: str) -> tuple[Problem, ...]:
    """What is wrong with an agent that has this front matter."""
    text = f"{HEAD}{front}\n---\nHello.\n"
    read = read_documents([SourceFile("agents/a.md", "agents", text.encode())])
    assert read.problems == ()
    return load_specs(read)[1]


def test_an_unknown_field_offers_a_safe_fix():
    """A typo can be mended without asking."""
    (problem,) = problems_of("limts: {turns: 3}")
    assert [(fix.safe, fix.text, fix.range) for fix in problem.fixes] == [(True, "limits", problem.range)]
    assert (problem.object, problem.pointer) == ("Agent/a", "/limts")


@pytest.mark.parametrize(
    ("front", "hint"),
    [
        ("limits: {wall_clock: 90}", "write 90s"),
        ("warmup: {use: w, hidden: yes}", "write true"),
        ("warmup: {use: w, hidden: Off}", "write false"),
        ("limits: {turns: '12'}", "write 12"),
        ("labels: {a: true}", 'write "true"'),
        ("tools: desk", "write [desk]"),
        ("tools: [desk]", "write 'desk/*'"),
        ("temperature: 1", "'params.temperature'"),
        ("chat_style: Markdown", "did you mean 'markdown'"),
        ("reload: {warmup: on-resume}", "a warmup runs once"),
        ("reload: {limits: now}", 'runs "next-job" only'),
        ("reload: {model: next-jop}", "did you mean 'next-job'"),
        ("params: {reasoning: none}", 'runs "low" or "medium" or "high" only'),
        ("limits: {turns: 0}", "at least 1"),
        ("inputs: {a: {type: string, description: ''}}", "at least 1 characters"),
    ],
)
def test_a_message_says_what_to_write(front, hint):
    """One problem, and its message has the remedy."""
    (problem,) = problems_of(front)
    assert hint in problem.message


@pytest.mark.parametrize(
    "front",
    ["x-a: [1]", "limits: {x-b: 1}", "model: c\nx-model: 1", "inputs: {x-c: 1, d: {type: string, x-e: 1}}"],
)
def test_notes_pass_at_every_level(front):
    """Fields that start with `x-` are never problems."""
    assert problems_of(front.replace("model: c\n", "")) == ()


@pytest.mark.parametrize(
    "field",
    ["extends: b", "abstract: true", "rollout: {}", "eval: {}", "preset: dialog", "difficulty: H", "protect: false",
     "aliases: [b]", "tools: {use: [], approve: [a/b]}", "locale: en",
     "metadata: {}", "reload: {tools: on-resume}", "sandbox: {network: deny}",
     "model: {use: a/b, by_difficulty: {}}", "post_processors: []"],
)  # fmt: skip
def test_what_this_build_does_not_run_is_refused_by_name(field):
    """A field of the language that is not run yet is neither unknown nor ignored."""
    text = f"---\ndescription: x\n{'' if field.startswith('model') else 'model: a/b'}\n{field}\n---\nHello.\n"
    _, problems = load_specs(read_documents([SourceFile("agents/a.md", "agents", text.encode())]))
    assert [problem.code for problem in problems] == ["STK100"]


def test_a_prefix_of_an_application_is_refused_with_what_to_do():
    """The queue of an application lies in a file that its own process holds."""
    text = b"apiVersion: statek/v1\nkind: Queue\nmetadata: {name: q}\nspec: {agent: a, prefix: /acme/q}\n"
    _, problems = load_specs(read_documents([SourceFile("queues/q.yaml", "queues", text)]))
    assert [problem.code for problem in problems] == ["STK100"]
    assert "start_statek(push_queues=" in problems[0].message
