"""Kill the small fleet again and again and count what went wrong: `python -m tests.crash.campaign --kills N --seed S`.

A client puts all kinds of work in, while the process that owns the store, its supervisor, or both are killed: at random
moments, inside commits of the store, at named places of the code (`POINTS`), and again while they recover. After some
kills the store file is damaged, sometimes together with its copies. With `--prune` the ledger is pruned behind the
copies, so that recoveries begin with one; without, the whole ledger is replayed at the end, and has to give the same
jobs. The last worker finishes, and `verdict` compares what it left with what was acknowledged and
with what arrived outside. All choices come from the one seed, which is printed; the machine's timing is not in it.
"""

import argparse
import json
import random
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.acceptance.projects import REPO, Project, Worker, until
from tests.crash import client
from tests.crash.damage import DAMAGES, spoil_copies
from tests.crash.small import make_small_fleet
from tests.crash.verdict import Case

HERE = Path(__file__).parent
POINT_SHARE = 0.4  # of the kills
DAMAGE_EVERY = 3  # on average
LONGEST_LIFE = 1.2  # seconds after the first sign of life
LONGEST_END = 200.0  # seconds for the last worker
LATEST_POINT = 3.0  # seconds until a named place has to be reached
IN_COMMIT = 8  # byte of the mark that is set while the store is written
_RUNTIME = "statek.runtime"
POINTS = {
    "child": {
        f"{_RUNTIME}.passes:Passes._take_inputs": 30, f"{_RUNTIME}.passes:Passes.take_arrivals": 60,
        f"{_RUNTIME}.passes:Passes._have_effect": 10, f"{_RUNTIME}.passes:Passes._record": 60,
        f"{_RUNTIME}.passes:Passes._advance": 100, f"{_RUNTIME}.passes:Passes._give_up": 2,
        f"{_RUNTIME}.passes:Passes._end": 12, f"{_RUNTIME}.passes:Passes.rebuild": 1,
        f"{_RUNTIME}.fleet:Fleet._perform": 60, f"{_RUNTIME}.fleet:Fleet._performed": 60,
        f"{_RUNTIME}.fleet:Fleet.checkpoint": 30, f"{_RUNTIME}.fleet:Fleet._wake_waiting": 3,
        f"{_RUNTIME}.performing:Performer.perform_inline": 40, f"{_RUNTIME}.performing:Performer.perform": 8,
        f"{_RUNTIME}.replay:_take": 40, f"{_RUNTIME}.replay:_run": 40,
        f"{_RUNTIME}.cleanup:_intend": 2, f"{_RUNTIME}.cleanup:error_of": 2, f"{_RUNTIME}.step:Steps.advance": 100,
        f"{_RUNTIME}.admission:Admission.after_end": 10, f"{_RUNTIME}.admission:Admission.write": 20,
        "statek.ledger.inbox:take": 20, "statek.ledger.items:put_again": 2, "statek.ledger.items:bury": 1,
        "statek.store.retention:forget": 1, "statek.store.retention:_cut": 1,
        "statek.store.session:Store.commit": 30, "statek.base.preimage:PreImage.save": 20,
        "statek.base.preimage:PreImage.void": 20, "statek.base.rotation:keep": 1, "statek.base.rotation:thin_out": 1,
        "statek.base.guarded_file:hold_state": 1, "statek.worker.copying:Copying._prove": 1,
        "statek.ledger.pruning:prune": 1, "statek.ledger.pruning:_prune_slice": 1,
    },
    "supervisor": {
        "statek.worker.recovery:prepare_store": 1, "statek.worker.recovery:_is_sound": 1,
        "statek.worker.recovery:_probe": 1, "statek.worker.recovery:_newest_good": 1,
        "statek.worker.recovery:replace_store": 1, "statek.base.guarded_file:move_aside": 1,
        "statek.base.guarded_file:put_in_place": 1, "statek.base.guarded_file:_copy_synced": 1,
        "statek.base.preimage:PreImage.restore": 1,
    },
}  # fmt: skip
"""Who dies where: function, and up to which call of it."""

