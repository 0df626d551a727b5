"""What inheritance, Defaults, Overlays and variables make of specs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statek.spec.checking.validate import load_specs
from statek.spec.merging.layering import over, unfolded
from statek.spec.merging.merge import merge_specs
from statek.spec.problems import Problem
from statek.spec.reading.documents import read_documents
from statek.spec.reading.nodes import Node, compose
from statek.spec.reading.project import EnvConfig, ProjectConfig
from statek.spec.reading.snapshot import SourceFile
from statek.spec.types import Spec, SpecSet

MODEL = "model: a/b\n"


def agent(front: str) -> str:
    """The text of an agent."""
    return f"---\ndescription: One agent.\n{front}---\nHello.\n"


def document(kind: str, name: str, spec: str) -> str:
    """The text of a document whose spec is one flow mapping."""
    return f"apiVersion: statek/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n"


def config(**variables: Any) -> ProjectConfig:
    """Settings with one environment."""
    root = Path("/nowhere")
    envs = {"dev": EnvConfig("dev", root, variables, {})}
    return ProjectConfig(root, "p", ("agents",), None, (), (), "dev", envs)


def loaded(files: Mapping[str, str]) -> SpecSet:
    """The specs of these files, before they are merged."""
    read = read_documents([SourceFile(path, path.partition("/")[0], text.encode()) for path, text in files.items()])
    specs, problems = load_specs(read)
    assert {problem.code for problem in (*read.problems, *problems)} <= {"STK100"}  # good, whether it runs or not
    return specs


def merge(files: Mapping[str, str], env: str = "dev", **variables: Any) -> tuple[SpecSet, tuple[Problem, ...]]:
    """The merged specs of these files, and what is wrong."""
    return merge_specs(loaded(files), config(**variables), env)


def merged(files: Mapping[str, str], kind: str, name: str, env: str = "dev", **variables: Any) -> Spec:
    """One merged object of good files."""
    specs, problems = merge(files, env, **variables)
    assert problems == ()
    found = specs.get(kind, name)
    assert found is not None
    return found


def test_mappings_merge_and_the_rest_replaces():
    """A child adds to its parent's mappings and replaces its texts and lists."""
    parent = "abstract: true\nmodel: {use: a/b, fallback: [a/c]}\nlimits: {turns: 3, tokens: 9k}\nsubagents: [x]\n"
    files = {"agents/p.md": agent(parent), "agents/c.md": agent("extends: p\nsubagents: [y]\nlimits: {turns: 4}\n")}
    found = merged(files, "Agent", "c").data
    assert found["limits"] == {"turns": 4, "tokens": "9k"}
    assert (found["model"], found["subagents"]) == ({"use": "a/b", "fallback": ["a/c"]}, ["y"])


def test_tools_add_up_along_extends():
    """A child loses nothing that its parents use, deny or approve, however the lists are written."""
    files = {
        "agents/a.md": agent(MODEL + "tools: [s/one]\n"),
        "agents/b.md": agent("extends: a\ntools: {use: [s/two], deny: [s/x]}\n"),
        "agents/c.md": agent("extends: b\ntools: {use: [s/one], deny: [s/y], approve: [s/z]}\n"),
    }
    expected = {"use": ["s/one", "s/two"], "deny": ["s/x", "s/y"], "approve": ["s/z"]}
    assert merged(files, "Agent", "c").data["tools"] == expected


def test_what_an_agent_is_is_not_inherited():
    """Name, labels, aliases, notes and abstractness are an agent's own; so is its prompt."""
    own = "labels: {a: b}\nannotations: {c: d}\naliases: [old]\nprotect: true\nabstract: true\nx-note: 1\n"
    files = {"agents/p.md": agent(MODEL + own), "agents/c.md": agent("extends: p\n")}
    found = merged(files, "Agent", "c")
    assert dict(found.data) == {"description": "One agent.", "extends": "p", "model": "a/b"}
    assert (found.labels, found.abstract, found.document.file) == ({}, False, "agents/c.md")


