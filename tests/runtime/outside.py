"""Tools that behave badly, each in its own way, and some that behave well beside them."""

import asyncio
import sys
import threading
from typing import Any

from statek.store.current import get_current_job
from statek.testing import LocalFleet, declare_tool
from statek.tools.registry import error_handler, tool
from tests.runtime import desk

let_go = threading.Event()
running: list[LocalFleet] = []


def leave() -> None:
    """Leave the process."""
    sys.exit(3)


def interrupt() -> None:
    """Pretend that somebody pressed Ctrl-C."""
    raise KeyboardInterrupt


async def leave_later() -> None:
    """Leave the process, from a task."""
    await asyncio.sleep(0)
    sys.exit(3)


async def cancel_itself() -> None:
    """Cancel the task it runs in."""
    task = asyncio.current_task()
    assert task is not None
    task.cancel()


async def cancelled() -> None:
    """End as if it had been cancelled."""
    raise asyncio.CancelledError


def leave_in_store() -> None:
    """Leave the process while it works on the store."""
    sys.exit(3)


def sink(depth: int = 0) -> int:
    """Call itself for ever."""
    return sink(depth + 1)


class Mute(Exception):  # noqa: N818
    """Says nothing."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def fail_mutely() -> None:
    """Fail without a text."""
    raise Mute


async def hang() -> None:
    """Never come back."""
    await asyncio.Event().wait()


async def cling() -> None:
    """Never come back, not even when it is cancelled the first time."""
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        await asyncio.sleep(0)


def hang_in_thread(items: list[int]) -> str:
    """Come back when the test lets go."""
    assert let_go.wait(120)
    items.append(1)
    return "late"


def thread_id() -> int:
    """The thread it runs in."""
    return threading.get_ident()


def add_in_thread(items: list[int], item: int) -> int:
    """Change an argument."""
    print("adding", item)
    items.append(item)
    return len(items)


def job_in_thread() -> str:
    """What a thread knows of its job."""
    return repr(get_current_job())


def box_in_thread() -> Any:
    """Give a stored object from a thread, as it must not."""
    return _boxes[0]


_boxes: list[Any] = []


def take_in_thread(value: Any) -> str:
    """Take anything."""
    return type(value).__name__


def wait_in_thread() -> bool:
    """Come back when somebody lets go."""
    return let_go.wait(120)


def release() -> None:
    """Let those who wait in threads go."""
    let_go.set()


def wait_for_the_late() -> str:
    """Come back when no thread hangs any more."""
    for thread in threading.enumerate():
        if thread.name == "tool hang_in_thread":
            thread.join(120)
    return "waited"


def slow_inline() -> None:
    """Hold everybody up, by the clock of the test."""
    running[-1].clock.advance(1)


def say(text: str) -> str:
    """Print."""
    print("said", text)
    print("twice")
    return text


def say_in_store(text: str) -> str:
    """Print, working on the store only."""
    print("noted", text)
    return text


async def say_slowly(text: str) -> str:
    """Print before and after a wait."""
    print("begin", text)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    print("end", text)
    return text


def wrapped() -> Any:
    """Give a coroutine, although it is not async."""
    return say_slowly("x")


async def set_box_slowly(value: int) -> int:
    """Change the stored box between two waits."""
    await asyncio.sleep(0)
    desk.box().value = value
    await asyncio.sleep(0)
    return value


async def look_at_box() -> int:
    """Read the stored box, async."""
    await asyncio.sleep(0)
    return desk.box().value


def keyed(text: str, *, idempotency_key: str) -> str:
    """Show the key of the call."""
    return f"{text} {idempotency_key}"


@error_handler
def _release(context: Any, error: Any = None) -> None:
    """Let go of what was claimed."""
    desk._note(f"released {context}")


@tool(error_handler=_release)
def claim(name: str, **kwargs: Any) -> str:
    """Claim something."""
    return f"claim on {name}"


@tool
def names_around(**kwargs: Any) -> list[str]:
    """Names of the calling code."""
    return sorted(kwargs["_local_context"])


@tool(effect="write")
def names_around_inside(**kwargs: Any) -> list[str]:
    """Names of the calling code, working on the store only."""
    return sorted(kwargs["_local_context"])


TOOLS = (
    *map(
        declare_tool,
        (
            leave, interrupt, leave_later, cancel_itself, cancelled, sink, fail_mutely, slow_inline, say, say_slowly,
            wrapped, release, wait_for_the_late, set_box_slowly, keyed, claim, names_around, names_around_inside,
        ),
    ),
    *(declare_tool(function, timeout=0.05) for function in (hang, cling)),
    *(
        declare_tool(function, thread=True)
        for function in (thread_id, add_in_thread, job_in_thread, box_in_thread, take_in_thread, wait_in_thread)
    ),
    declare_tool(hang_in_thread, thread=True, timeout=0.05),
    declare_tool(look_at_box, effect="read"),
    declare_tool(leave, name="leave_in_thread", thread=True),
    *(declare_tool(function, effect="write") for function in (leave_in_store, say_in_store)),
)  # fmt: skip
