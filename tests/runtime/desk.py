"""Tools that leave a line in a file for every call, so that calls can be counted across processes.

`use` says where; a tool named `die` ends its process the first time it is called, as `kill -9` would.
"""

import asyncio
import os
from pathlib import Path
from typing import Any

import dbzero as db0

from statek.exceptions import FutureError
from statek.runtime import views
from statek.store import current
from statek.store.future import FutureResult, temporal
from statek.testing import LocalFleet, declare_tool
from statek.tools.registry import tool

_place = {"folder": Path()}
running: list[LocalFleet] = []


@db0.memo(id="tests/Box")
class Box:
    """A stored object of an application."""

    def __init__(self, value: int) -> None:
        self.value = value


@db0.memo(id="tests/BoxRoot", singleton=True)
class BoxRoot:
    """Holds one box, and how often something inside was done."""

    def __init__(self) -> None:
        self.box = Box(0)
        self.counted = 0


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
    """Do something inside; how often that was done."""
    _note(f"count {text}")
    BoxRoot().counted += 1
    return BoxRoot().counted


def open_thing() -> Any:
    """Give something that cannot be kept."""
    return iter(str, "")


def long_text(size: int) -> str:
    """Read much."""
    return "x" * size


@tool(hidden=True)
def unseen(**kwargs: Any) -> str:
    """Nobody is told of this one."""
    _note("unseen")
    return "seen"


def box() -> Box:
    """The stored box."""
    return BoxRoot().box


def box_outside() -> Box:
    """The stored box, from a call that also does something outside."""
    _note("outside")
    return box()


def list_outside() -> Any:
    """A part of a stored object, from a call that also does something outside."""
    BoxRoot().items = [1]
    return BoxRoot().items


_kept: list[Any] = []


def echo_list() -> list[Any]:
    """A list of the application's own."""
    return _kept


def rogue() -> int:
    """Another number each time: what no tool that reads the store may give."""
    _note("rogue")
    return len(calls())


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


def keyed_and_die(text: str, *, idempotency_key: str) -> str:
    """Note the key, and end the process before that can be recorded, once for each text."""
    _note(f"{text} {idempotency_key}")
    _die_once(f"keyed {text}")
    return f"{text} {idempotency_key}"


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


def pause_late() -> str:
    """Stop the fleet that runs here, and let those who wait for its clock go on while it stops."""
    running[-1].stop()
    running[-1].clock.advance(60)
    return "paused"


def big() -> Any:
    """A result that no record can hold."""
    return object()


def tell_parent(note: str) -> None:
    """Give the parent of the calling job a name."""
    current.get_current_job().parent_job.add_locals(note=note)


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


def wait_for_box() -> int:
    """Wait until the box has a value."""
    value = box_value()
    return value.value if isinstance(value, FutureResult) else value


TOOLS = (
    *(
        declare_tool(function)
        for function in (post, post_slowly, post_and_die, fail, big, set_box_outside, box_outside)
    ),
    *(declare_tool(function, idempotent=True) for function in (push, cancel, pause, pause_late)),
    *(declare_tool(function, effect="write") for function in (count, extend, set_box, tell_parent)),
    *(
        declare_tool(function, effect="read")
        for function in (box, open_thing, long_text, die, wait_for_box, rogue, echo_list)
    ),
    declare_tool(list_outside),
    declare_tool(unseen),
    declare_tool(post_and_die, name="retry_and_die", idempotent=True),
    declare_tool(keyed_and_die, idempotent=True),
    declare_tool(extend, name="extend_outside"),
)


def differences(one: dict[str, Any], other: dict[str, Any], *, but: tuple[str, ...] = ()) -> list[str]:
    """What is not the same in two states, one line for each; `but` names what is left out."""
    if one.keys() != other.keys():
        return [f"jobs: {sorted(one.keys() ^ other.keys())}"]
    found = []
    for name, value in one.items():
        if not isinstance(value, dict):
            found += [] if value == other[name] else [f"{name}: {value!r} and {other[name]!r}"]
            continue
        found += [
            f"{name} {key}: {value[key]!r} and {other[name][key]!r}"
            for key in value.keys() - but
            if value[key] != other[name][key]
        ]
    return found


def state(fleet: LocalFleet) -> dict[str, Any]:
    """Everything that a replay must bring back, by job."""
    found: dict[str, Any] = {"refused": fleet.refused, "release": fleet.store.root.release}
    for slot in range(len(fleet.store.root.jobs)):
        job = fleet.store.root.jobs[slot]
        if job is None:  # forgotten
            continue
        found[job.id] = {
            "status": str(job.status), "outcome": job.outcome, "turn": job.turn, "stage": job.stage,
            "console": views.load_console(job), "chat": [(i.kind, i.text, i.at_us, i.error) for i in job.records],
            "snapshot": job.snapshot, "names": fleet.show(job.id)["locals"],
            "exit": job.exit_bytes, "waits": job.waiting_for, "statement": job.statement,
            "journal": [bytes(entry) for entry in job.journal or ()],
            "counted": (job.exception_count, job.subjobs, job.used.input_tokens, job.num_completions, job.tool_calls),
            "times": (job.created_us, job.started_us, job.ended_us),
            "children": [(handler.job.id, handler.is_completed) for handler in job.children or ()],
            "error": job.error.error_message if job.error is not None else None,
        }  # fmt: skip
    return found