RECOVERIES = {
    "by pre-image": "the state before was put back",
    "from a copy": "a copy that ends at record",
    "from the ledger alone": "is rebuilt from the ledger",
    "by compaction": "the store was compacted",
}


@dataclass
class Figures:
    """What happened and what was found; `wrong` has to be empty."""

    kills: Counter[str] = field(default_factory=Counter)
    points: Counter[str] = field(default_factory=Counter)
    damaged: Counter[str] = field(default_factory=Counter)
    recovered: Counter[str] = field(default_factory=Counter)
    low: int = 0
    jobs: int = 0
    calls: int = 0
    in_doubt: int = 0
    differing: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def are_good(self) -> bool:
        """Whether nothing went wrong."""
        return not self.wrong

    def __str__(self) -> str:
        rows = {
            "kills": f"{self.kills.total()} ({_listed(self.kills)})", "named places": _listed(self.points),
            "damaged": _listed(self.damaged), "recovered": _listed(self.recovered),
            "ledger": f"pruned up to record {self.low}", "jobs": f"{self.jobs}, {self.calls} outside calls",
            "in doubt": str(self.in_doubt), "replays that differed": str(self.differing),
            "WRONG": "\n".join([str(len(self.wrong)), *self.wrong[:40]]),
        }  # fmt: skip
        return "\n".join(f"{name:22}{value}" for name, value in rows.items())


