"""`statek work`: run a worker until it is stopped, or until nothing is left to do."""

from pathlib import Path

import click

from statek.cli import options
from statek.cli.place import Place, locate
from statek.cli.progress import progress_for
from statek.cli.screen import Screen
from statek.ledger import releases
from statek.ledger.compiled import Fleet, decode
from statek.worker.supervisor import WorkOptions, run_worker


@click.command(name="work")
@click.option("--until-idle", is_flag=True, help="End when nothing is left to do, with 0 even if jobs failed.")
@click.option(
    "--watch/--no-watch", default=None, help="Apply edits while running; by default as the Fleet says, if not idle."
)
@click.option("--max-concurrency", type=click.IntRange(min=1), metavar="N", help="Most running jobs; else the Fleet's.")
@options.project()
@options.env()
@options.output()
@click.pass_obj
def command(
    screen: Screen,
    until_idle: bool,
    watch: bool | None,
    max_concurrency: int | None,
    project: Path,
    env: str | None,
) -> int:
    """Run a worker for the applied release. One worker runs for each store."""
    place = locate(project, env)
    watches = (not until_idle and _fleet_watches(place)) if watch is None else watch
    asked = WorkOptions(place.root, place.env, place.store, until_idle, watches, max_concurrency)
    with progress_for(screen) as progress:
        return run_worker(asked, progress)


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
