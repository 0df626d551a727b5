"""The tools of the small fleet. Copied into its project; runs in the worker's process.

`send` is the outside world: a line in a file, on disk when it returns, and a pause in which a kill leaves nobody
knowing whether it came to that. `count` and `doubt` change durable objects of the store.
"""

import os
import time

import dbzero as db0


@db0.memo(id="acceptance/Tally", singleton=True)
class Tally:
    """What was counted, in order; what stands in a list twice was counted twice."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.halves: list[int] = []
        self.doubted: list[int] = []


def count(number: int) -> int:
    """Count a number. Returns how many there are now."""
    tally = Tally()
    tally.numbers.append(number)
    return len(tally.numbers)


def half(number: int) -> int:
    """Count a number that a second job was started for."""
    Tally().halves.append(number)
    return number // 2


def doubt(number: int) -> None:
    """Keep a number of which nobody knows whether it was sent."""
    Tally().doubted.append(number)


def send(number: int) -> int:
    """Send a number into the world."""
    descriptor = os.open("sent.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, f"{number}\n".encode())
    os.fsync(descriptor)
    os.close(descriptor)
    time.sleep(0.01)
    return number
