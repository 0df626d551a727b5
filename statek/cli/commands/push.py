"""`statek push`: a message to a job. Goes to the ledger's file, worker or not."""

from pathlib import Path

import click

from statek.base.clock import SystemClock
from statek.cli import options
from statek.cli.codes import Exit
from statek.cli.jobs import find_row
from statek.cli.place import locate
from statek.cli.screen import Screen
from statek.ledger.submit import push
from statek.worker.poke import poke


@click.command(name="push")
@click.argument("job")
@click.argument("text")
@options.project()
@options.env()
@options.output()
@click.pass_obj
def command(screen: Screen, job: str, text: str, project: Path, env: str | None) -> int:
    """Send TEXT to JOB, given by its id or a unique beginning of it."""
    return run(screen, project, env, job=job, text=text)


def run(screen: Screen, project: Path, env: str | None, *, job: str, text: str) -> int:
    """Write the message. Raises NotApplied for an unknown job, and for what will never be one."""
    place = locate(project, env)
    with place.open_ledger() as ledger:
        row = find_row(place, ledger, job)
        push(ledger, row["id"], text, at_us=SystemClock().now_us())
    live = poke(place.store)
    if screen.json:
        screen.document("Pushed", {"job": row["id"], "worker": live})
    else:
        screen.line(row["id"])
        if row["outcome"] is not None:
            screen.note(f"it has ended ({row['outcome']}); the message brings it back to work")
    return Exit.OK
