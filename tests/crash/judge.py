"""The end of a killed fleet: the last worker finishes, and what it left is compared with everything known outside.

Then the store is lost on purpose and built again, the whole ledger is replayed under another hash seed, and the newest
backup is finished in a folder of its own, as far as its moment goes. Each time the same has to come out.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.acceptance.projects import Project
from tests.crash import client
from tests.crash.bench import Bench, rows
from tests.crash.operations import Backup
from tests.crash.verdict import Case

LONGEST_END = 300.0  # seconds for a last worker


def finish_and_judge(bench: Bench, backups: Sequence[Backup], *, thoroughly: bool = True) -> None:
    """Let the fleet finish and note in the figures of `bench` what there is, and what is wrong."""
    if not _finish(bench, bench.project, bench.log):
        return
    found = _read(bench, bench.project)
    outside = _words(bench.outside)
    bench.figures.wrong += Case(found, bench.entries(), outside, _dead(bench)).wrong()
    late = sum(queue == "late" for queue, _ in _dead(bench))
    bench.figures.found.update({
        "jobs": len(found["ids"]), "outside calls": len(outside), "calls in doubt": len(found["tally"]["doubted"]),
        "jobs forgotten": found["forgotten"], "items too old": late, "kept copies": len(bench.copies),
    })  # fmt: skip
    _lose_and_rebuild(bench, found)
    if thoroughly and not bench.low:
        _replay(bench, found)
    if bench.outside != [" ".join(words) for words in outside]:
        bench.figures.wrong.append("calls were made by a rebuilding or a replay")
    for backup in backups if thoroughly else ():
        _finish_backup(bench, backup)


def _finish(bench: Bench, project: Project, log: Path) -> bool:
    """Open what waits, and work until nothing is left."""
    _call(bench, project, [sys.executable, "-m", "tests.crash.client", str(project.store), str(log), "0", "0"])
    try:
        finished = project.run("work", "--until-idle", "--no-watch", "--resume", seconds=LONGEST_END)
    except subprocess.TimeoutExpired:
        waiting = project.do("ps", "-o", "json").json["jobs"]
        bench.figures.wrong += [f"waits for ever: {job['id']} {job['status']}" for job in waiting]
        bench.figures.wrong.append("the last worker did not come to an end")
        return False
    if finished.code != 0:
        bench.figures.wrong.append(f"the last worker ended with {finished.told[-2000:]}")
    bench.figures.heard(finished.err)
    return finished.code == 0


# -- the same again ----------------------------------------------------------------------------------------------------


def _lose_and_rebuild(bench: Bench, found: Any) -> None:
    """Without its file, and without copies where the ledger is whole, the store has to become the same again."""
    if not bench.can_be_rebuilt:
        return
    bench.file.unlink()
    for copy in bench.copies if not bench.low else ():
        copy.unlink()
    again = bench.project.run("work", "--until-idle", "--no-watch", seconds=LONGEST_END)
    bench.figures.heard(again.err)
    bench.figures.done["stores lost and built again"] += 1
    if again.code != 0:
        bench.figures.wrong.append(f"rebuilt: {again.told[-2000:]}")
        return
    bench.figures.wrong += [f"rebuilt: {line}" for line in _differences(found, _read(bench, bench.project))]


def _replay(bench: Bench, found: Any) -> None:
    """The whole ledger onto an empty store, with another order of hashes than the worker had."""
    again = _read(bench, bench.project, "replay", str(bench.project.root / "again"))
    bench.figures.wrong += [f"replayed: {line}" for line in _differences(found, again)]
    bench.figures.done["whole ledgers replayed"] += 1


def _differences(found: Any, again: Any) -> list[str]:
    """What did not come back."""
    jobs = sorted(
        job for job in {*found["digests"], *again["digests"]}
        if found["digests"].get(job) != again["digests"].get(job)
    )  # fmt: skip
    lines = [f"{job}: {_first_difference(found['digests'].get(job), again['digests'].get(job))}" for job in jobs[:10]]
    one, other = found["tally"], again["tally"]
    lines += [f"the application's {name} differ" for name in one if one[name] != other[name]]
    lines += [f"{name} differ" for name in ("found", "refused", "forgotten") if found[name] != again[name]]
    return lines


def _first_difference(one: str | None, other: str | None) -> str:
    if one is None or other is None:
        return "it is not there" if other is None else "it is there again"
    pairs = zip(json.loads(one), json.loads(other), strict=True)
    return next(f"{str(left)[:300]} became {str(right)[:300]}" for left, right in pairs if left != right)


# -- a backup ----------------------------------------------------------------------------------------------------------


def _finish_backup(bench: Bench, backup: Backup) -> None:
    """Put a backup into a folder of its own, let it finish there, and judge it by what was known at its moment."""
    root = bench.project.root.with_name(f"{bench.project.root.name}-from-backup")
    others = shutil.ignore_patterns(".statek", "kept-*", "again", "*.log", ".work-*", "point*")
    shutil.copytree(bench.project.root, root, ignore=others)
    project = Project(root, {**bench.project.environ, "PYTHONHASHSEED": "random"})
    project.environ.pop("CRASH_POINT_FILE")
    ran = project.run("restore", str(backup.target), "--yes")
    if ran.code != 0:
        bench.figures.wrong.append(f"{backup.target.name} cannot be restored: {ran.told[-1500:]}")
        return
    entries, (start, end) = bench.entries(), backup.log
    between = [entry for entry in entries[start:end] if entry[0] != "ack"]  # may be in it or not
    log = root / "client.log"
    log.write_text("".join(json.dumps(entry) + "\n" for entry in (*entries[:start], *between)))
    if not _finish(bench, project, log):
        return
    before, (start, end) = bench.outside, backup.outside
    made = (root / "outside.log").read_text().splitlines() if (root / "outside.log").exists() else []
    told = {tuple(line.split()[:2]) for line in made}
    also = [line for line in before[start:end] if tuple(line.split()[:2]) not in told]
    case = Case(_read(bench, project), client.read(log), _words([*before[:start], *also, *made]), _dead(bench, project))
    wrong = case.wrong()
    bench.figures.wrong += [f"from {backup.target.name}: {line}" for line in wrong]
    bench.figures.done["backups finished elsewhere"] += 1
    if not wrong:
        shutil.rmtree(root)


# -- looking -----------------------------------------------------------------------------------------------------------


def _dead(bench: Bench, project: Project | None = None) -> list[tuple[str, str]]:
    """Queue and id of what lies in the dead letter queues."""
    ledger = (project or bench.project).store / "ledger.sqlite"
    return rows(ledger, "SELECT target, id FROM inbox WHERE kind = 'item' AND target IN ('graves', 'late')")


def _words(lines: Sequence[str]) -> list[list[str]]:
    return [line.split() for line in lines]


def _read(bench: Bench, project: Project, *more: str) -> Any:
    project.environ["PYTHONHASHSEED"] = "random"
    return json.loads(_call(bench, project, [sys.executable, "-m", "tests.crash.reading", str(project.store), *more]))


def _call(bench: Bench, project: Project, command: Sequence[str]) -> str:
    ran = project.call(command, seconds=LONGEST_END)
    assert ran.code == 0, ran.told[-3000:]
    bench.figures.differing += ran.err.count("did something else than recorded; the record wins")
    return ran.out


def wrong_numbers(project: Project, accepted: range) -> list[str]:
    """What is wrong with a small fleet that has finished these items of the queue `numbers`, and nothing else."""
    ran = project.call([sys.executable, "-m", "tests.crash.reading", str(project.store)], seconds=LONGEST_END)
    assert ran.code == 0, ran.told
    log = [[what, "numbers", number, 0] for number in accepted for what in ("try", "ack")]
    lines = (project.root / "outside.log").read_text().splitlines()
    return Case(json.loads(ran.out), log, _words(lines), []).wrong()
