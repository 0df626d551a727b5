"""Work beside jobs that wait: how long a submission takes to the model, what an idle worker costs, how much gets done.

The waiting jobs are put into the store as a real one left it: one job runs until it waits for something that never
comes, the others are made with what it has stored. Against the figures of the same worker without them.
"""

import asyncio
import os
import time
from pathlib import Path
from typing import Any

from benchmarks.measure import Row, resident_kb
from benchmarks.rig import Rig, compiled_release, scratch, write_project
from statek.runtime import subtasks
from statek.store.job import JobStatus, find_job
from statek.worker.poke import SECONDS

SUBMISSIONS = 60
IDLE_SECONDS = 8.0
SETTLING_SECONDS = 65.0  # in the first minute a worker looks once at what each job waits for
FEW, MANY = 10_000, 100_000
_STORED = ("snapshot", "stage", "code", "statement", "turn", "waiting_bytes", "awaited_result", "started_us")


def measure() -> list[Row]:
    """Latency, idle cost and throughput beside no, 10,000 and 100,000 waiting jobs."""
    rows: list[Row] = []
    with scratch() as folder:
        write_project(folder / "project", turns=10, latency="200ms")
        compiled_release(folder)
        alone = _latency(folder)
        rows.append(Row("submission to request, p50, idle worker", alone, "ms wall", target=5))
        empty_bytes, empty_kb = _size(folder), _memory(folder)
        _crowd(folder, FEW)
        rows.append(Row("the same beside 10,000 waiting jobs", _latency(folder), "ms wall", "alone", target=6))
        rows.append(Row("idle worker beside 10,000, CPU", _idle(folder), "% of core", target=1))
        rows.append(Row("start to the first request, 10,000 stored", _start(folder), "s wall"))
        _crowd(folder, MANY)
        rows.append(Row("store file per waiting job", (_size(folder) - empty_bytes) / MANY, "bytes"))
        rows.append(Row("memory per waiting job", (_memory(folder) - empty_kb) / MANY * 1024, "bytes"))
        done, cpu = _throughput(folder)
        rows.append(Row("steps beside 100,000, 100 at once (ideal 500)", done, "steps/s"))
        rows.append(Row("CPU of such a step", cpu, "ms CPU"))
    return rows


def _open(folder: Path) -> Rig:
    rig = Rig(folder)
    rig.fleet.recover()
    return rig


def _crowd(folder: Path, upto: int) -> None:
    rig = _open(folder)
    if find_job("sleeper-0") is None:
        rig.submit("sleeper", ["sleeper-0"])
        rig.run_for(0.5, until=lambda: bool(find_job("sleeper-0") and find_job("sleeper-0").awaited_result))
    first = find_job("sleeper-0")
    assert first is not None
    chat, console = list(first.chat), list(first.console_log)
    number = len(rig.store.root.jobs)
    while number < upto:
        with rig.store.together():
            for _ in range(250):
                job: Any = subtasks.make_job(rig.fleet.catalog, "sleeper", {}, f"sleeper-{number}", 1)
                for name in _STORED:
                    setattr(job, name, getattr(first, name))
                for item in chat:
                    job.chat.append(item)
                for line in console:
                    job.console_log.append(line)
                job.set_status(JobStatus.SUSPENDED)
                number += 1
        rig.store.commit()
    rig.close()


def _latency(folder: Path) -> float:
    """Median milliseconds from submitting to the request, one at a time."""
    rig = _open(folder)
    seen: dict[str, float] = {}
    rig.on_request(lambda request: seen.setdefault(request.job, time.perf_counter()))
    found: list[float] = []

    async def one(name: str) -> None:
        await asyncio.sleep(0.1)  # idle again, and written
        began = time.perf_counter()
        rig.submit("child", [name])
        rig.fleet.poke()
        while name not in seen:  # noqa: ASYNC110 - somebody else sets it
            await asyncio.sleep(0.0005)
        found.append((seen[name] - began) * 1000)
        while not rig.fleet.passes.ready.is_idle():  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.005)

    async def all_of_them() -> None:
        for number in range(SUBMISSIONS):
            await one(f"late-{os.getpid()}-{time.time_ns()}-{number}")

    rig.run_beside(all_of_them())
    rig.close()
    return sorted(found)[len(found) // 2]


def _idle(folder: Path) -> float:
    rig = _open(folder)
    used: list[float] = []

    async def wait() -> None:
        await asyncio.sleep(SETTLING_SECONDS)
        began = time.process_time()
        await asyncio.sleep(IDLE_SECONDS)
        used.append((time.process_time() - began) / IDLE_SECONDS * 100)

    rig.run_beside(wait())
    rig.close()
    return used[0]


def _start(folder: Path) -> float:
    began = time.perf_counter()
    rig = Rig(folder)
    asked: list[float] = []
    rig.on_request(lambda _request: asked.append(time.perf_counter()))
    rig.submit("looper", [f"first-{time.time_ns()}"])
    rig.fleet.recover()
    rig.run_for(10 * SECONDS, until=lambda: bool(asked))
    rig.close()
    return asked[0] - began


def _throughput(folder: Path) -> tuple[float, float]:
    """Steps per second, and CPU of one."""
    rig = _open(folder)
    rig.submit("looper", [f"busy-{n}" for n in range(200)])
    asked: list[float] = []
    rig.on_request(lambda _request: asked.append(time.perf_counter()))
    rig.run_for(2.0)  # until as many are out as may be
    asked.clear()
    began, cpu = time.perf_counter(), time.process_time()
    rig.run_for(2.5)
    steps, seconds = len(asked), time.perf_counter() - began
    used = time.process_time() - cpu
    rig.close()
    return steps / seconds, used * 1000 / max(1, steps)


def _size(folder: Path) -> float:
    return (folder / "statek.db0").stat().st_size


def _memory(folder: Path) -> float:
    rig = _open(folder)
    found = resident_kb()
    rig.close()
    return found
