"""A name that a warmup's agents do not have is told once, with the agents that lack it and why."""

from pathlib import Path

import pytest

from statek.compiler.project import check_project
from statek.spec.problems import Problem
from tests.compiler.test_mistakes import place, write

HEAD = "---\ndescription: One agent.\n"
SHARED = {
    "pyproject.toml": "[tool.statek]\n",
    "agents/base.md": f"{HEAD}abstract: true\nmodel: openai/gpt-5-mini\nwarmup: w\ntools: [shop/*]\n---\nHello.\n",
    "agents/x.md": f"{HEAD}extends: base\n---\nHello.\n",
    "agents/y.md": f"{HEAD}extends: base\ninputs:\n  event: {{type: string}}\n---\nHello.\n",
    "agents/shop.yaml": """\
apiVersion: statek/v1
kind: ToolSet
metadata: {name: shop}
spec: {tools: [{python: "shop:find_order"}, {python: "shop:pay"}]}
""",
    "shop.py": "def find_order(id: str) -> str: ...\n\n\ndef pay(id: str) -> None: ...\n",
}
BOTH = "agents 'x' and 'y'"
DENYING = f"{HEAD}extends: base\ntools:\n  deny: [shop/find_order]\n---\nHello.\n"
OVERLAY = """\
apiVersion: statek/v1
kind: Overlay
metadata: {name: e}
spec:
  env: dev
  patches:
    - target: {kind: Agent, name: x}
      set: {tools.deny: [shop/find_order]}
"""


def problem_of(root: Path, warmup: str, at: str, **agents: str) -> Problem:
    """The one problem of the project with this warmup, which is told at the text `at`."""
    more = {f"agents/{name}.md": text for name, text in agents.items()}
    write(root, {**SHARED, **more, "warmups/w.py": warmup})
    (problem,) = check_project(root).problems
    assert (problem.file, *problem.range.start) == ("warmups/w.py", *place(warmup, at))
    return problem


def test_a_name_that_several_agents_lack_is_told_once(tmp_path):
    """One mistake in one file, whoever uses the file."""
    message = problem_of(tmp_path, "print(zz)\n", "zz").message
    assert message.startswith("name 'zz' is neither input, tool nor local of agents 'x' and 'y'; known: ")


def test_only_agents_that_lack_the_name_are_named(tmp_path):
    """Another agent has it as an input."""
    message = problem_of(tmp_path, "print(event)\n", "event").message
    assert message.startswith("name 'event' is neither input, tool nor local of agent 'x'; known: ")


def test_a_hint_that_does_not_hold_for_all_says_so(tmp_path):
    """What one of them has may be meant, and the others lack it."""
    message = problem_of(tmp_path, "print(evnt)\n", "evnt").message
    assert message.endswith("of agents 'x' and 'y'; did you mean 'event', which agent 'x' lacks?")


def test_many_agents_are_counted(tmp_path):
    """A message stays short."""
    more = {f"agents/z{number}.md": SHARED["agents/x.md"] for number in range(9)}
    write(tmp_path, more)
    assert "agents 'x', 'y', 'z0' and 8 more; known" in problem_of(tmp_path, "print(zz)\n", "zz").message


@pytest.mark.parametrize(
    ("warmup", "at", "line"),
    [
        ("print(total)\ntotal = 1\n", "total", 2), ("total += 1\n", "total", 1),
        ("total()\ndef total(): ...\n", "total", 2), ("print(math)\n# ----------\nimport math\n", "math", 3),
    ],
)  # fmt: skip
def test_a_name_that_is_set_later_is_read_too_early(tmp_path, warmup, at, line):
    """The word itself is no hint."""
    message = problem_of(tmp_path, warmup, at).message
    assert message == f"name '{at}' is read before it is set (line {line}); it is neither input nor tool of {BOTH}"


@pytest.mark.parametrize(
    ("warmup", "at", "inside"),
    [
        ("print([row for row in []])\nrow\n", "row\n", "the comprehension (line 1)"),
        ("def f(row):\n    return row\nprint(row)\n", "row)\n", "'f' (line 1)"),
        ("class C:\n    row = 1\nprint(row)\n", "row)\n", "'C' (line 2)"),
        ("print(lambda row: row)\nrow\n", "row\n", "the lambda (line 1)"),
    ],
)
def test_a_name_of_a_part_of_the_code_is_not_there_around_it(tmp_path, warmup, at, inside):
    """It says what has the name to itself."""
    message = problem_of(tmp_path, warmup, at).message
    assert message == f"name 'row' is neither input, tool nor local of {BOTH}; it is there only inside {inside}"


