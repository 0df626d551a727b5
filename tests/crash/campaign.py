"""Kill small fleets again and again and count what went wrong: `python -m tests.crash.campaign --kills N --seed S`.

A client puts all kinds of work in, while the process that owns the store, its supervisor, or both are killed: at random
moments, inside commits of the store, at the named places of `deck`, while they drain, and again while they recover.
Between lives an operator compacts, backs up, restores and forgets, and is killed too (`operations`). After some kills
the store file is damaged, sometimes together with its copies. Every second fleet prunes its ledger behind the copies,
so that recoveries begin with one; in the others the whole ledger is replayed at the end. The last worker of a fleet
finishes, and `judge` compares what it left with what was acknowledged and with what arrived outside. All choices come
from the one seed, which is printed; the machine's timing is not in it.
"""

import argparse
import random
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from tests.acceptance.projects import Worker, until
from tests.crash.bench import Bench, environ
from tests.crash.damage import DAMAGES, spoil_copies
from tests.crash.deck import Deck, Order
from tests.crash.figures import RECOVERIES, Figures
from tests.crash.judge import finish_and_judge
from tests.crash.operations import Operations
from tests.crash.small import make_small_fleet

KILLS_OF_A_FLEET = 25
POINT_SHARE = 0.75  # of the deaths, as far as the places are reached
DAMAGE_EVERY = 4  # on average
MOST_DEATHS = 8  # of one supervisor's children: after ten without getting on it gives up, as it should
MOST_OPERATIONS = 2  # between two lives
DRAIN_SHARE = 0.15  # of the lives
LONGEST_LIFE = 1.2  # seconds after the first sign of life
LONGEST_DRAIN = 30.0  # the drain time of the fleet is 5 s, and the supervisor waits 5 s more
FIRST = ("supervisor", "recovery", "compacting worker", "copied child", "restoring worker")
"""Who dies by order in a life that begins, where not its child does; afterwards children do."""
FIRST_SHARE = 0.7  # of the lives
ENDS = {signal.SIGTERM: 0, signal.SIGINT: 130}
"""What ends a worker properly, and its exit code."""
_BAD_WORDS = ('"level":"ERROR"', "error in the kit", "giving up")
_REPLACED = (RECOVERIES["from a copy"], RECOVERIES["from the ledger alone"])


