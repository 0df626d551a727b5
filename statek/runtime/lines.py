"""The waiting line of one queue: which of its items is next, without looking at the others.

An index in memory over the inbox: places and keys, never whole items, and no more than a window of them where the
order of arrival is all that counts. Items that leave the inbox otherwise are found to be gone when their turn comes.
"""

import heapq
from collections import Counter
from dataclasses import dataclass

from statek.ledger import compiled, inbox, items
from statek.ledger.file import LedgerFile
from statek.ledger.inbox import InputKind

WINDOW = 500

_Turn = tuple[float, int, int]  # urgency, 0 for another try and 1 for the first, place in the inbox


@dataclass(frozen=True, slots=True)
class Turn:
    """The item whose turn it is."""

    n: int
    key: str | None
    place: _Turn


class Line:
    """The items of one queue that may become jobs as soon as there is room."""

    def __init__(self, queue: compiled.Queue) -> None:
        """Start empty: `note` and `refill` fill it."""
        self.queue = queue
        self.is_windowed = queue.key is None and queue.order != "priority"
        self.unfinished = 0  # jobs
        self.later_of_key: Counter[str] = Counter()  # items that wait for another try
        self._running: Counter[str] = Counter()
        self._most = 1 if queue.order == "key-fifo" else queue.per_key
        self._turns: list[_Turn] = []
        self._keys: dict[int, str] = {}
        self._aside: dict[str, list[_Turn]] = {}
        self._more = False
        self._read_to = 0

    def note(self, file: LedgerFile, n: int) -> None:
        """An item has come in at place `n`."""
        if self.is_windowed:
            self._more = True
        elif (entry := inbox.at(file, n)) is not None:
            self.add(entry, is_again=False)

    def add(self, entry: inbox.Entry, *, is_again: bool) -> None:
        """An item whose time has come."""
        item = entry.body["item"]
        key = items.key_of(self.queue, item)
        if key is not None:
            self._keys[entry.n] = key
        heapq.heappush(self._turns, (items.rank_of(self.queue, item), 0 if is_again else 1, entry.n))

    def next(self, file: LedgerFile) -> Turn | None:
        """Take out the item whose turn it is; None when none can go on."""
        if self.is_windowed and self._more and len(self._turns) < WINDOW // 2:
            self._refill(file)
        while self._turns:
            place = heapq.heappop(self._turns)
            key = self._keys.get(place[2])
            if key is None or not self._is_held(key, is_again=place[1] == 0):
                self._keys.pop(place[2], None)
                return Turn(place[2], key, place)
            heapq.heappush(self._aside.setdefault(key, []), place)
        return None

    def put_back(self, turn: Turn) -> None:
        """It could not go on after all."""
        if turn.key is not None:
            self._keys[turn.n] = turn.key
        heapq.heappush(self._turns, turn.place)

    def begins(self, key: str | None) -> None:
        """An item has become a job."""
        self.unfinished += 1
        if key is not None:
            self._running[key] += 1

    def ends(self, key: str | None) -> None:
        """A job of this queue has ended."""
        self.unfinished -= 1
        if key is not None:
            self._running[key] -= 1
            self.release(key)

    def release(self, key: str) -> None:
        """Something of this key has gone on: the next one that was put aside may."""
        if self._running[key] <= 0:
            del self._running[key]
        aside = self._aside.get(key)
        if aside:
            heapq.heappush(self._turns, heapq.heappop(aside))
            if not aside:
                del self._aside[key]

    def _is_held(self, key: str, *, is_again: bool) -> bool:
        if self._most is not None and self._running[key] >= self._most:
            return True
        return self.queue.order == "key-fifo" and not is_again and self.later_of_key[key] > 0

    def _refill(self, file: LedgerFile) -> None:
        found = inbox.places(file, InputKind.ITEM, self.queue.name, self._read_to, WINDOW)
        for n in found:
            heapq.heappush(self._turns, (0.0, 1, n))
        self._read_to = found[-1] if found else self._read_to
        self._more = len(found) == WINDOW
