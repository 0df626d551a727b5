"""`statek usage`: tokens and money by agent, model or day. Reads the ledger's file, worker or not."""

from pathlib import Path

import click

from statek.cli import options
from statek.cli.codes import Exit
from statek.cli.job_text import dollars
from statek.cli.place import locate
from statek.cli.screen import Screen
from statek.ledger import metering

_NUMBERS = ("ANSWERS", "IN", "CACHED", "OUT", "COST")


@click.command(name="usage")
@click.option("--by", type=click.Choice(["agent", "model", "day"]), default="agent", show_default=True)
@click.option("--since", metavar="DATE", help="From this day on, such as 2026-01-31 (UTC).")
@options.project()
@options.env()
@options.output()
@click.pass_obj
def command(screen: Screen, by: metering.By, since: str | None, project: Path, env: str | None) -> int:
    """Show what models were used for and what it cost, at the prices of the day.

    Jobs that were forgotten count, too. Days are those of UTC.
    """
    return run(screen, project, env, by=by, since=since)


def run(screen: Screen, project: Path, env: str | None, *, by: metering.By, since: str | None) -> int:
    """Show the sums. Raises NotApplied without a ledger, StatekError when `since` is no day."""
    day = metering.check_day(since)
    with locate(project, env).open_ledger() as ledger:
        sums, total = metering.usage(ledger, by, day), metering.total(ledger, day)
    if screen.json:
        rows = [found.to_json() for found in sums]
        screen.document("Usage", {"by": by, "since": day, "usage": rows, "total": total.to_json()})
        return Exit.OK
    if not sums:
        screen.note("no model has answered" + (f" since {day}" if day else ""))
        return Exit.OK
    rows_of_text = [_cells(found) for found in sums]
    if len(sums) > 1:
        rows_of_text.append(_cells(total, "total"))
    screen.table([by.upper(), *_NUMBERS], rows_of_text, right=_NUMBERS)
    return Exit.OK


def _cells(found: metering.Sum, name: str = "") -> tuple[str, ...]:
    return (
        name or found.name or "(unknown)", f"{found.answers:,}", f"{found.input_tokens:,}", f"{found.cached_tokens:,}",
        f"{found.output_tokens:,}", dollars(found.cost_usd, found.answers, found.unpriced, found.scripted),
    )  # fmt: skip
