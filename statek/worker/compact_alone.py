"""Compacting the store of a project that no worker runs: what `statek compact` does, with the lock and the recovery."""

from collections.abc import Callable, Sequence
from pathlib import Path

from statek.base.guarded_file import Mark
from statek.exceptions import StoreError
from statek.worker import offline, places, recovery
from statek.worker.compaction import Compacted, compact
from statek.worker.lock import take
from statek.worker.restore import require_whole_restore


def compact_alone(
    store: Path,
    python_path: Sequence[Path | str],
    *,
    say: Callable[[str], None],
    accept_lost: bool = False,
    at: Callable[[str], None] = lambda _act: None,
) -> Compacted:
    """As `compaction.compact`, which see. Raises StoreError also when a worker runs or there is no store."""
    folder = store.absolute()
    require_whole_restore(folder)
    if not (places.store_file(folder).exists() or places.ledger_file(folder).exists()):
        raise StoreError(f"there is no store at {store}", hint="run `statek apply` and `statek work` first")
    path = tuple(str(Path(entry).absolute()) for entry in python_path)
    with (
        take(folder, "reader") as lock,
        recovery.open_ledger(folder) as ledger,
        Mark(places.mark_file(folder)) as mark,
    ):

        def recover() -> None:
            offline.recover(folder, path, ledger, mark=mark, lock=lock, say=say)

        return compact(folder, path, ledger, mark=mark, recover=recover, accept_lost=accept_lost, at=at)
