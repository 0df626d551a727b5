"""Time as it would go by on a machine that has nothing else to do: for tests of how long something takes."""

import time
from pathlib import Path

_SCHEDULED = Path("/proc/thread-self/schedstat")  # nanoseconds that this thread ran, that it stood in line, ...


def own_seconds() -> float:
    """Seconds on a clock that stands still while this thread waits for a processor; only differences mean something.

    It goes on while the thread sleeps or waits for anything else: a call that holds up its caller is seen.
    """
    return time.monotonic() - int(_SCHEDULED.read_bytes().split()[1]) / 1e9
