"""Outside calls: each ends in one outcome that its job can read, and holds up nobody else."""

import logging
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from statek.runtime.performing import MAX_HUNG
from statek.testing import LocalFleet, answer, declare_agent
from tests.runtime import desk, outside
from tests.runtime.conftest import OpenDesk

TRY = "try:\n    r = {call}\nexcept Exception as e:\n    r = f'{{type(e).__name__}}: {{e}}'\nexit(r)"


@pytest.fixture(autouse=True)
def _let_go() -> Iterator[None]:
    """Threads that hang do so until the end of the test."""
    outside.let_go.clear()
    yield
    outside.let_go.set()


def opened(open_desk: OpenDesk, *answers: Any, **fields: Any) -> LocalFleet:
    """A fleet whose agent has the tools that behave badly."""
    fleet = open_desk(*answers, agents=[declare_agent("clerk", tools=(*outside.TOOLS, *desk.TOOLS), **fields)])
    outside.running.append(fleet)
    return fleet


def given(open_desk: OpenDesk, code: str) -> Any:
    """What one job with that code exits with."""
    fleet = opened(open_desk, answer(code))
    job = fleet.submit("clerk")
    fleet.run()
    return fleet.job(job).exit_value


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ("leave()", "RuntimeError: leave raised SystemExit(3), which ended this call only"),
        ("leave_in_thread()", "RuntimeError: leave_in_thread raised SystemExit(3), which ended this call only"),
        ("leave_later()", "RuntimeError: leave_later raised SystemExit(3), which ended this call only"),
        ("leave_in_store()", "RuntimeError: leave_in_store raised SystemExit(3), which ended this call only"),
        ("interrupt()", "RuntimeError: interrupt raised KeyboardInterrupt(), which ended this call only"),
        ("cancelled()", "RuntimeError: cancelled raised CancelledError(), which ended this call only"),
        ("cancel_itself()", "RuntimeError: cancel_itself raised CancelledError(), which ended this call only"),
        ("sink()", "RecursionError: maximum recursion depth exceeded"),
        ("fail_mutely()", "RuntimeError: Mute: (its text cannot be made: RuntimeError)"),
        ("big()", "TypeError: the result of big cannot be recorded"),
        ("wrapped()", "TypeError: wrapped gave a coroutine without being async"),
        ("hang()", "TimeoutError: hang did not come back within 0.05 s and was given up"),
        ("cling()", "TimeoutError: cling did not come back within 0.05 s and was given up"),
        ("hang_in_thread([])", "TimeoutError: hang_in_thread did not come back within 0.05 s and was given up"),
        ("box_in_thread()", "TypeError: the result of box_in_thread cannot be recorded: it is, or holds, a stored"),
        ("take_in_thread([box()])", "TypeError: take_in_thread runs in a thread, which must not touch stored objects"),
        ("take_in_thread(iter([1]))", "CannotKeep: "),
        ("post(_local_context={})", "RuntimeError: post() must not be given _local_context"),
        ("keyed('a', idempotency_key='k')", "RuntimeError: keyed() must not be given idempotency_key"),
    ],
)
def test_every_failure_is_one_readable_outcome(open_desk: OpenDesk, call: str, text: str) -> None:
    """Whatever a tool does, its job reads what happened, once, and another job goes on beside it."""
    agents = [declare_agent("clerk", tools=(*outside.TOOLS, *desk.TOOLS)), declare_agent("other", tools=desk.TOOLS)]
    code = f"b = box()\n{TRY.format(call=call)}" if "box()" in call else TRY.format(call=call)
    fleet = open_desk(answer(code, agent="clerk"), answer("exit(post('x'))", agent="other"), agents=agents)
    outside._boxes[:] = [desk.box()]
    bad, good = fleet.submit("clerk"), fleet.submit("other")
    fleet.run()
    assert str(fleet.job(bad).exit_value).startswith(text)
    assert fleet.job(good).exit_value == "posted x"


