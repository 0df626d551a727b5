"""A backup: store and ledger of one moment with a manifest, as a folder or a tar file. Works beside a running worker.

The store is copied first, by its worker between two passes or under the lock when none runs, then the ledger: so the
ledger is never older than the store and can always bring it up to date. Nothing counts as a backup before the pair was
proved: every object of the store read and rewritten, its last record found in the ledger. `restore` is the way back.
"""

import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from statek.base.clock import Clock
from statek.base.durable import sync_file, sync_folder
from statek.exceptions import LedgerError, StoreError
from statek.ledger.file import LedgerFile
from statek.ledger.records import Records
from statek.worker import probing
from statek.worker.manifest import MANIFEST, Manifest, describe
from statek.worker.places import ledger_file, store_file
from statek.worker.probing import Probing
from statek.worker.questions import open_questions
from statek.worker.unfinished import PROBE, clear_unfinished, unfinished

COPY_SECONDS = 600.0
PROBE_SECONDS = 60.0


def make_backup(store: Path, target: Path, *, python_path: Sequence[Path], clock: Clock) -> Manifest:
    """Write a backup of the store in the folder `store` to `target`, whole or not at all.

    Args:
        store: the folder.
        target: a new tar file when its name ends so, else a new folder.
        python_path: where the application's modules are.
        clock: for the manifest.

    Raises:
        StoreError: `target` is there or cannot be written, or store or copy are not good.
        LedgerError: there is no ledger, or it cannot be used.
    """
    target = target.absolute()
    if target.exists():
        raise StoreError(f"{target} is there already", hint="choose another name; nothing is overwritten")
    with _scratch(target) as folder:
        _copy_both(store, folder, python_path)
        manifest = _prove(folder, tuple(str(path.absolute()) for path in python_path), clock)
        (folder / MANIFEST).write_bytes(manifest.to_bytes())
        for file in folder.iterdir():
            sync_file(file)
        sync_folder(folder)
        _publish(folder, target)
    return manifest


@contextmanager
def _scratch(target: Path) -> Iterator[Path]:
    clear_unfinished(target.parent)
    try:
        with unfinished(target) as folder:
            yield folder
    except OSError as error:
        raise StoreError(
            f"the backup {target} cannot be written: {error.strerror}", hint="free space there, or choose another place"
        ) from error


def _copy_both(store: Path, folder: Path, python_path: Sequence[Path]) -> None:
    questions = open_questions(store, python_path=python_path)
    try:
        questions.copy_store(store_file(folder), COPY_SECONDS)
        with LedgerFile.open(ledger_file(store.absolute())) as ledger:
            ledger.back_up(ledger_file(folder))
    finally:
        questions.close()


def _prove(folder: Path, python_path: tuple[str, ...], clock: Clock) -> Manifest:
    seq, seq_tag = -1, ""
    with LedgerFile.open(ledger_file(folder)) as ledger:
        ledger.verify()
        if store_file(folder).exists():
            how = Probing(python_path, seconds=PROBE_SECONDS)
            modules = probing.tool_modules(ledger)
            found = probing.try_file(store_file(folder), folder / PROBE, ledger.store_id, modules, how)
            if found.code != 0:
                raise StoreError(
                    f"not everything in the store can be read and rewritten (exit code {found.code})",
                    hint="no backup was made; stop the worker and start it again: it recovers the store",
                )
            seq, seq_tag = found.seq, found.seq_tag
            ledger.check_pair(ledger.store_id, seq, seq_tag or None)
        store_id, last = ledger.store_id, Records(ledger).last()[0]
    files = {file.name: describe(file) for file in (store_file(folder), ledger_file(folder)) if file.exists()}
    if set(files) != {file.name for file in folder.iterdir()}:
        raise LedgerError(f"the copy of the ledger in {folder} was not closed whole", hint="try again")
    return Manifest(clock.now_us(), store_id, seq, seq_tag, last, files)


def _publish(folder: Path, target: Path) -> None:
    if target.suffix != ".tar":
        folder.rename(target)
    else:
        packed = folder / target.name
        with tarfile.open(packed, "w") as tar:
            for name in (MANIFEST, store_file(folder).name, ledger_file(folder).name):
                if (folder / name).exists():
                    tar.add(folder / name, name)
        packed.chmod(0o600)
        sync_file(packed)
        packed.rename(target)
    sync_folder(target.parent)
