"""`statek compact`: write the store anew with nothing but what lives in it. No worker may run."""

from pathlib import Path
from typing import Any

import click

from statek.cli import options
from statek.cli.codes import Exit
from statek.cli.place import locate
from statek.cli.screen import Screen
from statek.worker.compact_alone import compact_alone
from statek.worker.compaction import Compacted


@click.command(name="compact")
@click.option(
    "--accept-lost", is_flag=True,
    help="Go on although objects are referred to more often than fields and known tags explain.",
)  # fmt: skip
@options.project()
@options.env()
@options.output()
@click.pass_obj
def command(screen: Screen, accept_lost: bool, project: Path, env: str | None) -> int:
    """Write the store's file anew: all that lives in it, nothing of its past.

    Stop the worker first, or let it do this at its start: `statek work --compact`. Jobs keep their ids and go on where
    they were. Until the last moment nothing is changed, and the old file stays beside the new one until a worker has
    opened that.
    """
    return run(screen, project, env, accept_lost=accept_lost)


def run(screen: Screen, project: Path, env: str | None, *, accept_lost: bool) -> int:
    """Compact the store. Raises StoreError, when nothing was changed."""
    place = locate(project, env)
    done = compact_alone(place.store, place.python_path, say=screen.note, accept_lost=accept_lost)
    if screen.json:
        screen.document("Compacted", as_json(done))
    else:
        screen.line(as_line(done))
    return Exit.OK


def as_json(done: Compacted) -> dict[str, Any]:
    """The fields of a `Compacted` document."""
    return {
        "before": done.before, "after": done.after, "objects": done.objects, "lost": done.lost,
        "seconds": round(done.seconds, 2), "former": str(done.former),
    }  # fmt: skip


def as_line(done: Compacted) -> str:
    """What a compaction did, for people."""
    objects = sum(done.objects.values())
    lost = f"; {done.lost} references were not explained" if done.lost else ""
    sizes = f"{done.before / 1e6:,.1f} MB -> {done.after / 1e6:,.1f} MB"
    return f"{sizes}, {objects:,} objects, {done.seconds:.1f} s{lost}"
