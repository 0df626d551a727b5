"""`statek gc`: old finished jobs leave the store. Goes through the ledger, worker or not."""

from pathlib import Path

import click

from statek.base.clock import SystemClock
from statek.cli import options
from statek.cli.codes import Exit
from statek.cli.jobs import asking
from statek.cli.place import locate
from statek.cli.screen import Screen
from statek.settings import StatekSettings
from statek.worker.forgetting import Rule, ask_to_forget
from statek.worker.poke import poke

_SHOWN = 10


@click.command(name="gc")
@click.option(
    "--older-than", type=options.Duration(), metavar="DURATION",
    help="Only jobs that ended longer ago, such as `7d`; by default STATEK_KEEP_JOBS_DAYS, 30 days.",
)  # fmt: skip
@click.option(
    "--keep", type=click.IntRange(min=0), metavar="N",
    help="The newest N finished jobs stay whenever they ended; by default STATEK_KEEP_JOBS, 100000.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only show which jobs would go.")
@options.project()
@options.env()
@options.output()
@click.pass_obj
def command(
    screen: Screen, older_than: float | None, keep: int | None, dry_run: bool, project: Path, env: str | None
) -> int:
    """Forget finished jobs: with all they were, but their ids stay known.

    A job goes with its children or not at all, and never while a parent works, or anything stored refers to it. The
    file does not shrink by this; `statek compact` makes it smaller.
    """
    return run(screen, project, env, older_than=older_than, keep=keep, dry_run=dry_run)


def run(
    screen: Screen, project: Path, env: str | None, *, older_than: float | None, keep: int | None, dry_run: bool
) -> int:
    """Ask for the jobs to be forgotten; `older_than` in seconds. Raises NotApplied, StoreError."""
    place = locate(project, env)
    settings = StatekSettings()
    days = settings.keep_jobs_days if older_than is None else older_than / 86_400
    rule = Rule(days, settings.keep_jobs if keep is None else keep)
    now_us = SystemClock().now_us()
    with asking(place) as questions:
        keeping = rule.keep(now_us)
        found = questions.forgettable(before_us=max(keeping.before_us, 0), newest=keeping.newest)
    jobs = [job for family in found["families"] for job in family]
    live = False
    if jobs and not dry_run:
        with place.open_ledger() as ledger:
            ask_to_forget(ledger, found["families"], now_us)
        live = poke(place.store)
    if screen.json:
        data = {"jobs": jobs, "finished": found["finished"], "asked": not dry_run, "worker": live}
        screen.document("Forgotten", data)
        return Exit.OK
    for job in jobs if dry_run else ():
        screen.line(job)
    would = "would be forgotten" if dry_run else "are forgotten"
    screen.note(f"{len(jobs)} of {found['finished']} finished jobs {would}")
    if jobs and not (dry_run or live):
        screen.note("no worker runs; they leave when one does")
    return Exit.OK
