"""`statek show`: one job whole. Asks the worker, or the store when none runs."""

import json
from pathlib import Path

import click

from statek.cli import options
from statek.cli.codes import Exit
from statek.cli.job_text import JobData, job_facts, section_lines
from statek.cli.jobs import asking, no_job
from statek.cli.place import locate
from statek.cli.screen import Screen
from statek.ledger.standing import standing

_SECTIONS = ("prompt", "warmup", "chat", "console", "names", "locals", "error")


@click.command(name="show")
@click.argument("job")
@click.option("--locals", "values", is_flag=True, help="Also the values of its names, not only their types.")
@options.project()
@options.env()
@options.output()
@click.pass_obj
def command(screen: Screen, job: str, values: bool, project: Path, env: str | None) -> int:
    """Show prompt, warmup, chat, console, names, usage and error of JOB, and where it stands.

    JOB is an id or a unique beginning of one.
    """
    return run(screen, project, env, job=job, values=values)


def run(screen: Screen, project: Path, env: str | None, *, job: str, values: bool = False) -> int:
    """Show the job. Raises NotApplied, StoreError."""
    place = locate(project, env)
    with place.open_ledger() as ledger:
        none = no_job(place, ledger, standing(ledger, job))
    if none is not None:
        _show_no_job(screen, none)
        return Exit.OK
    with asking(place) as questions:
        row = questions.job(job, values=values)
    if screen.json:
        screen.document("Job", {"job": row})
    else:
        _show(screen, row)
    return Exit.OK


def _show_no_job(screen: Screen, row: JobData) -> None:
    """An input that has not become a job."""
    if screen.json:
        screen.document("Job", {"job": row})
        return
    screen.line(row["id"], "bold")
    inputs = json.dumps(row["inputs"], ensure_ascii=False) if row["inputs"] is not None else None
    for name, value in (
        ("outcome", row["outcome"]), ("queue", row["queue"]), ("inputs", inputs), ("stands", row["stands"])
    ):  # fmt: skip
        if value is not None:
            screen.line(f"  {name:<7}  {value}")


def _show(screen: Screen, row: JobData) -> None:
    screen.line(row["id"], "bold")
    facts = job_facts(row)
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        screen.line(f"  {name:<{width}}  {value}")
    for name in _SECTIONS:
        if row.get(name) and not (name == "names" and "locals" in row):
            screen.line()
            screen.line(f"{name}", "bold")
            for line in section_lines(row[name]):
                screen.line(f"  {line}")
