"""`statek show`: one job whole. Asks the worker, or the store when none runs."""

from pathlib import Path

import click

from statek.cli import options
from statek.cli.codes import Exit
from statek.cli.job_text import JobData, job_facts, section_lines
from statek.cli.jobs import asking
from statek.cli.place import locate
from statek.cli.screen import Screen

_SECTIONS = ("prompt", "warmup", "chat", "console", "locals", "error")


@click.command(name="show")
@click.argument("job")
@options.project()
@options.env()
@options.output()
@click.pass_obj
def command(screen: Screen, job: str, project: Path, env: str | None) -> int:
    """Show prompt, warmup, chat, console, locals, usage and error of JOB, and where it stands.

    JOB is an id or a unique beginning of one.
    """
    return run(screen, project, env, job=job)


def run(screen: Screen, project: Path, env: str | None, *, job: str) -> int:
    """Show the job. Raises UnknownJob, StoreError."""
    with asking(locate(project, env)) as questions:
        row = questions.job(job)
    if screen.json:
        screen.document("Job", {"job": row})
    else:
        _show(screen, row)
    return Exit.OK


def _show(screen: Screen, row: JobData) -> None:
    screen.line(row["id"], "bold")
    facts = job_facts(row)
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        screen.line(f"  {name:<{width}}  {value}")
    for name in _SECTIONS:
        if row.get(name):
            screen.line()
            screen.line(f"{name}", "bold")
            for line in section_lines(row[name]):
                screen.line(f"  {line}")
