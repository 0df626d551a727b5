"""What a worker's memory grows by while it works off 2,000 jobs: everything they were should be on disk, not here.

Against the floor of what the same jobs add to the store's file. The store's page cache is part of the growth; it has a
bound of its own (256 MB).
"""

import gc

import dbzero as db0

from benchmarks.measure import Row, resident_kb
from benchmarks.rig import Rig, looping

JOBS = 2_000
BATCH = 250


def measure() -> list[Row]:
    """Bytes on disk for each job, growth of memory for each job, and what stays cached."""
    with looping(turns=2) as rig:
        rig.run_jobs("looper", [f"warm-{n}" for n in range(2 * BATCH)])
        file, memory = _file_kb(rig), _settled_kb()
        for start in range(0, JOBS, BATCH):
            rig.run_jobs("looper", [f"job-{start + n}" for n in range(BATCH)])
        stored = (_file_kb(rig) - file) / JOBS
        grown = (_settled_kb() - memory) / JOBS
        db0.clear_cache()
        cached = db0.get_lang_cache_stats()["size"]
    return [
        Row("a job of two turns in the store's file", stored, "KB"),
        Row(f"memory for each job, over {JOBS:,}", grown, "KB", "in the file", grown / stored),
        Row("stored objects still held at the end", cached, "objects", target=50),
    ]


def _file_kb(rig: Rig) -> float:
    return (rig.folder / "statek.db0").stat().st_size / 1024


def _settled_kb() -> float:
    gc.collect()
    return resident_kb()
