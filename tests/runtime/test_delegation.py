"""Child jobs made by tools: what they are given, how they end, what their parent is told, over restarts too."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from statek.store.job import Job, find_job
from statek.testing import LocalFleet, answer, declare_agent
from tests.runtime import desk, family
from tests.runtime.conftest import OpenDesk

OpenFamily = Callable[..., LocalFleet]


@pytest.fixture
def open_family(open_desk: OpenDesk) -> OpenFamily:
    """A fleet with an agent "clerk" that may make jobs of the agent "worker", which was made in Python."""

    def start(*answers: Any, **limits: Any) -> LocalFleet:
        clerk = declare_agent("clerk", tools=(*desk.TOOLS, *family.TOOLS), limits=limits)
        fleet = open_desk(*answers, agents=[clerk])
        family.make_worker()
        return fleet

    return start


def run(fleet: LocalFleet) -> Job:
    """Run one job of the clerk."""
    job = fleet.submit("clerk")
    fleet.run()
    return fleet.job(job)


def test_documented_completion(open_family: OpenFamily) -> None:
    """A child that completes itself gives its parent that result, whatever it exits with; its id is the caller's."""
    job = run(open_family(
        answer("complete_sub_task(result={'status': topic})\nexit('done')", agent="worker"),
        answer("h = research(topic='ready', id='a')\nexit([h.result, h.id])"),
    ))  # fmt: skip
    assert job.exit_value == [{"status": "ready"}, "a"]
    (handler,) = job.children
    assert (handler.job.id, handler.job.exit_value) == ("clerk/1.1.0.1", "done")


def test_completion_by_import(open_family: OpenFamily) -> None:
    """A child may import what completes it, as the documents write it."""
    code = "from statek import complete_sub_task\ncomplete_sub_task(result=1)\nexit('done')"
    job = run(open_family(answer(code, agent="worker"), answer("exit(research(topic='x').result)")))
    assert job.exit_value == 1


@pytest.mark.parametrize(
    ("ending", "found"),
    [
        (answer("exit(7)", agent="worker"), 7),
        (answer(error="no-key", agent="worker"), "no-key"),
        (answer("complete_sub_task(error='sad')\nexit(1)", agent="worker"), "sad"),
        (answer("1/0", agent="worker"), "limit"),
    ],
)
def test_every_end_is_an_outcome(open_family: OpenFamily, ending: Any, found: Any) -> None:
    """A child that ends without a word has succeeded with its exit value or failed with its error."""
    code = "try:\n    r = research(topic='x').result\nexcept Exception as e:\n    r = str(e)\nexit(r)"
    value = run(open_family(ending, answer(code))).exit_value
    assert value == found or str(found) in value


@pytest.mark.parametrize("says", ["complete_sub_task(result='real ' + {leaf})\nexit('ok')", "exit('real ' + {leaf})"])
def test_a_child_may_end_its_turn_to_wait_for_its_own(open_family: OpenFamily, says: str) -> None:
    """Its outcome is what it says once its child has brought it back to work, not what it ended that turn with."""
    fleet = open_family(
        answer("exit('leaf')", agent="worker"),
        answer(says.format(leaf="find_sub_task_handler(id='leaf').result"), agent="manager", last="id=leaf completed"),
        answer("research(topic='x', id='leaf')\nexit('waiting')", agent="manager"),
        answer("exit(manage(topic='x').result)"),
    )
    family.make_manager()
    assert run(fleet).exit_value == "real leaf"


def test_parent_goes_on_when_its_child_completes(open_family: OpenFamily) -> None:
    """A parent that waits goes on as soon as the child has completed itself, though the child works on."""
    job = run(open_family(
        answer("complete_sub_task(result=1)", agent="worker", turn=1), answer("exit(post('child'))", agent="worker"),
        answer("x = research(topic='x').result\npost('parent')\nexit(x)"),
    ))  # fmt: skip
    assert (job.exit_value, desk.calls()) == (1, ["post parent", "post child"])


def test_a_working_parent_reads_the_note(open_family: OpenFamily) -> None:
    """A parent does not end over a child's note that its model has not read; reading the result is reading it."""
    rules = [answer("exit(topic)", agent="worker"), answer("research(topic='x', id=3)\npost('slow')", turn=1)]
    job = run(open_family(*rules, answer("exit('early')", last="slow", turn=2), answer("exit('late')")))
    notes = [item.text for item in job.records if item.kind == "subtask"]
    assert notes == ["[Notification] sub-task id=3 completed successfully."]
    assert job.exit_value in ("early", "late")


def test_own_words(open_family: OpenFamily) -> None:
    """A handler of the application says it its own way; one whose words fail is announced all the same."""
    rules = [answer("exit(1)", agent="worker"), answer("praise(title='Song')\npraise(title='')", turn=1)]
    job = run(open_family(*rules, answer("pass", turn=2), answer("exit()")))
    texts = {item.text for item in job.records if item.kind == "subtask"}
    assert texts == {"Song is done", "[Notification] sub-task clerk/1.1.1.2 has ended."}