class Campaign:
    """One fleet that is killed."""

    def __init__(
        self, folder: Path, dice: random.Random, *, deck: Deck | None = None, damages: bool = True, prune: bool = True
    ) -> None:
        """Make it, nothing applied. `deck`: what is left of the named places, of fleets before."""
        project = make_small_fleet(folder)
        self.bench = Bench(project, dice, deck or Deck(dice), Figures())
        project.environ |= environ(self.bench.point, prune=prune)
        self.operations = Operations(self.bench)
        self.project = project
        self.dice = dice
        self.damages = damages
        self.figures = self.bench.figures
        self.kills = 0
        self.killed_s = 0.0

    def run(self, kills: int, *, thoroughly: bool = True) -> Figures:
        """Kill so many times, finish, and compare; `thoroughly`: a whole replay and a backup too."""
        self.kills = kills
        began = time.monotonic()
        self.project.do("apply", ".", "--yes")
        while self._goes_on():
            if self.dice.random() < DRAIN_SHARE and not self.bench.is_restoring:
                self._drained_life()
            else:
                self._life()
            self._damage()
            for _ in range(self.dice.randrange(MOST_OPERATIONS + 1)):
                if self._goes_on():
                    self.operations.any()
            self._damage()
        if self.bench.is_restoring:
            self.operations.any()  # finishes it
        self.killed_s = time.monotonic() - began
        finish_and_judge(self.bench, self.operations.backups, thoroughly=thoroughly)
        return self.figures

    def _goes_on(self) -> bool:
        return self.figures.kills.total() < self.kills

    # -- lives and deaths -------------------------------------------------------------------------------------------

    def _life(self) -> None:
        """A supervisor, and deaths of its children until it dies itself."""
        order = self._first_order()
        words = ["--compact"] if order is not None and order.who == "compacting worker" else []
        with self.bench.client(), self._worker(*words) as worker:
            if order is not None and order.who in ("supervisor", "recovery", "compacting worker", "restoring worker"):
                if not self.bench.died(order, 8.0, lambda: not worker.reports()):
                    self.bench.withdraw(order)
                order = None
            self._kill_children(worker, order)
            self.bench.point.unlink(missing_ok=True)
            if worker.process.poll() is None:
                worker.kill(child_too=self.dice.random() < 0.7)
                self.figures.kills["both at the end"] += 1
        self._listen(worker)

    def _kill_children(self, worker: Worker, order: Order | None) -> None:
        misses, before = 0, self.figures.kills.total()
        while worker.process.poll() is None and self._goes_on() and self.figures.kills.total() - before < MOST_DEATHS:
            self.bench.await_life(worker)
            if worker.process.poll() is not None:
                return
            if order is not None and self._die_by(order, worker):
                misses, order = 0, self._next_order()  # before the file was looked at no other child starts
            else:
                misses += 1
                if misses > 1:
                    self.bench.withdraw(order)
                    order = None
                if order is None and (order := self._next_order()) is not None:
                    misses = 0
                self._kill(worker, child_only=order is not None)
            if self.dice.random() < 0.25:
                return

    def _next_order(self) -> Order | None:
        """Perhaps let the next child die at a named place."""
        if self.dice.random() > POINT_SHARE:
            return None
        return self.bench.arrange(self.bench.deck.draw("child"))

    def _die_by(self, order: Order, worker: Worker) -> bool:
        """Give the child what leads it to its place; whether it died there."""
        if order.who != "copied child":
            return self.bench.died(order, watch=lambda: worker.process.poll() is None)
        before = self.operations.sizes()
        process = self.bench.start(["backup", str(self.operations.new_target())])
        try:
            died = self.bench.died(order, 8.0, lambda: process.poll() is None)
            process.communicate(timeout=60)
        finally:
            process.kill()
        self.operations.note_backup(before)
        return died

    def _drained_life(self) -> None:
        """A worker that is asked to end: nothing is under way then, and everything in the store; or it dies of that."""
        order = self.bench.arrange(self.bench.deck.draw("drain")) if self.dice.random() < 0.3 else None
        number = self.dice.choice(sorted(ENDS))
        first = self.bench.rows("SELECT coalesce(max(seq), 0) FROM rec")[0][0]
        with self.bench.client(), self._worker() as worker:
            until(lambda: worker.reports() or worker.process.poll() is not None, "a sign of life")
            time.sleep(self.dice.uniform(0.2, 2.0))
            worker.process.send_signal(number)
            if order is None and self.dice.random() < 0.3:
                time.sleep(self.dice.uniform(0.0, 0.3))
                worker.kill(child_too=self.dice.random() < 0.7)
                self.figures.kills["in a drain"] += 1
            code = worker.wait(LONGEST_DRAIN)
            died = order is not None and self.bench.died(order, 0.0)
            if order is not None and not died:
                self.bench.withdraw(order)
            if code >= 0 and not died:  # calls under way when a process dies have no result
                self._check_drained(worker, code, ENDS[number], first)
        self._listen(worker)

    def _check_drained(self, worker: Worker, code: int, expected: int, first: int) -> None:
        """The exit code, and that every call that was made after the record `first` has come back."""
        self.figures.done["drains"] += 1
        wrong = self.figures.wrong
        if code != expected:
            wrong.append(
                f"a worker that was asked to end ended with {code} instead of {expected}: {worker.said[-500:]}"
            )
        if "is killed" in worker.out.read_text():
            wrong.append(f"a worker did not drain: {worker.out.read_text()[-500:]}")
        called = self.bench.rows("SELECT key FROM rec WHERE kind = 'intent' AND key LIKE 'i %' AND seq > ?", first)
        back = {key for (key,) in self.bench.rows("SELECT key FROM rec WHERE kind = 'result'")}
        if left := [key for (key,) in called if f"r {key[2:]}" not in back]:
            wrong.append(f"after a drain these calls have no result: {left[:5]}")

    def _worker(self, *words: str) -> AbstractContextManager[Worker]:
        return self.project.worker("--no-watch", "--max-concurrency", "10", "-o", "json", "--resume", *words)

    def _first_order(self) -> Order | None:
        """Perhaps let somebody die at a named place, and make what leads there."""
        if self.dice.random() > POINT_SHARE:
            return None
        order = self.bench.deck.draw(*(FIRST if self.dice.random() < FIRST_SHARE else ("child",)))
        if order.who == "recovery":
            if not (self.damages and self.bench.can_be_rebuilt and self.bench.file.exists()):
                return None
            self._spoil("bad head")
        if order.who == "restoring worker":
            self.operations.restore_for_the_worker()
        return self.bench.arrange(order)

    def _kill(self, worker: Worker, *, child_only: bool) -> None:
        if self.dice.random() < 0.5:
            self.bench.wait_for_commit()
        else:
            time.sleep(self.dice.uniform(0.0, LONGEST_LIFE))
        in_commit = self.bench.is_in_commit()
        victim = "child" if child_only else self.dice.choice(("child", "child", "child", "supervisor", "both"))
        if victim == "child":
            worker.kill_child()
        else:
            worker.kill(child_too=victim == "both")
        self.figures.kills["in a commit" if in_commit else "at random"] += 1
        if victim == "child" and not child_only and self.dice.random() < 0.3:  # the next one, while it recovers
            time.sleep(self.dice.uniform(0.1, 1.0))
            worker.kill_child()
            self.figures.kills["while recovering"] += 1

    def _listen(self, worker: Worker) -> None:
        said = worker.said + worker.out.read_text()
        self.figures.heard(said)
        self.figures.done["compactions"] += said.count("the store was compacted")
        for line in said.splitlines():
            is_bad = line.startswith("{") and any(words in line for words in _BAD_WORDS)
            if is_bad and not self.bench.is_of_noise(line):
                self.figures.wrong.append(f"said in {worker.log.name}: {line[:400]}")
            if "the store is used as it is" in line:
                self.figures.wrong.append(f"not compacted: {line[:400]}")
        self.bench.has_noise &= not any(words in said for words in _REPLACED)

    # -- damage -----------------------------------------------------------------------------------------------------

    def _damage(self) -> None:
        """Perhaps damage the store's file, and copies."""
        if not self.damages or self.dice.randrange(DAMAGE_EVERY):
            return
        until(lambda: not self.bench.is_open(), "the killed process lets go of the store")
        if not (self.bench.file.exists() and self.bench.can_be_rebuilt):
            return
        self._spoil(self.dice.choice(sorted(DAMAGES)))
        all_of_them = not self.bench.low
        what, spoiled = spoil_copies(self.bench.good_copies, self.dice, all_of_them=all_of_them)
        self.bench.spoiled |= {(copy.name, copy.stat().st_ino) for copy in spoiled}
        if what:
            self.figures.damaged[what] += 1

    def _spoil(self, kind: str) -> None:
        DAMAGES[kind](self.bench.file, self.dice)
        self.bench.has_noise |= "noise" in kind
        self.figures.damaged[kind] += 1


