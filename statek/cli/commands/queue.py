"""`statek queue`: what waits on the queues, and what becomes of items that failed. Goes to the ledger's file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import click

from statek.base.clock import SystemClock, as_text
from statek.cli import options
from statek.cli.codes import Exit
from statek.cli.place import locate
from statek.cli.screen import Screen
from statek.exceptions import NotApplied
from statek.ledger import inbox, items
from statek.ledger.compiled import Json, Queue, canonical, decode
from statek.ledger.file import LedgerFile
from statek.ledger.inbox import Entry, InputKind
from statek.ledger.releases import Release
from statek.ledger.submit import find_queue
from statek.worker.poke import poke

_MOST = 100_000
_SHOWN = 60  # characters of an item


@click.group(name="queue")
def command() -> None:
    """Look at queues, put failed items back, drop items."""


@command.command(name="ls")
@click.argument("queue", required=False)
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many items.")
@options.project()
@options.env()
@options.output()
@click.pass_obj
def ls(screen: Screen, queue: str | None, limit: int, project: Path, env: str | None) -> int:
    """List the queues, or the items that wait on QUEUE."""
    place = locate(project, env)
    with place.open_ledger() as ledger:
        release = place.head_release(ledger)
        rows = [_queue_row(ledger, entry) for entry in queues_of(release)]
        found = None
        if queue is not None:
            rows = [row for row in rows if row["name"] == find_queue(release, queue).name]
            found = [_item_row(entry) for entry in items.waiting_items(ledger, queue, limit=limit)]
    if screen.json:
        screen.document("Queues", {"queues": rows, "items": found})
    elif found is None:
        _show_queues(screen, rows)
    else:
        _show_items(screen, found)
    return Exit.OK


@command.command(name="requeue")
@click.argument("item", nargs=-1)
@click.option("--all", "queue", metavar="QUEUE", help="All items of this dead letter queue.")
@options.project()
@options.env()
@options.output()
@click.pass_obj
def requeue(screen: Screen, item: tuple[str, ...], queue: str | None, project: Path, env: str | None) -> int:
    """Put items of a dead letter queue back on the queues they come from; prints the ids of their next tries."""
    place = locate(project, env)
    with place.open_ledger() as ledger:
        chosen = _chosen(ledger, place.head_release(ledger), item, queue)
        moved = items.requeue(ledger, chosen, at_us=SystemClock().now_us())
    live = poke(place.store)
    return _tell(screen, "Requeued", moved, live=live)


@command.command(name="drop")
@click.argument("item", nargs=-1)
@click.option("--all", "queue", metavar="QUEUE", help="All items of this queue.")
@options.project()
@options.env()
@options.output()
@click.pass_obj
def drop(screen: Screen, item: tuple[str, ...], queue: str | None, project: Path, env: str | None) -> int:
    """Take waiting items away for good; prints their ids."""
    place = locate(project, env)
    with place.open_ledger() as ledger:
        chosen = _chosen(ledger, place.head_release(ledger), item, queue)
        items.drop(ledger, chosen)
    return _tell(screen, "Dropped", [entry.id for entry in chosen], live=poke(place.store))


def queues_of(release: Release) -> list[Queue]:
    """The queues of a release, by name."""
    found = [entry for entry in release.objects.values() if entry.kind == "Queue"]
    return [cast("Queue", decode("Queue", entry.text)) for entry in sorted(found, key=lambda entry: entry.name)]


def _chosen(ledger: LedgerFile, release: Release, ids: Sequence[str], queue: str | None) -> list[Entry]:
    if bool(ids) == (queue is not None):
        raise click.UsageError("name items, or a queue with --all QUEUE")
    if queue is not None:
        return items.waiting_items(ledger, find_queue(release, queue).name, limit=_MOST)
    return [_waiting(ledger, item) for item in dict.fromkeys(ids)]


def _waiting(ledger: LedgerFile, item: str) -> Entry:
    entry = inbox.find(ledger, item)
    if entry is None or entry.kind not in inbox.ITEMS:
        raise NotApplied(f"no item {item!r} waits on a queue", hint="`statek queue ls QUEUE` lists them")
    return entry


def _queue_row(ledger: LedgerFile, queue: Queue) -> dict[str, Any]:
    oldest = inbox.waiting(ledger, kinds=[InputKind.ITEM], target=queue.name, limit=1)
    return {
        "name": queue.name,
        "agent": queue.agent,
        "waiting": inbox.depth(ledger, InputKind.ITEM, queue.name),
        "again": inbox.depth(ledger, InputKind.ITEM_AGAIN, queue.name),
        "maxDepth": queue.max_depth,
        "paused": queue.paused,
        "deadLetter": queue.dead_letter,
        "oldestAt": as_text(oldest[0].at_us) if oldest else None,
    }


def _item_row(entry: Entry) -> dict[str, Any]:
    dead = entry.body.get("dead")
    tries = items.tries_of(entry) if dead is None else None
    failures: list[Json] = list(tries.failures) if tries is not None else dead["tries"]["failures"]
    return {
        "id": entry.id,
        "item": entry.body["item"],
        "at": as_text(entry.at_us),
        "dueAt": as_text(tries.due_us) if tries is not None and tries.due_us else None,
        "from": None if dead is None else dead["queue"],
        "reason": None if dead is None else dead["reason"],
        "failures": [{**failure, "atUs": as_text(failure["atUs"])} for failure in failures],
    }


def _show_queues(screen: Screen, rows: Sequence[dict[str, Any]]) -> None:
    lines = []
    for row in rows:
        to = "(holds its items)" if row["agent"] is None else row["agent"] + (", paused" if row["paused"] else "")
        lines.append((row["name"], f"{row['waiting']:,}", f"{row['again']:,}", row["oldestAt"] or "-", to))
    screen.table(["QUEUE", "WAITING", "AGAIN", "OLDEST", "AGENT"], lines, right=["WAITING", "AGAIN"])


def _show_items(screen: Screen, rows: Sequence[dict[str, Any]]) -> None:
    lines = []
    for row in rows:
        shown = canonical(row["item"])
        shown = shown if len(shown) <= _SHOWN else shown[: _SHOWN - 3] + "..."
        why = row["reason"] or (f"again at {row['dueAt']}" if row["dueAt"] else "")
        lines.append((row["id"], row["at"], str(len(row["failures"])), shown, why))
    screen.table(["ITEM", "SINCE", "FAILED", "CONTENT", "WHY"], lines, right=["FAILED"])


def _tell(screen: Screen, kind: str, ids: Sequence[str], *, live: bool) -> int:
    if screen.json:
        screen.document(kind, {"ids": list(ids), "worker": live})
    else:
        for entry_id in ids:
            screen.line(entry_id)
    return Exit.OK