class Campaign:
    """One project that is killed."""

    def __init__(self, folder: Path, dice: random.Random, *, damages: bool = True, prune: bool = True) -> None:
        """Make it, nothing applied."""
        self.project = make_small_fleet(folder)
        self.point = folder / "point"
        self.project.environ |= {
            "STATEK_COPY_SECONDS": "0.2", "STATEK_COPIES_KEPT": "2" if prune else "1000",
            "PYTHONPATH": f"{HERE / 'points'}:{REPO}", "CRASH_POINT_FILE": str(self.point),
        }  # fmt: skip
        self.log = folder / "client.log"
        self.dice = dice
        self.damages = damages
        self.figures = Figures()

    def run(self, kills: int) -> Figures:
        """Kill so many times, finish, and compare."""
        self.project.do("apply", ".", "--yes")
        while self.figures.kills.total() < kills:
            with self._client():
                self._one_life(kills)
            self._damage()
        self._finish()
        self._judge()
        return self.figures

    # -- lives and deaths -------------------------------------------------------------------------------------------

    @contextmanager
    def _client(self) -> Iterator[None]:
        command = [sys.executable, "-m", "tests.crash.client", str(self.project.store), str(self.log)]
        process = subprocess.Popen(
            [*command, str(self.dice.randrange(1 << 30)), "8"], cwd=self.project.root,
            env=self.project._environment(),
        )  # fmt: skip
        try:
            yield
        finally:
            process.kill()  # whether or not it is just being told that an input is kept
            process.wait()

    def _one_life(self, kills: int) -> None:
        """A supervisor, and deaths of its children until it dies itself."""
        who = self._arrange_point()
        words = ["--compact"] if self.dice.random() < 0.08 else []
        with self.project.worker("--no-watch", "--max-concurrency", "10", "-o", "json", *words) as worker:
            if who == "supervisor":
                self._await_point(worker)
            while worker.process.poll() is None and self.figures.kills.total() < kills:
                self._await_life(worker)
                if who == "child":
                    self._await_point(worker)
                elif worker.process.poll() is None:
                    self._kill(worker)
                who = self._arrange_point(child_only=True)
                if self.dice.random() < 0.3:
                    break
            self.point.unlink(missing_ok=True)
            if worker.process.poll() is None:
                worker.kill(child_too=self.dice.random() < 0.7)
                self.figures.kills["both at the end"] += 1
            said = worker.said + worker.out.read_text()
            self._count_recoveries(said)
            self._check_said(said, worker)

    def _check_said(self, said: str, worker: Worker) -> None:
        for line in said.splitlines():
            if '"level":"ERROR"' in line or any(words in line for words in ("error in the kit", "giving up")):
                self.figures.wrong.append(f"said in {worker.log.name}: {line[:400]}")

    def _arrange_point(self, *, child_only: bool = False) -> str:
        """Perhaps let somebody die at a named place; who."""
        if self.dice.random() > POINT_SHARE:
            return ""
        who = "child" if child_only else self.dice.choice(("child", "child", "child", "supervisor"))
        where = self.dice.choice(sorted(POINTS[who]))
        count = self.dice.randint(1, POINTS[who][where])
        beside = self.point.with_suffix(".new")
        beside.write_text(f"{who} {where} {self.dice.choice(('before', 'after'))} {count}")
        beside.rename(self.point)
        self._where = where
        return who

    def _await_life(self, worker: Worker) -> None:
        reports = len(worker.reports())
        until(
            lambda: len(worker.reports()) > reports or worker.process.poll() is not None or not self.point.exists(),
            "a sign of life", 40.0,
        )  # fmt: skip

    def _await_point(self, worker: Worker) -> None:
        end = time.monotonic() + LATEST_POINT
        while self.point.exists() and time.monotonic() < end:
            time.sleep(0.02)
        if not self.point.exists():
            self.figures.kills["at a named place"] += 1
            self.figures.points[self._where.rpartition(".")[2]] += 1
            until(lambda: worker.process.poll() is not None or worker.children(), "the next one", 10.0)
        self.point.unlink(missing_ok=True)

    def _kill(self, worker: Worker) -> None:
        if self.dice.random() < 0.5:
            self._wait_for_commit()
        else:
            time.sleep(self.dice.uniform(0.0, LONGEST_LIFE))
        in_commit = self._is_in_commit()
        victim = self.dice.choice(("child", "child", "child", "supervisor", "both"))
        if victim == "child":
            worker.kill_child()
        else:
            worker.kill(child_too=victim == "both")
        self.figures.kills["in a commit" if in_commit else "at random"] += 1
        if victim == "child" and self.dice.random() < 0.3:  # the next one, while it recovers
            time.sleep(self.dice.uniform(0.1, 1.0))
            worker.kill_child()
            self.figures.kills["while recovering"] += 1

    def _wait_for_commit(self) -> None:
        end = time.monotonic() + 1.5
        while not self._is_in_commit() and time.monotonic() < end:
            time.sleep(0.0002)
        time.sleep(self.dice.uniform(0.0, 0.003))

    def _is_in_commit(self) -> bool:
        mark = self.project.store / "statek.mark"
        return mark.exists() and mark.read_bytes()[IN_COMMIT : IN_COMMIT + 1] == b"\1"

    def _damage(self) -> None:
        if not self.damages or self.dice.randrange(DAMAGE_EVERY):
            return
        file = self.project.store / "statek.db0"
        until(lambda: not _is_open(file), "the killed process lets go of the store")
        if not file.exists():
            return
        kind = self.dice.choice(sorted(DAMAGES))
        DAMAGES[kind](file, self.dice)
        self.figures.damaged[kind] += 1
        is_pruned = bool(_low(self.project))
        if (spoiled := spoil_copies(file, self.dice, all_of_them=not is_pruned)) is not None:
            self.figures.damaged[spoiled] += 1

    # -- the end ----------------------------------------------------------------------------------------------------

    def _finish(self) -> None:
        self._call([sys.executable, "-m", "tests.crash.client", str(self.project.store), str(self.log), "0", "0"])
        try:
            finished = self.project.run("work", "--until-idle", "--no-watch", seconds=LONGEST_END)
        except subprocess.TimeoutExpired:
            waiting = self.project.do("ps", "-o", "json").json["jobs"]
            self.figures.wrong += [f"waits for ever: {job['id']} {job['status']}" for job in waiting]
            self.figures.wrong.append("the last worker did not come to an end")
            return
        if finished.code != 0:
            self.figures.wrong.append(f"the last worker ended with {finished.told[-2000:]}")
        self._count_recoveries(finished.err)

    def _judge(self) -> None:
        figures = self.figures
        found = self._read()
        log = client.read(self.log)
        file = self.project.root / "outside.log"
        outside = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
        figures.wrong += Case(found, log, outside).wrong()
        figures.jobs, figures.calls, figures.in_doubt = len(found["ids"]), len(outside), len(found["tally"]["doubted"])
        figures.low = _low(self.project)
        if figures.low:
            return
        for seed in (str(int(_store_id(self.project)[:8], 16) or 1), "random"):
            again = self._read("replay", str(self.project.root / f"again-{seed}"), hash_seed=seed)
            figures.wrong += [f"replay with hash seed {seed}: {line}" for line in _differences(found, again)]
        sent = file.read_text().splitlines() if file.exists() else []
        if len(sent) != len(outside):
            figures.wrong.append(f"the replay called outside {len(sent) - len(outside)} times")

    def _read(self, *more: str, hash_seed: str = "random") -> Any:
        self.project.environ["PYTHONHASHSEED"] = hash_seed
        command = [sys.executable, "-m", "tests.crash.reading", str(self.project.store), *more]
        return json.loads(self._call(command))

    def _call(self, command: Sequence[str]) -> str:
        ran = self.project.call(command, seconds=300)
        assert ran.code == 0, ran.told[-3000:]
        self.figures.differing += ran.err.count("did something else than recorded; the record wins")
        return ran.out

    def _count_recoveries(self, said: str) -> None:
        for name, words in RECOVERIES.items():
            self.figures.recovered[name] += said.count(words)


