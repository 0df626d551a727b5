"""What everybody needs who lets processes of one project die: its files, the order to die, and commands that are cut.

Everything is seen from outside: files, SQLite, /proc, exit codes. It decides nothing about who dies when.
"""

import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.acceptance.projects import REPO, Project, Ran, Worker, until
from tests.crash import client
from tests.crash.deck import Deck, Order
from tests.crash.figures import Figures

HERE = Path(__file__).parent
LATEST_POINT = 5.0  # seconds until a named place has to be reached
IN_COMMIT = 8  # byte of the mark that is set while the store is written
LONGEST_COMMAND = 120.0  # seconds
NOISE = ("N3db0", "not everything in the store can be read")  # what dbzero raises, and what a backup makes of it


@dataclass
class Bench:
    """One project that is killed."""

    project: Project
    dice: random.Random
    deck: Deck
    figures: Figures
    spoiled: set[tuple[str, int]] = field(default_factory=set)  # copies that were: name and inode
    has_noise: bool = False  # the store's file: pages were overwritten, and nobody has replaced it yet

    @property
    def point(self) -> Path:
        """The file that holds the order to die."""
        return self.project.root / "point"

    @property
    def log(self) -> Path:
        """What the client did."""
        return self.project.root / "client.log"

    @property
    def file(self) -> Path:
        """The store's file."""
        return self.project.store / "statek.db0"

    @property
    def outside(self) -> list[str]:
        """The lines of the outside world."""
        file = self.project.root / "outside.log"
        return file.read_text().splitlines() if file.exists() else []

    # -- dying ------------------------------------------------------------------------------------------------------

    def arrange(self, order: Order) -> Order:
        """Whoever starts next and is of that kind dies at that place."""
        beside = self.point.with_suffix(".new")
        beside.write_text(order.text)
        beside.rename(self.point)
        return order

    def withdraw(self, order: Order | None) -> None:
        """Nobody has to die any more; not reached."""
        if order is not None and self.point.exists():
            self.deck.missed(order)
        self.point.unlink(missing_ok=True)

    def died(self, order: Order, seconds: float = LATEST_POINT, watch: Callable[[], bool] = lambda: True) -> bool:
        """Whether somebody does, within a time and while `watch` says so."""
        end = time.monotonic() + seconds
        while self.point.exists() and time.monotonic() < end and watch():
            time.sleep(0.02)
        if self.point.exists():
            return False
        self.deck.died(order)
        self.figures.kills[f"at a place of the {order.who}"] += 1
        return True

    def cut(self, words: Sequence[str], order: Order | None, *, at_random: float = 0.0) -> Ran | None:
        """Run `statek WORDS`, and let it or a process of it die: by order, or after a time; None when it did not end.

        A command that was not killed itself ends as it likes; its outcome is given.
        """
        if order is not None:
            self.arrange(order)
        process = self.start(words)
        try:
            if at_random:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(self.dice.uniform(0.0, at_random))
                if process.poll() is None:
                    process.kill()
                    self.figures.kills[f"in {words[0]}"] += 1
            said, told = process.communicate(timeout=LONGEST_COMMAND)
        finally:
            process.kill()
            if order is not None and not self.died(order, 0.0):
                self.withdraw(order)
        self.figures.heard(said + told)
        until(lambda: not self.is_open(), f"what {words[0]} started lets go of the store")
        return None if process.returncode == -9 else Ran(process.returncode, said, told)

    def start(self, words: Sequence[str]) -> "subprocess.Popen[str]":
        """A running `statek WORDS`."""
        return subprocess.Popen(
            [sys.executable, "-m", "statek", *words], cwd=self.project.root, env=self.project._environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    @contextmanager
    def client(self, seconds: float = 8.0) -> Iterator[None]:
        """A client at work, killed at the end: whether or not it is just being told that an input is kept."""
        command = [sys.executable, "-m", "tests.crash.client", str(self.project.store), str(self.log)]
        process = subprocess.Popen(
            [*command, str(self.dice.randrange(1 << 30)), str(seconds)], cwd=self.project.root,
            env=self.project._environment(),
        )  # fmt: skip
        try:
            yield
        finally:
            process.kill()
            process.wait()

    def await_life(self, worker: Worker) -> None:
        """Until the worker's next report, its end, or the death that is arranged."""
        reports, ordered = len(worker.reports()), self.point.exists()
        until(
            lambda: len(worker.reports()) > reports or worker.process.poll() is not None
            or (ordered and not self.point.exists()),
            "a sign of life", 60.0,
        )  # fmt: skip

    def is_of_noise(self, text: str) -> bool:
        """Whether this tells of pages that were overwritten, which nobody may have met before."""
        return self.has_noise and any(words in text for words in NOISE)

    # -- looking ----------------------------------------------------------------------------------------------------

    def entries(self) -> list[Any]:
        """The client's log."""
        return client.read(self.log)

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What SQLite says about the ledger."""
        return rows(self.project.store / "ledger.sqlite", sql, *values)

    @property
    def low(self) -> int:
        """Up to which record the ledger is pruned."""
        return int(self.rows("SELECT value FROM meta WHERE name = 'low'")[0][0])

    @property
    def copies(self) -> list[Path]:
        """The kept copies, oldest first."""
        return sorted((self.project.store / "copies").glob("*.ok"), key=lambda path: int(path.stem))

    @property
    def can_be_rebuilt(self) -> bool:
        """Whether the store could be lost now: the ledger is whole, or there is a copy; not halfway in a restore."""
        return not self.is_restoring and (not self.low or bool(self.good_copies))

    @property
    def good_copies(self) -> list[Path]:
        """The kept copies that nobody has spoiled, oldest first."""
        return [copy for copy in self.copies if (copy.name, copy.stat().st_ino) not in self.spoiled]

    @property
    def is_restoring(self) -> bool:
        """Whether a restore was cut off behind its decision: until it is finished there may be no ledger."""
        return (self.project.store / "restoring").exists()

    def is_in_commit(self) -> bool:
        """Whether the store's file is being written."""
        mark = self.project.store / "statek.mark"
        return mark.exists() and mark.read_bytes()[IN_COMMIT : IN_COMMIT + 1] == b"\1"

    def wait_for_commit(self) -> None:
        """Until it is, but not for long; and some moments more."""
        end = time.monotonic() + 1.5
        while not self.is_in_commit() and time.monotonic() < end:
            time.sleep(0.0002)
        time.sleep(self.dice.uniform(0.0, 0.003))

    def is_open(self) -> bool:
        """Whether any process has the store's file open still."""
        for entry in Path("/proc").glob("[0-9]*/fd/*"):
            try:
                if entry.readlink() == self.file:
                    return True
            except OSError:
                continue  # it ended meanwhile
        return False


def rows(ledger: Path, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """What SQLite says about a ledger."""
    connection = sqlite3.connect(f"file:{ledger}?mode=rw", uri=True, timeout=30.0)  # it makes no file where none is
    try:
        return connection.execute(sql, values).fetchall()
    finally:
        connection.close()


def environ(point: Path, *, prune: bool) -> dict[str, str]:
    """What the processes of the project are told: copies all the time, and where the order to die lies."""
    return {
        "STATEK_STEP_SECONDS": "1.5", "STATEK_COPY_SECONDS": "0.2", "STATEK_COPIES_KEPT": "2" if prune else "1000",
        "PYTHONPATH": f"{HERE / 'points'}:{REPO}", "CRASH_POINT_FILE": str(point),
    }  # fmt: skip