def test_defaults_lie_below_everything_by_file_then_name():
    """Of two Defaults the later one counts, and an agent or its parent says more than both."""
    defaults = "---\n".join([
        document("Defaults", "z", "{set: {model: a/z, limits: {turns: 1, depth: 1, subjobs: 1}}}"),
        document("Defaults", "b", "{set: {model: a/b, limits: {turns: 2, depth: 2, subjobs: 2}}}"),
    ])  # fmt: skip
    first = document("Defaults", "zz", "{set: {locale: first, chat_style: direct}}")
    files = {
        "queues/d.yaml": defaults,
        "agents/d.yaml": first,
        "agents/p.md": agent("limits: {depth: 3}\n"),
        "agents/c.md": agent("extends: p\nlimits: {subjobs: 4}\n"),
    }
    found = merged(files, "Agent", "c").data
    assert (found["model"], found["limits"]) == ("a/z", {"turns": 1, "depth": 3, "subjobs": 4})
    assert found["chat_style"] == "direct"


def test_defaults_are_for_those_they_match_and_not_inherited():
    """All labels and one of the names must fit the agent itself; its parent's match counts not."""
    defaults = document("Defaults", "d", "{match: {labels: {t: x}, names: [p*, q]}, set: {limits: {turns: 9}}}")
    files = {
        "agents/d.yaml": defaults,
        "agents/p1.md": agent(MODEL + "labels: {t: x}\n"),
        "agents/p2.md": agent(MODEL + "labels: {t: y}\n"),
        "agents/c.md": agent("extends: p1\nlabels: {t: x}\n"),
    }
    specs, _ = merge({**files, "agents/q.md": agent(MODEL)})
    assert [spec.name for spec in specs.of("Agent") if "limits" in spec.data] == ["p1"]


def test_lists_of_defaults_are_replaced():
    """Only lists along `extends` add up: Defaults say what holds when nobody says anything."""
    defaults = document("Defaults", "d", "{set: {tools: {use: [s/d], deny: [s/x]}}}")
    files = {"agents/d.yaml": defaults, "agents/a.md": agent(MODEL + "tools: [s/a]\n")}
    assert merged(files, "Agent", "a").data["tools"] == {"use": ["s/a"], "deny": ["s/x"]}


def overlay(patches: str, env: str = "dev") -> dict[str, str]:
    """An agent, a queue, and an overlay with these patches."""
    return {
        "agents/a.md": agent("model: a/b\nlimits: {turns: 3, tokens: 9k}\n"),
        "queues/q.yaml": document("Queue", "q", "{concurrency: 4}"),
        "queues/o.yaml": document("Overlay", "o", f"{{env: {env}, patches: [{patches}]}}"),
    }


AGENT = "{target: {kind: Agent, name: a}, set: {%s}}"
QUEUE = "{target: {kind: Queue, name: q}, set: {%s}}"


def test_an_overlay_is_nearest_in_its_environment_only():
    """What is not patched stays; a short form is completed, not lost."""
    files = overlay(f"{AGENT % 'limits.turns: 7, model.params.seed: 1'}, {QUEUE % 'concurrency.per_key: 2, key: a.b'}")
    assert merged(files, "Agent", "a").data["limits"] == {"turns": 7, "tokens": "9k"}
    assert merged(files, "Agent", "a").data["model"] == {"use": "a/b", "params": {"seed": 1}}
    assert merged(files, "Queue", "q").data["concurrency"] == {"max": 4, "per_key": 2}
    assert merged(files, "Agent", "a", "live").data["limits"]["turns"] == 3


def test_a_patch_is_not_inherited():
    """It changes its target, not what extends that."""
    files = {**overlay(AGENT % "limits.turns: 7"), "agents/c.md": agent("extends: a\n")}
    assert merged(files, "Agent", "c").data["limits"]["turns"] == 3


def test_a_whole_value_is_laid_over_the_field():
    """A mapping in a patch merges like one in a file."""
    files = overlay(AGENT % "limits: {turns: 7, depth: 2}")
    assert merged(files, "Agent", "a").data["limits"] == {"turns": 7, "tokens": "9k", "depth": 2}


def test_a_problem_points_at_the_file_that_says_the_value():
    """Values of parents and overlays are blamed where they are written."""
    files = {**overlay(AGENT % "limits.turns: 7"), "agents/c.md": agent("extends: a\nlimits: {turns: 5}\n")}
    places = []
    for name in ("a", "c"):
        spec = merged(files, "Agent", name)
        places += [spec.problem("STK106", "x", "limits", field).file for field in ("turns", "tokens")]
    assert places == ["queues/o.yaml", "agents/a.md", "agents/c.md", "agents/a.md"]
    missing = merged(files, "Agent", "a").missing("STK102", "x", "limits")
    assert (missing.file, missing.range.start.line) == ("agents/a.md", 4)