def test_thread_is_another_thread(open_desk: OpenDesk) -> None:
    """A `thread` tool runs off the loop, with plain data and without a job; what it changes comes back."""
    code = "items = [1]\nn = add_in_thread(items, 2)\nexit([thread_id(), n, items, job_in_thread()])"
    found = given(open_desk, code)
    assert found[0] != threading.get_ident()
    assert found[1:] == [2, [1, 2], "None"]


def test_threads_hold_up_nobody(open_desk: OpenDesk) -> None:
    """Calls in threads of several jobs wait for what another job does meanwhile."""
    agents = [declare_agent("clerk", tools=outside.TOOLS), declare_agent("other", tools=outside.TOOLS)]
    waiting, freeing = answer("exit(wait_in_thread())", agent="clerk"), answer("exit(release())", agent="other")
    fleet = open_desk(waiting, freeing, agents=agents)
    jobs = [fleet.submit("clerk", key=str(n)) for n in range(4)]
    fleet.submit("other")
    fleet.run()
    assert [fleet.job(job).exit_value for job in jobs] == [True] * 4


def test_late_thread_changes_nothing(open_desk: OpenDesk, caplog: pytest.LogCaptureFixture) -> None:
    """What a given-up thread does later is dropped and logged, and the job's own list is another one."""
    code = "items = []\ntry:\n    hang_in_thread(items)\nexcept TimeoutError:\n    release()\nwait_for_the_late()\n"
    with caplog.at_level(logging.WARNING, "statek"):
        assert given(open_desk, f"{code}exit([items, post_slowly('x')])") == [[], "posted x"]
    assert "hang_in_thread that was given up has ended now" in caplog.text


def test_tool_that_always_hangs_is_not_called_for_ever(open_desk: OpenDesk) -> None:
    """Threads that are left behind are bounded: further calls of such a tool fail at once."""
    code = f"found = []\nfor n in range({MAX_HUNG + 1}):\n    try:\n        hang_in_thread([n])\n"
    code += "    except TimeoutError as e:\n        found.append(str(e))\nexit(found[-1])"
    assert (
        given(open_desk, code) == f"hang_in_thread was not called: {MAX_HUNG} calls of it that were given up still hang"
    )


def test_slow_call_is_named(open_desk: OpenDesk, caplog: pytest.LogCaptureFixture) -> None:
    """A plain call that held everybody up is named in the log, with what to do; the same again is not."""
    with caplog.at_level(logging.WARNING, "statek"):
        assert given(open_desk, "slow_inline()\nslow_inline()\nexit(post('x'))") == "posted x"
    told = [record.getMessage() for record in caplog.records if "slow_inline" in record.getMessage()]
    assert len(told) == 1
    assert "took 1.00 s" in told[0]
    assert "`thread: true`" in told[0]


def test_prints_go_to_the_job(open_desk: OpenDesk, capsys: pytest.CaptureFixture[str]) -> None:
    """What a tool prints is a line of its job's console, in its place, and nobody else's."""
    code = "print('before')\nsay('a')\nsay_in_store('b')\nadd_in_thread([], 7)\nprint('after')"
    fleet = opened(open_desk, answer(code, turn=1), answer("exit()"))
    job = fleet.submit("clerk")
    fleet.run()
    assert fleet.show(job)["console"] == [
        "before", "said a\ntwice", "a", "noted b", "b", "adding 7", "1", "after"
    ]  # fmt: skip
    assert capsys.readouterr().out == ""
    assert type(sys.stdout).__name__ != "_Routed"


def test_prints_of_jobs_do_not_mix(open_desk: OpenDesk) -> None:
    """Two jobs whose async tools print at the same time each get their own lines."""
    fleet = opened(open_desk, answer("say_slowly(who)\nexit()"), inputs={"who": {"type": "string"}})
    jobs = [fleet.submit("clerk", {"who": who}, key=who) for who in "ab"]
    fleet.run()
    assert [fleet.show(job)["console"] for job in jobs] == [[f"begin {who}\nend {who}", who] for who in "ab"]


