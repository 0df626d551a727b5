"""Crossings: what a statement that is run again does not do again, and what may not wait."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from statek.testing import LocalFleet, answer, declare_agent
from tests.runtime import desk
from tests.runtime.conftest import OpenDesk


def run_over_restart(open_desk: OpenDesk, code: str) -> tuple[LocalFleet, str]:
    """A job of this code, closed and opened again at every `pause()`."""
    fleet = open_desk(answer(code, turn=1), answer("exit('given up')", turn=2))
    job = fleet.submit("clerk")
    fleet.run()
    assert fleet.job(job).outcome == "", fleet.show(job)
    while not fleet.job(job).outcome:
        fleet = open_desk()
        fleet.run()
    return fleet, job


def test_prints_are_not_repeated(open_desk: OpenDesk) -> None:
    """What a statement printed before it waited is not printed again."""
    fleet, job = run_over_restart(open_desk, "print('a')\nfor n in range(2):\n    print(n, pause())\nexit()")
    assert fleet.show(job)["console"] == ["a", "0 paused", "1 paused"]


def test_line_ends_of_another_system(open_desk: OpenDesk) -> None:
    """Code with carriage returns before its line ends runs as Python runs it."""
    fleet = open_desk(answer("text = 'a'\r\nif text:\r\n    found = '''x\r\ny'''\r\nexit(found)\r\n"))
    job = fleet.submit("clerk")
    fleet.run()
    assert fleet.job(job).exit_value == "x\ny"


def test_write_is_not_repeated(open_desk: OpenDesk) -> None:
    """A write tool called before the wait, in the same statement, is answered from the record."""
    fleet, job = run_over_restart(open_desk, "exit([count('x'), pause(), count('x')])")
    assert fleet.job(job).exit_value == [1, "paused", 2]
    assert desk.calls() == ["count x"] * 2


def test_external_is_not_repeated(open_desk: OpenDesk) -> None:
    """An outside call before the wait, in the same statement, is answered from the record."""
    fleet, job = run_over_restart(open_desk, "exit([post('x'), pause(), post('x')])")
    assert fleet.job(job).exit_value == ["posted x", "paused", "posted x"]
    assert desk.calls() == ["post x"] * 2


def test_raised_errors_are_not_repeated(open_desk: OpenDesk) -> None:
    """The error of an earlier call comes back as it was."""
    code = "try:\n    fail('x')\nexcept ValueError as e:\n    pause()\n    exit([type(e).__name__, str(e)])"
    fleet, job = run_over_restart(open_desk, code)
    assert fleet.job(job).exit_value == ["ValueError", "x"]
    assert desk.calls() == ["fail x"]


def test_changed_arguments_come_back(open_desk: OpenDesk) -> None:
    """A list that a tool changed in place is changed again when the call is answered from the record."""
    code = "a = [1]\n[extend(a, 'x'), pause(), extend(a, 'y')]\nexit(a)"
    fleet, job = run_over_restart(open_desk, code)
    assert fleet.job(job).exit_value == [1, "x", "y"]
    assert desk.calls() == ["extend x", "extend y"]


def test_outside_calls_may_change_arguments(open_desk: OpenDesk) -> None:
    """An external tool changes its argument for the code that called it, as any function does."""
    fleet, job = run_over_restart(open_desk, "a = [1]\n[extend_outside(a, 'x'), pause()]\nexit(a)")
    assert fleet.job(job).exit_value == [1, "x"]
    assert desk.calls() == ["extend x"]


def test_clock_is_not_read_again(open_desk: OpenDesk) -> None:
    """The time a statement read before it waited is the time it has afterwards."""
    code = "import time\nt = [time.time(), pause(), time.time()]\nexit(t[0] < t[2])"
    fleet, job = run_over_restart(open_desk, code)
    assert fleet.job(job).exit_value is True


def test_random_numbers_go_on(open_desk: OpenDesk, tmp_path: Path) -> None:
    """A restart changes nothing about random numbers: the same job draws the same ones."""
    draw = "import random\na = [random.random() for _ in range(3)]\n"
    code = draw + "{}b = [random.random(), {}random.random()]\nexit(a + b)"
    fleet = open_desk(answer(code.format("", "")))
    job = fleet.submit("clerk")
    fleet.run()
    expected = fleet.job(job).exit_value
    shutil.rmtree(tmp_path / "store")
    fleet, job = run_over_restart(open_desk, code.format("pause()\n", "(pause(), 0)[1] + "))
    assert fleet.job(job).exit_value == expected


def test_statements_before_are_not_repeated(open_desk: OpenDesk) -> None:
    """Only the interrupted statement is run again."""
    fleet, job = run_over_restart(open_desk, "a = count('x')\nb = pause()\nexit([a, b])")
    assert fleet.job(job).exit_value == [1, "paused"]
    assert desk.calls() == ["count x"]


def test_names_are_as_at_the_start_of_the_statement(open_desk: OpenDesk) -> None:
    """What a statement had already changed when it was interrupted is changed once, not twice."""
    code = "a = []\nfor n in range(3):\n    a.append(n)\n    if n == 1: pause()\nexit(a)"
    fleet, job = run_over_restart(open_desk, code)
    assert fleet.job(job).exit_value == [0, 1, 2]


def test_order_of_a_set_does_not_matter(open_desk: OpenDesk) -> None:
    """Calls made while going through a set are matched by their arguments after a restart."""
    code = "s = {str(n) for n in range(20)}\nr = sorted([post(x) for x in s] + [pause()])\nexit(len(r))"
    fleet, job = run_over_restart(open_desk, code)
    assert fleet.job(job).exit_value == 21
    assert sorted(desk.calls()) == sorted(f"post {n}" for n in range(20))


def test_shared_parts_stay_shared(open_desk: OpenDesk) -> None:
    """Two names of one list are two names of one list after a restart."""
    fleet, job = run_over_restart(open_desk, "a = [1]\nb = [a, a]\npause()\na.append(2)\nexit(b)")
    assert fleet.job(job).exit_value == [[1, 2], [1, 2]]


def test_functions_find_later_names(open_desk: OpenDesk) -> None:
    """A function restored from the store reads names as they are at the call."""
    fleet, job = run_over_restart(open_desk, "def f(): return [later, post('x')]\npause()\nlater = 1\nexit(f())")
    assert fleet.job(job).exit_value == [1, "posted x"]


def test_unkept_result_then_waiting_is_refused(open_desk: OpenDesk) -> None:
    """A statement that holds a result that cannot be recorded cannot wait."""
    fleet = open_desk(answer("[open_thing(), post('x')]", turn=1), answer("exit()", turn=2))
    job = fleet.submit("clerk")
    fleet.run()
    assert "cannot wait here: result of open_thing" in fleet.show(job)["console"][0]
    assert desk.calls() == []


def test_stored_objects_are_kept_by_reference(open_desk: OpenDesk) -> None:
    """A name that holds a stored object holds the same object after a restart, as it is then."""
    fleet, job = run_over_restart(open_desk, "b = box()\nset_box(5)\npause()\nv = b.value\nexit(v)")
    assert fleet.job(job).exit_value == 5


def test_lost_names_are_named_and_removed(open_desk: OpenDesk) -> None:
    """A name that cannot be kept is said on the console and is gone in the next turn."""
    fleet = open_desk(
        answer("g = (n for n in range(3))\nok = 1", turn=1),
        answer("try:\n    g\nexcept NameError:\n    exit(ok)", turn=2),
    )
    job = fleet.submit("clerk")
    fleet.run()
    assert fleet.job(job).exit_value == 1
    assert "name 'g' cannot be kept across steps" in fleet.show(job)["console"][0]


def test_outside_result_that_cannot_be_recorded(open_desk: OpenDesk) -> None:
    """An outside call whose result no record can hold gives an error that says so."""
    fleet = open_desk(answer("try:\n    big()\nexcept TypeError as e:\n    exit(str(e))"))
    job = fleet.submit("clerk")
    fleet.run()
    assert "the result of big cannot be recorded" in fleet.job(job).exit_value


def test_wrong_call_costs_nothing(open_desk: OpenDesk) -> None:
    """A call that does not fit the tool's signature is not made; the model reads what was wrong."""
    fleet = open_desk(answer("post(txt='x')", turn=1), answer("exit()", turn=2))
    job = fleet.submit("clerk")
    fleet.run()
    assert "post(text)" in fleet.show(job)["console"][0]
    assert desk.calls() == []


