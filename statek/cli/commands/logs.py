"""`statek logs`: what one job said and did, in order, and with `-f` as it comes.

Asks the worker, or the store when none runs. The one idea: each question says how much was read already, so following
costs what is new.
"""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from statek.base.clock import SystemClock, as_text
from statek.cli import options
from statek.cli.codes import Exit
from statek.cli.jobs import asking, no_job
from statek.cli.place import Place, locate
from statek.cli.screen import Screen
from statek.exceptions import NotApplied, StatekError
from statek.ledger.standing import Stand, standing
from statek.worker.remote import WorkerEnded

_LOOK_SECONDS = 0.25
_AGO = re.compile(r"(\d+)([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_Part = dict[str, Any]


@click.command(name="logs")
@click.argument("job")
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes, until the job ends.")
@click.option("--since", metavar="TIME", help="From then on: 2026-01-31T10:00:00Z, 2026-01-31, 90s, 15m, 2h, 1d.")
@options.project()
@options.env()
@options.output()
@click.pass_obj
def command(screen: Screen, job: str, follow: bool, since: str | None, project: Path, env: str | None) -> int:
    """Show what JOB said and did. JOB is an id or a unique beginning of one.

    With -f and -o json each entry is a document on a line of its own, the last line says how the job ended.
    """
    return run(screen, project, env, job=job, follow=follow, since=since)


def run(
    screen: Screen, project: Path, env: str | None, *, job: str, follow: bool = False, since: str | None = None
) -> int:
    """Show the entries. Raises NotApplied, StoreError, StatekError when `since` is no time."""
    place = locate(project, env)
    begin = "" if since is None else _time(since)
    with place.open_ledger() as ledger:
        found = standing(ledger, job)
        none, waits = no_job(place, ledger, found), found.stand is Stand.WAITING
    if follow and (waits or none is None):
        return _follow(screen, place, job, begin)
    if none is not None:
        screen.note(f"{none['id']} is no job{' yet' if waits else ''}: {none['stands']}")
        entries = []
    else:
        with asking(place) as questions:
            entries = _from(questions.log(job), begin)
    if screen.json:
        screen.document("Log", {"entries": entries})
    else:
        _show(screen, entries)
    return Exit.OK


def _follow(screen: Screen, place: Place, job: str, begin: str) -> int:
    screen.runs_long = True
    last: _Part | None = None
    for part in _parts(screen, place, job):
        last = part
        entries = _from(part["entries"], begin)
        if not screen.json:
            _show(screen, entries)
        for entry in entries if screen.json else ():
            screen.document("LogEntry", {"job": part["job"], "entry": entry})
    if last is None:
        return Exit.OK
    if screen.json:
        screen.document("LogEnd", {name: last[name] for name in ("job", "status", "outcome")})
    elif last["outcome"] is not None:
        screen.note(f"{last['job']} ended: {last['outcome']}")
    return Exit.OK


def _parts(screen: Screen, place: Place, job: str) -> Iterator[_Part]:
    """Parts of the log until the job has ended, or nobody works on it. A worker that is replaced is asked again."""
    start, live = "", True
    while live:
        with asking(place) as questions:
            live = questions.live
            try:
                while True:
                    part = _part(questions, place, job, start)
                    if part is not None:
                        yield part
                        start, job = part["next"], part["job"]
                        if part["outcome"] is not None and not part["more"]:
                            return
                    if part is None or not part["more"]:
                        if not live:
                            break
                        time.sleep(_LOOK_SECONDS)
            except WorkerEnded:
                continue  # another one, or the store, knows the rest
    screen.note("no worker runs: the job goes on when one does" if start else f"no worker runs, {job} waits for one")


def _part(questions: Any, place: Place, job: str, start: str) -> _Part | None:
    """None while the job's input waits to be taken in."""
    try:
        return dict(questions.follow(job, start))
    except NotApplied:
        with place.open_ledger() as ledger:
            if standing(ledger, job).stand is Stand.WAITING:
                return None
        return dict(questions.follow(job, start))  # it may have been taken in between the two looks


def _time(text: str) -> str:
    """A time as entries have it. Raises StatekError for anything else than what the option documents."""
    ago = _AGO.fullmatch(text)
    if ago is not None:
        return as_text(SystemClock().now_us() - int(ago[1]) * _UNITS[ago[2]] * 1_000_000)
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        hint = "write 2026-01-31T10:00:00Z, 2026-01-31, or 15m for the last quarter of an hour"
        raise StatekError(f"time {text!r}: not understood", hint=hint) from error
    aware = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    return as_text(round(aware.timestamp() * 1_000_000))


def _from(entries: list[_Part], begin: str) -> list[_Part]:
    return [entry for entry in entries if str(entry["at"]) >= begin]


def _show(screen: Screen, entries: list[_Part]) -> None:
    for entry in entries:
        start = f"{entry['at']}  {entry['kind']:<8}  "
        first, *rest = str(entry["text"]).rstrip("\n").split("\n")
        screen.line(start + first)
        for line in rest:
            screen.line(" " * len(start) + line)
