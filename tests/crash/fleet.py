"""The tools of the fleet that is killed. Copied into its project; runs in the worker's process, no test among them.

The outside world is the file `outside.log`: a line `KIND TEXT KEY`, on disk when the call returns, and a pause in which
a kill leaves nobody knowing whether it came to that. What is inside are durable objects: lists in which what stands
twice was done twice, and a chain of digests that depends on the order of all steps and is whole only with all of them.
"""

import asyncio
import hashlib
import os
import time
from typing import Any

import dbzero as db0

from statek.exceptions import FutureError
from statek.future import FutureResult, temporal
from statek.tools.registry import error_handler, tool


@db0.memo(id="crash/Gate")
class Gate:
    """Something that one job waits for and another one gives; `value` is 0 until then."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.value = 0


@db0.memo(id="crash/Tally", singleton=True)
class Tally:
    """What was counted, in order; what stands in a list twice was counted twice."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.halves: list[int] = []
        self.doubted: list[Any] = []
        self.briefs: list[int] = []
        self.stamped: list[int] = []
        self.dared: list[int] = []
        self.attempts: list[int] = []
        self.direct: list[int] = []
        self.total = 0
        self.steps: list[str] = []
        self.chain = ""
        self.gates: list[Gate] = []


def _outside(kind: str, text: str, key: str = "-") -> None:
    descriptor = os.open("outside.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, f"{kind} {text} {key}\n".encode())
    os.fsync(descriptor)
    os.close(descriptor)


# -- inside ------------------------------------------------------------------------------------------------------------


def count(number: int) -> int:
    """Count a number. Returns how many there are now."""
    tally = Tally()
    tally.numbers.append(number)
    tally.total += number
    return len(tally.numbers)


def half(number: int) -> int:
    """Count a number that a second job was started for."""
    Tally().halves.append(number)
    return number // 2


def doubt(text: str, why: str) -> None:
    """Keep a text of which nobody knows whether it was sent."""
    Tally().doubted.append(f"{text} {why}")


def brief(number: int) -> None:
    """Count a short job."""
    Tally().briefs.append(number)


def stamp(number: int) -> None:
    """Count a job that may not wait long."""
    Tally().stamped.append(number)


def dare(number: int) -> None:
    """Count a job whose code does not end by itself, so that what it did is taken back."""
    Tally().dared.append(number)


def attempt_of(number: int) -> int:
    """Count a try. Returns how many there were of this number."""
    attempts = Tally().attempts
    attempts.append(number)
    return sum(found == number for found in attempts)


def step(text: str) -> str:
    """Add one link to the chain. Returns the link before."""
    tally = Tally()
    before = tally.chain
    tally.chain = hashlib.sha256(f"{before} {text}".encode()).hexdigest()[:16]
    tally.steps.append(text)
    return before


def the_tally() -> Tally:
    """The durable tally itself."""
    return Tally()


def gate(number: int) -> Gate:
    """The gate of that number, made when there is none."""
    gates = Tally().gates
    for found in gates:
        if found.number == number:
            return found
    gates.append(Gate(number))
    return gates[len(gates) - 1]


def open_gate(number: int) -> int:
    """Open a gate. Returns the value it gives."""
    found = gate(number)
    found.value = number * 7 + 1
    return found.value


def _value_of(future: Any) -> int:
    value: int = future.deps.value
    if not value:
        raise FutureError(future)
    return value


def _is_open(future: Any) -> bool:
    return bool(future.deps.value)


@temporal(complement=_value_of, condition=_is_open)
def wait_gate(number: int) -> Any:
    """What a gate gives, once it is open."""
    return FutureResult(gate(number), 0)


# -- outside -----------------------------------------------------------------------------------------------------------


def send(text: str) -> str:
    """Send a text into the world."""
    _outside("send", text)
    time.sleep(0.004)
    return f"sent {text}"


async def send_slowly(text: str) -> str:
    """Send a text without holding anybody up."""
    await asyncio.sleep(0.01)
    _outside("slowly", text)
    await asyncio.sleep(0.02)
    return f"sent {text}"


def send_in_thread(text: str) -> str:
    """Send a text from a thread."""
    _outside("thread", text)
    time.sleep(0.02)
    return f"sent {text}"


def send_keyed(text: str, idempotency_key: str) -> str:
    """Send a text that the other side knows by its key."""
    _outside("keyed", text, idempotency_key)
    time.sleep(0.002)
    return f"sent {text}"


async def hang(text: str) -> str:
    """Never come back."""
    _outside("hang", text)
    await asyncio.sleep(3600)
    return text


@error_handler
def _release(context: Any, error: BaseException | None = None) -> None:
    _outside("release", f"{context}", type(error).__name__)


@tool(error_handler=_release, effect="external")
def claim(text: str, **_context: Any) -> str:
    """Claim something that is given back when the job fails."""
    _outside("claim", text)
    return text
