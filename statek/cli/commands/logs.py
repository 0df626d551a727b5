"""`statek logs`: what one job said and did, in order. Asks the worker, or the store when none runs."""

from pathlib import Path

import click

from statek.cli import options
from statek.cli.codes import Exit
from statek.cli.job_text import moment
from statek.cli.jobs import asking
from statek.cli.place import locate
from statek.cli.screen import Screen


@click.command(name="logs")
@click.argument("job")
@options.project()
@options.env()
@options.output()
@click.pass_obj
def command(screen: Screen, job: str, project: Path, env: str | None) -> int:
    """Show what JOB said and did. JOB is an id or a unique beginning of one."""
    return run(screen, project, env, job=job)


def run(screen: Screen, project: Path, env: str | None, *, job: str) -> int:
    """Show the entries. Raises NotApplied, StoreError."""
    with asking(locate(project, env)) as questions:
        entries = questions.log(job)
    if screen.json:
        screen.document("Log", {"entries": entries})
        return Exit.OK
    for entry in entries:
        start = f"{moment(entry['at'])}  {entry['kind']:<8}  "
        first, *rest = str(entry["text"]).rstrip("\n").split("\n")
        screen.line(start + first)
        for line in rest:
            screen.line(" " * len(start) + line)
    return Exit.OK
