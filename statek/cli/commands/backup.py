"""`statek backup`: store and ledger of this moment in one place, proved good. Beside a running worker or without."""

from pathlib import Path
from typing import Any

import click

from statek.base.clock import SystemClock, as_text
from statek.cli import options
from statek.cli.codes import Exit
from statek.cli.place import locate
from statek.cli.screen import Screen
from statek.worker.backup import make_backup
from statek.worker.manifest import Manifest


@click.command(name="backup")
@click.argument("target", type=click.Path(path_type=Path), metavar="DIR|FILE.tar")
@options.project()
@options.env()
@options.output()
@click.pass_obj
def command(screen: Screen, target: Path, project: Path, env: str | None) -> int:
    """Write a backup to DIR or FILE.tar, which must not exist yet. `statek restore` is the way back."""
    return run(screen, project, env, target=target)


def run(screen: Screen, project: Path, env: str | None, *, target: Path) -> int:
    """Make the backup. Raises StoreError, LedgerError, NotApplied."""
    place = locate(project, env)
    place.open_ledger().close()  # says what is missing before anything is made
    made = make_backup(place.store, target, python_path=place.python_path, clock=SystemClock())
    if screen.json:
        screen.document("Backup", {"path": str(target.absolute()), **manifest_json(made)})
    else:
        size = sum(int(file["bytes"]) for file in made.files.values())
        screen.line(f"{target}: {', '.join(made.files)}, {size / 1e6:.1f} MB, up to record {made.last:,}")
        screen.note(f"it was read back and is good; `statek restore {target}` puts it in place")
    return Exit.OK


def manifest_json(manifest: Manifest) -> dict[str, Any]:
    """What a backup holds, for documents."""
    return {
        "madeAt": as_text(manifest.made_us), "storeId": manifest.store_id,
        "seq": manifest.seq if manifest.seq >= 0 else None, "last": manifest.last, "files": manifest.files,
    }  # fmt: skip
