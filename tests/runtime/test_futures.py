"""Values that come later, in the code of jobs: resolved once at their first use, over waits and restarts."""

# ruff: noqa: E501 - one program a line reads better than folded text

from typing import Any

import pytest

from statek.store.job import JobStatus
from statek.testing import LocalFleet, answer, declare_agent
from tests.runtime import desk, later
from tests.runtime.conftest import OpenDesk


def start(open_desk: OpenDesk, code: str, tools: Any = later.TEMPORAL, **fields: Any) -> tuple[LocalFleet, str]:
    """A job of this code, worked on until it waits for a future."""
    fleet = open_desk(answer(code, turn=1), answer("exit('given up')", turn=2), agents=[later.clerk(tools, **fields)])
    job = fleet.submit("clerk")
    later.run_until_it_waits(fleet)
    return fleet, job


def finish(fleet: LocalFleet, job: str, **values: Any) -> Any:
    """What the job exits with once the slots are filled."""
    later.run_on(fleet, **values)
    assert fleet.job(job).outcome == "ok", fleet.show(job)
    assert fleet.job(job).exit_value != "given up", fleet.show(job)["console"]
    return fleet.job(job).exit_value


SUSPENDING = {
    "plain": "print('once')\nx = wait_for('a')\nexit(x)",
    "try": "print('once')\nx = wait_for('a')\ntry:\n    exit(x + 0)\nexcept:\n    exit('caught')",
    "except_exception": "print('once')\ntry:\n    y = wait_for('a') + 0\nexcept Exception:\n    y = 'caught'\nexit(y)",
    "finally": "print('once')\nx = wait_for('a')\ntry:\n    y = x + 0\nfinally:\n    print('left')\nexit(y)",
    "with": "import contextlib\n@contextlib.contextmanager\ndef m():\n    yield 1\n    print('left')\nprint('once')\n"
    "with m():\n    y = wait_for('a') + 0\nexit(y)",
    "suppress": "import contextlib\nprint('once')\ny = 'swallowed'\nwith contextlib.suppress(Exception):\n"
    "    y = wait_for('a') + 0\nexit(y)",
    "generator": "def g():\n    yield wait_for('a') + 0\nprint('once')\ny = list(g())[0]\nexit(y)",
    "generator_finally": "def g():\n    try:\n        yield wait_for('a') + 0\n    except Exception:\n        yield 'no'\n"
    "print('once')\nexit(next(g()))",
    "sort_key": "print('once')\ny = sorted([2, 1], key=lambda n: wait_for('a') * n)[1]\nexit(y * 2)",
    "comprehension": "print('once')\ny = [n for n in [4] if wait_for('a') == n][0]\nexit(y)",
    "function": "def f(x):\n    return x + 0\nprint('once')\nx = wait_for('a')\ny = f(x)\nexit(y)",
    "nested_functions": "def f():\n    def g():\n        return wait_for('a') + 0\n    return g()\nprint('once')\nexit(f())",
    "loop": "print('once')\nx = wait_for('a')\nt = 0\nfor i in range(3):\n    t += x if i == 0 else 0\nexit(t)",
    "while": "print('once')\nx = wait_for('a')\nn = 0\nwhile n < x:\n    n += 1\nexit(n)",
    "method": "class A:\n    def f(self):\n        return wait_for('a') + 0\nprint('once')\nexit(A().f())",
    "property": "class A:\n    @property\n    def f(self):\n        return wait_for('a') + 0\nprint('once')\nexit(A().f)",
    "class_body": "print('once')\nclass A:\n    f = wait_for('a') + 0\nexit(4)",
    "equality": "class A:\n    def __eq__(self, o):\n        return wait_for('a') == 4\nprint('once')\nexit(4 if A() == 1 else 0)",
    "hasattr": "print('once')\nx = wait_for('a')\nhasattr(x, 'no')\nexit(x)",
    "echo": "print('once')\nx = wait_for('a')\nx\nexit(x)",
    "any": "print('once')\nexit(4 if any(wait_for('a') == 4 for _ in [1]) else 0)",
    "map": "print('once')\nexit(list(map(lambda n: wait_for('a') + n, [0]))[0])",
    "match": "print('once')\nmatch wait_for('a'):\n    case 4:\n        exit(4)\nexit(0)",
}


