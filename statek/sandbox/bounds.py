"""Time and memory bounds of one stretch of model code, for the whole process. Knows nothing of jobs.

Two ways to notice a runaway stretch: `tick()`, called by the guards in every loop, function and endless iterator, and
a repeating SIGALRM that also sees code stuck inside one C call. The signal handler raises only where nothing of the
host can be torn: in a frame of job source, or in pure library code called straight from one. Anywhere else it sets
`overdue`, and the next tick raises. Off the main thread only ticks apply.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

from statek.exceptions import TimeLimit

ALARM_SECONDS = 0.05
HEARTBEAT_SECONDS = 0.5
STUCK_SECONDS = 60.0  # over its time, in code that cannot be left: no sign of life is given any more
LOOK_EVERY = 0x3FF  # ticks between two looks at the clock
WEIGH_EVERY = 0x1FFF  # ticks between two looks at the memory
BASE_SECONDS = 0.1  # how old the memory may be that growth is counted from
CHARGE_BYTES = 16 << 20  # built values since the last look at the memory
JOB_PREFIX = "<job "

_PAGE = os.sysconf("SC_PAGE_SIZE")
_PURE_FILES: set[str] = set()


def is_job_source(filename: str) -> bool:
    """Whether code with this `co_filename` was written by a model."""
    return filename.startswith(JOB_PREFIX)


def declare_pure(filename: str) -> None:
    """Say that code of this file may be left at any instruction (it holds nothing of the host)."""
    _PURE_FILES.add(filename)


def resident_bytes() -> int:
    """Memory of this process that is in RAM."""
    with open("/proc/self/statm", "rb", buffering=0) as file:  # noqa: PTH123 - a hot path
        return int(file.read(64).split()[1]) * _PAGE


def _may_raise_in(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code.co_filename in _PURE_FILES:
        frame = frame.f_back
    return frame is not None and is_job_source(frame.f_code.co_filename)


class Watchdog:
    """Bounds of the stretch that runs now. One stretch at a time; entered and left outside the greenlet."""

    def __init__(self) -> None:
        """Start disarmed; ticks cost next to nothing then."""
        self.overdue = False
        self.reason = ""
        self._armed = False
        self._ends = 0.0
        self._grace = STUCK_SECONDS
        self._seconds = 0.0
        self._memory = 0
        self._ceiling = 0
        self._base = 0
        self._weighed_at = -BASE_SECONDS
        self._ticks = 0
        self._charged = 0
        self._installed = False
        self._heartbeat: Callable[[], None] | None = None
        self._next_beat = 0.0
        self._every = 0.0

    def install(self, heartbeat: Callable[[], None] | None = None) -> None:
        """Take SIGALRM; `heartbeat` is called from the handler about twice a second: brief and safe anywhere.

        Raises:
            ValueError: not on the main thread.
        """
        signal.signal(signal.SIGALRM, self._on_alarm)
        signal.siginterrupt(signal.SIGALRM, False)  # a write of the store that is under way must not fail with EINTR
        self._heartbeat = heartbeat
        self._installed = True
        self._set_timer()

    def uninstall(self) -> None:
        """Stop the timer and leave SIGALRM ignored."""
        if self._installed:
            signal.setitimer(signal.ITIMER_REAL, 0)
            self._every = 0.0
            signal.signal(signal.SIGALRM, signal.SIG_IGN)
            self._installed = False

    def armed(self, seconds: float, memory_bytes: int, *, grace: float = STUCK_SECONDS) -> "_Armed":
        """Bound what runs inside the block to `seconds` of wall time, from now on, and `memory_bytes` of growth.

        What cannot be left goes on beyond its time; after `grace` more seconds no sign of life is given any more.
        """
        self._seconds, self._memory, self._grace = seconds, memory_bytes, grace
        self._ends = time.monotonic() + seconds
        if self._ends - seconds > self._weighed_at + BASE_SECONDS:
            self._weighed_at = self._ends - seconds
            self._base = resident_bytes()
        self._ceiling = self._base + memory_bytes
        self.overdue, self.reason, self._charged, self._armed = False, "", 0, True
        self._set_timer()
        return _Armed(self)

    def disarm(self) -> None:
        """End what `armed` began."""
        self._armed = self.overdue = False
        self._set_timer()

    def tick(self) -> None:
        """Count one step of model code.

        Raises:
            TimeLimit: the stretch is over its time or memory.
        """
        self._ticks = ticks = self._ticks + 1
        if self.overdue:
            raise TimeLimit(self.reason)
        if not ticks & LOOK_EVERY and self._armed:
            self._look(weigh=not ticks & WEIGH_EVERY)

    def turns(self, count: int) -> None:
        """Count `count` steps at once, `count` a power of two up to the look interval.

        Raises:
            TimeLimit: the stretch is over its time or memory.
        """
        self._ticks = ticks = (self._ticks // count + 1) * count
        if self.overdue:
            raise TimeLimit(self.reason)
        if not ticks & LOOK_EVERY and self._armed:
            self._look(weigh=not ticks & WEIGH_EVERY)

    def charge(self, size: int) -> None:
        """Note that a value of about `size` bytes is built; look at the memory when they add up.

        Raises:
            TimeLimit: the stretch is over its time or memory.
        """
        self._charged += size
        if self._charged > CHARGE_BYTES and self._armed:
            self._charged = 0
            self._look(weigh=True)

    def _look(self, *, weigh: bool) -> None:
        self._judge(weigh=weigh)
        if self.overdue:
            raise TimeLimit(self.reason)

    def _judge(self, *, weigh: bool) -> None:
        if time.monotonic() > self._ends:
            self.overdue = True
            self.reason = f"the code ran longer than {self._seconds:g} s and was stopped"
        elif weigh and resident_bytes() > self._ceiling:
            self.overdue = True
            self.reason = f"the code took more than {self._memory >> 20} MB of memory and was stopped"

    def _is_stuck(self) -> bool:
        return self._armed and time.monotonic() > self._ends + self._grace

    def _set_timer(self) -> None:
        """Keep the timer going: set anew for every stretch it would not fire as long as stretches are short."""
        every = ALARM_SECONDS if self._armed or self._heartbeat is not None else 0.0
        if every == self._every or not self._installed:
            return
        if threading.get_ident() == threading.main_thread().ident:
            self._every = every
            signal.setitimer(signal.ITIMER_REAL, every, every)

    def _on_alarm(self, _number: int, frame: FrameType | None) -> None:
        if self._heartbeat is not None and time.monotonic() >= self._next_beat and not self._is_stuck():
            self._next_beat = time.monotonic() + HEARTBEAT_SECONDS
            self._heartbeat()
        if self._armed:
            if not self.overdue:
                self._judge(weigh=True)
            if self.overdue and _may_raise_in(frame):
                raise TimeLimit(self.reason)


class _Armed:
    """The block that `Watchdog.armed` bounds."""

    def __init__(self, watchdog: Watchdog) -> None:
        self._watchdog = watchdog

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_error: object) -> None:
        self._watchdog.disarm()


WATCHDOG = Watchdog()
"""The one of this process: guards tick it, the scheduler arms it."""
