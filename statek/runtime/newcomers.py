"""Jobs that have not begun: whose turn it is, fairly among sources, within the bounds of their agents.

A source is a queue, or an agent that is asked directly. Sources take turns, within one the order of arrival counts, so
a busy source never starves another. An index in memory: it stores nothing and runs nothing. The one idea: a job whose
key is at its bound is put aside until a job of that key ends, so that looking for the next one stays cheap.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tag:
    """What decides when a job may begin.

    Attributes:
        source: `Queue/NAME`, `Agent/ROLE`, or `children`.
        agent: whose bounds count; empty: none do.
        key: the job's key for the agent's bound per key; None: it has none.
    """

    source: str = ""
    agent: str = ""
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many jobs of an agent may run, and how many of one key may have begun and not ended. None: no bound."""

    running: int | None = None
    per_key: int | None = None


_UNBOUNDED = Bounds()


class Newcomers:
    """Ids of jobs that have not begun.

    Attributes:
        bounds: of an agent.
        serves: whether jobs of a source may begin at all.
    """

    def __init__(self) -> None:
        """Start empty, without bounds."""
        self.bounds: Callable[[str], Bounds] = lambda _agent: _UNBOUNDED
        self.serves: Callable[[str], bool] = lambda _source: True
        self._tags: dict[str, Tag] = {}
        self._sources: dict[str, deque[str]] = {}
        self._turns: deque[str] = deque()
        self._waiting: Counter[str] = Counter()  # by source
        self._of_agent: Counter[str] = Counter()
        self._aside: dict[tuple[str, str], deque[str]] = {}
        self._running: Counter[str] = Counter()
        self._of_key: Counter[tuple[str, str]] = Counter()
        self._journal: list[tuple[bool, str, Tag]] = []

    def __len__(self) -> int:
        return len(self._tags)

    def __contains__(self, job_id: object) -> bool:
        return job_id in self._tags

    def __iter__(self) -> Iterator[str]:
        return iter(self._tags)

    def add(self, job_id: str, tag: Tag) -> None:
        """A job that has not begun."""
        if job_id in self._tags:
            return
        self._line(tag.source).append(job_id)
        self._put(job_id, tag)
        self._journal.append((True, job_id, tag))

    def remove(self, job_id: str) -> None:
        """It will not begin. Its place in the line is passed over later."""
        tag = self._tags.get(job_id)
        if tag is not None:
            self._drop(job_id)
            self._journal.append((False, job_id, tag))

    def mark(self) -> None:
        """Remember this moment for `undo`."""
        self._journal.clear()

    def undo(self) -> None:
        """Be as at the mark."""
        for is_new, job_id, tag in reversed(self._journal):
            if is_new and job_id in self._tags:
                self._drop(job_id)
            elif not is_new:
                self._line(tag.source).append(job_id)
                self._put(job_id, tag)
        self._journal.clear()

    def next(self) -> tuple[str, Tag] | None:
        """Take out the job whose turn it is, None when none may begin."""
        for _ in range(len(self._turns)):
            source = self._turns[0]
            self._turns.rotate(-1)
            job_id = self._first_of(source) if self.serves(source) else None
            if job_id is not None:
                tag = self._tags[job_id]
                self._drop(job_id)
                return job_id, tag
        return None

    def count_of(self, source: str) -> int:
        """How many of a source wait."""
        return self._waiting[source]

    def served(self) -> int:
        """How many wait that will begin as soon as there is room."""
        return sum(count for source, count in self._waiting.items() if count and self.serves(source))

    def room_of(self, agent: str) -> float:
        """How many more jobs of the agent could begin, those that wait here counted; infinite without a bound."""
        most = self.bounds(agent).running
        return float("inf") if most is None else most - self._running[agent] - self._of_agent[agent]

    # -- jobs that have begun ---------------------------------------------------------------------------------------

    def begun(self, tag: Tag) -> None:
        """A job of this tag has begun."""
        if tag.key is not None:
            self._of_key[tag.agent, tag.key] += 1

    def ended(self, tag: Tag) -> None:
        """A job of this tag has ended: one that was put aside for it is next."""
        if tag.key is None:
            return
        place = (tag.agent, tag.key)
        self._of_key[place] -= 1
        if self._of_key[place] <= 0:
            del self._of_key[place]
        aside = self._aside.get(place)
        if aside:
            job_id = aside.popleft()
            waiting = self._tags.get(job_id)
            if waiting is not None:
                self._line(waiting.source).appendleft(job_id)
            if not aside:
                del self._aside[place]

    def runs(self, tag: Tag, change: int) -> None:
        """A job of this tag began (1) or ceased (-1) to run."""
        if tag.agent:
            self._running[tag.agent] += change

    def _put(self, job_id: str, tag: Tag) -> None:
        self._tags[job_id] = tag
        self._waiting[tag.source] += 1
        self._of_agent[tag.agent] += 1

    def _drop(self, job_id: str) -> None:
        tag = self._tags.pop(job_id)
        self._waiting[tag.source] -= 1
        self._of_agent[tag.agent] -= 1

    def _is_full(self, agent: str) -> bool:
        most = self.bounds(agent).running if agent else None
        return most is not None and self._running[agent] >= most

    def _line(self, source: str) -> deque[str]:
        if source not in self._sources:
            self._sources[source] = deque()
            self._turns.append(source)
        return self._sources[source]

    def _first_of(self, source: str) -> str | None:
        line = self._sources[source]
        while line:
            tag = self._tags.get(line[0])
            if tag is None:
                line.popleft()  # removed
                continue
            if self._is_full(tag.agent):
                return None
            most = self.bounds(tag.agent).per_key if tag.key is not None else None
            if most is None or self._of_key[tag.agent, str(tag.key)] < most:
                return line.popleft()
            self._aside.setdefault((tag.agent, str(tag.key)), deque()).append(line.popleft())
        return None
