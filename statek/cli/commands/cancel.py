"""`statek cancel`: end a job. Goes to the ledger's file, worker or not."""

from pathlib import Path

import click

from statek.base.clock import SystemClock
from statek.cli import options
from statek.cli.codes import Exit
from statek.cli.jobs import find_row
from statek.cli.place import locate
from statek.cli.screen import Screen
from statek.ledger.submit import cancel
from statek.worker.poke import poke


@click.command(name="cancel")
@click.argument("job")
@options.project()
@options.env()
@options.output()
@click.pass_obj
def command(screen: Screen, job: str, project: Path, env: str | None) -> int:
    """End JOB, given by its id or a unique beginning of it. One that has ended already stays as it is."""
    return run(screen, project, env, job=job)


def run(screen: Screen, project: Path, env: str | None, *, job: str) -> int:
    """Ask for the job's end. Raises NotApplied. Returns 0, also when it has ended already."""
    place = locate(project, env)
    with place.open_ledger() as ledger:
        row = find_row(place, ledger, job)
        asked = row["outcome"] is None and cancel(ledger, row["id"], at_us=SystemClock().now_us())
    live = poke(place.store)
    if screen.json:
        data = {"job": row["id"], "asked": asked, "outcome": row["outcome"], "worker": live}
        screen.document("Cancelled", data)
        return Exit.OK
    screen.line(row["id"])
    if row["outcome"] is not None:
        screen.note(f"it has ended already ({row['outcome']})")
    elif not asked:
        screen.note("that was asked before; the worker has not come to it yet")
    elif not live:
        screen.note("no worker runs; the job ends when one does")
    return Exit.OK
