"""What a child's death means: how long to wait, whether to give up, whether a step is to blame. Pure, in memory.

The supervisor notes each death that was not asked for. The one idea: progress is a ledger that has grown since the
last death. A child that dies again and again but gets on is restarted for ever; one that only dies is not.
"""

from collections import Counter
from dataclasses import dataclass, field

Place = tuple[str, int, int]  # job, turn, statement

POISON_AFTER = 2
GIVE_UP_AFTER = 5
WINDOW_SECONDS = 60.0
FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 5.0


@dataclass(frozen=True)
class Verdict:
    """What to do now.

    Attributes:
        delay: seconds to wait before the next child.
        poisoned: the step that has killed its child for the second time or more; it must not be tried again.
        give_up: too many deaths without progress; start no other child.
    """

    delay: float
    poisoned: Place | None
    give_up: bool


@dataclass
class Deaths:
    """The deaths of one supervisor's children."""

    _times: list[float] = field(default_factory=list)
    _places: Counter[Place] = field(default_factory=Counter)
    _progress: int = -1

    def note(self, at: float, place: Place | None, progress: int) -> Verdict:
        """Note a death.

        Args:
            at: when, in monotonic seconds.
            place: the stretch that ran; None when none did.
            progress: number of the last record in the ledger.
        """
        if progress > self._progress:
            self._times.clear()
            self._progress = progress
        self._times = [time for time in self._times if at - time < WINDOW_SECONDS] + [at]
        delay = min(FIRST_DELAY_SECONDS * 2 ** (len(self._times) - 1), LONGEST_DELAY_SECONDS)
        return Verdict(delay, self._blame(place), len(self._times) >= GIVE_UP_AFTER)

    def _blame(self, place: Place | None) -> Place | None:
        if place is None:
            return None
        self._places[place] += 1
        return place if self._places[place] >= POISON_AFTER else None


@dataclass
class Pulse:
    """How long a child has given no sign of life, counted only while somebody looked.

    A supervisor that was itself stopped for a minute has seen nothing, and must not kill for it.
    """

    beat: int
    looked: float
    silent: float = 0.0
    has_begun: bool = False

    def look(self, at: float, beat: int) -> float:
        """Seconds of silence, given the newest sign of life in the mark. A look counts for at most one second."""
        if beat != self.beat:
            self.beat, self.silent, self.has_begun = beat, 0.0, True
        else:
            self.silent += min(at - self.looked, 1.0)
        self.looked = at
        return self.silent
