"""The way back from a backup: what is there is moved aside, what the backup holds takes its place, and work is paused.

No lock is broken and nothing is deleted. The one idea: everything is unpacked and verified in a folder beside the
store, and a rename of that folder decides; from then on the swap only goes forward, and whoever comes next finishes
what a kill has cut.
"""

import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from statek.base.clock import Clock, as_datetime
from statek.base.durable import sync_file, sync_folder
from statek.base.guarded_file import pre_image_path
from statek.base.rotation import copies_folder
from statek.exceptions import LedgerError, StatekError, StoreError
from statek.ledger.file import REPLACING, LedgerFile
from statek.worker import paused
from statek.worker.lock import take
from statek.worker.manifest import MANIFEST, Manifest, describe
from statek.worker.paused import Pause
from statek.worker.places import ledger_file, mark_file, store_file
from statek.worker.unfinished import clear_unfinished

_DECIDED = REPLACING  # a folder of this name in the store's folder: the swap has been decided
_ASIDE = "aside"  # file in it: name of the folder below `set-aside` for what was there


@dataclass(frozen=True)
class Restored:
    """What was done. `aside`: where the files are that were there before; None when there were none."""

    manifest: Manifest
    aside: Path | None


def read_manifest(source: Path) -> Manifest:
    """What a backup holds, by its own word. Raises StoreError when it is none."""
    if source.is_dir():
        path = source / MANIFEST
        if not path.is_file():
            raise StoreError(f"{source} is no backup: there is no {MANIFEST} in it")
        return Manifest.read(path.read_bytes(), source)
    try:
        with tarfile.open(source) as tar:
            return Manifest.read(_member(tar, MANIFEST).read(), source)
    except (tarfile.TarError, KeyError, EOFError) as error:
        raise StoreError(f"{source} is no backup: there is no {MANIFEST} in it") from error


def restore(store: Path, source: Path, *, clock: Clock, force: bool) -> Restored:
    """Put a backup in the place of the store in the folder `store`, and pause work there.

    Args:
        store: the folder; it is made when there is none.
        source: the backup, a folder or a tar file.
        clock: gives the name of the folder for what was there.
        force: also when the backup is of another store.

    Raises:
        StoreError: a worker runs, or `source` is no whole backup, or of another store.
        LedgerError: its ledger is damaged, or its store does not belong to it.
    """
    store = store.absolute()
    store.mkdir(mode=0o700, parents=True, exist_ok=True)
    clear_unfinished(source.absolute().parent)
    with take(store, "worker"):
        finish_restore(store)
        manifest = read_manifest(source)
        if not force:
            _require_same_store(store, manifest, source)
        scratch = store / ".restore"
        shutil.rmtree(scratch, ignore_errors=True)
        try:
            _unpack(source, manifest, scratch)
            _verify(scratch, manifest, source)
            name = f"{as_datetime(clock.now_us()):%Y%m%dT%H%M%S-%f}-before-restore"
            (scratch / _ASIDE).write_text(name)
            (scratch / paused.NAME).write_bytes(Pause(manifest.made_us, manifest.last).to_bytes())
            for file in scratch.iterdir():
                sync_file(file)
            sync_folder(scratch)
            scratch.rename(store / _DECIDED)
            sync_folder(store)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        aside = finish_restore(store)
    return Restored(manifest, aside)


def is_cut(store: Path) -> bool:
    """Whether a restore was decided and not finished; nothing here may be used before it is."""
    return (store / _DECIDED).exists()


def require_whole_restore(store: Path) -> None:
    """Raise StoreError when a restore was decided and not finished."""
    if is_cut(store):
        raise StoreError(
            f"a restore of the store {store} was cut off", hint="`statek work` finishes it; so does the same restore"
        )


def finish_restore(store: Path) -> Path | None:
    """Do what is left of a restore that was decided, under the lock. Returns where the old files are, if any."""
    decided = store / _DECIDED
    if not decided.exists():
        return None
    if not (decided / _ASIDE).exists():  # everything was done but this
        decided.rmdir()
        return None
    aside = store / "set-aside" / (decided / _ASIDE).read_text()
    ledger, file = decided / ledger_file(store).name, decided / store_file(store).name
    if ledger.exists():  # first the whole old pair leaves, so that the new ledger never meets the old store
        _move_old(store, aside)
        ledger.rename(ledger_file(store))
        sync_folder(store)
    if file.exists():
        file.rename(store_file(store))
    if (decided / paused.NAME).exists():
        (decided / paused.NAME).rename(store / paused.NAME)
    sync_folder(store)
    (decided / _ASIDE).unlink()
    decided.rmdir()
    sync_folder(store)
    return aside if aside.exists() else None


def _move_old(store: Path, aside: Path) -> None:
    file, ledger = store_file(store), ledger_file(store)
    belonging = [
        pre_image_path(file), file, mark_file(store), copies_folder(file), store / paused.NAME,
        *(ledger.with_name(ledger.name + end) for end in ("", "-wal", "-shm")),  # nobody may open it without the rest
    ]  # fmt: skip
    for path in belonging:
        if path.exists():
            aside.mkdir(parents=True, exist_ok=True)
            path.rename(aside / path.name)
    if aside.exists():
        sync_folder(aside)
    sync_folder(store)


def _require_same_store(store: Path, manifest: Manifest, source: Path) -> None:
    path = ledger_file(store)
    if not path.exists():
        return
    try:
        with LedgerFile.open(path) as ledger:
            present = ledger.store_id
    except LedgerError:
        return  # it is damaged; this is what backups are for, and it is moved aside, not lost
    if present != manifest.store_id:
        raise StoreError(
            f"the backup {source} is of another store ({manifest.store_id}) than the one here ({present})",
            hint="look for the right backup; --force puts it in place all the same",
        )


def _unpack(source: Path, manifest: Manifest, folder: Path) -> None:
    """Copy the files that the manifest names, and no others."""
    known = {store_file(folder).name, ledger_file(folder).name}
    if not set(manifest.files) <= known or ledger_file(folder).name not in manifest.files:
        raise StoreError(f"the backup {source} names other files than a backup has")
    folder.mkdir(mode=0o700)
    try:
        if source.is_dir():
            for name in manifest.files:
                shutil.copyfile(source / name, folder / name)
            return
        with tarfile.open(source) as tar:
            for name in manifest.files:
                with (folder / name).open("wb") as target:
                    shutil.copyfileobj(_member(tar, name), target, 1 << 20)
    except (tarfile.TarError, KeyError, EOFError, FileNotFoundError) as error:
        raise StoreError(f"the backup {source} is not whole: {error}", hint="use another backup") from error
    except OSError as error:
        raise StoreError(f"the backup {source} cannot be unpacked: {error.strerror}", hint="free space") from error


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    """A file of a tar. Raises KeyError when there is none of that name."""
    found = tar.extractfile(name)
    if found is None:
        raise KeyError(name)
    return found


def _verify(folder: Path, manifest: Manifest, source: Path) -> None:
    for name, wanted in manifest.files.items():
        found = describe(folder / name)
        if found != wanted:
            raise StoreError(
                f"{name} in the backup {source} is not what was written: found {found}, expected {wanted}",
                hint="use another backup; nothing was changed",
            )
    with LedgerFile.open(ledger_file(folder)) as ledger:
        try:
            ledger.verify()
            if manifest.seq >= 0:
                ledger.check_pair(manifest.store_id, manifest.seq, manifest.seq_tag or None)
        except StatekError as error:
            raise LedgerError(f"the backup {source} does not hold together: {error}", hint="use another") from error
