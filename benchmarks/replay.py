"""Building a lost store anew from the ledger of the quake desk: records in a second of CPU, and the time it takes.

Against the floor of having worked the same events off the first time.
"""

import time

from benchmarks.desk import EVENTS, desk, work_off
from benchmarks.measure import Row
from benchmarks.rig import Rig, scratch


def measure() -> list[Row]:
    """The live run, the replay of it."""
    with scratch() as folder:
        rig = desk(folder)
        began = time.process_time()
        work_off(rig)
        live = time.process_time() - began
        rig.close()
        spent, records = float("inf"), 0
        for _ in range(2):
            for file in folder.glob("statek.*"):
                file.unlink()
            rig = Rig(folder)
            began = time.process_time()
            records = rig.fleet.recover()
            spent = min(spent, time.process_time() - began)
            rig.close()
    return [
        Row(f"the desk live, {EVENTS} events", live, "s CPU"),
        Row("the same replayed into an empty store", spent, "s CPU", "live", spent / live),
        Row("records replayed", records / spent, "/s CPU"),
    ]
