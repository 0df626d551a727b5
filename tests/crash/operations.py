"""What an operator does to the store of a killed fleet, cut by kills too: compact, backup, restore, gc.

Nobody works between a backup and its restoring here, so a restore that is cut or not has to lose nothing. A command
that was not killed has to end well, whatever state the kills before have left the store in; only noise in pages that
none had to read may be met here first.
"""

import hashlib
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.acceptance.projects import Ran
from tests.crash.bench import Bench, rows
from tests.crash.deck import Order

KEPT_BY_GC = 40  # finished jobs
_DECIDED = Order("restore", "statek.worker.restore:finish_restore", "before", 2)  # what is left is for the next one


@dataclass
class Backup:
    """A backup that was made while the client's log and the outside world grew from `before` to `after`."""

    target: Path
    log: tuple[int, int]
    outside: tuple[int, int]


@dataclass
class Operations:
    """An operator. `backups`: those that are whole, newest last."""

    bench: Bench
    backups: list[Backup] = field(default_factory=list)
    _targets: int = 0

    def any(self) -> None:
        """Something, while no worker runs. Where a restore was cut, nothing else can be done than to finish it."""
        if (self.bench.project.store / "restoring").exists():
            self._check_restore(self.bench.cut(["restore", str(self.backups[-1].target), "--yes"], None))
            return
        do = self.bench.dice.choice((self.compact, self.compact, self.back_up, self.restore, self.restore, self.gc))
        do()

    def compact(self) -> None:
        """Write the store anew; the process, or the one that writes, dies at a place or at any moment, or nobody."""
        bench = self.bench
        order = bench.deck.draw("compact", "rewriting") if bench.dice.random() < 0.8 else None
        ran = bench.cut(["compact"], order, at_random=0.0 if order else bench.dice.choice((0.0, 3.0)))
        if ran is not None and ran.code == 0:
            bench.figures.done["compactions"] += 1
        elif ran is not None and (order is None or order.who == "compact" or "nothing was changed" not in ran.err):
            self._wrong("compact", ran)

    def back_up(self) -> None:
        """Make a backup; its process dies at a place or at any moment, or nobody. What is there then is whole."""
        bench = self.bench
        order = bench.deck.draw("backup") if bench.dice.random() < 0.8 else None
        before = self._sizes()
        ran = bench.cut(["backup", str(self.new_target())], order, at_random=0.0 if order else 2.0)
        if ran is not None and ran.code != 0:
            self._wrong("backup", ran)
        self.note_backup(before)

    def restore(self) -> None:
        """Put back a backup of this moment. What is cut is finished by the same command, or by the next worker."""
        bench = self.bench
        before = self._sizes()
        ran = bench.cut(["backup", str(self.new_target())], None)
        if ran is None or ran.code != 0:
            self._wrong("backup", ran)
            return
        self.note_backup(before)
        words = ["restore", str(self.backups[-1].target), "--yes"]
        order = bench.deck.draw("restore") if bench.dice.random() < 0.85 else None
        self._check_restore(bench.cut(words, order, at_random=0.0 if order else bench.dice.choice((0.0, 2.0))))
        if bench.dice.random() < 0.4:
            self._check_restore(bench.cut(words, None))

    def restore_for_the_worker(self) -> None:
        """A restore that is decided, and dies."""
        bench = self.bench
        if (bench.project.store / "restoring").exists():
            return
        before = self._sizes()
        ran = bench.cut(["backup", str(self.new_target())], None)
        if ran is None or ran.code != 0:
            self._wrong("backup", ran)
            return
        self.note_backup(before)
        self._check_restore(bench.cut(["restore", str(self.backups[-1].target), "--yes"], _DECIDED))

    def gc(self) -> None:
        """Let old finished jobs be forgotten; the log says which were asked for."""
        bench = self.bench
        ran = bench.cut(["gc", "--older-than", "0s", "--keep", str(KEPT_BY_GC), "-o", "json"], None)
        if ran is None or ran.code != 0:
            self._wrong("gc", ran)
            return
        gone = json.loads(ran.out)["jobs"]
        with bench.log.open("a") as file:
            file.write(json.dumps(["gone", gone]) + "\n")
        bench.figures.done["jobs to be forgotten by gc"] += len(gone)

    # -- backups ----------------------------------------------------------------------------------------------------

    def new_target(self) -> Path:
        """Where the next backup goes."""
        self._targets += 1
        return self.bench.project.root / f"kept-{self._targets}{self.bench.dice.choice(('', '.tar'))}"

    def sizes(self) -> tuple[int, int]:
        """How long the client's log and the outside world are."""
        return self._sizes()

    def note_backup(self, before: tuple[int, int]) -> None:
        """Look at the newest target; `before`: the sizes when it was begun. Old backups are thrown away."""
        found = next(self.bench.project.root.glob(f"kept-{self._targets}*"), None)
        if found is None:
            return
        after = self._sizes()
        backup = Backup(found, (before[0], after[0]), (before[1], after[1]))
        self.bench.figures.done["backups"] += 1
        self.bench.figures.wrong += [f"{found.name}: {line}" for line in self._wrong_in(backup)]
        for old in self.backups:
            shutil.rmtree(old.target) if old.target.is_dir() else old.target.unlink(missing_ok=True)
        self.backups = [backup]

    def _wrong_in(self, backup: Backup) -> list[str]:
        folder = backup.target
        if not folder.is_dir():
            folder = folder.with_suffix(".unpacked")
            shutil.unpack_archive(backup.target, folder, filter="data")
        try:
            manifest = json.loads((folder / "manifest.json").read_text())
            for name, told in manifest["files"].items():
                content = (folder / name).read_bytes()
                if (len(content), hashlib.sha256(content).hexdigest()) != (told["bytes"], told["sha256"]):
                    return [f"{name} is not what its manifest says"]
            ledger = folder / "ledger.sqlite"
            ids = {row[0] for row in rows(ledger, "SELECT id FROM inbox")}
            ids |= {row[0].removeprefix("in ") for row in rows(ledger, "SELECT key FROM rec WHERE kind = 'in'")}
        finally:
            if folder != backup.target:
                shutil.rmtree(folder)
        entries = self.bench.entries()[: backup.log[0]]
        return [f"{job} was acknowledged before and is not in it" for job in _acknowledged(entries) if job not in ids]

    def _check_restore(self, ran: Ran | None) -> None:
        if ran is not None and ran.code != 0:
            self._wrong("restore", ran)
        elif ran is not None:
            self.bench.figures.done["restores"] += 1

    def _wrong(self, what: str, ran: Ran | None) -> None:
        told = ran.told if ran else "SIGKILL by somebody else"
        if not self.bench.is_of_noise(told):
            self.bench.figures.wrong.append(f"{what} ended with {told[-1500:]}")

    def _sizes(self) -> tuple[int, int]:
        return len(self.bench.entries()), len(self.bench.outside)


def _acknowledged(entries: list[Any]) -> list[str]:
    """Ids of the inputs that become jobs."""
    found = []
    for entry in entries:
        if entry[0] == "ack" and entry[1] in ("numbers", "fragile", "brisk"):
            found.append(f"{entry[1]}:{entry[2]}")
        elif entry[0] == "ack" and entry[1] not in ("push", "cancel", "forget"):
            found.append(f"{entry[1]}/{entry[2]}")
    return found
