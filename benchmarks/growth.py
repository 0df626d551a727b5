"""What store and ledger grow by for each small step: an answer that runs `x = x + 1`.

Against the floor of what the store writes for one changed whole number, a bare commit. Alone, a job pays for a commit
of the store with each step; side by side, twenty jobs share one a second. A worker at rest writes nothing.
"""

import asyncio
from pathlib import Path

import dbzero as db0

from benchmarks.measure import Row
from benchmarks.rig import Rig, scratch
from statek.runtime import fleet as fleet_module

STEPS = 200
SIDE_BY_SIDE = 20
_AGENT = """\
---
description: Counts.
model: fast
limits: {turns: 100000, tokens: 900M, wall_clock: 24h}
---
You count.
"""
_REST = """\
apiVersion: statek/v1
kind: Provider
metadata: {name: fast}
spec: {driver: scripted}
---
apiVersion: statek/v1
kind: Model
metadata: {name: fast}
spec: {provider: fast, id: counter}
---
apiVersion: statek/v1
kind: Script
metadata: {name: counter}
spec:
  rules:
    - when: {turn: 1}
      reply: {text: I begin., code: x = 1}
    - when: {turn: %d}
      reply: {text: Done., code: exit(x)}
    - reply: {text: One more., code: x = x + 1}
"""


def measure() -> list[Row]:
    """The floor, a step of one job alone, a step among twenty, and a second of rest, in bytes."""
    with scratch() as folder:
        rig = _rig(folder)
        bare = _bare_commits(rig)
        alone = _alone(rig)
        together = _together(rig)
        rest = _rest(rig)
        rig.close()
    return [
        Row("bare commit of one number", bare, "bytes"),
        *[Row(f"a step of one job alone, {name}", value, "bytes") for name, value in alone.items()],
        Row("a step of one job alone", sum(alone.values()), "bytes", "bare commit", sum(alone.values()) / bare, 12_000),
        *[Row(f"a step among {SIDE_BY_SIDE}, {name}", value, "bytes") for name, value in together.items()],
        Row(f"a step among {SIDE_BY_SIDE}", sum(together.values()), "bytes", "bare commit",
            sum(together.values()) / bare, 2_000),
        Row("two seconds at rest", rest, "bytes", target=0),
    ]  # fmt: skip


def _rig(folder: Path) -> Rig:
    project = folder / "project"
    for name, text in {
        "pyproject.toml": '[tool.statek]\nproject = "growth"\n',
        "agents/counter.md": _AGENT,
        "agents/rest.yaml": _REST % STEPS,
    }.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    rig = Rig(folder)
    rig.apply(project)
    rig.fleet.recover()
    rig.work()
    return rig


def _sizes(rig: Rig) -> dict[str, int]:
    """Bytes in use: the ledger's pages, not its log, whose size is bounded and used again and again."""
    pages = rig.ledger.rows("PRAGMA page_count")[0][0] - rig.ledger.rows("PRAGMA freelist_count")[0][0]
    size = rig.ledger.rows("PRAGMA page_size")[0][0]
    return {"store": (rig.folder / "statek.db0").stat().st_size, "ledger": int(pages * size)}


def _grown(rig: Rig, before: dict[str, int], steps: int) -> dict[str, float]:
    return {name: (size - before[name]) / steps for name, size in _sizes(rig).items()}


def _bare_commits(rig: Rig) -> float:
    before = _sizes(rig)["store"]
    for _ in range(STEPS):
        with rig.store.together():
            rig.store.root.clock_us += 1
        db0.commit()
    return (_sizes(rig)["store"] - before) / STEPS


def _alone(rig: Rig) -> dict[str, float]:
    """A commit after each step, as a job has it whose model takes a second to answer."""
    before, cadence = _sizes(rig), fleet_module.COMMIT_STRETCHES
    fleet_module.COMMIT_STRETCHES = 1
    try:
        rig.run_jobs("counter", ["alone"])
    finally:
        fleet_module.COMMIT_STRETCHES = cadence
    return _grown(rig, before, STEPS)


def _together(rig: Rig) -> dict[str, float]:
    """A commit each time all of them have made a step."""
    before, cadence = _sizes(rig), fleet_module.COMMIT_STRETCHES
    fleet_module.COMMIT_STRETCHES = SIDE_BY_SIDE
    try:
        rig.run_jobs("counter", [f"together-{n}" for n in range(SIDE_BY_SIDE)])
    finally:
        fleet_module.COMMIT_STRETCHES = cadence
    return _grown(rig, before, STEPS * SIDE_BY_SIDE)


def _rest(rig: Rig) -> float:
    """A worker that has nothing to do: started, looking at its inbox, and ended."""
    before = _sizes(rig)

    async def rest() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(2.0, stop.set)
        await rig.fleet.run(stop)

    asyncio.run(rest())
    return float(sum(size - before[name] for name, size in _sizes(rig).items()))
