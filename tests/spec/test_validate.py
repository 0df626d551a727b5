"""What a problem of the schema phase says and offers."""

import pytest

from statek.spec.checking.validate import load_specs
from statek.spec.problems import Problem
from statek.spec.reading.documents import read_documents
from statek.spec.reading.snapshot import SourceFile
from statek.spec.types import SpecSet

HEAD = "---\ndescription: One agent.\nmodel: a/b\n"


def loaded(front: str) -> tuple[SpecSet, tuple[Problem, ...]]:
    """An agent that has this front matter, and what is wrong with it."""
    head = HEAD.replace("model: a/b\n", "") if front.startswith("model:") else HEAD
    read = read_documents([SourceFile("agents/a.md", "agents", f"{head}{front}\n---\nHello.\n".encode())])
    assert read.problems == ()
    return load_specs(read)


def problems_of(front: str) -> tuple[Problem, ...]:
    """What is wrong with an agent that has this front matter."""
    return loaded(front)[1]


def problems_in(file: str, kind: str, spec: str) -> tuple[Problem, ...]:
    """What is wrong with a document of any other kind."""
    text = f"apiVersion: statek/v1\nkind: {kind}\nmetadata: {{name: one}}\nspec: {spec}\n"
    read = read_documents([SourceFile(file, file.partition("/")[0], text.encode())])
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
        ("tools: [desk]", "written 'SET/desk'"),
        ("temperature: 1", "'params.temperature'"),
        ("chat_style: Markdown", "did you mean 'markdown'"),
        ("reload: {warmup: on-resume}", "a warmup runs once"),
        ("reload: {limits: now}", "this build runs next-job only"),
        ("reload: {model: next-jop}", "did you mean 'next-job'"),
        ("params: {reasoning: none}", "runs low or medium or high only"),
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


LATER = [
    ("rollout: {strategy: canary}", "rollout"),
    ("rollout: {strategy: canary, x-a: 1}", "rollout"),
    ("eval: {require: [e]}", "eval"),
    ("preset: dialog", "preset"),
    ("preset: {use: researcher, send_message: chat/send}", "preset"),
    ("difficulty: high", "difficulty"),
    ("difficulty: H", "difficulty"),
    ("aliases: [b]", "aliases"),
    ("tools: {use: [], approve: [a/b]}", "tools.approve"),
    ("locale: en-US", "locale"),
    ("metadata: {TEAM: a}", "metadata"),
    ("reload: {tools: on-resume}", "reload.tools"),
    ("sandbox: {network: deny}", "sandbox.network"),
    ("model: {use: a/b, by_difficulty: {low: a/c}}", "model.by_difficulty"),
    ("post_processors: [FinalCheck, {use: FinalCheck, max_llm_actions: 5}]", "post_processors"),
]


@pytest.mark.parametrize(("field", "path"), LATER)
def test_what_this_build_does_not_run_is_named(field, path):
    """A good field that is not run yet is one STK100 at its key, and the agent is as good as any."""
    specs, problems = loaded(field)
    assert [(problem.code, problem.pointer) for problem in problems] == [("STK100", "/" + path.replace(".", "/"))]
    assert "checked, but not supported by this build yet" in problems[0].message
    assert specs.get("Agent", "a") is not None


