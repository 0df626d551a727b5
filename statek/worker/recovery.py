"""Making a store file fit to be opened: put back, probe, or set aside. Before each child, while nobody has it open.

Called by whoever holds the lock: the supervisor, or a reader. It never opens the store itself (a damaged file may hang
or crash whoever does) and never brings it up to date: the child does, by replaying the ledger.

The one idea: the ledger is the truth and the store its checkpoint, so a file in doubt is moved aside rather than
mended. A file is in doubt when its last process did not end properly, and not to be trusted at all when that process
died inside a commit and left no pre-image.
"""

import json
import logging
import os
import select
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from statek.base import guarded_file
from statek.base.clock import Clock
from statek.base.guarded_file import Mark, PreImage, pre_image_path
from statek.exceptions import LedgerError, StoreError
from statek.ledger import compiled, releases
from statek.ledger.file import LedgerFile
from statek.ledger.records import Records
from statek.worker import spawn
from statek.worker.places import ledger_file, store_file

PROBE = (*spawn.PYTHON, "statek.worker.probe")
IMPORT_SECONDS = 60.0
PROBE_SECONDS_PER_BYTE = 1.0 / 100_000_000
PROBES = 3  # as often as somebody kills it, which tells nothing about the file
_KILLED = {-signal.SIGKILL, -signal.SIGTERM}
_TOO_LONG = 124

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Probing:
    """How a store file is tried: where tool modules are, the command, and its seconds for a small file."""

    python_path: tuple[str, ...] = ()
    command: Sequence[str] = PROBE
    seconds: float = 6.0


def open_ledger(store: Path) -> LedgerFile:
    """The ledger beside the store.

    Raises:
        LedgerError: there is a store but no ledger (it is not replaced by an empty one), or it cannot be used.
    """
    path = ledger_file(store)
    if not path.exists() and store_file(store).exists():
        raise LedgerError(
            f"the store {store} is there, but not its ledger {path}",
            hint="put both back from the same backup; without the ledger nobody knows what was promised",
        )
    return LedgerFile.open(path)


def prepare_store(
    store: Path, ledger: LedgerFile, *, mark: Mark, clock: Clock, probing: Probing, say: Callable[[str], None]
) -> bool:
    """Leave a store file that may be opened, or none, so that the child makes an empty one and replays everything.

    Args:
        store: the folder; the caller holds its lock, and no child lives.
        ledger: the ledger beside it.
        mark: the mark of the store file; what it tells of the last process is dealt with and forgotten.
        clock: gives the name of a file that is set aside.
        probing: how to try a file in doubt.
        say: told in a sentence what was done, when it is out of the ordinary.

    Returns:
        Whether the last process ended properly and the file is untouched.

    Raises:
        LedgerError: everything would have to be replayed, but the beginning of the ledger was pruned.
        StoreError: the file could not be tried at all.
    """
    file = store_file(store)
    was_clean = mark.clean_end and file.exists()
    if not file.exists():
        _start_over(file, ledger, say)
    elif not _is_sound(file, ledger, mark, probing, say):
        _require_whole_ledger(ledger, f"the store file {file} is damaged")
        target = guarded_file.move_aside(file, clock.now_us())
        say(f"the store file could not be trusted: moved to {target}; it is rebuilt from the ledger")
    mark.reset()
    return was_clean


def tool_modules(ledger: LedgerFile) -> tuple[str, ...]:
    """The modules of all tools in the release that head is at, sorted."""
    head = releases.head(ledger)
    if head is None:
        return ()
    entries = releases.read_release(ledger, head.release).objects.values()
    holders = [compiled.decode(entry.kind, entry.text) for entry in entries if entry.kind in {"Agent", "ToolSet"}]
    tools = [
        tool for holder in holders if isinstance(holder, compiled.Agent | compiled.ToolSet) for tool in holder.tools
    ]
    return tuple(sorted({tool.target.partition(":")[0] for tool in tools}))


def _start_over(file: Path, ledger: LedgerFile, say: Callable[[str], None]) -> None:
    if Records(ledger).last()[0]:
        _require_whole_ledger(ledger, f"the store file {file} is gone")
        say(f"there is no store file {file}: it is rebuilt from the ledger")
    pre_image_path(file).unlink(missing_ok=True)  # of a file that is gone; it must not be put into the next one


def _require_whole_ledger(ledger: LedgerFile, what: str) -> None:
    if ledger.low:
        raise LedgerError(
            f"{what}, and the ledger {ledger.path} was pruned up to record {ledger.low}: it cannot be rebuilt from it",
            hint="put the ledger and the store back from the same backup",
        )


def _is_sound(file: Path, ledger: LedgerFile, mark: Mark, probing: Probing, say: Callable[[str], None]) -> bool:
    was_put_back = _put_back(file, ledger.store_id)
    if was_put_back:
        mark.reset()  # now: whoever is killed from here on has left a whole file, and no pre-image to tell
        say("the last process died while it wrote the store: the state before was put back")
    elif mark.in_commit:
        return False
    return (mark.clean_end and not was_put_back) or _passes_probe(file, ledger, probing)


def _put_back(file: Path, store_id: str) -> bool:
    try:
        return PreImage(file, store_id).restore()
    except StoreError as error:
        _log.warning("the pre-image of %s cannot be put back: %s", file, error)
        return False


def _passes_probe(file: Path, ledger: LedgerFile, probing: Probing) -> bool:
    scratch = file.with_name(".probe")
    shutil.rmtree(scratch, ignore_errors=True)
    limit = probing.seconds + file.stat().st_size * PROBE_SECONDS_PER_BYTE
    try:
        for _ in range(PROBES):
            guarded_file.copy_between_commits(file, scratch / file.name)
            code = _run_probe(scratch, ledger, probing, limit)
            if code not in _KILLED:
                return code == 0
    except OSError as error:
        raise StoreError(
            f"the store file {file} cannot be copied to check it: {error.strerror}", hint="free space on its disk"
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    raise StoreError(
        f"the store file {file} cannot be checked: the check was killed {PROBES} times",
        hint="look whether the machine has enough memory",
    )


def _run_probe(scratch: Path, ledger: LedgerFile, probing: Probing, limit: float) -> int:
    """Exit code of a probe: 0 when all is well, negative for a signal, 124 when it took too long."""
    asked = {
        "copy": str(scratch), "store_id": ledger.store_id, "python_path": probing.python_path,
        "modules": tool_modules(ledger), "parent": os.getpid(),
    }  # fmt: skip
    process = spawn.start_tied([*probing.command, json.dumps(asked)], stdout=subprocess.PIPE)
    try:
        if process.stdout is None or not select.select([process.stdout], [], [], IMPORT_SECONDS)[0]:
            raise StoreError(
                f"the store cannot be checked: its tool modules were not imported within {IMPORT_SECONDS:.0f} s",
                hint="look for a module that waits for something while it is imported",
            )
        return process.wait(limit)
    except subprocess.TimeoutExpired:
        _log.warning("the check of the store did not end within %.0f s", limit)
        return _TOO_LONG
    finally:
        spawn.kill_group(process)
        if process.stdout is not None:
            process.stdout.close()
