"""The fleet end to end: inputs become jobs, jobs ask and run code, and everything outlives a restart."""

import asyncio
from typing import Any

import pytest

from statek.exceptions import NotApplied, StoreFull
from statek.ledger.records import Records, said_key
from statek.runtime.fleet import Fleet
from statek.runtime.performing import INLINE_BYTES
from statek.sandbox.bounds import WATCHDOG
from statek.store.job import find_job
from statek.testing import answer, declare_agent, declare_queue, declare_tool
from tests.runtime import desk
from tests.runtime.conftest import OpenDesk


def test_end_to_end(open_desk: OpenDesk) -> None:
    """A submitted job asks its model, runs the answer's code, calls a tool, and exits with a value."""
    fleet = open_desk(answer("exit(post('x'))"))
    job = fleet.submit("clerk")
    fleet.run()
    assert (fleet.job(job).outcome, fleet.job(job).exit_value) == ("ok", "posted x")
    assert desk.calls() == ["post x"]


def test_async_tool(open_desk: OpenDesk) -> None:
    """An async tool is awaited, its result comes back in the middle of an expression."""
    fleet = open_desk(answer("exit([post_slowly(t) for t in 'ab'])"))
    job = fleet.submit("clerk")
    fleet.run()
    assert fleet.job(job).exit_value == ["posted a", "posted b"]


def test_whoever_is_cancelled_ends_the_pass_first(open_desk: OpenDesk) -> None:
    """Cancelled while questions of a pass leave, the calls of that pass are made; a restart finds how they ended."""
    agents = [declare_agent(name, tools=desk.TOOLS) for name in ("asker", "caller")]
    fleet = open_desk(
        answer("exit(post('x'))", agent="caller"), answer("count('y')", turn=1), answer("exit(2)"), agents=agents
    )
    jobs = [fleet.submit("caller"), fleet.submit("asker")]

    async def cancelled_with_both_answers() -> None:
        running = asyncio.create_task(fleet.fleet.run(asyncio.Event(), until_idle=True))

        def cancel_with_both() -> None:
            if len(fleet.fleet.passes.arrivals) == len(jobs):
                asyncio.get_running_loop().call_soon(running.cancel)

        fleet.fleet.start_jobs = cancel_with_both
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(cancelled_with_both_answers())
    assert desk.calls() == ["count y", "post x"]
    fleet = open_desk()
    fleet.run()
    assert [fleet.job(job).exit_value for job in jobs] == ["posted x", 2]
    assert desk.calls().count("post x") == 1


def test_nobody_sees_an_end_that_is_not_recorded(open_desk: OpenDesk) -> None:
    """Not even another task of the loop, where other jobs ask their models in the same pass."""
    agents = [declare_agent(name) for name in ("ender", "asker")]
    fleet = open_desk(answer("exit('first')", agent="ender"), answer("x = 1", turn=1), answer("exit(2)"), agents=agents)
    ender = fleet.submit("ender")
    fleet.submit("asker")
    seen: list[bool] = []

    async def look() -> None:
        while not seen:
            job = find_job(ender)
            if job is not None and job.is_done:
                seen.append(Records(fleet.ledger).get(said_key(ender, 0)) is not None)
            await asyncio.sleep(0)

    async def both() -> None:
        looking = asyncio.create_task(look())
        await fleet.fleet.run(asyncio.Event(), until_idle=True)
        await looking

    asyncio.run(both())
    assert seen == [True]


def test_a_cancelled_fleet_goes_on(open_desk: OpenDesk) -> None:
    """Run again after it was cancelled, it has what had come home: nothing waits for what is there."""
    agents = [declare_agent(name, tools=desk.TOOLS) for name in ("asker", "caller")]
    rules = [answer("exit(post('x'))", agent="caller"), answer("count('y')", turn=1), answer("exit(2)")]
    fleet = open_desk(*rules, agents=agents)
    jobs = [fleet.submit("caller"), fleet.submit("asker")]

    async def cancelled(running: "asyncio.Task[None]") -> None:
        with pytest.raises(asyncio.CancelledError):
            await running

    async def run_twice() -> None:
        running = asyncio.create_task(fleet.fleet.run(asyncio.Event(), until_idle=True))
        fleet.fleet.start_jobs = lambda: (
            running.cancel() if len(fleet.fleet.passes.arrivals) == len(jobs) else None
        )  # fmt: skip
        await cancelled(running)
        fleet.fleet.start_jobs = None
        await asyncio.wait_for(fleet.fleet.run(asyncio.Event(), until_idle=True), 30)

    asyncio.run(run_twice())
    assert [fleet.job(job).exit_value for job in jobs] == ["posted x", 2]