def run(folder: Path, seed: int, kills: int) -> tuple[Figures, Deck]:
    """Fleets, one after another, until there were so many kills."""
    dice = random.Random(seed)
    deck, total = Deck(dice), Figures()
    for number in range((kills + KILLS_OF_A_FLEET - 1) // KILLS_OF_A_FLEET):
        prune = (seed + number) % 2 == 0
        left = min(KILLS_OF_A_FLEET, kills - number * KILLS_OF_A_FLEET)
        began = time.monotonic()
        home = folder / f"fleet-{number}"
        campaign = Campaign(home, dice, deck=deck, prune=prune)
        figures = campaign.run(left)
        total.add(figures)
        took = f"{campaign.killed_s:.0f} s, judged in {time.monotonic() - began - campaign.killed_s:.0f} s"
        kind = "copies and pruning" if prune else "no pruning"
        print(f"fleet {number}, {kind}: {figures.kills.total()} kills in {took}, {len(figures.wrong)} wrong")
        for line in figures.wrong[:20]:
            print(f"  {line}", flush=True)
        if figures.are_good:
            shutil.rmtree(home)
    return total, deck


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a campaign. Returns 0 when nothing went wrong, else 1 and leaves the projects behind."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash.campaign", description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    given = parser.parse_args(arguments)
    print(f"seed {given.seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="statek-crash-"))
    began = time.monotonic()
    total, deck = run(folder, given.seed, given.kills)
    print(f"{total}\n{deck}\n{time.monotonic() - began:.0f} s")
    if not total.are_good:
        print(f"the projects are left in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
