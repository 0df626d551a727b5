"""A step inside one process: scripted provider, an answer of one statement that calls one read tool.

Against the floor of a bare `exec` of the same code, a bare SQLite commit and a bare dbzero commit. Side by side, a
pass and its two ledger commits serve many jobs; alone, one job pays for all of it.
"""

from benchmarks import floors
from benchmarks.measure import Row, cpu_ms
from benchmarks.rig import Rig, looping, scratch

TURNS = 10


def measure() -> list[Row]:
    """Floors, a step among 40 jobs, a step of one job alone."""
    with scratch() as folder:
        sqlite = floors.bare_sqlite(folder)
    bare = floors.bare_exec()
    with looping(turns=TURNS) as rig:
        many = _steps(rig, "many", jobs=40)
        alone = _steps(rig, "alone", jobs=1)
        dbzero = floors.bare_dbzero()
    floor = bare + sqlite
    return [
        Row("bare exec of the statement", bare, "ms CPU"),
        Row("bare SQLite commit", sqlite, "ms CPU"),
        Row("bare dbzero commit", dbzero, "ms CPU"),
        Row("in-process step, 40 jobs side by side", many, "ms CPU", "exec + SQLite commit", many / floor, 1.0),
        Row("in-process step, one job alone", alone, "ms CPU", "exec + 2 SQLite commits", alone / (floor + sqlite)),
    ]


def _steps(rig: Rig, name: str, *, jobs: int) -> float:
    began = 0

    def work() -> None:
        nonlocal began
        rig.run_jobs("looper", [f"{name}-{began + n}" for n in range(jobs)])
        began += jobs

    work()
    return cpu_ms(work, jobs * TURNS)
