"""`statek restore`: a backup in the place of the store. Nothing is deleted; work is paused until `work --resume`."""

import sys
from pathlib import Path

import click

from statek.base.clock import SystemClock, as_text
from statek.cli import options
from statek.cli.codes import Exit
from statek.cli.commands.backup import manifest_json
from statek.cli.place import Place, locate
from statek.cli.safety import age_text
from statek.cli.screen import Screen
from statek.worker.manifest import Manifest
from statek.worker.places import ledger_file, store_file
from statek.worker.restore import read_manifest, restore


@click.command(name="restore")
@click.argument("source", type=options.PATHS, metavar="DIR|FILE.tar")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--force", is_flag=True, help="Also a backup of another store.")
@options.project()
@options.env()
@options.output()
@click.pass_obj
def command(screen: Screen, source: Path, yes: bool, force: bool, project: Path, env: str | None) -> int:
    """Put the backup DIR or FILE.tar in the place of the store; what is there is moved aside.

    Refused while a worker runs. Work is paused then: the world has gone on since the backup, look before you resume.
    """
    return run(screen, project, env, source=source, yes=yes, force=force)


def run(screen: Screen, project: Path, env: str | None, *, source: Path, yes: bool, force: bool) -> int:
    """Ask and restore. Raises StoreError, LedgerError. Returns 4 when nobody said yes."""
    place, clock = locate(project, env), SystemClock()
    manifest = read_manifest(source)
    age = age_text(max(0.0, (clock.now_us() - manifest.made_us) / 1e6))
    screen.note(f"{source}: a backup of {as_text(manifest.made_us)}, {age} old, up to record {manifest.last:,}")
    if not (yes or _is_empty(place) or _agreed(screen, manifest)):
        return Exit.REFUSED
    done = restore(place.store, source, clock=clock, force=force)
    if screen.json:
        aside = str(done.aside) if done.aside is not None else None
        screen.document("Restored", {"store": str(place.store), "aside": aside, **manifest_json(done.manifest)})
        return Exit.OK
    screen.line(f"{place.store} is what it was at {as_text(done.manifest.made_us)}")
    if done.aside is not None:
        screen.line(f"what was there is in {done.aside}")
    screen.note("work is paused: what was called since then is not known here; `statek work --resume` goes on")
    return Exit.OK


def _is_empty(place: Place) -> bool:
    return not (ledger_file(place.store).exists() or store_file(place.store).exists())


def _agreed(screen: Screen, manifest: Manifest) -> bool:
    if screen.json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        screen.note("nothing was changed: say --yes to put it in the place of what is there")
        return False
    return click.confirm(f"go back to {as_text(manifest.made_us)}?", default=False)