def test_a_variable_of_a_comprehension_is_no_hint_for_other_names(tmp_path):
    """It is not there where the other name is read."""
    assert "did you mean" not in problem_of(tmp_path, "print([x for x in xs])\n", "xs").message


def test_a_queue_does_not_mean_a_name_that_the_warmup_sets(tmp_path):
    """Then the name is read too early, whatever the queue delivers."""
    queue = "apiVersion: statek/v1\nkind: Queue\nmetadata: {name: q}\nspec: {agent: x, deliver_as: event}\n"
    write(tmp_path, {"queues/q.yaml": queue})
    assert "before it is set" in problem_of(tmp_path, "print(total)\ntotal = 1\n", "total").message


def test_a_denied_tool_is_said_to_be_denied(tmp_path):
    """With the place of the pattern."""
    problem = problem_of(tmp_path, "find_order('1')\n", "find_order", x=DENYING)
    assert problem.message == "tool 'find_order' is denied at agents/x.md:5, so agent 'x' cannot call it"
    assert [(place.file, *place.range.start) for place in problem.related] == [("agents/x.md", 5, 10)]


def test_a_tool_that_an_overlay_denies_is_said_to_be_denied_there(tmp_path):
    """The agent's own file says nothing of it."""
    write(tmp_path, {"queues/e.yaml": OVERLAY})
    message = problem_of(tmp_path, "find_order('1')\n", "find_order").message
    assert message == "tool 'find_order' is denied at queues/e.yaml:8, so agent 'x' cannot call it"


def test_a_tool_denied_to_one_agent_and_not_offered_to_another_is_one_mistake(tmp_path):
    """Both are named, each with its reason."""
    without = f"{HEAD}model: openai/gpt-5-mini\nwarmup: w\n---\nHello.\n"
    message = problem_of(tmp_path, "find_order('1')\n", "find_order", x=DENYING, z=without).message
    assert message.startswith("tool 'find_order' is denied at agents/x.md:5, so agent 'x' cannot call it; name ")
    assert "neither input, tool nor local of agent 'z'" in message


@pytest.mark.parametrize(
    ("warmup", "at"),
    [
        ("from math import sqroot\n", "sqroot"), ("from math import (\n    pi,\n    sqroot as root,\n)\n", "sqroot"),
        ("import math\nmath.sqroot(2)\n", "sqroot"), ("import math as m\nprint(f'é {m.sqroot(2)}')\n", "sqroot"),
        ("import math\ndef f():\n    return math.sqroot\n", "sqroot"),
        ("def f():\n    from math import sqroot\n", "sqroot"),
        ("import math\nimport math\nmath.sqroot\nmath.sqroot\n", "sqroot"),
    ],
)  # fmt: skip
def test_a_name_that_a_module_does_not_offer_is_told(tmp_path, warmup, at):
    """Once, with the nearest name that the sandbox offers."""
    problem = problem_of(tmp_path, warmup, at)
    assert problem.code == "STK403"
    assert problem.message == "module 'math' does not offer 'sqroot' here; did you mean 'sqrt'?"


@pytest.mark.parametrize(
    "warmup",
    [
        "from math import sqrt, pi as p\n", "from collections import abc\nabc.Mapping\n", "import math\nmath.sqrt(2)\n",
        "try:\n    from math import sqroot\nexcept ImportError:\n    sqroot = None\n",
        "from contextlib import suppress\nwith suppress(ImportError):\n    from math import sqroot\n",
        "def f():\n    from math import sqroot\ntry:\n    f()\nexcept ImportError:\n    pass\n",
        "import math\nif hasattr(math, 'sqroot'):\n    math.sqroot(2)\n",
        "import math\nmath = {}\nmath.sqroot\n", "import math\ndef f(math):\n    return math.sqroot\n",
        "event = 1\nimport math as event\nevent = 2\nevent.sqroot\n", "import statistics as math\nmath.mean\n",
        "import math\nimport statistics as math\nmath.mean\n", "from statek import brief\n",
    ],
)  # fmt: skip
def test_what_a_module_may_offer_is_left_alone(tmp_path, warmup):
    """Also where code looks first, or catches what goes wrong."""
    write(tmp_path, {**SHARED, "warmups/w.py": warmup})
    assert check_project(tmp_path).problems == ()


def test_a_name_like_a_module_is_what_the_agent_has(tmp_path):
    """Before the import it is the input."""
    agent = f"{HEAD}model: openai/gpt-5-mini\nwarmup: w\ninputs:\n  math: {{type: string}}\n---\nHello.\n"
    files = {"agents/x.md": agent, "warmups/w.py": "math.sqroot\nimport math\n"}
    write(tmp_path, {**files, "pyproject.toml": "[tool.statek]\n"})
    assert check_project(tmp_path).problems == ()