@pytest.mark.parametrize("name", sorted(SUSPENDING))
def test_wait_is_never_swallowed(open_desk: OpenDesk, name: str) -> None:
    """The job is suspended at the use, in the state the documents name, and goes on from there after a restart."""
    fleet, job = start(open_desk, SUSPENDING[name])
    waiting = fleet.job(job)
    assert (waiting.status, waiting.awaited_result is not None) == (JobStatus.SUSPENDED, True), fleet.show(job)
    assert waiting.next_instr_num is not None
    assert fleet.show(job)["console"] == ["once"]
    fleet = open_desk()
    assert finish(fleet, job, a=4) == 4
    assert fleet.show(job)["console"][0] == "once"
    assert fleet.show(job)["console"].count("once") == 1
    assert fleet.job(job).awaited_result is None


@pytest.mark.parametrize("name", ["plain", "try", "function", "loop", "comprehension", "with"])
def test_wait_in_a_warmup(open_desk: OpenDesk, name: str) -> None:
    """A warmup that waits stays WARMING_UP, and goes on where it was."""
    agent = later.clerk(warmup=SUSPENDING[name])
    fleet = open_desk(answer("exit('no')"), agents=[agent])
    job = fleet.submit("clerk")
    later.run_until_it_waits(fleet)
    assert fleet.job(job).status == JobStatus.WARMING_UP
    fleet = open_desk()
    assert finish(fleet, job, a=4) == 4
    assert fleet.show(job)["console"].count("once") == 1


def test_assignment_does_not_wait(open_desk: OpenDesk) -> None:
    """Binding what a temporal function gives waits for nothing; what follows runs before the value is there."""
    fleet, job = start(open_desk, "x = wait_for('a')\nfill('a', 5)\nexit(x + 1)")
    assert finish(fleet, job) == 6


def test_value_is_asked_for_once(open_desk: OpenDesk) -> None:
    """A name never shows one value now and another later, and its complement is asked once."""
    code = "x = wait_for('a')\ny = x\nz = [x + 0, fill_again('a', 9), x + 0]\nexit([x, y, z, wait_for('a') + 0])"
    fleet, job = start(open_desk, "fill('a', 5)\n" + code)
    assert finish(fleet, job) == [5, 5, [5, 1, 5], 9]


def test_value_in_a_list_stays(open_desk: OpenDesk) -> None:
    """The same future gives the same value wherever it is found, in later statements and after a restart, too."""
    code = "x = wait_for('a')\nl = [wait_for('a')]\nm = l[:]\nprint(l[0])\nfill('a', 9)\npause()\nexit([l[0] + 0, m[0] + 0])"
    fleet, job = start(open_desk, "fill('a', 5)\n" + code)
    fleet = open_desk()
    assert finish(fleet, job) == [5, 5]


def test_used_future_is_replaced_by_its_value(open_desk: OpenDesk) -> None:
    """From the end of the statement the value stands under every name, and nothing of the future is kept."""
    fleet, job = start(open_desk, "x = y = wait_for('a')\nprint(x)\nb = wait_for('b') + 1")
    assert later.slot("a").asked == 1
    later.put("a", 5)
    later.run_until_it_waits(fleet)
    names = fleet.job(job).py_env.local_state
    assert (names["x"], names["y"]) == (5, 5)
    assert [type(ref).__name__ for ref in fleet.job(job).refs or ()] == []


def test_calls_before_the_wait_are_not_repeated(open_desk: OpenDesk) -> None:
    """A statement that waits in its middle is run again without repeating a call, a print or an outside effect."""
    code = "exit([count('n'), post('p'), print('told'), wait_for('a'), wait_for('b')])"
    fleet, job = start(open_desk, code)
    fleet = open_desk()
    later.put("a", 1)
    later.run_until_it_waits(fleet)
    assert finish(fleet, job, b=2) == [1, "posted p", None, 1, 2]
    assert sorted(desk.calls()) == ["count n", "post p", "wait_for a", "wait_for b"]
    assert fleet.show(job)["console"] == ["told"]