def test_inputs_are_names(open_desk: OpenDesk) -> None:
    """Declared inputs are rendered into the prompt and are names of the code."""
    agents = [declare_agent("adder", inputs={"n": {"type": "integer"}}, prompt="Add to {{ inputs.n }}.")]
    fleet = open_desk(answer("exit(n + 1)"), agents=agents)
    job = fleet.submit("adder", {"n": 41})
    fleet.run()
    assert fleet.job(job).exit_value == 42
    assert fleet.show(job)["prompt"] == "Add to 41."


def test_names_survive_reopen(open_desk: OpenDesk) -> None:
    """Names of an earlier turn are there after a restart in the middle of the job."""
    fleet = open_desk(
        answer("seen = {'a': [1, 2]}\ndef double(x): return 2 * x\npause()", turn=1),
        answer("exit([double(n) for n in seen['a']])", turn=2),
    )
    job = fleet.submit("clerk")
    fleet.run()
    assert fleet.job(job).outcome == ""
    fleet = open_desk()
    fleet.run()
    assert fleet.job(job).exit_value == [2, 4]


def test_submitted_before_the_worker(open_desk: OpenDesk) -> None:
    """An input acknowledged while nothing ran is taken in at the next start."""
    job = open_desk(answer("exit(1)")).submit("clerk")
    fleet = open_desk()
    fleet.run()
    assert fleet.job(job).outcome == "ok"


def test_same_key_is_the_same_job(open_desk: OpenDesk) -> None:
    """A repeated submission is taken once."""
    fleet = open_desk(answer("exit(count('x'))"))
    fleet.submit("clerk", key="a")
    fleet.run()
    fleet.submit("clerk", key="a")
    fleet.run()
    assert desk.calls() == ["count x"]


def test_exit_without_value(open_desk: OpenDesk) -> None:
    """`exit()` ends the job with None, which is not the same as not having exited."""
    fleet = open_desk(answer("exit()"))
    job = fleet.submit("clerk")
    fleet.run()
    assert (fleet.job(job).exited, fleet.job(job).exit_value) == (True, None)


def test_exit_inside_a_function_unwinds(open_desk: OpenDesk) -> None:
    """`exit` leaves functions and loops at once; cleanup on the way runs, what follows does not."""
    loop = "    for n in range(9):\n        try:\n            exit(n)\n        finally:\n            print('left')\n"
    fleet = open_desk(answer(f"def f():\n{loop}f()\nprint('never')"))
    job = fleet.submit("clerk")
    fleet.run()
    assert fleet.job(job).exit_value == 0
    assert fleet.show(job)["console"] == ["left"]


def test_refused_input_is_listed(open_desk: OpenDesk) -> None:
    """An input that does not fit makes no job, stops no other, and is listed with the reason."""
    agents = [declare_agent("adder", inputs={"n": {"type": "integer"}})]
    fleet = open_desk(answer("exit(n)"), agents=agents)
    wrong, right = fleet.submit("adder", {"n": "x"}, key="1"), fleet.submit("adder", {"n": 1}, key="2")
    unknown = fleet.submit("nobody")
    fleet.run()
    assert [line["id"] for line in fleet.refused] == [wrong, unknown]
    assert fleet.job(right).exit_value == 1
    with pytest.raises(NotApplied, match="expected a whole number"):
        fleet.job(wrong)


def test_queue_items_become_jobs(open_desk: OpenDesk) -> None:
    """Every item of a queue becomes one job, its fields the inputs."""
    agents = [declare_agent("adder", inputs={"n": {"type": "integer"}})]
    fleet = open_desk(answer("exit(n + 1)"), agents=agents, queues=[declare_queue("numbers", "adder")])
    jobs = [fleet.put("numbers", {"n": n}, key=str(n)) for n in range(5)]
    fleet.run()
    assert [fleet.job(job).exit_value for job in jobs] == [1, 2, 3, 4, 5]


def test_queue_concurrency(open_desk: OpenDesk) -> None:
    """Of a queue with concurrency 1 the next job begins after the one before it has ended."""
    agents = [declare_agent("clerk", tools=desk.TOOLS, inputs={"n": {"type": "integer"}})]
    queue = declare_queue("numbers", "clerk", concurrency=1)
    code = "post_slowly(f'begin {n}')\npost_slowly(f'end {n}')\nexit()"
    fleet = open_desk(answer(code), agents=agents, queues=[queue])
    for n in range(3):
        fleet.put("numbers", {"n": n}, key=str(n))
    fleet.run()
    assert desk.calls() == [f"post {word} {n}" for n in range(3) for word in ("begin", "end")]


