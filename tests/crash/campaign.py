"""Kill the small fleet again and again and count what went wrong: `python -m tests.crash.campaign --kills N --seed S`.

Supervisor, the process that owns the store, or both are killed, at random moments and inside commits of the store, and
after some kills the store file is truncated, scribbled over or deleted. Numbers are put on the queue meanwhile, some of
them again and again. At the end a last worker finishes, and the store is compared with what was acknowledged and with
what arrived outside. All randomness comes from the one seed, which is printed; the machine's timing is not in it.
"""

import argparse
import random
import secrets
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.acceptance.projects import Project, Worker, until
from tests.crash.small import make_small_fleet, submit

VICTIMS = ("both", "supervisor", "store's process")
BATCH = 20
DAMAGE_EVERY = 6  # on average
LONGEST_LIFE = 0.8  # seconds after the first sign of life
_IN_COMMIT = 8  # byte of the mark that is set while the store is written


@dataclass
class Figures:
    """What happened and what was found. Everything from `lost` on has to be empty."""

    kills: int = 0
    in_commit: int = 0
    damaged: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    in_doubt: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def are_good(self) -> bool:
        """Whether nothing went wrong."""
        return not (self.lost or self.doubled or self.repeated or self.failed)

    def __str__(self) -> str:
        damage = ", ".join(f"{count} {name}" for name, count in sorted(self.damaged.items())) or "none"
        wrong = (self.lost, self.doubled, self.repeated, self.failed)
        names = ("lost", "doubled", "calls repeated", "jobs failed")
        found = "; ".join(
            f"{len(what)} {name}{f' {what[:5]}' if what else ''}" for what, name in zip(wrong, names, strict=True)
        )
        return (
            f"{self.kills} kills ({self.in_commit} inside a commit), store damaged: {damage}; "
            f"{self.accepted} numbers accepted, {self.in_doubt} in doubt; {found}"
        )


class Campaign:
    """One project that is killed."""

    def __init__(self, folder: Path, dice: random.Random, *, damages: bool = True) -> None:
        self.project = make_small_fleet(folder)
        self.dice = dice
        self.damages = damages
        self.figures = Figures()

    def run(self, kills: int) -> Figures:
        """Kill so many times, finish, and compare."""
        self.project.do("apply", ".", "--yes")
        while self.figures.kills < kills:
            self._submit_more()
            with self.project.worker("--max-concurrency", "10", "-o", "json") as worker:
                until(lambda worker=worker: worker.reports() or worker.process.poll() is not None, "a sign of life")  # type: ignore[misc]
                assert worker.process.poll() is None, f"it ended by itself: {worker.said}"
                self._kill(worker)
            self._damage()
        finished = self.project.run("work", "--until-idle", "--no-watch", seconds=120)
        assert finished.code == 0, finished.told
        compare(self.project, self.figures)
        return self.figures

    def _submit_more(self) -> None:
        again = self.dice.randrange(self.figures.accepted + 1)
        submit(self.project, range(again, self.figures.accepted + BATCH))
        self.figures.accepted += BATCH

    def _kill(self, worker: Worker) -> None:
        victim = self.dice.choice(VICTIMS)
        time.sleep(self.dice.uniform(0.0, LONGEST_LIFE))
        if self.dice.random() < 0.5:
            self._wait_for_commit()
        self.figures.in_commit += self._is_in_commit()
        self.figures.kills += 1
        if victim == "store's process":
            worker.kill_child()
            time.sleep(self.dice.uniform(0.0, 2.0))  # the next one may have begun
            worker.kill()
        else:
            worker.kill(child_too=victim == "both")

    def _wait_for_commit(self) -> None:
        end = time.monotonic() + 1.5
        while not self._is_in_commit() and time.monotonic() < end:
            time.sleep(0.0002)
        time.sleep(self.dice.uniform(0.0, 0.003))

    def _is_in_commit(self) -> bool:
        mark = self.project.store / "statek.mark"
        return mark.exists() and mark.read_bytes()[_IN_COMMIT] == 1

    def _damage(self) -> None:
        if not self.damages or self.dice.randrange(DAMAGE_EVERY):
            return
        kind = self.dice.choice(sorted(DAMAGES))
        file = self.project.store / "statek.db0"
        until(lambda: not _is_open(file), "the killed process lets go of the store")
        if file.exists():
            DAMAGES[kind](file, self.dice)
            self.figures.damaged[kind] += 1


def truncate(file: Path, dice: random.Random) -> None:
    """Cut the file somewhere."""
    size = file.stat().st_size
    with file.open("r+b") as handle:
        handle.truncate(dice.randrange(size // 4, size))


def scribble(file: Path, dice: random.Random) -> None:
    """Write 64 KB of noise into its middle."""
    middle = max(0, file.stat().st_size // 2 - 32_768)
    with file.open("r+b") as handle:
        handle.seek(middle)
        handle.write(dice.randbytes(65_536))


def delete(file: Path, _dice: random.Random) -> None:
    """Remove it."""
    file.unlink()


DAMAGES = {"truncated": truncate, "scribbled over": scribble, "deleted": delete}


def _is_open(file: Path) -> bool:
    """Whether any process has the file open still."""
    for entry in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if entry.readlink() == file:
                return True
        except OSError:
            continue  # it ended meanwhile
    return False


def compare(project: Project, figures: Figures) -> None:
    """Fill in what is wrong with a project that has finished."""
    tally = project.look("tally")
    counted, halves = Counter(tally["numbers"]), Counter(tally["halves"])
    doubted = set(tally["doubted"])
    log = project.root / "sent.log"
    sent = Counter(int(line) for line in log.read_text().split()) if log.exists() else Counter[int]()
    jobs = project.jobs()
    own = Counter(job["id"] for job in jobs if job["agent"] == "sender")
    accepted = set(range(figures.accepted))
    seconds = {number for number in accepted if number % 5 == 0} - doubted
    figures.in_doubt = len(doubted)
    figures.lost = [
        *(f"{number} not counted" for number in sorted(accepted - counted.keys())),
        *(f"{number} neither sent nor in doubt" for number in sorted(accepted - sent.keys() - doubted)),
        *(f"{number} without job" for number in sorted(accepted) if f"numbers:{number}" not in own),
        *(f"{number} without second job" for number in sorted(seconds - halves.keys())),
    ]
    figures.doubled = [
        f"{what} x {times}" for found in (counted, halves, own) for what, times in found.items() if times > 1
    ]
    figures.repeated = [f"{number} x {times}" for number, times in sent.items() if times > 1]
    figures.failed = [f"{job['id']}: {job['outcome']} {job['error']}" for job in jobs if job["outcome"] != "ok"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a campaign. Returns 0 when nothing went wrong, else 1 and leaves the project behind."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash.campaign", description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    given = parser.parse_args(arguments)
    print(f"seed {given.seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="statek-crash-"))
    began = time.monotonic()
    figures = Campaign(folder / "small", random.Random(given.seed)).run(given.kills)
    print(f"{figures}; {time.monotonic() - began:.0f} s")
    if not figures.are_good:
        print(f"the project is left in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
