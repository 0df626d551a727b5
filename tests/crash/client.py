"""A client of the killed fleet, a process of its own: `python -m tests.crash.client STORE LOG SEED SECONDS`.

It puts inputs into the ledger as commands and clients do, and writes two lines for each into its own log: `try` before,
`ack` when it was acknowledged. Started again it goes on with the numbers of its log.
"""

import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from statek.base.clock import SystemClock
from statek.exceptions import LedgerError
from statek.ledger import releases
from statek.ledger.file import LedgerFile
from statek.ledger.releases import Release
from statek.ledger.submit import Target, cancel, push, submit
from statek.worker.forgetting import ask_to_forget
from statek.worker.places import ledger_file
from statek.worker.poke import poke

STARTED = ("mixer", "waiter", "opener", "family", "chatty", "victim", "brief", "looper", "breaker", "rash")
LONGEST_RESTORE = 30.0  # seconds until a worker has finished it
QUEUES = ("numbers", "fragile", "brisk")
WEIGHTS = {
    "numbers": 5, "fragile": 3, "brisk": 3, "mixer": 3, "waiter": 3, "opener": 3, "family": 2, "chatty": 2, "push": 4,
    "victim": 1, "cancel": 1, "brief": 3, "forget": 1, "again": 3, "looper": 0.15, "rash": 0.25, "breaker": 1,
}  # fmt: skip


class Log:
    """What was tried, and what of it was acknowledged."""

    def __init__(self, path: Path) -> None:
        """Go on with what is there."""
        self._path = path
        self.entries = read(path)

    def note(self, what: str, *more: Any) -> None:
        """Add a line, on its way to the disk before anything else happens."""
        with self._path.open("a") as file:
            file.write(json.dumps([what, *more]) + "\n")
        self.entries.append([what, *more])

    def tried(self, kind: str) -> list[Any]:
        """Numbers of this kind."""
        return [entry[2] for entry in self.entries if entry[0] == "try" and entry[1] == kind]

    def acknowledged(self, kind: str) -> list[Any]:
        """Numbers of this kind."""
        return [entry[2] for entry in self.entries if entry[0] == "ack" and entry[1] == kind]


def read(path: Path) -> list[Any]:
    """The lines of a log; a last one that was cut off does not count."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]


class Client:
    """Does one thing after another."""

    def __init__(self, store: Path, log: Log, dice: random.Random) -> None:
        """Use the ledger of `store`."""
        self._store = store
        self._ledger = _open(store)
        head = releases.head(self._ledger)
        assert head is not None
        self._release: Release = releases.read_release(self._ledger, head.release)
        self._log = log
        self._dice = dice

    def act(self) -> None:
        """Do one thing by chance. What a restore refuses meanwhile was not acknowledged."""
        try:
            self.do(self._dice.choices(list(WEIGHTS), list(WEIGHTS.values()))[0])
        except LedgerError:
            if self._ledger.is_in_place:
                raise
            self._ledger.close()
            self._ledger = _open(self._store)

    def do(self, kind: str) -> None:
        """Do one thing of that kind, if there is anything to do it to."""
        match kind:
            case "push":
                self._to_some("chatty", self._push)
            case "cancel":
                self._to_some("victim", lambda number: self._write("cancel", number))
            case "forget":
                self._to_some("brief", lambda number: self._write("forget", number))
            case "again":
                again = self._dice.choice((*QUEUES, *STARTED))
                self._to_some(again, lambda number: self._write(again, number))
            case _:
                self._write(kind, len(set(self._log.tried(kind))))
        poke(self._store)

    def finish(self) -> None:
        """Open all gates, and cancel all that would wait for ever."""
        for number in sorted({*self._log.tried("waiter")} - {*self._log.acknowledged("opener")}):
            self._write("opener", number)
        for number in sorted({*self._log.tried("victim")} - {*self._log.acknowledged("cancel")}):
            self._write("victim", number)
            self._write("cancel", number)
        poke(self._store)

    def _to_some(self, kind: str, do: Callable[[int], None]) -> None:
        known = sorted(set(self._log.acknowledged(kind)))
        if known:
            do(self._dice.choice(known[-30:]))

    def _push(self, number: int) -> None:
        self._write("push", [number, len(self._log.tried("push"))])

    def _write(self, kind: str, number: Any) -> None:
        at_us = SystemClock().now_us()
        self._log.note("try", kind, number, at_us)
        match kind:
            case "push":
                push(self._ledger, f"chatty/{number[0]}", f"note {number[1]}.", at_us=at_us, key=str(number[1]))
            case "cancel":
                cancel(self._ledger, f"victim/{number}", at_us=at_us)
            case "forget":
                ask_to_forget(self._ledger, [[f"brief/{number}"]], at_us)
            case _:
                is_queue = kind in QUEUES
                target = Target("Queue" if is_queue else "Agent", kind)
                key = None if is_queue else "number"
                submit(self._ledger, self._release, target, [{"number": number}], at_us=at_us, key=key)
        self._log.note("ack", kind, number)


def _open(store: Path) -> LedgerFile:
    """The ledger; waited for while a restore that was cut is finished by the worker."""
    end = time.monotonic() + LONGEST_RESTORE
    while time.monotonic() < end and not ledger_file(store).exists():
        time.sleep(0.05)
    return LedgerFile.open(ledger_file(store))


def main(store: Path, log: Path, seed: int, seconds: float) -> None:
    """Act until the time is over; no time: do what makes an end possible."""
    client = Client(store, Log(log), random.Random(seed))
    if not seconds:
        client.finish()
    end, pause = time.monotonic() + seconds, random.Random(seed).uniform(0.0, 0.3)
    while time.monotonic() < end:
        client.act()
        time.sleep(pause)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
