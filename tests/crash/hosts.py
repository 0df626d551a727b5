"""Kill a host application that embeds the loops: `python -m tests.crash.hosts --kills N --seed S`.

No supervisor, no copies and no pre-image guard its stores, and dbzero writes them by itself; what a kill inside such a
write has ruined is counted and left alone. Whatever opens again must have lost nothing and done nothing twice: every
second host has its push queue on a prefix of its own, whose file is not written together with that of the jobs.
"""

import argparse
import json
import os
import random
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.acceptance.projects import REPO
from tests.crash.bench import LATEST_POINT
from tests.crash.deck import Deck

HERE = Path(__file__).parent
POINT_SHARE = 0.6  # of the deaths
LIVES = 8  # deaths of one host; then a last one finishes
EVENTS = 400


def live_and_die(folder: Path, mail: str, dice: random.Random, deck: Deck) -> bool:
    """One life, to a named place or to any moment; False when the store did not open."""
    (folder / "alive").unlink(missing_ok=True)
    point = folder / "point"
    order = deck.draw("host") if dice.random() < POINT_SHARE else None
    if order is not None:
        point.write_text(order.text)
    environ = {**os.environ, "PYTHONPATH": f"{HERE / 'points'}:{REPO}", "CRASH_POINT_FILE": str(point)}
    with (folder / "said").open("ab") as said:
        process = subprocess.Popen(_command(folder, mail), cwd=REPO, stdout=said, stderr=said, env=environ)
        try:
            end = time.monotonic() + 30
            while not (folder / "alive").exists() and process.poll() is None and time.monotonic() < end:
                time.sleep(0.01)
            if not (folder / "alive").exists():
                return False
            with suppress(subprocess.TimeoutExpired):
                process.wait(dice.uniform(0.0, 2.0) if order is None else LATEST_POINT)
            return process.poll() in (None, -9)
        finally:
            process.kill()
            process.wait()
            if order is not None:
                deck.missed(order) if point.exists() else deck.died(order)
            point.unlink(missing_ok=True)


def _command(folder: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "tests.crash.host", str(folder), str(EVENTS), *more]


def wrong(found: dict[str, Any], pushed: list[list[str]], sent: list[str]) -> Iterator[str]:
    """What is wrong with a host that has finished. `pushed`: the words of its log."""
    jobs, counted = found["jobs"], Counter(found["counted"])
    acknowledged = {kind: {int(n) for did, of, n in pushed if (did, of) == ("ack", kind)} for kind in ("event", "note")}
    if len(jobs) != len(found["counted"]):
        yield f"{len(jobs)} jobs, {len(found['counted'])} counted numbers"
    yield from (f"event {n} became {times} jobs" for n, times in counted.items() if times > 1)
    if lost := sorted(acknowledged["event"] - counted.keys()):
        yield f"lost: events {lost} were in the file and became no jobs"
    told = Counter(text for job in jobs for text in job["told"])
    yield from (f"{text} arrived {times} times" for text, times in told.items() if times > 1)
    if lost := sorted(n for n in acknowledged["note"] if not told[f"note {n}."]):
        yield f"lost: notes {lost} were in the file and did not arrive"
    yield from (f"{text} was sent {times} times" for text, times in Counter(sent).items() if times > 1)
    missing = {f"e{n}.{m}" for n in counted for m in range(4)} - set(sent)
    for text in sorted(missing):
        if text.partition(".")[0] not in found["doubted"]:
            yield f"{text} was neither sent nor doubted"
    yield from (f"{job['id']}: {job['outcome']} {job['error']}" for job in jobs if job["outcome"] != "ok")
    if found["found"] != sorted(job["id"] for job in jobs):
        yield "find(DONE) does not find all jobs"
    yield from found["refused"]


def run(folder: Path, dice: random.Random, deck: Deck, kills: int) -> tuple[Counter[str], list[str]]:
    """Hosts, one after another, until there were so many kills."""
    counted: Counter[str] = Counter()
    bad: list[str] = []
    while counted["kills"] < kills:
        counted["hosts"] += 1
        home = folder / str(counted["hosts"])
        home.mkdir()
        lives = min(LIVES, kills - counted["kills"])
        mail = ("host", "mail")[counted["hosts"] % 2]
        opened = [live_and_die(home, mail, dice, deck) for _ in range(lives)]
        counted["kills"] += lives
        last = subprocess.run(
            _command(home, mail, "end"), cwd=REPO, capture_output=True, text=True, timeout=120, check=False
        )  # fmt: skip
        if not all(opened) or last.returncode != 0:
            counted["stores ruined"] += 1
            counted[last.stderr.strip().rpartition("\n")[2][:80]] += 1
            continue
        found = json.loads(last.stdout)
        file = home / "outside.log"
        sent = file.read_text().split() if file.exists() else []
        pushed = [line.split() for line in (home / "pushed.log").read_text().splitlines()]
        notes = sum(len(job["told"]) for job in found["jobs"])
        counted.update(jobs=len(found["jobs"]), doubts=len(found["doubted"]), messages=notes)
        bad += [f"host {counted['hosts']}, queue on {mail}: {line}" for line in wrong(found, pushed, sent)]
    return counted, bad


def main(arguments: Sequence[str] | None = None) -> int:
    """Run. Returns 0 when nothing went wrong, else 1 and leaves the folder behind."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash.hosts", description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=18)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    given = parser.parse_args(arguments)
    print(f"seed {given.seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="statek-hosts-"))
    dice = random.Random(given.seed)
    deck = Deck(dice, hosts=True)
    counted, bad = run(folder, dice, deck, given.kills)
    print(", ".join(f"{count} {name}" for name, count in counted.items()))
    print(deck)
    print(f"WRONG {len(bad)}", *bad[:40], sep="\n")
    if bad:
        print(f"the hosts are left in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
