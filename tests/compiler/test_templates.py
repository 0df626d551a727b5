"""Promises of `statek.compiler.templates`: what a prompt asks of the declared inputs is told where it is not there."""

from pathlib import Path

import pytest

from statek.spec.problems import Problem
from statek.text.template import RenderError, render
from tests.compiler.test_mistakes import problems_of, write

HEAD = """\
---
description: One agent.
model: openai/gpt-5-mini
inputs:
  row: {type: array, items: {type: object, properties: {name: {type: string}}}}
  rows:
    type: array
    items:
      type: object
      properties:
        name: {type: string}
        size: {type: integer}
        tags: {type: array, items: {type: string}}
        parts: {type: array, items: {type: object, properties: {label: {type: string}}}}
  grid: {type: array, items: {type: array, items: {type: object, properties: {cell: {type: number}}}}}
  words: {type: array, items: {type: string}}
  numbers: {type: array, items: {type: number}}
  unknown: {type: array}
  open: {type: array, items: {type: object}}
  event: {type: object, properties: {subject: {type: string}, urgent: {type: boolean}}}
  anything: {type: object}
  text: {type: string}
  n: {type: integer}
  x: {type: number}
---
"""


def check(root: Path, body: str) -> tuple[Problem, ...]:
    """The problems of one agent with the inputs above."""
    write(root, {"pyproject.toml": "[tool.statek]\n", "agents/a.md": f"{HEAD}{body}\n"})
    return problems_of(root)


def only(root: Path, body: str, at: str) -> Problem:
    """The one problem, which is at the place that `at`, the last of its kind, has in the body."""
    (problem,) = check(root, body)
    start = problem.range.start
    found = (problem.file, start.line, start.column)
    assert found == ("agents/a.md", HEAD.count("\n") + 1, body.rindex(at) + 1), problem
    return problem


@pytest.mark.parametrize(
    ("body", "at", "words"),
    [
        ("{% for r in inputs.rows %}{{ r.nmae }}{% endfor %}", "nmae", "did you mean 'r.name'?"),
        ("{% for r in inputs.rows %}{% if r.nmae %}x{% endif %}{% endfor %}", "nmae", "'r.name'"),
        ("{% for r in inputs.rows %}{% if not r['nmae'] %}x{% endif %}{% endfor %}", "nmae", "'r.name'"),
        ("{% for r in inputs.rows if r.nmae %}x{% endfor %}", "nmae", "property of 'r' 'nmae'"),
        ("{% for r in inputs.rows | default([]) %}{{ r.nmae }}{% endfor %}", "nmae", "'r.name'"),
        ("{% for r in inputs.rows | default %}{{ r.nmae }}{% endfor %}", "nmae", "'r.name'"),
        ("{% for r in inputs.rows %}{% for t in r.tgas %}x{{ t }}{% endfor %}{% endfor %}", "tgas", "'r.tags'"),
        ("{% for r in inputs.rows %}{% for t in r.tags %}{{ t.id }}{% endfor %}{% endfor %}", "id", "'t' has no"),
        ("{% for r in inputs.rows %}{% for p in r.parts %}{{ p.lable }}{% endfor %}{% endfor %}", "lable", "p.label"),
        ("{% for g in inputs.grid %}{% for c in g %}{{ c.name }}{% endfor %}{% endfor %}", "name", "declared: cell"),
        ("{% for g in inputs.grid %}{{ g.cell }}{% endfor %}", "cell", "'g' has no properties"),
        ("{% for g in inputs.grid %}{{ g[0].cel }}{% endfor %}", "cel }", "'g[0].cell'"),
        ("{% for a, b in inputs.grid %}{{ a.cell }}{{ b.cel }}{% endfor %}", "cel }", "'b.cell'"),
        ("{{ inputs.rows[0].nmae }}", "nmae", "'inputs.rows[0].name'"),
        ('{{ inputs.rows[0]["nmae"] }}', "nmae", "'inputs.rows[0].name'"),
        ("{{ inputs.rows.0.nmae }}", "nmae", "'inputs.rows[0].name'"),
        ("{{ inputs.grid[0][1].cel }}", "cel }", "'inputs.grid[0][1].cell'"),
        ("{{ inputs.rows[inputs.n].nmae }}", "nmae", "'inputs.rows[...].name'"),
        ("{% for w in inputs.words %}{{ w.name }}{% endfor %}", "name", "'w' has no properties"),
        ("{% for m in inputs.numbers %}{{ m.name }}{% endfor %}", "name", "'m' has no properties"),
        ("{{ inputs.words[0].name }}", "name", "'inputs.words[0]' has no properties"),
        ("{% for k in inputs.event %}{{ k.subject }}{% endfor %}", "subject", "'inputs.event.subject'"),
        ("{% for r in inputs.rows %}{% for r in r.parts %}{{ r.name }}{% endfor %}{% endfor %}", "name", "label"),
        ("{% for r in inputs.words %}{% for r in inputs.rows %}{% endfor %}{{ r.id }}{% endfor %}", "id", "'r' has"),
        ("{% for r in inputs.rwos %}{{ r.nmae }}{% endfor %}", "rwos", "'inputs.rows'"),
        ("{% for r in inputs.rows %}{{ r.size.unit }}{% endfor %}", "unit", "'r.size' has no properties"),
    ],
)  # fmt: skip
def test_what_items_do_not_have_is_told_at_its_place(tmp_path: Path, body: str, at: str, words: str) -> None:
    """Items of arrays are known by their declaration, in loops and by index."""
    problem = only(tmp_path, body, at)
    assert problem.code == "STK301"
    assert words in problem.message


