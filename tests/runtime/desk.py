"""Tools that leave a line in a file for every call, so that calls can be counted across processes; and what a store holds.

`use` says where; a tool named `die` ends its process the first time it is called, as `kill -9` would.
"""

import asyncio
import os
from pathlib import Path
from typing import Any

import dbzero as db0

from statek.exceptions import FutureError
from statek.runtime import views
from statek.store.future import FutureResult, temporal
from statek.testing import LocalFleet, declare_tool

_place = {"folder": Path()}
running: list[LocalFleet] = []


@db0.memo(id="tests/Box")
class Box:
    """A stored object of an application."""

    def __init__(self, value: int) -> None:
        self.value = value


@db0.memo(id="tests/BoxRoot", singleton=True)
class BoxRoot:
    """Holds one box."""

    def __init__(self) -> None:
        self.box = Box(0)


def use(folder: Path) -> None:
    """Leave the lines in `folder`."""
    _place["folder"] = folder


def calls() -> list[str]:
    """One line for each call."""
    file = _place["folder"] / "calls"
    return file.read_text().splitlines() if file.exists() else []


def _note(line: str) -> None:
    with (_place["folder"] / "calls").open("a") as file:
        file.write(f"{line}\n")


def _die_once(name: str) -> None:
    marker = _place["folder"] / f"died-{name}"
    if not marker.exists():
        marker.touch()
        os._exit(9)


def post(text: str) -> str:
    """Do something outside."""
    _note(f"post {text}")
    return f"posted {text}"


async def post_slowly(text: str) -> str:
    """Do something outside that takes a while."""
    await asyncio.sleep(0)
    _note(f"post {text}")
    return f"posted {text}"


def fail(text: str) -> str:
    """Fail outside."""
    _note(f"fail {text}")
    raise ValueError(text)


def extend(items: list[Any], item: str) -> None:
    """Change an argument."""
    _note(f"extend {item}")
    items.append(item)


def count(text: str) -> int:
    """Do something inside; how many calls there were."""
    _note(f"count {text}")
    return len(calls())


def open_thing() -> Any:
    """Give something that cannot be kept."""
    return iter(str, "")


def box() -> Box:
    """The stored box."""
    return BoxRoot().box


def set_box(value: int) -> int:
    """Change the stored box."""
    box().value = value
    return value


def set_box_outside(value: int) -> int:
    """Change the stored box in a call that also does something outside."""
    _note(f"outside {value}")
    box().value = value
    return value


def die(name: str) -> str:
    """End the process, once for each name."""
    _die_once(name)
    return f"survived {name}"


def post_and_die(text: str) -> str:
    """Do something outside and end the process before it can be recorded, once."""
    _note(f"post {text}")
    _die_once(f"post {text}")
    return f"posted {text}"


def push(job: str, text: str) -> None:
    """Send a message to a job of the fleet that runs here."""
    running[-1].push(job, text)


def cancel(job: str) -> None:
    """Ask for the end of a job of the fleet that runs here."""
    running[-1].cancel(job)


def pause() -> str:
    """Stop the fleet that runs here."""
    running[-1].stop()
    return "paused"


def big() -> Any:
    """A result that no record can hold."""
    return object()


def _value(future: Any) -> int:
    if not box().value:
        raise FutureError(future)
    return box().value


def _is_there(_future: Any) -> bool:
    return box().value != 0


@temporal(complement=_value, condition=_is_there)
def box_value() -> Any:
    """The value of the box, once it has one."""
    return box().value or FutureResult("box", None)


@temporal(complement=_value, condition=_is_there)
def wait_for_box() -> Any:
    """Wait until the box has a value."""
    return FutureResult("box", None).value if False else _need_box()


def _need_box() -> int:
    future = FutureResult("box", None)
    future.set_complement_functions(_value, _is_there)
    return future.value


POST = declare_tool(post)
POST_SLOWLY = declare_tool(post_slowly)
POST_AND_DIE = declare_tool(post_and_die)
RETRY_AND_DIE = declare_tool(post_and_die, name="retry_and_die", idempotent=True)
FAIL = declare_tool(fail)
EXTEND = declare_tool(extend, effect="write")
EXTEND_OUTSIDE = declare_tool(extend, name="extend_outside")
COUNT = declare_tool(count, effect="write")
OPEN_THING = declare_tool(open_thing, effect="read")
BOX = declare_tool(box, effect="read")
SET_BOX = declare_tool(set_box, effect="write")
SET_BOX_OUTSIDE = declare_tool(set_box_outside)
DIE = declare_tool(die, effect="read")
PUSH = declare_tool(push, idempotent=True)
CANCEL = declare_tool(cancel, idempotent=True)
PAUSE = declare_tool(pause, idempotent=True)
BIG = declare_tool(big)
WAIT_FOR_BOX = declare_tool(wait_for_box)
TOOLS = (
    POST, POST_SLOWLY, POST_AND_DIE, RETRY_AND_DIE, FAIL, EXTEND, EXTEND_OUTSIDE, COUNT, OPEN_THING, BOX, SET_BOX,
    SET_BOX_OUTSIDE, DIE, PUSH, CANCEL, PAUSE, BIG, WAIT_FOR_BOX,
)  # fmt: skip


def state(fleet: LocalFleet) -> dict[str, Any]:
    """Everything that a replay must bring back, by job."""
    found: dict[str, Any] = {"refused": fleet.refused, "release": fleet.store.root.release}
    for slot in range(len(fleet.store.root.jobs)):
        job = fleet.store.root.jobs[slot]
        found[job.id] = {
            "status": str(job.status), "outcome": job.outcome, "turn": job.turn, "stage": job.stage,
            "console": views.load_console(job), "chat": [(i.kind, i.text, i.at_us, i.error) for i in job.chat_log],
            "snapshot": job.snapshot, "exit": job.exit_bytes, "waits": job.waiting_for, "statement": job.statement,
            "journal": [bytes(entry) for entry in job.journal or ()],
            "counted": (job.exception_count, job.subjobs, job.input_tokens, job.num_completions, job.tool_calls),
            "times": (job.created_us, job.started_us, job.ended_us),
            "children": [(handler.job.id, handler.is_completed) for handler in job.children or ()],
            "error": job.error.error_message if job.error is not None else None,
        }  # fmt: skip
    return found
