"""The only source of now, monotonic time and sleep.

Everything above takes a Clock as an argument; tests pass `statek.testing.FakeClock`. Times are whole microseconds
since 1970 in UTC (int), durations are float seconds.
"""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the kit needs to know of time."""

    def now_us(self) -> int:
        """Microseconds since 1970, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back; only differences mean something."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait without holding up others."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_us(self) -> int:
        """Microseconds since 1970, UTC."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait without holding up others."""
        import asyncio  # a command that only asks the time does without it

        await asyncio.sleep(seconds)


def as_datetime(us: int) -> datetime:
    """Aware UTC datetime of `us` microseconds since 1970."""
    seconds, micros = divmod(us, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)


def as_text(us: int) -> str:
    """ISO 8601 text in UTC, to the second, for people: `2026-01-31T10:00:00Z`."""
    return as_datetime(us).strftime("%Y-%m-%dT%H:%M:%SZ")