@pytest.mark.parametrize(
    "body",
    [
        "{% for r in inputs.rows if r.size %}{{ r.name }}{{ r['tags'] | join }}{{ loop.index }}{% endfor %}",
        "{% for r in inputs.rows %}{% for p in r.parts %}{{ p.label }}{{ r.name }}{% endfor %}{% endfor %}",
        "{% for r in inputs.rows %}{% for r in r.parts %}{{ r.label }}{% endfor %}{{ r.name }}{% endfor %}",
        "{% for g in inputs.grid %}{% for c in g %}{{ c.cell }}{% endfor %}{{ g[0].cell }}{% endfor %}",
        "{{ inputs.rows[0].name }}{{ inputs.rows[0]['parts'][1].label }}{{ inputs.grid[0][0].cell }}",
        "{% for u in inputs.unknown %}{{ u.any.thing }}{% for v in u %}{{ v.x }}{% endfor %}{% endfor %}",
        "{% for u in inputs.open %}{{ u.any.thing }}{% endfor %}{{ inputs.open[0].any }}{{ inputs.unknown[0].any }}",
        "{% for k in inputs.event %}{{ k }}{{ inputs.event[k] }}{{ inputs.event[k].x }}{% endfor %}",
        "{% for v in inputs.anything.some %}{{ v.x }}{% endfor %}{{ inputs.anything[0].x }}",
        "{% for r in inputs.rows | default([{'nmae': 1}]) %}{{ r.nmae }}{% endfor %}",
        "{% for r in inputs.rows or [{'nmae': 1}] %}{{ r.nmae }}{% endfor %}",
        "{% for r in [{'nmae': 1}] %}{{ r.nmae }}{% endfor %}{% for c in inputs.text %}{{ c }}{% endfor %}",
        "{% for r in inputs.words %}{% else %}{% for r in inputs.rows %}{{ r.name }}{% endfor %}{% endfor %}",
        "{% for v in vars %}{{ v }}{% endfor %}{% for i in inputs %}{{ i }}{% endfor %}",
    ],
)
def test_what_items_have_or_may_have_is_not_told(tmp_path: Path, body: str) -> None:
    """Where neither items nor properties are declared, nothing is known."""
    assert check(tmp_path, body) == ()


@pytest.mark.parametrize(
    ("body", "at", "type_"),
    [
        ("{% for i in inputs.n %}{{ i }}{% endfor %}", "inputs.n", "'inputs.n' is declared as integer"),
        ("{% for i in inputs.x %}{{ i.y }}{% endfor %}", "inputs.x", "'inputs.x' is declared as number"),
        ("{% for i in inputs.event.urgent %}x{% endfor %}", "inputs.event", "declared as boolean"),
        ("{% for i in inputs.n | default([]) %}x{% endfor %}", "inputs.n", "integer"),
        ("{% for r in inputs.rows %}{% for i in r.size %}x{% endfor %}{% endfor %}", "r.size", "declared as integer"),
        ("{% for m in inputs.numbers %}{% for i in m %}x{% endfor %}{% endfor %}", "m %}x", "'m' is declared"),
        ("{% for i in inputs.rows[0].size %}x{% endfor %}", "inputs.rows", "'inputs.rows[0].size' is declared"),
        ("{% for i in inputs.numbers[0] %}x{% endfor %}", "inputs.numbers", "'inputs.numbers[0]' is declared"),
    ],
)  # fmt: skip
def test_a_loop_over_a_number_or_a_boolean_is_told(tmp_path: Path, body: str, at: str, type_: str) -> None:
    """It would fail in every job; what is inside of it is not told, too."""
    problem = only(tmp_path, body, at)
    assert problem.code == "STK307"
    assert type_ in problem.message


