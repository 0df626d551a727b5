"""Which jobs can go on: an index in memory, rebuilt from the store at every start. Decides nothing, stores nothing.

A job is in one of these places: `new` (READY, not begun), `runnable` (something for it has arrived), out (a model or an
outside call works for it), or parked (it waits for a child or a future). Out and runnable jobs count as active.
"""

from collections import deque
from collections.abc import Iterable


class Ready:
    """Ids of unfinished jobs by what they wait for."""

    def __init__(self) -> None:
        """Start empty."""
        self.new: deque[str] = deque()
        self.runnable: deque[str] = deque()
        self.active: set[str] = set()
        self.parked: dict[str, str] = {}  # job -> child it waits for
        self.futures: set[str] = set()
        self._parents: dict[str, str] = {}  # child -> job that waits for it

    def add_new(self, job_id: str) -> None:
        """A job that has not begun."""
        self.new.append(job_id)

    def wake(self, job_id: str) -> None:
        """Something arrived for this job: it can go on, wherever it was."""
        child = self.parked.pop(job_id, None)
        if child is not None:
            self._parents.pop(child, None)
        self.futures.discard(job_id)
        self.active.add(job_id)
        if job_id not in self.runnable:
            self.runnable.append(job_id)

    def park(self, job_id: str, child: str) -> None:
        """The job waits for this child."""
        self.active.discard(job_id)
        self.parked[job_id] = child
        self._parents[child] = job_id

    def await_future(self, job_id: str) -> None:
        """The job waits for a future that nothing announces."""
        self.active.discard(job_id)
        self.futures.add(job_id)

    def end(self, job_id: str) -> None:
        """The job has ended; who waited for it can go on."""
        self.active.discard(job_id)
        child = self.parked.pop(job_id, None)
        if child is not None:
            self._parents.pop(child, None)
        self.futures.discard(job_id)
        parent = self._parents.get(job_id)
        if parent is not None:
            self.wake(parent)

    def pick(self, max_active: int) -> Iterable[str]:
        """Jobs to run now: those something arrived for, then new ones while there is room."""
        for _ in range(len(self.runnable)):
            yield self.runnable.popleft()
        while self.new and len(self.active) < max_active:
            job_id = self.new.popleft()
            self.active.add(job_id)
            yield job_id

    def room(self, max_active: int) -> int:
        """How many more jobs could begin now."""
        return max(0, max_active - len(self.active) - len(self.new))

    def is_idle(self) -> bool:
        """Is nothing new, runnable or out?"""
        return not (self.new or self.runnable or self.active)