def test_origins_go_from_the_nearest_to_the_farthest():
    """Each place with its text as written; what a text hides is no origin of the fields below it."""
    files = {
        "agents/d.yaml": document("Defaults", "d", "{set: {model: {use: a/d, params: {seed: 1}}, limits: {turns: 1}}}"),
        "agents/p.md": agent("model: a/p\nlimits: {turns: 2}\n"),
        "agents/c.md": agent("extends: p\nmodel: {use: a/c}\n"),
    }
    found = merged(files, "Agent", "c")
    assert [(one.owner, one.text) for one in found.origins("limits", "turns")] == [
        ("Agent/p", "2"),
        ("Defaults/d", "1"),
    ]
    assert [one.text for one in found.origins("model", "use")] == ["a/c", "a/p"]
    assert found.origins("model", "params", "seed") == ()
    assert found.data["model"] == {"use": "a/c"}


def test_variables_fill_texts():
    """Those of overlays win over those of the settings; other references stay; what was a text stays one."""
    files = {
        "agents/p.yaml": document(
            "Provider", "p", '{base_url: "https://${var:A}.${env:B}/${var:C}", timeout: "${var:T}"}'
        ),
        "queues/o.yaml": document("Overlay", "o", "{env: dev, vars: {A: near, C: 7, T: 30s}}"),
    }
    found = merged(files, "Provider", "p", A="far", C=True).data
    assert found == {"base_url": "https://near.${env:B}/7", "timeout": "30s"}


def test_one_mistake_of_a_parent_is_told_once():
    """Children inherit the value, not the message; one that mends it has none."""
    files = {
        "agents/p.md": agent(MODEL + "limits: {exceptions: 1, consecutive_exceptions: 2}\n"),
        "agents/c.md": agent("extends: p\n"),
        "agents/d.md": agent("extends: p\nlimits: {exceptions: 5}\n"),
    }
    _, problems = merge(files)
    assert [(one.code, one.object, one.file) for one in problems] == [("STK601", "Agent/p", "agents/p.md")]


def test_an_abstract_agent_need_not_be_whole():
    """It may lack what its children give, and contradict what they replace."""
    parent = "abstract: true\nlimits: {consecutive_exceptions: 20}\nconcurrency: {per_key: {key: topic, max: 1}}\n"
    child = "extends: p\nmodel: a/b\nlimits: {exceptions: 20}\ninputs: {topic: {type: string}}\n"
    specs, problems = merge({"agents/p.md": agent(parent), "agents/c.md": agent(child)})
    assert (problems, specs.broken) == ((), frozenset())


def test_the_child_of_a_lost_parent_says_nothing_of_its_own():
    """The parent's problem is the one to mend."""
    files = {"agents/p.md": agent("extends: nobody\n"), "agents/c.md": agent("extends: p\n")}
    specs, problems = merge(files)
    assert [(one.code, one.object) for one in problems] == [("STK201", "Agent/p")]
    assert {name for _, name in specs.broken} == {"p", "c"}


@pytest.mark.parametrize(
    ("path", "hint"),
    [("limits.turnz: 3", "did you mean 'limits.turns'"), ("turns: 3", "did you mean 'limits.turns'"),
     ("limits.turns.x: 3", "'limits.turns' has no fields"), ("tools.use.x: 3", "is a list"),
     ("inputs.topic.tipe: x", "did you mean 'inputs.topic.type'"), ("labels.a: b", "no environment changes that"),
     ("x.y: 1", "known fields")],
)  # fmt: skip
def test_an_unknown_field_of_a_patch_has_a_hint(path, hint):
    """STK705 at the key, with the nearest field."""
    _, problems = merge(overlay(AGENT % path, env="live"))
    assert [problem.code for problem in problems] == ["STK705"]
    assert hint in problems[0].message


names = st.sampled_from(["a", "b", "c"])
scalars = st.sampled_from(["1", "2", "x", "[1]", "[2, 3]", "null", "{}"])
trees = st.recursive(
    scalars,
    lambda inner: st.dictionaries(names, inner, max_size=3).map(
        lambda found: "{" + ", ".join(f"{name}: {text}" for name, text in found.items()) + "}"
    ),
    max_leaves=8,
)
mappings = st.dictionaries(names, trees, max_size=3).map(
    lambda found: "{" + ", ".join(f"{name}: {text}" for name, text in found.items()) + "}"
)


