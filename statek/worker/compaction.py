"""Compaction: putting a file with nothing but the live objects in the place of a store file that has grown.

Called while no worker has the store, by `statek compact` and by `statek work --compact`. It never opens a store itself:
`compacting` does, in processes of their own. It decides nothing about objects.

The one idea: until the last act, a single rename, the old file is the store and untouched; from then on the new one is.
The new one was read, rewritten in a scratch copy and compared with the old one by then. The old one stays beside it
under another name until a worker has opened the new one.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from statek.base import guarded_file, rotation
from statek.base.durable import sync_folder
from statek.base.guarded_file import Mark, pre_image_path
from statek.exceptions import StoreError
from statek.ledger.file import LedgerFile
from statek.worker import places, probing, spawn
from statek.worker.probing import Probing, Verdict

PREFIX = "statek"
SCRATCH = ".compact"
COMMAND = (*spawn.PYTHON, "statek.worker.compacting")


@dataclass(frozen=True)
class Compacted:
    """What a compaction did: bytes of the file before and after, objects by class, seconds.

    Attributes:
        lost: references to objects that nothing explained, when that was accepted.
        former: where the old file lies until a worker has opened the new one.
    """

    before: int
    after: int
    objects: dict[str, int]
    lost: int
    seconds: float
    former: Path


def former_file(store: Path) -> Path:
    """Where the old file lies after a compaction."""
    file = places.store_file(store)
    return file.with_name(f"{file.name}.before-compaction")


def drop_former(store: Path, seq: int) -> bool:
    """Remove the old file, once the new one was opened, and copies of it that a kill has kept; whether there was one.

    Called by whoever has the store open, between two commits. `seq`: the last record that is in its file.
    """
    file, former = places.store_file(store), former_file(store)
    if not former.exists():
        return False
    if not former.samefile(file):  # the same: a kill came before the rename, and the copies are of this file
        _renew_copies(file, seq)
    former.unlink()
    sync_folder(store)
    return True


def compact(
    store: Path,
    python_path: Sequence[str],
    ledger: LedgerFile,
    *,
    mark: Mark,
    recover: Callable[[], None],
    accept_lost: bool = False,
    at: Callable[[str], None] = lambda _act: None,
) -> Compacted:
    """Write the store anew and put the new file in its place.

    Args:
        store: the folder; the caller holds its lock, and no child lives.
        python_path: where the application's modules are.
        ledger: the ledger beside it.
        mark: the mark of the store file.
        recover: brings the store up to date with the ledger; called when its last process did not end properly.
        accept_lost: go on although objects are referred to more often than can be explained.
        at: called with the name of each act before it, for tests.

    Raises:
        StoreError: an object cannot be rewritten, there is no room, or the new file is not like the old one. Then
            nothing was changed.
        LedgerError: as `recovery.prepare_store` does.
    """
    began = time.monotonic()
    file, new = places.store_file(store), store / SCRATCH / f"{PREFIX}.db0"
    path = tuple(python_path)
    is_proved = not (mark.clean_end and file.exists())
    if is_proved:
        recover()
    _require_one_store(store)
    before = file.stat().st_size
    _require_room(store, before)
    run = _Processes(store, path, ledger, accept_lost)
    try:
        at("write")
        if not is_proved and _try(file, store, ledger, run.modules, path).code != 0:  # before it is read as a whole
            mark.set_clean_end(False)
            recover()
        outcome = run.write()
        at("compare")
        with ThreadPoolExecutor() as side_by_side:
            old_like = side_by_side.submit(run.look, store, PREFIX)
            _require_likeness(run.look(store / SCRATCH, PREFIX), old_like.result())
        at("probe")
        verdict = _try(new, store, ledger, run.modules, path)
        if verdict.code != 0:
            raise StoreError("the new file did not pass the check", hint="nothing was changed; please report it")
        after = new.stat().st_size
        _swap(store, new, verdict.seq, at)
    finally:
        shutil.rmtree(store / SCRATCH, ignore_errors=True)
    at("end")
    seconds = time.monotonic() - began
    return Compacted(before, after, outcome["objects"], outcome["lost"], seconds, former_file(store))


def _try(file: Path, store: Path, ledger: LedgerFile, modules: Sequence[str], path: Sequence[str]) -> Verdict:
    return probing.try_file(file, store / ".probe", ledger.store_id, modules, Probing(tuple(path), seconds=60.0))


def _swap(store: Path, new: Path, seq: int, at: Callable[[str], None]) -> None:
    file, former = places.store_file(store), former_file(store)
    at("pre-image")
    pre_image_path(file).unlink(missing_ok=True)  # it must not be put into the new file
    sync_folder(store)
    at("link")
    if not former.exists():  # one of a compaction that was cut, and nothing has run since: the copies are of that one
        os.link(file, former)
    sync_folder(store)
    at("rename")
    new.replace(file)
    sync_folder(store)
    at("copy")
    _renew_copies(file, seq, at)


def _renew_copies(file: Path, seq: int, at: Callable[[str], None] = lambda _act: None) -> None:
    """Let one copy of the new file take the place of those of the old one, where there are any.

    Old ones can be brought up to date as long as nothing has run on the new file; records of later name objects by
    addresses that they do not know. So this is done behind the rename, and before anything runs.
    """
    rotation.clear_unfinished(file)
    if rotation.kept_copies(file):
        guarded_file.copy_between_commits(file, rotation.unfinished_path(file))
        rotation.keep(rotation.unfinished_path(file), file, seq)
        at("thin out")
        rotation.thin_out(file, 1)
    rotation.clear_unfinished(file)


class _Processes:
    """The processes of one compaction."""

    def __init__(self, store: Path, python_path: tuple[str, ...], ledger: LedgerFile, accept_lost: bool) -> None:
        self.modules = probing.tool_modules(ledger)
        self._asked = {
            "store": str(store), "prefix": PREFIX, "ledger": str(ledger.path), "python_path": python_path,
            "modules": list(self.modules), "accept_lost": accept_lost, "parent": os.getpid(),
        }  # fmt: skip
        self._hash_seed = spawn.hash_seed(ledger.store_id)

    def write(self) -> dict[str, Any]:
        """Write the new file; objects by class, and what was lost."""
        return self._run(mode="write")

    def look(self, folder: Path, prefix: str) -> dict[str, Any]:
        """The likeness of a file."""
        return self._run(mode="look", store=str(folder), prefix=prefix)

    def _run(self, **more: str) -> dict[str, Any]:
        process = spawn.start_tied(
            [*COMMAND, json.dumps({**self._asked, **more})], stdout=subprocess.PIPE,
            more_env={"PYTHONHASHSEED": str(self._hash_seed)},
        )  # fmt: skip
        assert process.stdout is not None
        try:
            answer = process.stdout.read()
            code = process.wait()
        finally:
            spawn.kill_group(process)
            process.stdout.close()
        found: dict[str, Any] = json.loads(answer) if answer.endswith(b"\n") else {}
        if code == 0 and found:
            return found
        why = str(found.get("error") or f"its process ended with exit code {code}")
        raise StoreError(f"the store cannot be compacted: {why}", hint=str(found.get("hint") or "nothing was changed"))


def _require_likeness(new: dict[str, Any], old: dict[str, Any]) -> None:
    for name in ("objects", "jobs", "digest"):
        if old[name] != new[name]:
            raise StoreError(
                f"the new file is not like the old one, {name}: {new[name]} instead of {old[name]}",
                hint="nothing was changed; please report it",
            )


def _require_one_store(store: Path) -> None:
    others = [path.name for path in store.glob("*.db0") if path != places.store_file(store)]
    if others:
        raise StoreError(
            f"{store} holds other store files too ({', '.join(sorted(others))}), which may refer into this one",
            hint="such references would lead nowhere afterwards; move the file away if it has none",
        )


def _require_room(store: Path, size: int) -> None:
    free = shutil.disk_usage(store).free
    if free < 2 * size:
        raise StoreError(
            f"the disk of {store} has {free} bytes free; a compaction may need twice the size of the file, {2 * size}",
            hint="free space on it; nothing was changed",
        )
