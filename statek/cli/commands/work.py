"""`statek work`: run a worker until it is stopped, or until nothing is left to do."""

import sys
from pathlib import Path

import click

from statek.cli import options
from statek.cli.place import Place, locate
from statek.cli.progress import progress_for
from statek.cli.screen import Screen
from statek.ledger import releases
from statek.ledger.compiled import Fleet, decode
from statek.worker.paused import Paused, find_pause
from statek.worker.supervisor import WorkOptions, run_worker


@click.command(name="work")
@click.option("--until-idle", is_flag=True, help="End when nothing is left to do, with 0 even if jobs failed.")
@click.option(
    "--watch/--no-watch", default=None, help="Apply edits while running; by default as the Fleet says, if not idle."
)
@click.option("--max-concurrency", type=click.IntRange(min=1), metavar="N", help="Most running jobs; else the Fleet's.")
@click.option("--resume", is_flag=True, help="Go on after `statek restore`.")
@click.option("--compact", is_flag=True, help="Write the store anew first, smaller; as `statek compact`.")
@options.project()
@options.env()
@options.output()
@click.pass_obj
def command(
    screen: Screen,
    until_idle: bool,
    watch: bool | None,
    max_concurrency: int | None,
    resume: bool,
    compact: bool,
    project: Path,
    env: str | None,
) -> int:
    """Run a worker for the applied release. One worker runs for each store."""
    place = locate(project, env)
    watches = (not until_idle and _fleet_watches(place)) if watch is None else watch
    resume = resume or _resumes(screen, place)
    asked = WorkOptions(place.root, place.env, place.store, until_idle, watches, max_concurrency, resume, compact)
    with progress_for(screen) as progress:
        return run_worker(asked, progress)


def _resumes(screen: Screen, place: Place) -> bool:
    """A yes of somebody at a terminal, when the store was put back from a backup."""
    pause = find_pause(place.store)
    if pause is None or screen.json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    screen.note(str(Paused(pause)), "yellow")
    return click.confirm("go on?", default=False)


def _fleet_watches(place: Place) -> bool:
    """Whether every Fleet of the applied release wants edits to be applied; without a Fleet: yes."""
    ledger = place.ledger_if_there()
    if ledger is None:
        return True
    with ledger:
        head = releases.head(ledger)
        entries = releases.read_release(ledger, head.release).objects.values() if head else ()
    fleets = [decode("Fleet", entry.text) for entry in entries if entry.kind == "Fleet"]
    return all(fleet.watch for fleet in fleets if isinstance(fleet, Fleet))
