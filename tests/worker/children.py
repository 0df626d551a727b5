"""Stand-in children for the supervisor: each does one thing that a real one might. `children.py MODE OPTIONS`.

A child counts its starts in the file `starts` of the store's folder, so that it may behave differently the next time.
"""

import os
import signal
import sys
import time
from pathlib import Path

from statek.base.mark import Mark
from statek.worker import places
from statek.worker.reports import Reporter
from statek.worker.spawn import FAILED, FATAL, ChildOptions, tie_to_parent

PROGRESS = {"kind": "progress", "done": 1, "inputTokens": 10, "costUsd": 0.5, "scripted": False, "elapsedSeconds": 0.1}


def main(mode: str, options: ChildOptions) -> None:
    """Run `mode`."""
    tie_to_parent(options.parent)
    store = Path(options.store)
    mark, reporter = Mark(places.mark_file(store)), Reporter(options.report)
    is_first = _count_start(store) == 1
    mark.beat(time.monotonic_ns())
    reporter.tell(PROGRESS)
    if mode == "end":
        return
    if mode == "crash-once" and is_first:
        os.kill(os.getpid(), signal.SIGKILL)
    if mode == "crash":
        os.kill(os.getpid(), signal.SIGKILL)
    if mode == "crash-on-store" and places.store_file(store).exists():
        os.kill(os.getpid(), signal.SIGKILL)
    if mode == "looks-once" and is_first:
        mark.set_clean_end(False)
        reporter.tell({"kind": "failed", "code": "StoreError", "message": "cannot be opened", "hint": ""})
        os._exit(FATAL)
    if mode == "silent-once":
        if is_first:
            time.sleep(600)
        os._exit(0)  # at once: taking leave is silence too
    if mode == "poison" and _starts(store) <= 2:
        mark.begin_stretch("j1", 3, 4)
        os.kill(os.getpid(), signal.SIGKILL)
    if mode in {"fatal", "failed"}:
        reporter.tell({"kind": "failed", "code": "StoreError", "message": f"{mode} store", "hint": "mend it"})
        os._exit(FATAL if mode == "fatal" else FAILED)
    if mode in {"until-asked", "deaf"}:
        _stay(mark, hears=mode == "until-asked")


def _stay(mark: Mark, *, hears: bool) -> None:
    """Live on until asked to end, or for ever."""
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: asked.append(number))
    while not (asked and hears):
        mark.beat(time.monotonic_ns())
        time.sleep(0.02)


def _count_start(store: Path) -> int:
    with (store / "starts").open("a") as file:
        file.write(f"{os.getpid()}\n")
    return _starts(store)


def _starts(store: Path) -> int:
    return len((store / "starts").read_text().splitlines())


if __name__ == "__main__":
    main(sys.argv[1], ChildOptions.read(sys.argv[2]))