def test_stored_objects_before_the_wait(open_desk: OpenDesk) -> None:
    """Stored objects given to calls before the wait are the same ones when the statement is run again."""
    code = "b = box()\nkind_of(b)\nk = [kind_of(wait_for), kind_of(box()), wait_for('a') + 0]\nexit(k[1:])"
    fleet, job = start(open_desk, code.replace("kind_of(wait_for), ", "1, "))
    fleet = open_desk()
    assert finish(fleet, job, a=3)[1] == 3


def test_elements_of_a_pair(open_desk: OpenDesk) -> None:
    """Unpacking a call whose complement promises a pair waits for nothing; both parts are of one value."""
    fleet, job = start(open_desk, "a, b = wait_for_pair('a')\nprint('bound')\nl = a + 0\nexit([l, b])")
    assert fleet.show(job)["console"] == ["bound"]
    assert finish(fleet, job, a=later.Pair(1, 2)) == [1, 2]
    assert later.slot("a").asked == 2


def test_unpacking_without_a_promise_waits(open_desk: OpenDesk) -> None:
    """Unpacking a call of unknown length waits first, and then unpacks."""
    fleet, job = start(open_desk, "a, b = wait_for('a')\nprint('bound')\nexit([a, b])")
    assert fleet.show(job)["console"] == []
    assert finish(fleet, job, a="xy") == ["x", "y"]


def test_any_does_not_wait_for_all(open_desk: OpenDesk) -> None:
    """`get_any` of two names goes on with the one that is there, and stays with it."""
    code = "a = wait_for('a')\nb = wait_for('b')\nx = get_any(a, b)\nprint(x)\npause()\nexit(x)"
    fleet, job = start(open_desk, "fill('b', 7)\n" + code)
    fleet = open_desk()
    assert finish(fleet, job, a=1) == 7


def test_any_waits_for_one(open_desk: OpenDesk) -> None:
    """`get_any` suspends while none is there, over a restart too."""
    code = "a = wait_for('a')\nx = [get_any(a, wait_for('b')) + 0, count('n')]\nexit(x)"
    fleet, job = start(open_desk, code)
    assert fleet.job(job).status == JobStatus.SUSPENDED
    fleet = open_desk()
    assert finish(fleet, job, b=7) == [7, 1]


def test_all_waits_for_all(open_desk: OpenDesk) -> None:
    """`get_all` gives a tuple when the last one is there; values among its arguments count as ready."""
    code = "fs = [wait_for(n) for n in ('a', 'b')]\nx = get_all(*fs, 3)\np, q, r = x\nexit([p, q, r])"
    fleet, job = start(open_desk, code)
    later.put("a", 1)
    later.run_until_it_waits(fleet)
    assert finish(fleet, job, b=2) == [1, 2, 3]


def test_all_can_be_unpacked_at_once(open_desk: OpenDesk) -> None:
    """`a, b = get_all(...)` works, as does a loop over it."""
    code = "a, b = get_all(wait_for('a'), wait_for('b'))\nexit([a + b, [x for x in get_all(wait_for('a'), 5)]])"
    fleet, job = start(open_desk, code)
    assert finish(fleet, job, a=1, b=2) == [3, [1, 5]]


def test_parameters_for_futures(open_desk: OpenDesk) -> None:
    """A future reaches only what is annotated to take one, by name, nested, in a list."""
    code = "x = wait_for('a')\nt = is_future(x)\nexit([t, kind_of(x), kind_of([wait_for('a')][0]), kind_of(what=x)])"
    fleet, job = start(open_desk, code)
    assert finish(fleet, job, a=1) == [True, "int", "int", "int"]


def test_async_temporal_function(open_desk: OpenDesk) -> None:
    """An async temporal function is called from outside of the stretch, and what it gives is a value like others."""
    fleet, job = start(open_desk, "x = wait_slowly('a')\nexit(x + 1)")
    assert finish(fleet, job, a=1) == 2