@pytest.mark.parametrize("value", [3, 1.5, True])
def test_loops_that_are_refused_do_not_render(value: object) -> None:
    """The check says what rendering does."""
    with pytest.raises(RenderError, match="not iterable"):
        render("{% for i in inputs.n %}{{ i }}{% endfor %}", partials={}, values={"inputs": {"n": value}})


@pytest.mark.parametrize(("value", "text"), [("ab", "a.b."), ({"k": 1}, "k."), ([1, 2], "1.2.")])
def test_loops_that_are_not_refused_render(value: object, text: str) -> None:
    """Text gives its letters, an object its names."""
    source = "{% for i in inputs.v %}{{ i }}.{% endfor %}"
    assert render(source, partials={}, values={"inputs": {"v": value}}) == text


@pytest.mark.parametrize(
    ("body", "at", "fixes"),
    [
        ("{{ agent.description }}", "description", [("name", False)]),
        ("{{ agent.nmae }}", "nmae", [("name", True)]),
        ("{{ agent['nmae'] }}", "nmae", [("name", True)]),
        ("{{ job.name }}", "name", [("id", False)]),
        ("{% if job.event %}x{% endif %}", "event", [("id", False)]),
        ("{{ tools.find_order }}", "find_order", [("{% raw %}{{ tools.find_order }}{% endraw %}", False)]),
        ("{% for r in inputs.rows %}{{ loop.idnex }}{% endfor %}", "idnex", [("index", True)]),
    ],
)
def test_unknown_members_are_told_at_their_place(
    tmp_path: Path, body: str, at: str, fixes: list[tuple[str, bool]]
) -> None:
    """As those of inputs are; a fix changes the member alone."""
    problem = only(tmp_path, body, at)
    assert problem.code == "STK301"
    assert [(fix.text, fix.safe) for fix in problem.fixes] == fixes


@pytest.mark.parametrize(
    "body",
    [
        "{% for row in inputs.row %}{{ row.name }}{% endfor %} Last: {{ row.name }}",
        "{% for row in inputs.row %}{{ row.name }}{% endfor %}{% if row %}x{% endif %}",
        "{% for row in inputs.row %}{{ row.name }}{% else %}{{ row[0].name }}{% endfor %}",
        "{% for row, rows in inputs.grid %}{{ row.cell }}{{ rows.cell }}{% endfor %}{{ row }}",
        "{% for x in inputs.row %}{{ loop.index }}{% endfor %}{{ loop.index }}",
    ],
)
def test_a_variable_behind_its_loop_is_not_changed(tmp_path: Path, body: str) -> None:
    """It was meant as that of the loop, which is over; what replaces it only the author knows."""
    problem = only(tmp_path, body, "loop.index" if "loop." in body else "row[" if "row[" in body else "row")
    assert problem.code == "STK301"
    assert "exists only inside the loop" in problem.message
    assert (problem.fixes, "did you mean" in problem.message) == ((), False)


@pytest.mark.parametrize(
    ("body", "safe"),
    [
        ("{{ event.subject }}", True),
        ("{{ event }}", True),
        ("{{ rows[0].name }}", True),
        ("{{ anything.at.all }}", True),
        ("{{ event[inputs.text] }}", True),
        ("{% for g in grid %}x{% endfor %}", True),
        ("{% for c in text %}x{% endfor %}", True),
        ("{{ event.sbject }}", False),
        ("{{ row.name }}", False),
        ("{{ rows[0].nmae }}", False),
        ("{{ text.name }}", False),
        ("{{ text[0] }}", False),
        ("{{ event[0] }}", False),
        ("{{ n[inputs.x] }}", False),
        ("{% for i in n %}x{% endfor %}", False),
    ],
)
def test_a_name_is_made_an_input_where_what_follows_is_right(tmp_path: Path, body: str, *, safe: bool) -> None:
    """A safe fix makes no new problem."""
    (problem,) = check(tmp_path, body)
    (fix,) = problem.fixes
    assert problem.code == "STK301"
    assert fix.text.startswith("inputs.")
    assert fix.safe is safe


@pytest.mark.parametrize(
    "body", ["{{ inputs.text | event }}", "{% event %}", "{% if inputs.text is event %}{% endif %}"]
)
def test_only_names_are_made_inputs(tmp_path: Path, body: str) -> None:
    """A filter, tag or test that is called like an input is none."""
    (problem,) = check(tmp_path, body)
    assert problem.code == "STK307"
    assert "inputs.event" not in problem.message
    assert not any(fix.safe for fix in problem.fixes)
