"""The processes that write a store file anew and compare it. `python -m statek.worker.compacting JSON`.

Started by `compaction` alone. Modes: `write` makes every object again in a fresh file beside the store, `look` tells
the likeness of a file. The first has to change how classes are made before any of them is imported, so this module
imports nothing of the store at its top. Prints one line of JSON: what was found, or an error.
"""

import dataclasses
import importlib
import json
import os
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from statek.exceptions import StatekError
from statek.ledger.file import LedgerFile
from statek.ledger.records import Records, unpack
from statek.worker.spawn import tie_to_parent

REFUSED = 3


def main(argument: str) -> None:
    """Do what the JSON `argument` asks for: mode, store, prefix, ledger, python_path, modules, accept_lost, parent."""
    asked = json.loads(argument)
    tie_to_parent(asked["parent"])
    answers = os.dup(1)
    os.dup2(2, 1)  # what modules print at import is not our answer
    sys.path[:0] = asked["python_path"]
    try:
        found, code = (_write if asked["mode"] == "write" else _look)(asked), 0
    except StatekError as error:
        found, code = {"error": str(error), "hint": error.hint}, REFUSED
    except Exception as error:  # noqa: BLE001 - the edge of the process: it has no other purpose
        traceback.print_exc()
        found, code = {"error": f"{type(error).__name__}: {error}", "hint": "nothing was changed"}, REFUSED
    with os.fdopen(answers, "w") as out:
        out.write(json.dumps(found) + "\n")
    os._exit(code)


def _write(asked: dict[str, Any]) -> dict[str, Any]:
    importlib.import_module("statek.store.bare").patch()
    compacted = importlib.import_module("statek.store.compacted")
    _import(asked["modules"])
    with LedgerFile.open(Path(asked["ledger"])) as ledger:
        records = Records(ledger)

        def addresses(job: str, turn: int) -> Iterable[str]:
            for record in records.beginning(f"r {job} {turn} "):
                yield from [ref for ref in unpack(record.body.partition(b"\n")[0])["refs"] if ref is not None]

        outcome = compacted.write(Path(asked["store"]), addresses, accept_lost=asked["accept_lost"])
    return dataclasses.asdict(outcome)


def _look(asked: dict[str, Any]) -> dict[str, Any]:
    compacted = importlib.import_module("statek.store.compacted")
    _import(asked["modules"])
    return dataclasses.asdict(compacted.likeness(Path(asked["store"]), asked["prefix"]))


def _import(modules: Iterable[str]) -> None:
    """Make the application's classes known, and ours. What cannot be imported shows when an object of it is met."""
    for module in ("statek.store.agent", "statek.store.future", "statek.store.queue", "statek.store.subtask", *modules):
        try:
            importlib.import_module(module)
        except Exception:  # noqa: BLE001 - the application's code
            sys.stderr.write(f"while compacting the store: module {module} could not be imported\n")
            traceback.print_exc()


if __name__ == "__main__":
    main(sys.argv[1])
