"""Makes a backup for tests and stops in the middle: `backing.py STORE TARGET die|wait`."""

import os
import signal
import sys
from pathlib import Path

from statek.base.clock import SystemClock
from statek.worker.backup import make_backup


class Stopping(SystemClock):
    """A clock that dies, or says so and waits for a line, when the copy is proved."""

    def now_us(self) -> int:
        """Stop, then tell the time."""
        if sys.argv[3] == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        print("here", flush=True)
        sys.stdin.readline()
        return super().now_us()


if __name__ == "__main__":
    make_backup(Path(sys.argv[1]), Path(sys.argv[2]), python_path=(), clock=Stopping())
