"""Tools that fail in every way there is, for the rough project. Copied into it; they run in the worker's process.

`tick` is the pulse of the worker: what holds everybody up shows as a gap in the file it writes.
"""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dbzero as db0

from tests.busy import own_seconds


@db0.memo(id="rough/Notes", singleton=True)
class Notes:
    """What was noted, in order."""

    def __init__(self) -> None:
        self.lines: list[str] = []


class Mute(Exception):  # noqa: N818
    """Its text cannot be had."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


class Deep(Exception):  # noqa: N818
    """Its text never ends."""

    def __str__(self) -> str:
        return str(self)


class Other:
    """Something that no store can keep."""


async def tick() -> bool:
    """Wait a moment and write down when; False once the test is over."""
    await asyncio.sleep(0.05)
    return _beat()


def _beat() -> bool:
    with Path("pulse.log").open("a") as log:
        log.write(f"{own_seconds()}\n")
    return not Path("stop").exists()


def fail(how: str) -> None:
    """Raise."""
    raise {
        "plain": ValueError("the printer is on fire"), "mute": Mute(), "deep": Deep(), "exit": SystemExit(3),
        "interrupt": KeyboardInterrupt(), "cancelled": asyncio.CancelledError(), "group": BaseExceptionGroup(
            "several", [SystemExit(1), ValueError("two")]
        ), "stop": StopIteration(5), "base": GeneratorExit(), "surrogate": ValueError("\ud800 \x00 \x1b[31m"),
        "huge": ValueError("x" * 5_000_000), "arguments": ValueError(Other(), threading.Lock()),
    }[how]  # fmt: skip


async def fail_later(how: str) -> None:
    """Raise from a task."""
    await asyncio.sleep(0.01)
    fail(how)


def fail_in_thread(how: str) -> None:
    """Raise in a thread."""
    fail(how)


def fail_in_store(how: str) -> None:
    """Write to the store, then raise."""
    Notes().lines.append(how)
    fail(how)


def note(line: str) -> None:
    """Write to the store."""
    Notes().lines.append(line)


def notes() -> list[str]:
    """What is noted."""
    return list(Notes().lines)


def note_begin() -> None:
    """Write to the store, and say outside that this code is at it: it holds up the loop from here on."""
    Notes().lines.append("begun")
    Path("begun").write_text("")


async def after(*files: str) -> None:
    """Come back once they are all there."""
    while not _are_there(files):  # noqa: ASYNC110 - it waits for other processes, too
        await asyncio.sleep(0.05)


def _are_there(files: tuple[str, ...]) -> bool:
    return all(Path(file).exists() for file in files)


def _add(file: str, line: str = "") -> None:
    with Path(file).open("a") as log:
        log.write(f"{line}\n")


async def send(text: str) -> str:
    """Send a text; come back when `go` is there and code that was at it does not hold up the loop any more."""
    _add("sent", text)
    _add(f"sent-{text}")
    await after("begun")
    _add("free")
    await after("go")
    return f"sent {text}"


async def send_and_note(text: str) -> str:
    """Send a text, and write to the store afterwards."""
    said = await send(text)
    Notes().lines.append(said)
    return said


async def send_for_notes(text: str) -> Notes:
    """Send a text. Returns the stored notes."""
    await send(text)
    return Notes()


def give(what: str) -> Any:
    """Give something that is hard to keep."""
    return {
        "generator": lambda: (n for n in range(3)), "file": lambda: Path(__file__).open(), "huge": lambda: "x" * 10**8,
        "durable": Notes, "lock": threading.Lock, "class": lambda: Other, "object": Other, "function": lambda: give,
        "module": lambda: os, "self": _cycle, "nan": lambda: float("nan"), "bytes": lambda: bytes(range(256)),
        "deep": _deep, "surrogate": lambda: "\ud800\x00", "bigint": lambda: 10**5000,
    }[what]()  # fmt: skip


def _cycle() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


def _deep() -> list[Any]:
    found: list[Any] = []
    for _ in range(100_000):
        found = [found]
    return found


def steps() -> Iterator[int]:
    """Be a generator."""
    yield 1


async def hang() -> None:
    """Never come back."""
    await asyncio.Event().wait()


def hang_in_thread() -> None:
    """Come back long after everybody has left."""
    time.sleep(600)


def stay() -> None:
    """Hold everybody up for ever."""
    Path("stayed").write_text("")
    while True:
        time.sleep(1)


def change(items: list[int], facts: dict[str, int], seen: set[int]) -> None:
    """Change every argument, then raise."""
    items.append(4)
    facts.clear()
    seen.add(9)
    raise ValueError("changed, then failed")


def shout(lines: int) -> None:
    """Print a lot, also to the real stdout and stderr."""
    for n in range(lines):
        print("shout", n)
    os.write(1, b"past everybody\n")
    sys.stderr.write("to stderr\n")


def leave_in_thread() -> str:
    """Leave the process, from a thread of its own."""
    thread = threading.Thread(target=sys.exit, args=(5,))
    thread.start()
    thread.join()
    return "still here"


def import_missing() -> None:
    """Need a module that is not there."""
    import no_such_module_anywhere  # type: ignore[import-not-found]  # noqa: F401


def die() -> None:
    """End the process at once, the first time."""
    if not Path("died").exists():
        Path("died").write_text("")
        os._exit(9)


def die_always() -> None:
    """End the process at once, each time: asked for within the job's own stretch, nobody knows that it was called."""
    with Path("deaths").open("a") as log:
        log.write("x")
    os._exit(9)