def test_paused_queue_keeps_its_items(open_desk: OpenDesk) -> None:
    """Items of a paused queue wait; nothing is lost."""
    agents = [declare_agent("clerk")]
    fleet = open_desk(answer("exit()"), agents=agents, queues=[declare_queue("numbers", "clerk", paused=True)])
    job = fleet.put("numbers", {}, key="1")
    fleet.run()
    assert fleet.fleet.counts()["queued"] == {"numbers": 1}
    fleet.apply(agents, [answer("exit()")], queues=[declare_queue("numbers", "clerk")])
    fleet.run()
    assert fleet.job(job).outcome == "ok"


def test_failed_answer_fails_the_job(open_desk: OpenDesk) -> None:
    """When no model answers, that job fails with the reason; others go on."""
    agents = [declare_agent("a"), declare_agent("b")]
    fleet = open_desk(answer(error="no-key", agent="a"), answer("exit(1)", agent="b"), agents=agents)
    bad, good = fleet.submit("a"), fleet.submit("b")
    fleet.run()
    assert (fleet.job(bad).outcome, fleet.job(good).outcome) == ("failed", "ok")
    assert "no-key" in fleet.show(bad)["error"]


def test_counts(open_desk: OpenDesk) -> None:
    """The display's figures count what ended since the start, by outcome."""
    fleet = open_desk(answer("exit(1)"))
    fleet.submit("clerk", key="1")
    fleet.submit("nobody")
    fleet.submit("clerk", key="2")
    fleet.run()
    counts = fleet.fleet.counts()
    assert (counts["done"], counts["outcomes"], counts["scripted"]) == (2, {"ok": 2}, True)


def test_exit_value_that_cannot_be_kept(open_desk: OpenDesk) -> None:
    """A job that gives something that cannot be stored fails with the reason; nothing pretends to be its value."""
    fleet = open_desk(answer("exit(n for n in range(3))"))
    job = fleet.submit("clerk")
    fleet.run()
    assert (fleet.job(job).outcome, fleet.job(job).exit_value) == ("failed", None)
    assert "the value given to exit() cannot be kept" in fleet.show(job)["error"]


def test_result_is_a_copy(open_desk: OpenDesk) -> None:
    """What a tool gave is the job's own: changing it changes nothing of the tool's, restart or not."""
    fleet = open_desk(answer("a = echo_list()\na.append(1)\nexit([a, echo_list()])"))
    job = fleet.submit("clerk")
    fleet.run()
    assert fleet.job(job).exit_value == [[1], []]


class _Odd:
    """A watchdog that fails inside the kit when a call is performed."""

    def armed(self, seconds: float, memory: int, **more: Any) -> Any:
        """As the real one, for stretches."""
        if memory == INLINE_BYTES:
            raise KeyError("odd")
        return WATCHDOG.armed(seconds, memory, **more)


def test_a_call_that_fails_inside_the_kit(open_desk: OpenDesk) -> None:
    """The job that wanted it is told of the error; the fleet goes on."""
    opened = open_desk(answer("try:\n    post('x')\nexcept Exception as e:\n    exit(str(e))"))
    job = opened.submit("clerk")
    fleet = Fleet(
        store=opened.store, ledger=opened.ledger, clock=opened.clock, secret=lambda _: None,
        watchdog=_Odd(),  # type: ignore[arg-type]
    )  # fmt: skip
    fleet.recover()
    asyncio.run(fleet.run(asyncio.Event(), until_idle=True))
    assert "KeyError" in opened.job(job).exit_value


class _Full:
    """A disk that is full once an async call has written to the store."""

    def __init__(self, commit: Any) -> None:
        self._commit = commit

    def __call__(self) -> None:
        """Commit, unless it is full."""
        if desk.calls():
            raise StoreFull("no room")
        self._commit()


async def _write_later() -> None:
    """Write to the store and somewhere else."""
    await asyncio.sleep(0)
    desk.post("written")
    desk.count()


def test_a_result_that_cannot_be_saved(open_desk: OpenDesk) -> None:
    """When the disk is full as a call comes back the fleet ends with that: nobody waits for a result for ever."""
    agent = declare_agent("clerk", tools=(declare_tool(_write_later, name="write_later"),))
    opened = open_desk(answer("write_later()"), agents=[agent])
    opened.submit("clerk")
    fleet = Fleet(
        store=opened.store, ledger=opened.ledger, clock=opened.clock, secret=lambda _: None, watchdog=WATCHDOG,
        checkpoint=_Full(opened.store.commit),
    )  # fmt: skip
    fleet.recover()
    with pytest.raises(StoreFull):
        asyncio.run(asyncio.wait_for(fleet.run(asyncio.Event(), until_idle=True), 60))
