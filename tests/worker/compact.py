"""Compacts a store and kills itself before one of the acts. `compact.py STORE ACT`."""

import os
import signal
import sys
from pathlib import Path

from statek.worker.compact_alone import compact_alone

if __name__ == "__main__":
    store, last = sys.argv[1:]

    def at(act: str) -> None:
        """Come to an act."""
        if act == last:
            os.kill(os.getpid(), signal.SIGKILL)

    compact_alone(Path(store), (), say=print, at=at)
    sys.exit(f"there is no act {last!r}")