def _listed(counted: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counted.items()) if count) or "none"


def _differences(found: Any, again: Any) -> list[str]:
    """What a replay did not bring back."""
    jobs = sorted(
        job for job in {*found["digests"], *again["digests"]}
        if found["digests"].get(job) != again["digests"].get(job)
    )  # fmt: skip
    lines = [f"{job}: {_first_difference(found['digests'].get(job), again['digests'].get(job))}" for job in jobs[:10]]
    parts = [name for name in found["tally"] if found["tally"][name] != again["tally"][name]]
    return [*lines, *(f"the application's {name} differ" for name in parts)]


def _first_difference(one: str | None, other: str | None) -> str:
    if one is None or other is None:
        return "it is not there"
    pairs = zip(json.loads(one), json.loads(other), strict=True)
    return next(f"{str(left)[:300]} became {str(right)[:300]}" for left, right in pairs if left != right)


def _low(project: Project) -> int:
    status = project.run("status", "-o", "json")
    return int(status.json["safety"]["ledger"]["low"]) if status.code == 0 else -1


def _store_id(project: Project) -> str:
    from statek.ledger.file import LedgerFile
    from statek.worker.places import ledger_file

    with LedgerFile.open(ledger_file(project.store)) as ledger:
        return ledger.store_id


def _is_open(file: Path) -> bool:
    """Whether any process has the file open still."""
    for entry in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if entry.readlink() == file:
                return True
        except OSError:
            continue  # it ended meanwhile
    return False


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a campaign. Returns 0 when nothing went wrong, else 1 and leaves the project behind."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash.campaign", description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--prune", action=argparse.BooleanOptionalAction, default=None)
    given = parser.parse_args(arguments)
    prune = given.seed % 2 == 0 if given.prune is None else given.prune
    print(f"seed {given.seed}, {'copies and pruning' if prune else 'no pruning'}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="statek-crash-"))
    began = time.monotonic()
    figures = Campaign(folder / "small", random.Random(given.seed), prune=prune).run(given.kills)
    print(f"{figures}\n{time.monotonic() - began:.0f} s")
    if not figures.are_good:
        print(f"the project is left in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
