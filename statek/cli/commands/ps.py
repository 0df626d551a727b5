"""`statek ps`: the jobs. Asks the worker, or the store when none runs."""

from dataclasses import dataclass
from pathlib import Path

import click

from statek.cli import jobs, options
from statek.cli.codes import Exit
from statek.cli.job_text import COLUMNS, NUMBERS, job_cells
from statek.cli.jobs import asking
from statek.cli.place import Place, locate
from statek.cli.screen import Screen


@dataclass(frozen=True)
class Filter:
    """Which jobs. `everything`: those that ended too."""

    agent: str | None
    status: str | None
    everything: bool
    limit: int


@click.command(name="ps")
@click.option("--agent", metavar="NAME", help="Only jobs of this agent.")
@click.option("--status", metavar="STATUS", help="Only jobs with this status or outcome.")
@click.option("--all", "everything", is_flag=True, help="Also jobs that have ended.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many.")
@options.project()
@options.env()
@options.output()
@click.pass_obj
def command(
    screen: Screen,
    agent: str | None,
    status: str | None,
    everything: bool,
    limit: int,
    project: Path,
    env: str | None,
) -> int:
    """List the jobs that have not ended."""
    return run(screen, project, env, Filter(agent, status, everything, limit))


def run(screen: Screen, project: Path, env: str | None, wanted: Filter) -> int:
    """Show the rows. Raises StoreError when the store cannot be used."""
    place = locate(project, env)
    with asking(place) as questions:
        found = questions.jobs(
            agent=wanted.agent, status=wanted.status, everything=wanted.everything, limit=wanted.limit
        )
        live = questions.live
    queued, lines = _queued(place)
    if screen.json:
        screen.document("Jobs", {**found, "queued": queued, "worker": live})
        return Exit.OK
    rows = found["jobs"]
    if rows:
        screen.table(COLUMNS, [job_cells(row) for row in rows], right=NUMBERS)
    if found["total"] > len(rows):
        screen.note(f"{len(rows):,} of {found['total']:,} jobs; --limit shows more")
    elif not rows:
        screen.note("no jobs" if wanted.everything else "no jobs are open; --all shows those that have ended")
    for line in found.get("refused", []):
        screen.note(f"refused when it was taken in: {line['id']}: {line['reason']}")
    for line in lines:
        screen.note(line)
    return Exit.OK


def _queued(place: Place) -> tuple[dict[str, int], list[str]]:
    """Inputs that are no jobs yet, by `Agent/name` or `Queue/name`, and the same for people."""
    with place.open_ledger() as ledger:
        counts = jobs.queued(ledger)
        return counts, jobs.queued_lines(ledger, counts)
