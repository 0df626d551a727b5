"""When to look again at jobs that wait for futures nobody announces: a set of their ids with a time for each.

Nothing here asks a condition or knows a job. What is due is at the top of a heap, so jobs that are not due cost
nothing. A job is looked at soon after it began to wait, then less and less often: at last every `LONGEST_FEW` seconds
while at most `FEW` wait, which is how late a change from outside of the process is seen; more of them share
`CHECKS_PER_SECOND`, so that ten thousand cost less than a hundredth of a core, up to `LONGEST` seconds each. Jobs that
ask the same question count once: whoever is due asks for all. Work in this process brings checks forward: those of
futures whose dependencies were met at once, of the rest a bounded number, and of these none more often than every
`FIRST` seconds, so that jobs at work do not pay for those that wait.
Empty after a restart; whoever fills it from the store starts every job anew.
"""

import heapq
import itertools
from collections import deque
from collections.abc import Hashable, Iterable, Iterator, MutableSet
from dataclasses import dataclass
from typing import Any, Protocol

FIRST = 0.05  # seconds until the first look, and between any two
FEW = 300
LONGEST_FEW = 0.7
LONGEST = 60.0
CHECKS_PER_SECOND = 200  # of one condition each: 30 to 50 us
AT_ONCE = 50  # looks of one turn: no other job waits long for them; four turns a second are CHECKS_PER_SECOND
MET = 200  # brought forward for one thing that was met
HURRIED = 50  # brought forward by any work of this process
REMEMBERED = 10_000  # jobs whose last wake is remembered


class Watch(Protocol):
    """For what a job waits: addresses of stored objects, and a question that others may ask too (None: nobody)."""

    @property
    def deps(self) -> frozenset[str]:
        """Addresses."""
        ...

    @property
    def question(self) -> Hashable:
        """The question."""
        ...


@dataclass
class _Wait:
    entry: int  # its place in the heap; others of the same job are no longer meant
    delay: float
    watch: Any = None


