"""Measuring: CPU time of this process, memory, and the rows of the table. Knows nothing of what is measured."""

import gc
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        name: what was measured.
        value: the number, in `unit`.
        unit: "ms CPU", "jobs/s", "KB".
        floor: what it is compared with, "" for a floor itself.
        ratio: value over floor (or floor over value for rates), None for a floor.
        target: the most `value` should be, or None.
    """

    name: str
    value: float
    unit: str
    floor: str = ""
    ratio: float | None = None
    target: float | None = None


def cpu_ms(do: Callable[[], object], count: int, rounds: int = 5) -> float:
    """Milliseconds of this process's CPU, all its threads, for each of `count` operations: the best of `rounds`."""
    best = float("inf")
    for _ in range(rounds):
        gc.collect()
        began = time.process_time()
        do()
        best = min(best, time.process_time() - began)
    return best * 1000 / count


def resident_kb() -> float:
    """Memory of this process that is in RAM."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 1024
