"""`statek submit`: start jobs of an agent, or put items on a queue. Goes to the ledger's file, worker or not."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from statek.base.clock import SystemClock
from statek.cli import items, options
from statek.cli.codes import Exit
from statek.cli.place import locate
from statek.cli.screen import Screen
from statek.ledger.compiled import Json
from statek.ledger.releases import Release
from statek.ledger.submit import Submitted, Target, find_agent, find_queue, submit
from statek.worker.poke import poke


@dataclass(frozen=True)
class Given:
    """What to submit: exactly one of words, a JSON file, a file of JSON lines (`-` is stdin)."""

    target: Target
    pairs: tuple[str, ...]
    json_file: str | None
    lines_file: str | None
    key: str | None


@click.command(name="submit")
@click.argument("words", nargs=-1, metavar="[AGENT] [KEY=VALUE]...")
@click.option("--queue", metavar="NAME", help="Put items on this queue in place of starting jobs of an agent.")
@click.option("--json", "json_file", metavar="FILE", help="One value in a JSON file; `-` is stdin.")
@click.option("--from", "lines_file", metavar="FILE", help="Many values, one JSON value a line; `-` is stdin.")
@click.option("--key", metavar="FIELD", help="Field (a.b.c) whose value makes a job the same job when sent again.")
@options.project()
@options.env()
@options.output()
@click.pass_obj
def command(
    screen: Screen,
    words: tuple[str, ...],
    queue: str | None,
    json_file: str | None,
    lines_file: str | None,
    key: str | None,
    project: Path,
    env: str | None,
) -> int:
    """Start a job of AGENT, or put an item on a queue; prints the ids.

    Everything is checked before anything is written. With the same key the same job is never started twice.
    """
    if queue is None and (not words or "=" in words[0]):
        raise click.UsageError("name an agent, or a queue with --queue NAME")
    pairs = words if queue is not None else words[1:]
    if sum((bool(pairs), json_file is not None, lines_file is not None)) > 1:
        raise click.UsageError("give one of key=value words, --json FILE and --from FILE")
    target = Target("Agent", words[0]) if queue is None else Target("Queue", queue)
    return run(screen, project, env, Given(target, pairs, json_file, lines_file, key))


def run(screen: Screen, project: Path, env: str | None, given: Given) -> int:
    """Check, write, tell the worker. Raises NotApplied, BadInputs, QueueFull; then nothing was written."""
    place = locate(project, env)
    with place.open_ledger() as ledger:
        release = place.head_release(ledger)
        shapes = _shapes(release, given.target)
        found = _read(given, shapes)
        done = submit(
            ledger, release, given.target, found.values,
            at_us=SystemClock().now_us(), key=given.key, places=found.places,
        )  # fmt: skip
    live = poke(place.store)
    _show(screen, given, done, live=live)
    return Exit.OK


def _read(given: Given, shapes: Mapping[str, Json]) -> items.Items:
    if given.lines_file is not None:
        return items.from_lines(given.lines_file)
    if given.json_file is not None:
        return items.from_json(given.json_file)
    return items.from_pairs(given.pairs, shapes)


def _shapes(release: Release, target: Target) -> Mapping[str, Json]:
    """What the words' keys are declared as: inputs of the agent, or properties of the item. Raises NotApplied."""
    if target.kind == "Agent":
        return find_agent(release, target.name).inputs
    queue = find_queue(release, target.name)
    if queue.agent is None:
        return {}
    inputs = find_agent(release, queue.agent).inputs
    if queue.deliver_as is None:
        return inputs
    properties: Mapping[str, Json] = inputs.get(queue.deliver_as, {}).get("properties", {})
    return properties


def _show(screen: Screen, given: Given, done: Submitted, *, live: bool) -> None:
    if screen.json:
        data = {"target": f"{given.target.kind}/{given.target.name}", "new": done.new, "known": done.known}
        screen.document("Submitted", {**data, "dropped": done.dropped, "worker": live, "ids": list(done.ids)})
        return
    if given.lines_file is None:
        for entry_id in done.ids:
            screen.line(entry_id)
    if given.lines_file is not None or done.known or done.dropped:
        dropped = f", {done.dropped:,} dropped" if done.dropped else ""
        counts = f"{done.new:,} new, {done.known:,} already there{dropped}"
        (screen.line if given.lines_file is not None else screen.note)(counts)
    if not live:
        screen.note("no worker runs; `statek work` starts one")
