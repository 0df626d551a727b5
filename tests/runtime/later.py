"""An application with values that come later: slots that somebody fills, and temporal functions that wait for them.

Slots live in the store; `fill` is a tool of another job, `put` does the same from the test.
"""

import asyncio
from contextlib import suppress
from typing import Any

import dbzero as db0

from statek.exceptions import FutureError
from statek.store.combine import get_all, get_any
from statek.store.future import FutureResult, temporal
from statek.store.job import find_job
from statek.testing import LocalFleet, declare_agent, declare_tool
from tests.runtime import desk


@db0.memo(id="tests/Slot")
class Slot:
    """A place for one value."""

    def __init__(self) -> None:
        self.value: Any = None
        self.asked = 0


@db0.memo(id="tests/Pair")
class Pair:
    """A stored object with two parts."""

    def __init__(self, left: int, right: int) -> None:
        self.left = left
        self.right = right


@db0.memo(id="tests/Slots", singleton=True)
class Slots:
    """All slots, by name."""

    def __init__(self) -> None:
        self.by_name: Any = {}


def slot(name: str) -> Slot:
    """The slot of that name, made when there is none."""
    slots = Slots()
    if name not in slots.by_name:
        slots.by_name[name] = Slot()
    found: Slot = slots.by_name[name]
    return found


def put(name: str, value: Any) -> None:
    """Fill a slot."""
    slot(name).value = value


def _value_of(future: Any) -> Any:
    where = future.deps
    where.asked += 1
    if where.value is None:
        raise FutureError(future)
    if where.value == "broken":
        raise ValueError("this slot is broken")
    return where.value


def _pair_of(future: Any) -> tuple[int, int]:
    value = _value_of(future)
    return value.left, value.right


def _is_filled(future: Any) -> bool:
    if future.deps.value == "no condition":
        raise KeyError("condition")
    return future.deps.value is not None


@temporal(complement=_value_of, condition=_is_filled)
def wait_for(name: str) -> Any:
    """What is in a slot, once there is something.

    Args:
        name: of the slot.
    """
    with (desk._place["folder"] / "calls").open("a") as file:
        file.write(f"wait_for {name}\n")
    return FutureResult(slot(name), 0)


@temporal(complement=_pair_of, condition=_is_filled)
def wait_for_pair(name: str) -> Any:
    """The two parts of what is in a slot, once there is something."""
    return FutureResult(slot(name), 0)


@temporal(extends=wait_for)
def wait_for_too(name: str) -> Any:
    """The same."""
    return FutureResult(slot(name), 0)


@temporal(extends=wait_for)
async def wait_slowly(name: str) -> Any:
    """The same, found out slowly."""
    await asyncio.sleep(0)
    return FutureResult(slot(name), 0)


def find_later(name: str) -> Any:
    """A future, from a function that does not say that it gives one."""
    return wait_for(name)


def find_several(name: str) -> Any:
    """Futures in a list, from a function that does not say that it gives them."""
    return [wait_for(name), 2]


def is_future(what: FutureResult) -> bool:
    """Whether it was given a future."""
    return isinstance(what, FutureResult)


def kind_of(what: Any) -> str:
    """Name of the type of what it was given."""
    return type(what).__name__


def fill(name: str, value: Any) -> None:
    """Fill a slot."""
    put(name, value)


def fill_again(name: str, value: Any) -> int:
    """Fill a slot with another value, and say how often it was asked."""
    put(name, value)
    return int(slot(name).asked)


TEMPORAL = (
    *(declare_tool(f) for f in (wait_for, wait_for_pair, wait_for_too, wait_slowly, get_any, get_all)),
    *(declare_tool(f, effect="write") for f in (fill, fill_again)),
    *(declare_tool(f, effect="read") for f in (is_future, kind_of)),
)
PLAIN = tuple(declare_tool(f, effect="write") for f in (find_later, find_several, fill, fill_again))


def clerk(tools: Any = TEMPORAL, **fields: Any) -> Any:
    """An agent with these tools and those of the desk."""
    return declare_agent("clerk", tools=[*desk.TOOLS, *tools], **fields)


def run_until_it_waits(fleet: LocalFleet) -> None:
    """Work until every job has ended or waits for a future."""

    async def work() -> None:
        stop = asyncio.Event()
        running = asyncio.create_task(fleet.fleet.run(stop, until_idle=True))
        ready = fleet.fleet.passes.ready
        with suppress(TimeoutError):
            async with asyncio.timeout(100):
                while not running.done() and not (_is_waiting(ready) and not fleet.fleet._tasks):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        stop.set()
        await running

    fleet._runner.run(work())


def _is_waiting(ready: Any) -> bool:
    if not ready.futures or not ready.is_idle():
        return False
    waiting = [find_job(job_id) for job_id in ready.futures]
    return not any(job is None or job.awaited_result.check_condition() for job in waiting)


def run_on(fleet: LocalFleet, **values: Any) -> None:
    """Fill slots, then work until nothing is left."""
    for name, value in values.items():
        put(name, value)
    fleet.run()
