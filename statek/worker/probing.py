"""Having a store file tried, on a scratch copy, in a process that may hang or crash, under a time limit.

The other end is `probe`. It judges a file, what follows from that is `recovery`'s and `copying`'s matter. The one idea:
a process that somebody killed tells nothing about the file, so it is asked again.
"""

import json
import logging
import os
import select
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from statek.base import guarded_file
from statek.exceptions import StoreError
from statek.ledger import compiled, releases
from statek.ledger.file import LedgerFile
from statek.worker import spawn
from statek.worker.places import store_file

PROBE = (*spawn.PYTHON, "statek.worker.probe")
FOREIGN = 4  # exit code: whole as far as it goes, but of another ledger or format
IMPORT_SECONDS = 60.0
PROBE_SECONDS_PER_BYTE = 1.0 / 100_000_000
PROBES = 3  # as often as somebody kills it
_KILLED = {-signal.SIGKILL, -signal.SIGTERM}
_TOO_LONG = 124

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Probing:
    """How a store file is tried: where tool modules are, the command, its seconds for a small file, and niceness."""

    python_path: tuple[str, ...] = ()
    command: Sequence[str] = PROBE
    seconds: float = 6.0
    nice: int = 0


@dataclass(frozen=True)
class Verdict:
    """What a probe found.

    Attributes:
        code: exit code; 0: every object could be read and rewritten.
        seq: the last record that the store has taken in; -1 unless `code` is 0.
        seq_tag: the tag of that record as the store keeps it.
    """

    code: int
    seq: int = -1
    seq_tag: str = ""


def try_file(file: Path, scratch: Path, store_id: str, modules: Sequence[str], probing: Probing) -> Verdict:
    """Copy `file` into the folder `scratch`, which is emptied before and after, and try the copy.

    Args:
        file: a store file that nobody commits to now.
        scratch: a folder for this alone, on a disk with room.
        store_id: the id that the store must have.
        modules: tool modules of the application, which know the classes of its objects.
        probing: how.

    Raises:
        StoreError: it could not be copied, the modules cannot be imported, or the process was killed again and again.
    """
    shutil.rmtree(scratch, ignore_errors=True)
    limit = probing.seconds + file.stat().st_size * PROBE_SECONDS_PER_BYTE
    try:
        for _ in range(PROBES):
            guarded_file.copy_between_commits(file, store_file(scratch))
            verdict = _run(scratch, store_id, modules, probing, limit)
            if verdict.code not in _KILLED:
                return verdict
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


def _run(scratch: Path, store_id: str, modules: Sequence[str], probing: Probing, limit: float) -> Verdict:
    """The code is that of the process: 0 when all is well, negative for a signal, 124 when it took too long."""
    asked = {
        "copy": str(scratch), "store_id": store_id, "python_path": probing.python_path, "modules": list(modules),
        "nice": probing.nice, "parent": os.getpid(),
    }  # fmt: skip
    process = spawn.start_tied([*probing.command, json.dumps(asked)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        if not select.select([process.stdout], [], [], IMPORT_SECONDS)[0]:
            raise StoreError(
                f"the store cannot be checked: its tool modules were not imported within {IMPORT_SECONDS:.0f} s",
                hint="look for a module that waits for something while it is imported",
            )
        code = process.wait(limit)
        return _read(code, process.stdout.read())
    except subprocess.TimeoutExpired:
        _log.warning("the check of the store did not end within %.0f s", limit)
        return Verdict(_TOO_LONG)
    finally:
        spawn.kill_group(process)
        process.stdout.close()


def _read(code: int, answer: bytes) -> Verdict:
    """The process says `ready`, and at the end in JSON what the store has taken in."""
    lines = answer.splitlines()
    if code != 0 or len(lines) < 2:
        return Verdict(code)
    found = json.loads(lines[1])
    return Verdict(0, int(found["seq"]), str(found["seq_tag"]))
