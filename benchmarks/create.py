"""Making jobs when 100, 1,000 and 10,000 are stored already: it should cost the same.

Against the floor of a bare dbzero object of one field that is hung into a list.
"""

import dbzero as db0

from benchmarks.measure import Row, cpu_ms
from benchmarks.rig import Rig, looping
from statek.runtime import subtasks

BATCH = 100


@db0.memo(id="benchmarks/Bare")
class Bare:
    """One field."""

    def __init__(self) -> None:
        self.value = 1


def measure() -> list[Row]:
    """The bare object, a job at each size."""
    with looping(turns=1) as rig:
        bare = _bare(rig)
        rows = [Row("bare dbzero object", bare, "ms CPU")]
        for size in (100, 1_000, 10_000):
            _fill(rig, size)
            each = _jobs(rig)
            rows.append(Row(f"a job when {size:,} are stored", each, "ms CPU", "bare object", each / bare))
    first, last = rows[1].value, rows[-1].value
    return [*rows, Row("the last against the first", last, "ms CPU", "a job at 100", last / first)]


def _make(rig: Rig, prefix: str, count: int) -> None:
    with rig.store.together():
        for number in range(count):
            subtasks.make_job(rig.fleet.catalog, "looper", {}, f"{prefix}-{number}", 1)


def _fill(rig: Rig, size: int) -> None:
    while len(rig.store.root.jobs) < size:
        stored = len(rig.store.root.jobs)
        _make(rig, f"fill-{stored}", min(500, size - stored))
        rig.store.commit()


def _jobs(rig: Rig) -> float:
    def many() -> None:
        _make(rig, f"more-{len(rig.store.root.jobs)}", BATCH)
        rig.store.commit()

    return cpu_ms(many, BATCH, rounds=4)


def _bare(rig: Rig) -> float:
    kept = db0.list()

    def many() -> None:
        with rig.store.together():
            for _ in range(BATCH):
                kept.append(Bare())
        rig.store.commit()

    return cpu_ms(many, BATCH)