def test_extended_temporal_function(open_desk: OpenDesk) -> None:
    """`extends` takes over complement and condition."""
    fleet, job = start(open_desk, "exit(wait_for_too('a') + 1)")
    assert finish(fleet, job, a=1) == 2


def test_error_of_a_complement(open_desk: OpenDesk) -> None:
    """What a complement raises is an ordinary error of the statement."""
    code = "x = wait_for('a')\ntry:\n    x + 0\nexcept ValueError as e:\n    exit(str(e))"
    fleet, job = start(open_desk, code)
    assert finish(fleet, job, a="broken") == "this slot is broken"


def test_error_of_a_condition_ends_that_job_only(open_desk: OpenDesk, tmp_path: Any) -> None:
    """A condition that raises ends its job with the error, and so it is when the work is done again from the ledger."""
    agents = [later.clerk(), declare_agent("giver", tools=later.TEMPORAL)]
    answers = answer("exit(wait_for('a') + 0)", agent="clerk"), answer("exit(fill('a', 'no condition'))", agent="giver")
    fleet = open_desk(*answers, agents=agents)
    job, other = fleet.submit("clerk"), fleet.submit("giver")
    fleet.run()
    assert (fleet.job(job).outcome, fleet.job(other).outcome) == ("failed", "ok")
    assert "KeyError in a condition" in fleet.show(job)["error"]
    before = desk.state(fleet)
    fleet.close()
    (tmp_path / "store" / "statek.db0").unlink()
    assert desk.differences(before, desk.state(open_desk())) == []


@pytest.mark.parametrize(
    "code", ["find_later('a') + 1", "[x for x in find_several('a')][0] + 1", "find_several('a')[0] + 1"]
)
def test_code_without_guards_waits_at_once(open_desk: OpenDesk, code: str) -> None:
    """Where nothing said that futures may come, they are resolved where they come in: the values are the same."""
    fleet, job = start(open_desk, f"x = {code}\nexit(x)", tools=later.PLAIN)
    assert not fleet.job(job).holds_futures
    fleet = open_desk()
    assert finish(fleet, job, a=4) == 5


def test_functions_of_the_job_keep_their_guards(open_desk: OpenDesk) -> None:
    """A function made in a job that may hold futures resolves them after a restart, too."""
    code = "def f():\n    return wait_for('a') + 1 if not wait_for('b') else wait_for('b') + wait_for('a')\npause()\nexit(f())"
    fleet, job = start(open_desk, code)
    fleet = open_desk()
    assert finish(fleet, job, a=4, b=2) == 6


def test_wait_that_could_not_be_resumed_is_refused(open_desk: OpenDesk) -> None:
    """After a call whose result cannot be recorded the statement may not wait: an ordinary error says so."""
    code = "try:\n    [open_thing(), wait_for('a') + 0]\nexcept Exception as e:\n    exit(str(e))"
    fleet, job = start(open_desk, code)
    assert "cannot wait here: result of open_thing" in finish(fleet, job)


def test_model_sees_which_futures_it_has(open_desk: OpenDesk) -> None:
    """A name that nobody has used yet is shown as what comes later, without asking for it."""
    fleet, job = start(open_desk, "x = wait_for('a')\ny = wait_for('b') + 1")
    assert fleet.show(job)["locals"]["x"] == "<a value that comes later>"
    assert later.slot("a").asked == 0


def test_replay_comes_to_the_same(open_desk: OpenDesk, tmp_path: Any) -> None:
    """A store brought up from the ledger alone has the same values, waits for nothing and calls nothing outside."""
    code = "x = wait_for('a')\nfill('a', 4)\nl = [wait_for('b'), x + 1]\nfill('b', 6)\npost('p')\nexit([l[0] + 0, l[1], x])"
    fleet, job = start(open_desk, code)
    assert finish(fleet, job) == [6, 5, 4]
    before = desk.state(fleet)
    fleet.close()
    (tmp_path / "store" / "statek.db0").unlink()
    fleet = open_desk()
    assert desk.differences(before, desk.state(fleet)) == []
    assert desk.calls().count("post p") == 1
