"""Restores a backup and dies before one of its changes of files. `cut.py STORE BACKUP NUMBER`."""

import os
import sys
from pathlib import Path

from statek.base.clock import SystemClock
from statek.worker.restore import restore

CHANGES = {"os.rename", "os.remove", "os.rmdir", "shutil.rmtree"}

if __name__ == "__main__":
    store, backup, number = sys.argv[1:]
    left = int(number)

    def count(event: str, _: object) -> None:
        """Called by Python for everything that it is about to do."""
        global left
        if event in CHANGES:
            left -= 1
            if left < 0:
                os._exit(9)

    sys.addaudithook(count)
    restore(Path(store), Path(backup), clock=SystemClock(), force=False)
