"""The quake desk over 200 events of its week: jobs in a second of CPU, live and when the store is built anew.

Against the floor of what the jobs must write at the least: a bare SQLite commit for each job.
"""

import json
import time
from pathlib import Path

from benchmarks import floors
from benchmarks.measure import Row
from benchmarks.rig import ROOT, Rig, scratch
from statek.ledger import inbox

EVENTS = 200


def measure() -> list[Row]:
    """The floor and the desk."""
    with scratch() as folder:
        floor = 1000 / floors.bare_sqlite(folder)
    best = 0.0
    for _ in range(2):
        with scratch() as folder:
            rig = desk(folder)
            best = max(best, work_off(rig))
            rig.close()
    return [
        Row("bare SQLite commits", floor, "/s CPU"),
        Row(f"jobs of the desk, {EVENTS} events", best, "/s CPU", "slower than the floor", floor / best),
    ]


def desk(folder: Path) -> Rig:
    """The desk with its events waiting."""
    rig = Rig(folder)
    rig.apply(ROOT)
    rig.fleet.recover()
    lines = (ROOT / "quakes/data/week.jsonl").read_text().splitlines()[:EVENTS]
    items = [json.loads(line) for line in lines]
    entries = [inbox.NewEntry(f"quakes:{item['id']}", "item", "quakes", {"item": item}, 1) for item in items]
    inbox.append(rig.ledger, entries)
    return rig


def work_off(rig: Rig) -> float:
    """Jobs in a second of CPU. Raises RuntimeError when jobs failed or were left."""
    began = time.process_time()
    rig.work()
    spent = time.process_time() - began
    if rig.fleet.tally.ended < EVENTS:
        raise RuntimeError(f"only {rig.fleet.tally.ended} jobs of {EVENTS} events ended")
    return rig.fleet.tally.ended / spent
