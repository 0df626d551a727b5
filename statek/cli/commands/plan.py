"""`statek plan`: what apply would do. Changes nothing."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import click

from statek.cli import options, planning
from statek.cli.codes import Exit
from statek.cli.diagnostics import show_problems, show_validation
from statek.cli.screen import Screen
from statek.control.plan import Prune
from statek.control.plan_text import plan_lines


@click.command(name="plan")
@click.argument("paths", nargs=-1, type=options.PATHS)
@click.option("--prune", is_flag=True, help="Remove objects whose file is gone.")
@click.option("--prune-limit", type=click.IntRange(min=0), metavar="N", help="Most objects that may be removed.")
@click.option("--exit-code", is_flag=True, help="End with 3 when there is something to do.")
@options.env()
@options.output("text", "json", "compact")
@click.pass_obj
def command(
    screen: Screen,
    paths: tuple[Path, ...],
    prune: bool,
    prune_limit: int | None,
    exit_code: bool,
    env: str | None,
) -> int:
    """Compare the files under PATHS (default: the whole project) with what is applied."""
    return run(screen, paths, env, prune=Prune(prune_limit) if prune else None, tell=exit_code)


def run(screen: Screen, paths: Sequence[Path], env: str | None, *, prune: Prune | None, tell: bool) -> int:
    """Plan and show. Returns 1 for bad files, 4 when a guard refuses, 3 for differences if `tell`."""
    wanted = planning.read_files(paths, env)
    problems = wanted.compilation.obstacles
    if not wanted.compilation.runs:
        show_validation(screen, problems, wanted.place.root, ok=False)
        return Exit.WRONG
    show_problems(screen, problems, wanted.place.root)
    with ExitStack() as stack:
        ledger = wanted.place.ledger_if_there()
        if ledger is not None:
            stack.enter_context(ledger)
        plan = planning.make_plan(wanted, ledger, prune)
    if screen.json:
        screen.document("Plan", plan.to_json())
    else:
        for line in plan_lines(plan):
            screen.line(line)
    if plan.refusals:
        return Exit.REFUSED
    return Exit.DIFFERS if tell and not plan.nothing_to_do else Exit.OK