class Polling(MutableSet[str]):
    """Ids of waiting jobs; times are seconds of one monotonic clock, given by the caller."""

    def __init__(self, jobs: Iterable[str] = ()) -> None:
        """Start with `jobs`."""
        self._waits: dict[str, _Wait | None] = {}  # None: not looked at since it was added
        self._fresh: deque[str] = deque()
        self._heap: list[tuple[float, int, str]] = []
        self._order = itertools.count()
        self._by_name: dict[Hashable, set[str]] = {}
        self.longest = LONGEST_FEW  # seconds between two looks at a job that waits long, by how many wait
        self._woken: dict[str, tuple[object, float]] = {}
        self._hurried_at = float("-inf")
        self._has_to_hurry = False  # something was done too soon after the last time
        for job_id in jobs:
            self.add(job_id)

    def __contains__(self, job_id: object) -> bool:
        return job_id in self._waits

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._waits))

    def __len__(self) -> int:
        return len(self._waits)

    def add(self, job_id: str) -> None:
        """A job begins to wait."""
        if job_id not in self._waits:
            self._waits[job_id] = None
            self._fresh.append(job_id)

    def discard(self, job_id: str) -> None:
        """It waits no more."""
        wait = self._waits.pop(job_id, None)
        if wait is not None:
            self._unwatch(job_id, wait)

    # -- looking ------------------------------------------------------------------------------------------------------

    def due(self, now: float) -> list[str]:
        """Jobs to look at now; each is then discarded, or put off by `again`."""
        while self._fresh:
            job_id = self._fresh.popleft()
            if job_id in self._waits and self._waits[job_id] is None:
                self._put(job_id, now, self._woken.get(job_id, (None, FIRST))[1])
        if self._has_to_hurry:
            self.hurry(now)
        number = len(self._waits)
        self.longest = LONGEST_FEW if number <= FEW else min(number / CHECKS_PER_SECOND, LONGEST)
        found: list[str] = []
        while self._heap and self._heap[0][0] <= now and len(found) < AT_ONCE:
            _, entry, job_id = heapq.heappop(self._heap)
            wait = self._waits.get(job_id)
            if wait is not None and wait.entry == entry:
                found.append(job_id)
        return found

    def again(self, job_id: str, now: float, *, at_once: bool = False) -> None:
        """Look later, and more seldom; or in the next turn."""
        wait = self._waits.get(job_id)
        if wait is not None and at_once:
            self._put(job_id, now, wait.delay, after=0.0)
        elif wait is not None:
            self._put(job_id, now, min(max(wait.delay * 2, self.longest / 8), self.longest))

    def watch(self, job_id: str, watch: Watch) -> None:
        """Say for what it waits."""
        wait = self._waits.get(job_id)
        if wait is None or wait.watch is not None:
            return
        wait.watch = watch
        for name in _names(watch):
            self._by_name.setdefault(name, set()).add(job_id)

    def watch_of(self, job_id: str) -> Any:
        """For what it waits, as `watch` said."""
        wait = self._waits.get(job_id)
        return None if wait is None else wait.watch

    def woke(self, job_id: str, place: object) -> None:
        """It is ready and goes on; should it wait again at the same place, it is looked at more seldom each time."""
        before, delay = self._woken.get(job_id, (None, FIRST))
        if len(self._woken) >= REMEMBERED:
            self._woken.clear()
        self._woken[job_id] = (place, min(delay * 2, LONGEST_FEW) if before == place else FIRST)

    def seconds(self, now: float, most: float) -> float:
        """How long nobody needs to look: up to `most`."""
        if self._fresh or self._has_to_hurry:
            return min(FIRST, most)
        if not self._heap or self._heap[0][0] >= now + most or len(self._waits) > FEW:
            return most
        return max(FIRST / 2, self._heap[0][0] - now)

    # -- work of this process -----------------------------------------------------------------------------------------

    @property
    def is_watching(self) -> bool:
        """Is there anything to be met?"""
        return bool(self._by_name)

    def met(self, addresses: Iterable[str], now: float) -> None:
        """Stored objects took part in what ran: look at once at those who wait for them."""
        for address in addresses:
            self._forward(address, now)

    def answered(self, question: Hashable, now: float) -> None:
        """A condition said yes: look at once at others who ask the same."""
        self._forward(("question", question), now)

    def _forward(self, name: Hashable, now: float) -> None:
        for job_id in itertools.islice(self._by_name.get(name, ()), MET):
            self._put(job_id, now, FIRST, after=0.0)

    def hurry(self, now: float) -> None:
        """Something was done in this process: bring the next looks forward, a bounded number of them, now or soon."""
        self._has_to_hurry = now < self._hurried_at + FIRST
        if self._has_to_hurry:
            return
        self._hurried_at = now
        soon = [heapq.heappop(self._heap) for _ in range(min(HURRIED, len(self._heap)))]
        for due, entry, job_id in soon:
            wait = self._waits.get(job_id)
            if wait is not None and wait.entry == entry:
                self._put(job_id, min(due, now + FIRST), wait.delay, after=0.0)

    def _put(self, job_id: str, now: float, delay: float, *, after: float | None = None) -> None:
        due, entry = now + (delay if after is None else after), next(self._order)
        wait = self._waits.get(job_id)
        if wait is None:
            self._waits[job_id] = _Wait(entry, delay)
        else:
            wait.entry, wait.delay = entry, delay
        heapq.heappush(self._heap, (due, entry, job_id))

    def _unwatch(self, job_id: str, wait: _Wait) -> None:
        for name in _names(wait.watch) if wait.watch is not None else ():
            watching = self._by_name[name]
            watching.discard(job_id)
            if not watching:
                del self._by_name[name]


def _names(watch: Watch) -> Iterator[Hashable]:
    yield from watch.deps
    if watch.question is not None:
        yield "question", watch.question
