"""Which jobs can go on: an index in memory, rebuilt from the store at every start. Decides nothing, stores nothing.

A job is in one of these places: `new` (READY, not begun), `runnable` (something for it has arrived), out (a model or an
outside call works for it), or parked (it waits for a child or a future). Out and runnable jobs count as active.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from statek.runtime.newcomers import Newcomers, Tag
from statek.runtime.polling import Polling

_NO_TAG = Tag()


@dataclass
class Vacancy:
    """Room for jobs, given away one by one.

    Attributes:
        room: how many jobs more could begin. While others wait to begin, each queue may have one that does, too.
        new: jobs that wait to begin.
    """

    room: int
    new: Newcomers
    _given: Counter[str] = field(default_factory=Counter)

    def has(self, queue: str, agent: str) -> bool:
        """Is there room for another item of this queue, as a job of this agent?"""
        source = f"Queue/{queue}"
        waits = self.new.count_of(source) + self._given[source]
        is_next = self.room > 0 or (self.new.served() > 0 and not waits)
        return is_next and self.new.room_of(agent) > self._given[agent]

    def take(self, queue: str, agent: str) -> None:
        """An item of this queue takes it."""
        self.room -= 1
        self._given.update((f"Queue/{queue}", agent))


class Ready:
    """Ids of unfinished jobs by what they wait for."""

    def __init__(self) -> None:
        """Start empty; `tag_of` tells by what a job waits for its turn."""
        self.new = Newcomers()
        self.tag_of: Callable[[str, Any], Tag] = lambda _job_id, _job: _NO_TAG
        self._tags: dict[str, Tag] = {}  # of jobs that have begun
        self.runnable: deque[str] = deque()
        self.active: set[str] = set()
        self.parked: dict[str, str] = {}  # job -> child it waits for
        self.futures = Polling()
        self._parents: dict[str, str] = {}  # child -> job that waits for it

    def add_new(self, job_id: str, job: Any = None) -> None:
        """A job that has not begun; `job` itself where it is at hand."""
        self.new.add(job_id, self.tag_of(job_id, job))

    def add_begun(self, job_id: str) -> None:
        """A job that has begun and not ended: it counts for the bounds of its agent."""
        tag = self._tags[job_id] = self.tag_of(job_id, None)
        self.new.begun(tag)

    def tag_anew(self) -> None:
        """The bounds of agents have changed, or by what jobs count for them."""
        new, self.new = self.new, Newcomers()
        self.new.bounds, self.new.serves = new.bounds, new.serves
        for job_id in self._tags:
            self.add_begun(job_id)
            if job_id in self.active:
                self.new.runs(self._tags[job_id], 1)
        for job_id in new:
            self.add_new(job_id)

    def wake(self, job_id: str) -> None:
        """Something arrived for this job: it can go on, wherever it was."""
        child = self.parked.pop(job_id, None)
        if child is not None:
            self._parents.pop(child, None)
        self.futures.discard(job_id)
        self._run(job_id)
        if job_id not in self.runnable:
            self.runnable.append(job_id)

    def park(self, job_id: str, child: str) -> None:
        """The job waits for this child."""
        self._rest(job_id)
        self.parked[job_id] = child
        self._parents[child] = job_id

    def await_future(self, job_id: str) -> None:
        """The job waits for a future that nothing announces."""
        self._rest(job_id)
        self.futures.add(job_id)

    def end(self, job_id: str) -> None:
        """The job has ended; who waited for it can go on."""
        self._rest(job_id)
        tag = self._tags.pop(job_id, None)
        if tag is not None:
            self.new.ended(tag)
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
        while len(self.active) < max_active and (found := self.new.next()) is not None:
            job_id, tag = found
            self._tags[job_id] = tag
            self.new.begun(tag)
            self._run(job_id)
            yield job_id

    def room(self, max_active: int) -> int:
        """How many more jobs could begin now."""
        return max(0, max_active - len(self.active) - self.new.served())

    def vacancy(self, max_active: int) -> "Vacancy":
        """How many items of which queue could begin as jobs now."""
        return Vacancy(self.room(max_active), self.new)

    def is_idle(self) -> bool:
        """Is nothing new, runnable or out?"""
        return not (self.runnable or self.active or self.new.served())

    def _run(self, job_id: str) -> None:
        if job_id not in self.active:
            self.active.add(job_id)
            self.new.runs(self._tags.get(job_id, _NO_TAG), 1)

    def _rest(self, job_id: str) -> None:
        if job_id in self.active:
            self.active.discard(job_id)
            self.new.runs(self._tags.get(job_id, _NO_TAG), -1)
