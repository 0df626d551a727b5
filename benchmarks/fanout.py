"""A parent starts 100 child jobs in one statement and goes on when all have ended; and 200 jobs that each ask once.

The children ask a scripted model once and exit. Against the floor of the same jobs without a parent, and of the ideal
time of the requests.
"""

import math
import time
from pathlib import Path

from benchmarks.measure import Row, cpu_ms
from benchmarks.rig import Rig, compiled_release, looping, scratch, write_project

CHILDREN = 100
ROUNDS = 20  # each short: on a machine that others use, one of several is left alone
JOBS, AT_ONCE, MODEL_MS = 200, 50, 100


def measure() -> list[Row]:
    """The fan-out, its children alone, and the overlap of slow answers."""
    with looping(turns=2) as rig:
        alone = _cpu(rig, "child", CHILDREN)
        fan = _cpu(rig, "parent", 1)
    with scratch() as folder:
        write_project(folder / "project", turns=1, latency=f"{MODEL_MS}ms")
        compiled_release(folder)
        wall, cpu = _overlap(folder)
    ideal = math.ceil(JOBS / AT_ONCE) * MODEL_MS / 1000
    return [
        Row("100 jobs that ask once", alone, "s CPU"),
        Row("parent and 100 children", fan, "s CPU", "the children alone", fan / alone, 0.15),
        Row("200 answers of 100 ms, 50 at once", wall, "s wall", "ideal", wall / ideal, ideal * 1.15),
        Row("their CPU", cpu, "s CPU"),
    ]


def _cpu(rig: Rig, agent: str, count: int) -> float:
    began = 0

    def work() -> None:
        nonlocal began
        rig.submit(agent, [f"{agent}-{began + n}" for n in range(count)])
        rig.work()
        began += count

    work()
    return cpu_ms(work, 1000, ROUNDS)


def _overlap(folder: Path) -> tuple[float, float]:
    rig = Rig(folder)
    rig.fleet.recover()
    rig.limit(AT_ONCE)
    rig.submit("asker", [f"warm-{n}" for n in range(5)])
    rig.work()
    found: list[tuple[float, float]] = []
    for again in range(ROUNDS // 4):
        rig.submit("asker", [f"slow-{again}-{n}" for n in range(JOBS)])
        began, cpu = time.perf_counter(), time.process_time()
        rig.work()
        found.append((time.perf_counter() - began, time.process_time() - cpu))
    rig.close()
    return min(found)