def test_waiting_inside_a_sort_key(open_desk: OpenDesk) -> None:
    """An outside call may be made from any depth, a sort key included."""
    fleet, job = run_over_restart(open_desk, "exit(sorted(['b', 'a'], key=lambda x: (pause(), post(x))))")
    assert fleet.job(job).exit_value == ["a", "b"]


def test_too_much_in_one_statement(open_desk: OpenDesk) -> None:
    """A statement with more than can be recorded ends with an error that says what to do."""
    fleet = open_desk(answer("for n in range(9): long_text(1000000)", turn=1), answer("exit()", turn=2))
    job = fleet.submit("clerk")
    fleet.run()
    assert "split the loop" in fleet.show(job)["console"][0]


def test_syntax_error_is_told(open_desk: OpenDesk) -> None:
    """Code that does not parse runs nothing; the model reads where it is wrong."""
    fleet = open_desk(answer("count('x')\nif", turn=1), answer("exit()", turn=2))
    job = fleet.submit("clerk")
    fleet.run()
    assert "SyntaxError" in fleet.show(job)["console"][0]
    assert desk.calls() == []


@pytest.mark.parametrize("limit", [0, 2])
def test_tool_call_limit(open_desk: OpenDesk, limit: int) -> None:
    """Of tool calls as many are made as are allowed, over statements and outside calls alike."""
    agents = [declare_agent("clerk", tools=desk.TOOLS, limits={"tool_calls": limit})]
    attempt = "    try:\n        made.append(post(str(n)))\n    except Exception as e:\n        made.append(0)\n"
    code = f"made = []\nfor n in range(4):\n{attempt}"
    fleet: Any = open_desk(answer(code + "exit(made)"), agents=agents)
    job = fleet.submit("clerk")
    fleet.run()
    assert len(desk.calls()) == limit
    assert fleet.job(job).exit_value.count(0) == 4 - limit
