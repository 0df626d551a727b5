"""`statek apply`: the files become the release that new work uses. Works with a worker running and without."""

import asyncio
import functools
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from statek.base.clock import Clock, SystemClock
from statek.cli import options, planning
from statek.cli.codes import Exit
from statek.cli.diagnostics import show_problems, show_validation
from statek.cli.errors import TimedOut
from statek.cli.place import Place
from statek.cli.screen import Screen
from statek.control.apply import Applied, Prepare, apply
from statek.control.errors import Guarded, ProblemData
from statek.control.plan import Plan, Prune
from statek.control.plan_text import plan_lines
from statek.worker.questions import open_questions, poke, prepare_in_subprocess

PREPARE_SECONDS = 20.0
_LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Wishes:
    """How to apply. `wait`: seconds until the worker must run the release."""

    prune: Prune | None = None
    yes: bool = False
    dry_run: bool = False
    wait: float = 30.0


@click.command(name="apply")
@click.argument("paths", nargs=-1, required=True, type=options.PATHS)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--prune", is_flag=True, help="Remove objects whose file is gone.")
@click.option("--prune-limit", type=click.IntRange(min=0), metavar="N", help="Most objects that may be removed.")
@click.option("--wait", type=options.Duration(), default=30.0, show_default="30s", help="Wait for the worker so long.")
@click.option("--dry-run", is_flag=True, help="Only show the plan.")
@options.env()
@options.output("text", "json", "compact")
@click.pass_obj
def command(
    screen: Screen,
    paths: tuple[Path, ...],
    yes: bool,
    prune: bool,
    prune_limit: int | None,
    wait: float,
    dry_run: bool,
    env: str | None,
) -> int:
    """Make what the files under PATHS declare the release that new work uses; all of it or nothing.

    The release is tried out first: by the worker, or in a process of its own when none runs.
    """
    return run(screen, paths, env, Wishes(Prune(prune_limit) if prune else None, yes, dry_run, wait))


def run(screen: Screen, paths: Sequence[Path], env: str | None, wishes: Wishes) -> int:
    """Plan, ask, apply, wait for the worker. Raises what `statek.control.apply` does, and TimedOut."""
    wanted = planning.read_files(paths, env)
    problems, place = wanted.compilation.obstacles, wanted.place
    if not wanted.compilation.runs:
        show_validation(screen, problems, place.root, ok=False)
        return Exit.WRONG
    show_problems(screen, problems, place.root)
    if wishes.dry_run and not place.ledger.exists():
        return _show_plan_only(screen, planning.make_plan(wanted, None, wishes.prune))
    with place.make_ledger() as ledger:
        plan = planning.make_plan(wanted, ledger, wishes.prune)
        if wishes.dry_run:
            return _show_plan_only(screen, plan)
        if not screen.json:
            _show_plan(screen, plan)
        if plan.refusals:
            raise Guarded(plan.refusals)
        if not (plan.nothing_to_do or wishes.yes or _agreed(screen)):
            screen.note("nothing was applied")
            return Exit.WRONG
        clock = SystemClock()
        done = apply(plan, ledger=ledger, prepare=preparer(place), clock=clock, reason="apply")
    live = poke(place.store)
    _show_result(screen, done, live=live)
    if live and wishes.wait > 0:
        asyncio.run(_observe(place, done.head.release, wishes.wait, clock))
    return Exit.OK


def preparer(place: Place) -> Prepare:
    """Tries a release out: asks the live worker, else a process of its own."""
    if not poke(place.store):
        return functools.partial(_prepare_alone, place)
    return functools.partial(_prepare_at_worker, place)


def _prepare_at_worker(place: Place, release: str) -> list[ProblemData]:
    questions = open_questions(place.store, python_path=place.python_path)
    try:
        return questions.prepare(release, PREPARE_SECONDS)
    finally:
        questions.close()


def _prepare_alone(place: Place, release: str) -> list[ProblemData]:
    return prepare_in_subprocess(place.root, place.python_path, place.ledger, release, PREPARE_SECONDS)


async def _observe(place: Place, release: str, seconds: float, clock: Clock) -> None:
    """Wait until the worker gives new jobs `release`. Raises TimedOut; head stays where it is."""
    until = clock.monotonic() + seconds
    questions = open_questions(place.store, python_path=place.python_path)
    try:
        while (seen := questions.status()["release"]) != release:
            if clock.monotonic() >= until:
                raise TimedOut(
                    f"head is at {release}, but the worker still runs {seen} after {seconds:g} s",
                    hint="`statek status` shows what holds it up",
                )
            await clock.sleep(_LOOK_SECONDS)
    finally:
        questions.close()


def _agreed(screen: Screen) -> bool:
    """A yes, or nobody to ask."""
    if screen.json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return True
    return click.confirm("apply this?", default=False)


def _show_plan(screen: Screen, plan: Plan) -> None:
    for line in plan_lines(plan):
        screen.line(line)


def _show_plan_only(screen: Screen, plan: Plan) -> int:
    if screen.json:
        screen.document("Plan", plan.to_json())
    else:
        _show_plan(screen, plan)
    return Exit.REFUSED if plan.refusals else Exit.OK


def _show_result(screen: Screen, done: Applied, *, live: bool) -> None:
    if screen.json:
        screen.document("Applied", _applied_json(done, live=live))
        return
    if done.moved:  # else the plan has said that there is nothing to do
        where = "the worker takes it over" if live else "no worker runs; `statek work` starts one"
        screen.line(f"applied {done.head.release}, number {done.head.number}; {where}")


def _applied_json(done: Applied, *, live: bool) -> dict[str, Any]:
    return {
        "release": done.head.release,
        "number": done.head.number,
        "moved": done.moved,
        "worker": live,
        "plan": done.plan.to_json(),
    }
