"""`statek status`: are the files good, are they applied, does the worker run them?"""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from statek.base.clock import SystemClock
from statek.cli import options, planning
from statek.cli.codes import Exit
from statek.cli.job_text import dollars
from statek.cli.jobs import queued, queued_lines
from statek.cli.place import Place
from statek.cli.safety import safety, show_safety
from statek.cli.screen import Screen
from statek.control.plan import Plan
from statek.control.status import Condition, Truth, WorkerFacts, ready, synced, valid
from statek.ledger import metering, releases
from statek.ledger.file import LedgerFile
from statek.worker.growth import growth
from statek.worker.places import store_file
from statek.worker.questions import open_questions, poke

_MB = 1_000_000


@click.command(name="status")
@click.option("--exit-code", is_flag=True, help="End with 3 when what is applied differs from the files.")
@options.project()
@options.env()
@options.output()
@click.pass_obj
def command(screen: Screen, exit_code: bool, project: Path, env: str | None) -> int:
    """Show whether the files are valid, applied and running."""
    return run(screen, project, env, tell=exit_code)


def run(screen: Screen, project: Path, env: str | None, *, tell: bool) -> int:
    """Show the conditions. Returns 3 when the files differ from head and `tell`, else 0."""
    wanted = planning.read_project(project, env)
    place = wanted.place
    plan: Plan | None = None
    head, waiting, lines = None, {}, list[str]()
    safe: dict[str, Any] | None = None
    storage: dict[str, Any] | None = None
    used: dict[str, metering.Sum] | None = None
    with ExitStack() as stack:
        ledger = place.ledger_if_there()
        if ledger is not None:
            stack.enter_context(ledger)
            head, waiting = releases.head(ledger), queued(ledger)
            lines = queued_lines(ledger, waiting)
            safe = safety(place.store, ledger)
            storage = _storage(place, ledger)
            used = _usage(ledger)
        if wanted.compilation.runs:
            plan = planning.make_plan(wanted, ledger)
    worker = _ask_worker(place)
    facts = None if worker is None else worker_facts(worker)
    conditions = [valid(wanted.compilation.problems), synced(plan, wanted.compilation.later), ready(head, facts)]
    if screen.json:
        usage = {name: found.to_json() for name, found in used.items()} if used is not None else None
        data = {"safety": safe, "storage": storage, "usage": usage}
        screen.document("Status", {**_json(place, head, conditions, waiting, worker), **data})
    else:
        _show(screen, place, head, conditions, lines, worker)
        if used is not None:
            _show_usage(screen, used)
        if storage is not None:
            _show_storage(screen, storage)
        if safe is not None:
            show_safety(screen, safe, place.store, SystemClock())
    return Exit.DIFFERS if tell and conditions[1].status is not Truth.TRUE else Exit.OK


def _usage(ledger: LedgerFile) -> dict[str, metering.Sum]:
    """What models were used for today and altogether."""
    today = metering.day_of(SystemClock().now_us())
    return {"today": metering.total(ledger, today), "total": metering.total(ledger)}


def _show_usage(screen: Screen, used: dict[str, metering.Sum]) -> None:
    words = []
    for name, found in used.items():
        money = dollars(found.cost_usd, found.answers, found.unpriced, found.scripted)
        words.append(f"{name} {found.input_tokens + found.output_tokens:,} tokens, {money}")
    if used["total"].answers:
        screen.line(f"models: {'; '.join(words)}")


def _storage(place: Place, ledger: LedgerFile) -> dict[str, Any]:
    """Bytes of the files, by how many they grow in a day, and about how many a compaction would leave of the store."""
    found = growth(store_file(place.store), ledger, SystemClock().now_us() // 1_000_000)
    return {"store": found.store, "ledger": found.ledger, "perDay": found.per_day, "live": found.live}


def _show_storage(screen: Screen, found: dict[str, Any]) -> None:
    day = f", with the ledger it grows by {found['perDay'] / _MB:.1f} MB a day" if found["perDay"] is not None else ""
    left = f"; `statek compact` would leave about {found['live'] / _MB:.1f} MB (an estimate)" if found["live"] else ""
    screen.line(f"store: {found['store'] / _MB:.1f} MB{day}{left}")


def worker_facts(status: dict[str, Any]) -> WorkerFacts:
    """What the conditions need of the worker's own status: `release`, and `reload` when it watches files."""
    reload = status.get("reload")
    refused = () if reload is None or reload["ok"] else tuple(str(item["message"]) for item in reload["problems"])
    return WorkerFacts(status["release"], refused)


def _ask_worker(place: Place) -> dict[str, Any] | None:
    """The live worker's status; None when there is none."""
    if not poke(place.store):
        return None
    questions = open_questions(place.store, python_path=place.python_path)
    try:
        return questions.status() if questions.live else None
    finally:
        questions.close()


def _json(
    place: Place,
    head: releases.Head | None,
    conditions: list[Condition],
    waiting: dict[str, int],
    worker: dict[str, Any] | None,
) -> dict[str, Any]:
    return {
        "project": str(place.root),
        "env": place.env,
        "release": head.release if head else None,
        "number": head.number if head else 0,
        "conditions": [condition.to_json() for condition in conditions],
        "queued": waiting,
        "worker": worker,
    }


def _show(
    screen: Screen,
    place: Place,
    head: releases.Head | None,
    conditions: list[Condition],
    lines: list[str],
    worker: dict[str, Any] | None,
) -> None:
    screen.line(f"{place.root}, environment {place.env}: {head.release if head else 'nothing applied'}", "bold")
    rows = []
    for condition in conditions:
        source = "" if condition.file is None else f" ({condition.file}:{condition.line})"
        rows.append((condition.type, condition.status.value, condition.reason, condition.message + source))
    screen.table(["CONDITION", "STATUS", "REASON", "MESSAGE"], rows, cut=False)
    for line in lines:
        screen.line(line)
    jobs = (worker or {}).get("jobs")
    if isinstance(jobs, dict):
        screen.line("jobs: " + ", ".join(f"{count:,} {name}" for name, count in jobs.items()))