def test_wrong_gift(open_family: OpenFamily) -> None:
    """A subtask function that gives no job is told so."""
    code = "try:\n    wrong()\nexcept TypeError as e:\n    exit(str(e))"
    assert "must return a Job or a SubTaskHandler, it returned a int" in run(open_family(answer(code))).exit_value


def test_cancelled_with_the_parent(open_family: OpenFamily) -> None:
    """Children of a cancelled job are cancelled too, and do not bring it back."""
    code = "cancel('clerk/1')\nexit(post('never'))"
    job = run(open_family(answer(code, agent="worker"), answer("h = research(topic='x')\nexit(h.result)")))
    (handler,) = job.children
    assert (job.outcome, handler.job.outcome, desk.calls()) == ("cancelled", "cancelled", [])
    assert handler.job.error.error_message == "its parent clerk/1 was cancelled"
    assert job.is_done


def test_bounds_count(open_family: OpenFamily) -> None:
    """Jobs that tools make for a parent count as its children."""
    code = "for n in range(3):\n    try:\n        print(research(topic='x', id=n).id)\n"
    code += "    except Exception as e:\n        print(str(e))"
    job = run(open_family(answer(code, turn=1, agent="clerk"), answer("exit()"), subjobs=2))
    assert job.read_console() == ["0", "1", "limit subjobs: 2 are allowed"]


def test_started_outside(open_family: OpenFamily) -> None:
    """A child that an outside call made runs, and its parent can wait for it."""
    rules = [answer("exit(topic)", agent="worker"), answer("h = start_outside('x')\nexit(h.result)")]
    assert run(open_family(*rules)).exit_value == "x"


def test_nobodys_child(open_family: OpenFamily) -> None:
    """A job without a parent runs by itself and tells nobody."""
    job = run(open_family(answer("exit(topic)", agent="worker"), answer("exit(start_alone('x'))")))
    other = find_job(job.exit_value)
    assert other is not None
    assert (other.exit_value, other.parent_job, other.handler) == ("x", None, None)


def test_texts_between_jobs(open_desk: OpenDesk) -> None:
    """A text brings a job that has ended well back to work; its model reads it."""
    teller = declare_agent("teller", tools=family.TOOLS)
    rules = [answer("tell('clerk/1', 'look here')\nexit()", agent="teller"), answer("exit('told')", last="look here")]
    fleet = open_desk(*rules, answer("exit(1)"), agents=[declare_agent("clerk"), teller])
    first = fleet.submit("clerk")
    fleet.run()
    assert fleet.job(first).exit_value == 1
    fleet.submit("teller")
    fleet.run()
    assert fleet.job(first).exit_value == "told"


@pytest.mark.parametrize("tool", ["give_name", "give_name_outside"])
def test_names_given_by_tools(open_family: OpenFamily, tool: str) -> None:
    """A name that a tool gives is there after the call, in a statement that is run again too, and in the next turn."""
    code = f"r = [{tool}([1, 2]), given[0], research(topic='x').result, given]\nexit(r)"
    job = run(open_family(answer("exit(topic)", agent="worker"), answer(code)))
    assert job.exit_value == [None, 1, "x", [1, 2]]
    assert job.py_env.local_state["given"] == [1, 2]


def test_persistent_context(open_family: OpenFamily) -> None:
    """Values of the persistent context last over turns and are found behind the names."""
    first = "perm_ctx_set(a=1)\nn = [perm_ctx_set_unique('a', 2), perm_ctx_set_unique('b', 3)]"
    second = "exit([n, perm_ctx_get('a'), perm_ctx_get('c', 9), find_locals(var_name='a_1')])"
    job = run(open_family(answer(first, turn=1), answer(second)))
    assert job.exit_value == [["a_1", "b"], 1, 9, [2]]


def test_a_replay_makes_the_same_family(open_family: OpenFamily, open_desk: OpenDesk, tmp_path: Path) -> None:
    """Run again from the ledger, parents and children are the same, with ids, names, notes and times."""
    fleet = open_family(
        answer("complete_sub_task(result=topic)\nexit('c')", agent="worker"),
        answer("h = research(topic='x', id=1)\ngive_name(5)\npraise(title='y')", turn=1),
        answer("r = h.result", turn=2), answer("exit([r, given])"),
    )  # fmt: skip
    fleet.close()
    older = shutil.copy(tmp_path / "store" / "statek.db0", tmp_path / "older")
    fleet = open_desk()
    assert run(fleet).exit_value == ["x", 5]
    expected = desk.state(fleet)
    fleet.close()
    shutil.copy(older, tmp_path / "store" / "statek.db0")
    assert desk.differences(desk.state(open_desk()), expected) == []
