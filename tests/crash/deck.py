"""The named places where processes die, and which of them comes next: each is tried until somebody died there.

A place is a function and up to which call of it. The one idea: chance alone leaves rare places out, so those where
nobody has died yet come first, in an order of the dice, and one that was not reached comes again, at its first call.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

_RUNTIME = "statek.runtime"
_COMPACTION = {
    "statek.worker.compaction:_require_likeness": 1, "statek.worker.compaction:_swap": 1,
    "statek.worker.compaction:sync_folder": 3, "statek.worker.compaction:_renew_copies": 1,
    "statek.worker.compaction:_Processes.look": 2,
}  # fmt: skip
POINTS = {
    "child": {
        f"{_RUNTIME}.passes:Passes._take_inputs": 30, f"{_RUNTIME}.passes:Passes.take_arrivals": 60,
        f"{_RUNTIME}.passes:Passes._have_effect": 10, f"{_RUNTIME}.passes:Passes._record": 60,
        f"{_RUNTIME}.asking:Asker.ask": 40,
        f"{_RUNTIME}.passes:Passes._advance": 100, f"{_RUNTIME}.passes:Passes._give_up": 2,
        f"{_RUNTIME}.passes:Passes._end": 12, f"{_RUNTIME}.passes:Passes.rebuild": 1,
        f"{_RUNTIME}.fleet:Fleet._perform": 60, f"{_RUNTIME}.fleet:Fleet._performed": 60,
        f"{_RUNTIME}.fleet:Fleet.checkpoint": 30, f"{_RUNTIME}.fleet:Fleet._wake_waiting": 3,
        f"{_RUNTIME}.fleet:Fleet._drain": 1, f"{_RUNTIME}.passes:Passes.record_arrivals": 60,
        f"{_RUNTIME}.performing:Performer.perform_inline": 40, f"{_RUNTIME}.performing:Performer.perform": 8,
        f"{_RUNTIME}.replay:_take": 40, f"{_RUNTIME}.replay:_run": 40,
        f"{_RUNTIME}.cleanup:_intend": 2, f"{_RUNTIME}.cleanup:error_of": 2, f"{_RUNTIME}.step:Steps.advance": 100,
        f"{_RUNTIME}.admission:Admission.after_end": 10, f"{_RUNTIME}.admission:Admission.write": 20,
        f"{_RUNTIME}.admission:Admission.give_up": 1,
        "statek.ledger.inbox:take": 20, "statek.ledger.items:put_again": 2, "statek.ledger.items:bury": 1,
        "statek.store.retention:forget": 1, "statek.store.retention:_cut": 1,
        "statek.store.session:Store.commit": 30, "statek.base.preimage:PreImage.save": 20,
        "statek.base.preimage:PreImage.void": 20, "statek.base.rotation:keep": 1, "statek.base.rotation:thin_out": 1,
        "statek.base.guarded_file:hold_state": 1, "statek.worker.copying:Copying._prove": 1,
        "statek.worker.compaction:drop_former": 1,
        "statek.ledger.pruning:prune": 1, "statek.ledger.pruning:_prune_slice": 1,
    },
    "drain": {f"{_RUNTIME}.fleet:Fleet._drain": 1, "statek.store.session:Store.close": 1},
    "supervisor": {
        "statek.worker.recovery:prepare_store": 1, "statek.worker.recovery:_is_sound": 1,
        "statek.worker.recovery:_probe": 1, "statek.base.preimage:PreImage.restore": 1,
    },
    "recovery": {
        "statek.worker.recovery:_newest_good": 1, "statek.worker.recovery:replace_store": 1,
        "statek.base.guarded_file:move_aside": 1, "statek.base.guarded_file:put_in_place": 1,
        "statek.base.guarded_file:_copy_synced": 1,
    },
    "compacting worker": _COMPACTION,
    "compact": _COMPACTION,
    "rewriting": {
        "statek.store.compacted:write": 1, "statek.store.compacted:_settle": 1, "statek.store.compacted:likeness": 1,
    },
    "backup": {
        "statek.worker.backup:_copy_both": 1, "statek.worker.backup:_prove": 1, "statek.worker.backup:_publish": 1,
        "statek.worker.backup:sync_file": 2, "statek.worker.backup:sync_folder": 2,
    },
    "copied child": {"statek.worker.copying:copy_to": 1},
    "restore": {
        "statek.worker.restore:_unpack": 1, "statek.worker.restore:_verify": 1, "statek.worker.restore:sync_file": 2,
        "statek.worker.restore:sync_folder": 6, "statek.worker.restore:_move_old": 1,
        "statek.worker.restore:finish_restore": 2,
    },
    "restoring worker": {"statek.worker.restore:finish_restore": 1, "statek.worker.restore:_move_old": 1},
    "host": {
        f"{_RUNTIME}.delivery:forward_messages": 20, f"{_RUNTIME}.delivery:take_agent_events": 20,
        f"{_RUNTIME}.delivery:_take_event": 4, f"{_RUNTIME}.fleet:Fleet.checkpoint": 20,
        f"{_RUNTIME}.passes:Passes._take_inputs": 20, f"{_RUNTIME}.passes:Passes._record": 30,
        "statek.ledger.inbox:append": 10, "statek.ledger.inbox:take": 10, "statek.store.session:Store.commit": 20,
        "statek.store.queue:StatekPushQueue.ack_job_console": 10,
        "statek.store.queue:StatekPushQueue.ack_agent_events": 4,
    },
}  # fmt: skip
"""Where: by who dies there, and how it comes to that; function, and up to which call of it."""
DIES = {
    "drain": "child", "copied child": "child", "recovery": "supervisor", "compacting worker": "supervisor",
    "restoring worker": "supervisor",
}  # fmt: skip
"""The kind of process of those that are not kinds of processes themselves."""


@dataclass(frozen=True)
class Order:
    """Who is to die where: `before` or `after` that call."""

    who: str
    where: str
    when: str
    count: int

    @property
    def text(self) -> str:
        """As the file of the point says it."""
        return f"{DIES.get(self.who, self.who)} {self.where} {self.when} {self.count}"

    @property
    def place(self) -> tuple[str, str, str]:
        """Without the call."""
        return self.who, self.where, self.when


class Deck:
    """What is left of the places."""

    def __init__(self, dice: random.Random, *, hosts: bool = False) -> None:
        """All of them, shuffled: those of a worker's fleet, or those of hosts that embed the loops."""
        self._dice = dice
        self._all = [place for place in _all_places() if (place[0] == "host") == hosts]
        self._left = list(self._all)
        dice.shuffle(self._left)
        self._misses: Counter[tuple[str, str, str]] = Counter()
        self.reached: Counter[tuple[str, str, str]] = Counter()

    def draw(self, *whos: str) -> Order:
        """The next place of one of these, one where nobody has died yet when there is one."""
        fitting = [place for place in self._left if place[0] in whos]
        if not fitting:
            fitting = [self._dice.choice([place for place in self._all if place[0] in whos])]
        place = min(fitting, key=self._misses.__getitem__)
        who, where, when = place
        most = POINTS[who][where]
        return Order(who, where, when, 1 if self._misses[place] else 1 + int(most * self._dice.random() ** 2))

    def died(self, order: Order) -> None:
        """Somebody did."""
        self.reached[order.place] += 1
        if order.place in self._left:
            self._left.remove(order.place)

    def missed(self, order: Order) -> None:
        """Nobody came by."""
        self._misses[order.place] += 1

    def __str__(self) -> str:
        died = len(self._all) - len(self._left)
        left: dict[str, list[str]] = {}
        for who, where, when in sorted(self._left):
            left.setdefault(who, []).append(f"{when} {where.rpartition('.')[2]}")
        lines = [f"  nobody died of the {who}: {', '.join(places)}" for who, places in left.items()]
        return "\n".join([f"{'named places':22}{died} of {len(self._all)}", *lines])


def _all_places() -> Iterator[tuple[str, str, str]]:
    for who, places in POINTS.items():
        for where in places:
            for when in ("before", "after"):
                yield who, where, when
