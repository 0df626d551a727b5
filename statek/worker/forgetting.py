"""Forgetting finished jobs: the inputs that ask for it, and the worker's own when it has nothing else to do.

What may go is decided by `store.retention`, and once more when the input is taken in. The one idea: a removal is an
input like any other, so it stands in the ledger and a replay forgets the same jobs at the same place. It goes in
slices: dropping much at once would hold everybody up.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from statek.base.clock import Clock
from statek.ledger import inbox
from statek.ledger.file import LedgerFile
from statek.ledger.inbox import InputKind, NewEntry
from statek.store.retention import Keep, forgettable

SLICE = 200  # jobs of one input; a family is never cut
LOOK_SECONDS = 30.0  # between two looks of an idle worker
BUSY_SECONDS = 1.0  # between two slices
LOOK_AT = 2_000  # slots of one look
_DAY_US = 86_400_000_000


@dataclass(frozen=True)
class Rule:
    """How long finished jobs stay, in days, and how many stay whenever they ended."""

    days: float
    jobs: int

    def keep(self, now_us: int) -> Keep:
        """The rule, now."""
        return Keep(now_us - int(self.days * _DAY_US), self.jobs)


def ask_to_forget(ledger: LedgerFile, families: Sequence[Sequence[str]], at_us: int) -> int:
    """Write the inputs; on return they are acknowledged. Returns how many jobs they name."""
    slices: list[list[str]] = []
    for family in families:
        if not slices or len(slices[-1]) + len(family) > SLICE:
            slices.append([])
        slices[-1] += family
    inbox.append(ledger, [
        NewEntry(f"forget {ids[0]} {at_us}", InputKind.FORGET, None, {"jobs": ids}, at_us) for ids in slices
    ])  # fmt: skip
    return sum(len(ids) for ids in slices)


class Forgetting:
    """Looks through the finished jobs of a store, a piece at a time, while its worker is idle."""

    def __init__(self, ledger: Path, clock: Clock, rule: Rule, is_idle: Callable[[], bool]) -> None:
        """`ledger` is opened for each input: what another connection commits is what the worker notices."""
        self._ledger = ledger
        self._clock = clock
        self._rule = rule
        self._is_idle = is_idle
        self._start = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        while not stop.is_set():
            goes_on = self._is_idle() and self.look()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), BUSY_SECONDS if goes_on else LOOK_SECONDS)

    def look(self) -> bool:
        """Look at one piece and ask for what may go; whether there is more to look at."""
        now_us = self._clock.now_us()
        found = forgettable(self._rule.keep(now_us), start=self._start, look_at=LOOK_AT, most=SLICE)
        self._start = found.next_slot
        if found.families:
            with LedgerFile.open(self._ledger) as ledger:
                ask_to_forget(ledger, found.families, now_us)
        return found.next_slot > 0
