"""Inputs that are taken in whatever the room: all but waiting items, in the order of arrival.

Chooses, and takes nothing in. The one idea: a message never comes before the input of its job, so one whose job still
waits as an item of a queue is laid aside until that item has left the inbox, and holds up nothing that came behind it.
An item that is cancelled does not wait for its turn: it is taken in there and then, to end.
What is laid aside is known in memory alone; the next process reads it again. Not here: which items become jobs
(`admission`).
"""

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from itertools import islice

from statek.ledger import inbox, items
from statek.ledger.file import LedgerFile
from statek.ledger.inbox import Entry, InputKind
from statek.runtime.intake import POISON

MAX_INPUTS = 32  # taken in by one pass; the first of many are at work while the others are taken in
LOOKED_AT = 5_000  # read by one pass at the most, where many are laid aside
LOOKED_AFTER = 20  # items that one pass looks after, because a person may have dropped them
_KINDS = (InputKind.SUBMIT, InputKind.PUSH, InputKind.CANCEL, InputKind.RELEASE, InputKind.FORGET, POISON)


class Inbound:
    """The inputs of one ledger, for one process."""

    def __init__(self, ledger: LedgerFile) -> None:
        """Know nothing yet: the first choice begins with the oldest that waits."""
        self._ledger = ledger
        self._upto = 0  # all inputs up to this place have been chosen or laid aside
        self._aside: dict[str, list[int]] = {}  # the places of messages, by the job whose own input waits
        self._freed: deque[int] = deque()  # the places of messages whose job's input has left the inbox
        self.is_behind = False  # the last choice left something to be chosen by the next one

    def choose(self, begun: Collection[str], seen: int) -> list[Entry]:
        """The next inputs to take in, with the messages to the items `begun` by this pass; at most MAX_INPUTS.

        Args:
            begun: ids of what was chosen already, and comes before these.
            seen: the last place of the inbox that this pass knows of.
        """
        self._look_after()
        for item in begun:
            self._free(item)
        chosen = self._take_freed()
        if not self._freed:
            chosen += self._read({*begun, *(entry.id for entry in chosen)}, seen)
        self.is_behind = bool(self._freed) or seen > self._upto
        return chosen

    def has_more(self) -> bool:
        """Does any input wait that can be taken in now?"""
        if self._freed or any(inbox.find(self._ledger, item) is None for item in self._aside):
            return True
        return bool(inbox.waiting(self._ledger, kinds=_KINDS, after=self._upto, limit=1))

    def _read(self, comes_first: set[str], seen: int) -> list[Entry]:
        chosen: list[Entry] = []
        for entry in self._pages(seen):
            self._upto = entry.n
            if entry.kind == InputKind.CANCEL and str(entry.target) not in comes_first:
                together = self._taken_to_end(str(entry.target))
                chosen += together
                comes_first.update(one.id for one in together)
            elif self._waits_for_its_job(entry, comes_first):
                self._aside.setdefault(str(entry.target), []).append(entry.n)
                continue
            chosen.append(entry)
            comes_first.add(entry.id)
            if self._free(entry.id) or len(chosen) >= MAX_INPUTS:
                break  # what was freed comes before whatever else is for this job
        return chosen

    def _pages(self, seen: int) -> Iterator[Entry]:
        """What waits behind the last that was read; at its end all up to `seen` has been read, or LOOKED_AT entries."""
        for _ in range(LOOKED_AT // MAX_INPUTS):
            if seen <= self._upto:
                return
            found = inbox.waiting(self._ledger, kinds=_KINDS, after=self._upto, limit=MAX_INPUTS)
            yield from found
            if len(found) < MAX_INPUTS:
                self._upto = max(self._upto, seen)

    def _waits_for_its_job(self, entry: Entry, comes_first: Collection[str]) -> bool:
        if entry.kind != InputKind.PUSH:
            return False
        target = str(entry.target)
        return target in self._aside or (target not in comes_first and inbox.find(self._ledger, target) is not None)

    def _taken_to_end(self, item: str) -> list[Entry]:
        """The item that waits under that id, and the messages to it; nothing when it does not wait for its turn."""
        found = inbox.find(self._ledger, item)
        if found is None or items.is_dead(found):
            return []
        return [found, *self._waiting_at(self._aside.pop(item, []))]

    def _free(self, job: str) -> bool:
        places = self._aside.pop(job, None)
        self._freed.extend(places or ())
        return places is not None

    def _take_freed(self) -> list[Entry]:
        return self._waiting_at([self._freed.popleft() for _ in range(min(len(self._freed), MAX_INPUTS))])

    def _waiting_at(self, places: Iterable[int]) -> list[Entry]:
        found = (inbox.at(self._ledger, place) for place in places)
        return [entry for entry in found if entry is not None]

    def _look_after(self) -> None:
        """Some items in turn: one that was dropped or given up leaves nothing for its messages to wait for."""
        for item in list(islice(self._aside, LOOKED_AFTER)):
            places = self._aside.pop(item)
            if inbox.find(self._ledger, item) is None:
                self._freed.extend(places)
            else:
                self._aside[item] = places