def test_prints_outlive_a_restart(open_desk: OpenDesk) -> None:
    """Printed lines are recorded with the result: a replay onto an empty store shows the same console."""
    fleet = opened(open_desk, answer("x = [say('a'), say_in_store('b')]\npause()", turn=1), answer("exit()"))
    job = fleet.submit("clerk")
    fleet.run()
    console = fleet.show(job)["console"]
    before = desk.state(fleet)
    fleet = open_desk()
    assert desk.differences(before, desk.state(fleet)) == []
    assert console[:2] == ["said a\ntwice", "noted b"]


def test_async_call_that_wrote_is_marked(open_desk: OpenDesk) -> None:
    """An async tool's writes to the store are noticed though other jobs work between its steps."""
    fleet = opened(open_desk, answer("set_box_slowly(5)\nexit(look_at_box())"))
    job = fleet.submit("clerk")
    fleet.run()
    assert fleet.job(job).exit_value == 5
    heads = [row[0].partition(b"\n")[0] for row in fleet.ledger.rows("SELECT body FROM rec WHERE kind = 'result'")]
    assert [b'"touched":true' in head for head in heads] == [True, False]


def test_async_call_that_gives_a_stored_object_is_marked(open_desk: OpenDesk) -> None:
    """The object may be new: it is written before its place is recorded, or the place could be another object's."""
    fleet = opened(open_desk, answer("exit(box_outside().value)"))
    fleet.submit("clerk")
    fleet.run()
    [row] = fleet.ledger.rows("SELECT body FROM rec WHERE kind = 'result'")
    assert b'"touched":true' in row[0].partition(b"\n")[0]


def test_marks_of_writes_are_let_go(open_desk: OpenDesk) -> None:
    """A mark is kept only until the result is recorded and the store written: there is no fixed number of them."""
    fleet = opened(open_desk, answer("for n in range(60):\n    set_box_outside(n)\nexit()"))
    fleet.submit("clerk")
    fleet.run()
    assert list(fleet.store.root.touched) == []


def test_key_of_a_call(open_desk: OpenDesk) -> None:
    """Equal calls of one statement have keys of their own; neither code nor prompt knows of the parameter."""
    code = "exit([keyed('a'), keyed('a'), keyed('b')])"
    fleet = opened(open_desk, answer(code), prompt="{{ tools }}")
    job = fleet.submit("clerk")
    fleet.run()
    found = fleet.job(job).exit_value
    assert len(set(found)) == 3
    assert all(len(text.split()[1]) == 32 for text in found)
    assert "idempotency_key" not in fleet.show(job)["prompt"]


def test_error_handler_is_bound(open_desk: OpenDesk) -> None:
    """The handler of a tool is registered on the job with what the call gave."""
    fleet = opened(open_desk, answer("claim('a')\npause()"))
    job = fleet.submit("clerk")
    fleet.run()
    handlers = list(fleet.job(job).error_handlers)
    assert [handler.context for handler in handlers] == ["claim on a"]


def test_context_of_a_call(open_desk: OpenDesk) -> None:
    """A `@tool` function gets a copy of the names of the calling code."""
    assert given(open_desk, "a = 1\nexit([names_around(), names_around_inside()])") == [["a"], ["a"]]


def test_hidden_tool(open_desk: OpenDesk) -> None:
    """A hidden tool can be called in hidden blocks of the warmup only, under whatever name."""
    line = "#" + "-" * 30
    warmup = f"#STATEK: hidden = True\nseen = unseen()\n{line}\nshown = 1"
    tries = "f = unseen\n" + TRY.format(call="f()").replace("exit(r)", "exit([seen, r])")
    fleet = opened(open_desk, answer(tries), warmup=warmup)
    job = fleet.submit("clerk")
    fleet.run()
    text = "Refused: tool unseen is not exposed: only hidden blocks of a warmup may call it"
    assert fleet.job(job).exit_value == ["seen", text]