@pytest.mark.parametrize(
    ("field", "code", "pointer"),
    [
        ("rollout: {strategy: slow}", "STK104", "/rollout/strategy"),
        ("rollout: {steps: [5]}", "STK103", "/rollout/steps/0"),
        ("rollout: {interval: 5%}", "STK105", "/rollout/interval"),
        ("rollout: {min_jobs: 0}", "STK106", "/rollout/min_jobs"),
        ("rollout: {strategi: canary}", "STK101", "/rollout/strategi"),
        ("rollout: yes", "STK103", "/rollout"),
        ("rollout: {abort_on: {error_rate: 500%}}", "STK105", "/rollout/abort_on/error_rate"),
        ("eval: {gate: off}", "STK104", "/eval/gate"),
        ("preset: dialogue", "STK104", "/preset"),
        ("preset: {use: 1}", "STK104", "/preset/use"),
        ("aliases: [b, b]", "STK110", "/aliases"),
        ("tools: {approve: [a b]}", "STK105", "/tools/approve/0"),
        ("model: {use: a/b, by_difficulty: {hard: a/c}}", "STK101", "/model/by_difficulty/hard"),
        ("post_processors: [LastCheck]", "STK104", "/post_processors/0"),
        ("metadata: {team: [a]}", "STK103", "/metadata/team"),
    ],
)
def test_what_this_build_does_not_run_is_checked(field, code, pointer):
    """A mistake in such a field is told as in any other, and nothing beside it."""
    specs, problems = loaded(field)
    assert [(problem.code, problem.pointer) for problem in problems] == [(code, pointer)]
    assert specs.get("Agent", "a") is None


def test_a_prefix_of_an_application_is_named_with_what_to_do():
    """The queue of an application lies in a file that its own process holds."""
    (problem,) = problems_in("queues/q.yaml", "Queue", "{agent: a, deliver_as: event, prefix: /acme/q}")
    assert (problem.code, problem.pointer) == ("STK100", "/spec/prefix")
    assert "start_statek(push_queues=" in problem.message


DOCUMENTS = [
    (
        "queues/s.yaml",
        "Schedule",
        "{cron: 15 6 * * *, agent: a, overlap: skip, catch_up: {max: 1, window: 2h}}",
        "/kind",
    ),
    ("tests/e.eval.yaml", "Eval", "{agent: a, min_pass: 90%, cases: [{name: x, expect: {outcome: ok}}]}", "/kind"),
    ("agents/p.yaml", "Provider", "{limits: {rpm: 300}}", "/spec/limits/rpm"),
    ("agents/p.yaml", "Provider", "{limits: {tpm: 2M}}", "/spec/limits/tpm"),
    ("queues/f.yaml", "Fleet", "{providers: {router: {concurrent: 3, rpm: 5}}}", "/spec/providers"),
    ("queues/f.yaml", "Fleet", "{budget: {cost_usd_per_day: 5, on_exceeded: pause}}", "/spec/budget"),
    ("queues/f.yaml", "Fleet", "{watch: {prune: true}}", "/spec/watch/prune"),
    ("agents/t.yaml", "ToolSet", "{tools: [{python: a.b:c, approval: always}]}", "/spec/tools/0/approval"),
    ("agents/t.yaml", "ToolSet", "{tools: [{name: get, http: {url: https://x.example}}]}", "/spec/tools/0/http"),
    ("agents/t.yaml", "ToolSet", "{tools: [{openapi: {spec: a.json, include: [getX]}}]}", "/spec/tools/0/openapi"),
    ("agents/t.yaml", "ToolSet", "{tools: [{mcp: {command: [serve, -v, -v]}}]}", "/spec/tools/0/mcp"),
    ("queues/d.yaml", "Defaults", "{set: {rollout: {strategy: canary}}}", "/spec/set/rollout"),
]


@pytest.mark.parametrize(("file", "kind", "spec", "pointer"), DOCUMENTS)
def test_what_other_kinds_have_and_this_build_does_not_run(file, kind, spec, pointer):
    """One STK100 for each, at the outermost field, or at the kind when all of it is not run."""
    assert [(p.code, p.pointer) for p in problems_in(file, kind, spec)] == [("STK100", pointer)]


