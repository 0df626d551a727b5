"""Kill a host application that embeds the loops: `python -m tests.crash.hosts --kills N --seed S`.

No supervisor, no copies and no pre-image guard its store, and dbzero writes it by itself; what a kill inside such a
write has ruined is counted and left alone. Whatever opens again must have lost nothing and done nothing twice.
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
from pathlib import Path
from typing import Any

from tests.acceptance.projects import REPO

LIVES = 6  # deaths of one host; then a last one finishes
EVENTS = 400


def live_and_die(folder: Path, dice: random.Random) -> bool:
    """One life; False when the store did not open."""
    (folder / "alive").unlink(missing_ok=True)
    with (folder / "said").open("ab") as said:
        process = subprocess.Popen(_command(folder), cwd=REPO, stdout=said, stderr=said)
        try:
            end = time.monotonic() + 30
            while not (folder / "alive").exists() and process.poll() is None and time.monotonic() < end:
                time.sleep(0.01)
            if not (folder / "alive").exists():
                return False
            time.sleep(dice.uniform(0.0, 2.0))
            return process.poll() is None
        finally:
            process.kill()
            process.wait()


def _command(folder: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "tests.crash.host", str(folder), str(EVENTS), *more]


def wrong(found: dict[str, Any], sent: list[str]) -> Iterator[str]:
    """What is wrong with a host that has finished."""
    jobs = found["jobs"]
    if len(jobs) != found["events"]:
        yield f"{found['events']} events became {len(jobs)} jobs"
    if sorted(found["counted"]) != list(range(found["events"])):
        yield f"counted: {sorted(found['counted'])}, of {found['events']}"
    told = Counter(text for job in jobs for text in job["told"])
    expected = {f"note {n}.": 1 for n in range(found["notes"])}
    if told != expected:
        yield f"messages that did not arrive once: {dict((told - Counter(expected)) + (Counter(expected) - told))}"
    yield from (f"{text} was sent {times} times" for text, times in Counter(sent).items() if times > 1)
    missing = {f"e{n}.{m}" for n in range(found["events"]) for m in range(4)} - set(sent)
    for text in sorted(missing):
        if text.partition(".")[0] not in found["doubted"]:
            yield f"{text} was neither sent nor doubted"
    yield from (f"{job['id']}: {job['outcome']} {job['error']}" for job in jobs if job["outcome"] != "ok")
    if found["found"] != sorted(job["id"] for job in jobs):
        yield "find(DONE) does not find all jobs"
    yield from found["refused"]


def run(folder: Path, dice: random.Random, kills: int) -> tuple[Counter[str], list[str]]:
    """Hosts, one after another, until there were so many kills."""
    counted: Counter[str] = Counter()
    bad: list[str] = []
    while counted["kills"] < kills:
        counted["hosts"] += 1
        home = folder / str(counted["hosts"])
        home.mkdir()
        lives = min(LIVES, kills - counted["kills"])
        opened = [live_and_die(home, dice) for _ in range(lives)]
        counted["kills"] += lives
        last = subprocess.run(
            _command(home, "end"), cwd=REPO, capture_output=True, text=True, timeout=120, check=False
        )  # fmt: skip
        if not all(opened) or last.returncode != 0:
            counted["stores ruined"] += 1
            counted[last.stderr.strip().rpartition("\n")[2][:80]] += 1
            continue
        found = json.loads(last.stdout)
        file = home / "outside.log"
        sent = file.read_text().split() if file.exists() else []
        counted.update(jobs=len(found["jobs"]), doubts=len(found["doubted"]), messages=found["notes"])
        bad += [f"host {counted['hosts']}: {line}" for line in wrong(found, sent)]
    return counted, bad


def main(arguments: Sequence[str] | None = None) -> int:
    """Run. Returns 0 when nothing went wrong, else 1 and leaves the folder behind."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash.hosts", description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=18)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    given = parser.parse_args(arguments)
    print(f"seed {given.seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="statek-hosts-"))
    counted, bad = run(folder, random.Random(given.seed), given.kills)
    print(", ".join(f"{count} {name}" for name, count in counted.items()))
    print(f"WRONG {len(bad)}", *bad[:40], sep="\n")
    if bad:
        print(f"the hosts are left in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
