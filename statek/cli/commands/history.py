"""`statek history`: the releases that were applied, newest first. Reads the ledger only."""

from pathlib import Path
from typing import Any

import click

from statek.base.clock import as_text
from statek.cli import options
from statek.cli.codes import Exit
from statek.cli.place import locate
from statek.cli.screen import Screen
from statek.ledger import releases


@click.command(name="history")
@click.argument("object_key", required=False, metavar="[KIND/NAME]")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many.")
@options.project()
@options.env()
@options.output()
@click.pass_obj
def command(screen: Screen, object_key: str | None, limit: int, project: Path, env: str | None) -> int:
    """List the moves of head, or only those that changed KIND/NAME."""
    return run(screen, project, env, object_key=object_key, limit=limit)


def run(screen: Screen, project: Path, env: str | None, *, object_key: str | None, limit: int) -> int:
    """Show at most `limit` moves. Returns 0, also when nothing was applied yet."""
    ledger = locate(project, env).ledger_if_there()
    moves = []
    if ledger is not None:
        with ledger:
            moves = releases.history(ledger, limit if object_key is None else -1)
    shown = [move for move in moves if object_key is None or object_key in move.changed][:limit]
    if screen.json:
        screen.document("History", {"releases": [_move_json(move) for move in shown]})
        return Exit.OK
    if not shown:
        screen.note("nothing was applied yet" if object_key is None else f"no release changed {object_key}")
        return Exit.OK
    rows = [
        (str(move.number), as_text(move.at_us), move.release, move.reason, ", ".join(sorted(move.changed)))
        for move in shown
    ]
    screen.table(["NUMBER", "AT", "RELEASE", "REASON", "CHANGED"], rows, right=["NUMBER"])
    return Exit.OK


def _move_json(move: releases.Move) -> dict[str, Any]:
    return {
        "number": move.number,
        "at": as_text(move.at_us),
        "release": move.release,
        "base": move.base,
        "reason": move.reason,
        "changed": move.changed,
    }