@pytest.mark.parametrize(
    ("file", "kind", "spec", "code", "pointer"),
    [
        ("queues/s.yaml", "Schedule", "{cron: 15 6 * * *}", "STK102", "/spec"),
        ("queues/s.yaml", "Schedule", "{cron: 1, agent: a}", "STK103", "/spec/cron"),
        ("queues/s.yaml", "Schedule", "{cron: 1 * * * *, agent: a, overlap: stop}", "STK104", "/spec/overlap"),
        ("tests/e.eval.yaml", "Eval", "{agent: a, cases: []}", "STK110", "/spec/cases"),
        ("tests/e.eval.yaml", "Eval", "{agent: a, cases: [{name: x, expect: {}}]}", "STK110", "/spec/cases/0/expect"),
        ("tests/e.eval.yaml", "Queue", "{}", "STK206", "/kind"),
        ("tests/deep/e.eval.yaml", "Eval", "{agent: a, cases: [{name: x, expect: {outcome: ok}}]}", "STK206", "/kind"),
        ("agents/e.yaml", "Eval", "{agent: a, cases: [{name: x, expect: {outcome: ok}}]}", "STK206", "/kind"),
        ("agents/t.yaml", "ToolSet", "{tools: [{name: get}]}", "STK109", "/spec/tools/0"),
        ("agents/t.yaml", "ToolSet", "{tools: [{mcp: {}}]}", "STK109", "/spec/tools/0/mcp"),
        ("agents/t.yaml", "ToolSet", "{tools: [{mcp: {command: serve}}]}", "STK103", "/spec/tools/0/mcp/command"),
        ("queues/f.yaml", "Fleet", "{budget: {cost_usd_per_day: -5}}", "STK106", "/spec/budget/cost_usd_per_day"),
        ("queues/d.yaml", "Defaults", "{match: {names: [a]}}", "STK102", "/spec"),
        ("queues/d.yaml", "Defaults", "{set: {description: x}}", "STK101", "/spec/set/description"),
        ("queues/o.yaml", "Overlay", "{vars: {A: 1}}", "STK102", "/spec"),
        ("queues/o.yaml", "Overlay", "{env: dev, vars: {A: [1]}}", "STK103", "/spec/vars/A"),
        ("queues/o.yaml", "Overlay", "{env: dev, patches: [{target: {kind: Agent, name: a}}]}", "STK102",
         "/spec/patches/0"),
        ("queues/p.yaml", "Policy", "{rules: [{id: a, require: {limits.cost_usd: true}, severity: fatal}]}", "STK104",
         "/spec/rules/0/severity"),
    ],
)  # fmt: skip
def test_a_mistake_in_another_kind_is_told_once(file, kind, spec, code, pointer):
    """Kinds and fields that are not run yet are checked like the others."""
    assert [(p.code, p.pointer) for p in problems_in(file, kind, spec)] == [(code, pointer)]


@pytest.mark.parametrize(
    ("file", "kind", "spec"),
    [
        ("queues/d.yaml", "Defaults", "{match: {labels: {a: b}}, set: {model: {params: {top_p: 1}}}}"),
        ("queues/o.yaml", "Overlay", "{env: x, patches: [{target: {kind: Agent, name: a}, set: {limits.turns: 5}}]}"),
        ("queues/p.yaml", "Policy", "{rules: [{id: a, match: {kind: Tool}, require: {approval: always}}]}"),
        ("agents/t.yaml", "ToolSet", "{tools: [{python: a.b:c, effect: read, timeout: 5s}]}"),
    ],
)  # fmt: skip
def test_kinds_that_say_something_over_others_are_good(file, kind, spec):
    """They say what holds once they are merged; nothing of them waits for another build."""
    assert problems_in(file, kind, spec) == ()


@pytest.mark.parametrize("front", ["extends: b", "abstract: true", "protect: true", "model: {params: {seed: 1}}",
                                   "warmup: {timeout: 5s}", "inputs: {a: {description: x}}", "output: {}",
                                   "concurrency: {per_key: {max: 1}}"])  # fmt: skip
def test_an_agent_may_leave_out_what_it_inherits(front):
    """Only the description is asked of every file."""
    text = f"---\ndescription: One agent.\n{front}\n---\nHello.\n"
    assert load_specs(read_documents([SourceFile("agents/a.md", "agents", text.encode())]))[1] == ()