def tree(text: str, file: str) -> Node:
    """The node of a flow mapping."""
    return compose(text, file).nodes[0]


def plainly(base: Any, nearer: Any) -> Any:
    """The rule in two lines, to compare with."""
    if not (isinstance(base, dict) and isinstance(nearer, dict)):
        return nearer
    return {**base, **{name: plainly(base[name], value) if name in base else value for name, value in nearer.items()}}


def places(node: Node) -> list[tuple[str, Any]]:
    """File and data of every scalar and list."""
    if node.members:
        return [place for inner in node.members.values() for place in places(inner)]
    return [(node.file, node.data)]


@given(mappings, mappings)
def test_merging_is_what_the_rule_says(base, nearer):
    """Mappings merge, everything else replaces; laying the same over it again changes nothing."""
    low, high = tree(base, "low"), tree(nearer, "high")
    once = over(low, high)
    assert once.data == plainly(low.data, high.data)
    assert over(once, high).data == once.data == over(low, once).data


@given(mappings, mappings)
def test_every_value_keeps_its_file(base, nearer):
    """A value of the result stands in one of the two trees, with the file it has there."""
    low, high = tree(base, "low"), tree(nearer, "high")
    assert set(map(repr, places(over(low, high)))) <= {
        *map(repr, places(low)),
        *map(repr, places(high)),
        "('high', {})",
    }


patterns = st.lists(st.sampled_from([f"s/{letter}" for letter in "abcde"]), unique=True, max_size=3)


@given(st.lists(st.tuples(patterns, patterns, patterns), min_size=1, max_size=4), st.booleans())
def test_a_child_never_loses_what_its_parents_say_of_tools(line, plain):
    """Whatever a line of agents says, the last one has all of it."""
    files = {}
    for number, (use, deny, approve) in enumerate(line):
        parent = f"extends: a{number - 1}\n" if number else MODEL
        tools = f"{use}" if plain and not (deny or approve) else f"{{use: {use}, deny: {deny}, approve: {approve}}}"
        files[f"agents/a{number}.md"] = agent(f"{parent}tools: {tools.replace(chr(39), '')}\n")
    specs, _ = merge(files)
    found = specs.specs["Agent", f"a{len(line) - 1}"].data["tools"]
    found = found if isinstance(found, Mapping) else {"use": found}
    for index, name in enumerate(("use", "deny", "approve")):
        assert {pattern for said in line for pattern in said[index]} == set(found.get(name, ()))


PROJECT = {
    "agents/p.md": agent("abstract: true\ntools: [s/*]\nlimits: {turns: 3}\n"),
    "agents/c.md": agent("extends: p\ntools: {deny: [s/x]}\n"),
    "agents/d.yaml": document("Defaults", "d", "{set: {model: a/b}}"),
    "agents/e.yaml": document("Defaults", "e", "{set: {model: a/c}}"),
    "queues/o.yaml": document("Overlay", "o", f"{{env: dev, vars: {{R: 1/s}}, patches: [{QUEUE % 'paused: true'}]}}"),
    "queues/q.yaml": document("Queue", "q", '{rate: "${var:R}"}'),
}


@given(st.permutations(sorted(PROJECT)))
def test_the_order_in_which_files_are_listed_means_nothing(order):
    """The same files give the same specs."""
    specs, problems = merge({path: PROJECT[path] for path in order})
    assert problems == ()
    assert specs.specs["Agent", "c"].data["model"] == "a/c"
    assert specs.specs["Queue", "q"].data == {"rate": "1/s", "paused": True}


def test_merging_what_is_merged_changes_nothing():
    """A second time gives the same data and origins, and no problem."""
    once, _ = merge(PROJECT)
    twice, problems = merge_specs(once, config(), "dev")
    assert problems == ()
    assert {key: spec.data for key, spec in twice.specs.items()} == {key: spec.data for key, spec in once.specs.items()}
    assert twice.specs["Agent", "c"].origins("model") == once.specs["Agent", "c"].origins("model")


def test_a_list_is_the_long_form_at_once():
    """`tools: [a]` says what `tools: {use: [a]}` says."""
    assert unfolded(tree("{tools: [a], b: [c]}", "f"), {"tools": "use"}).data == {"tools": {"use": ["a"]}, "b": ["c"]}
