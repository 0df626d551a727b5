"""What a worker's memory grows by while it works off 2,000 jobs: everything they were should be on disk, not here.

Against the floor of as many bare dbzero objects made and committed in the same process before. The store's page cache
is part of both; it has a bound of its own (256 MB).
"""

import gc

import dbzero as db0

from benchmarks.create import Bare
from benchmarks.measure import Row, resident_kb
from benchmarks.rig import Rig, looping

JOBS = 2_000
BATCH = 250


def measure() -> list[Row]:
    """Growth per object, growth per job, and what stays cached."""
    with looping(turns=2) as rig:
        rig.run_jobs("looper", [f"warm-{n}" for n in range(BATCH)])
        bare = _bare(rig)
        before = _settled()
        for start in range(0, JOBS, BATCH):
            rig.run_jobs("looper", [f"job-{start + n}" for n in range(BATCH)])
        grown = (_settled() - before) / JOBS
        db0.clear_cache()
        cached = db0.get_lang_cache_stats()["size"]
    return [
        Row("bare dbzero object, memory", bare, "KB"),
        Row(f"job of one turn, memory over {JOBS:,}", grown, "KB", "bare object", grown / bare if bare else None),
        Row("stored objects still held at the end", cached, "objects", target=50),
    ]


def _bare(rig: Rig) -> float:
    kept = db0.list()
    before = _settled()
    for _ in range(JOBS // BATCH):
        with rig.store.atomic():
            for _ in range(BATCH):
                kept.append(Bare())
        rig.store.commit()
    return (_settled() - before) / JOBS


def _settled() -> float:
    gc.collect()
    return resident_kb()
