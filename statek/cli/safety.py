"""What `statek status` says about the copies of the store and the ledger behind them. Reads files, opens no store."""

from pathlib import Path
from typing import Any

from statek.base.clock import Clock, as_text
from statek.base.rotation import kept_copies
from statek.cli.progress import duration
from statek.cli.screen import Screen
from statek.ledger.file import LedgerFile
from statek.ledger.pruning import pruned
from statek.worker.paused import find_pause
from statek.worker.places import store_file

_MB = 1_000_000


def safety(store: Path, ledger: LedgerFile) -> dict[str, Any]:
    """`copies` (their number, and the newest), `ledger` (bytes, and what was pruned), `pausedAt` (time of a backup)."""
    copies = kept_copies(store_file(store))
    newest = {"seq": copies[0].seq, "madeAt": as_text(copies[0].made_us), "bytes": copies[0].size} if copies else None
    done, pause = pruned(ledger), find_pause(store)
    files = (ledger.path, ledger.path.with_name(ledger.path.name + "-wal"))
    return {
        "copies": {"count": len(copies), "newest": newest},
        "ledger": {
            "bytes": sum(file.stat().st_size for file in files if file.exists()),
            "low": done.low, "removed": done.removed, "held": done.held,
        },
        "pausedAt": as_text(pause.backup_us) if pause is not None else None,
    }  # fmt: skip


def show_safety(screen: Screen, found: dict[str, Any], store: Path, clock: Clock) -> None:
    """The same in words."""
    copies, ledger = kept_copies(store_file(store)), found["ledger"]
    if copies:
        age = max(0.0, (clock.now_us() - copies[0].made_us) / 1e6)
        screen.line(
            f"copies of the store: {len(copies)}, the last good one {age_text(age)} old, at record {copies[0].seq:,}, "
            f"{copies[0].size / _MB:.1f} MB"
        )
    else:
        screen.line("copies of the store: none yet; without its file it is rebuilt from the ledger")
    gone = f", pruned up to record {ledger['low']:,}: {ledger['removed']:,} removed" if ledger["low"] else ""
    screen.line(f"ledger: {ledger['bytes'] / _MB:.1f} MB{gone}")
    if found["pausedAt"] is not None:
        screen.line(f"paused: put back from a backup of {found['pausedAt']}; `statek work --resume` goes on", "yellow")


def age_text(seconds: float) -> str:
    """`42 s`, `3 min 05 s`, `5 h`, `12 days`."""
    if seconds < 3600:
        return duration(seconds)
    return f"{seconds / 3600:.0f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.0f} days"
