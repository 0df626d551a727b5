"""The probe: tries a scratch copy of a store in a process that may hang or crash. `python -m statek.worker.probe JSON`.

Started by `probing` alone, under a time limit. Prints one line when the application's modules are imported, since their
time is not the store's. When every object could be read and rewritten it prints in JSON how far the store has taken in
the ledger, and ends with 0.
"""

import importlib
import json
import os
import sys
import traceback
from pathlib import Path

from statek.exceptions import StoreError
from statek.store import copies
from statek.worker.probing import FOREIGN
from statek.worker.spawn import tie_to_parent

READY = b"ready\n"
_DAMAGED = 3


def main(argument: str) -> None:
    """Probe the copy that the JSON `argument` names (copy, store_id, python_path, modules, nice, parent)."""
    asked = json.loads(argument)
    tie_to_parent(asked["parent"])
    os.nice(asked["nice"])
    answers = os.dup(1)
    os.dup2(2, 1)  # what modules print at import is not our answer
    sys.path[:0] = asked["python_path"]
    for module in asked["modules"]:
        _import(module)
    os.write(answers, READY)
    try:
        found = copies.read_and_rewrite(Path(asked["copy"]), asked["store_id"])
    except StoreError as error:
        if error.__cause__ is None:
            os._exit(FOREIGN)
        _tell(error.__cause__)
        os._exit(_DAMAGED)
    except Exception as error:  # noqa: BLE001 - a damaged file raises anything; this process has no other purpose
        _tell(error)
        os._exit(_DAMAGED)
    os.write(answers, json.dumps({"seq": found.seq, "seq_tag": found.seq_tag}).encode() + b"\n")
    os._exit(0)


def _tell(error: BaseException) -> None:
    """One line: who looks at the screen then can do nothing about it, and the recovery says what it does."""
    said = next(iter(str(error).strip().splitlines()), "")
    place = traceback.extract_tb(error.__traceback__)[-1]
    sys.stderr.write(f"statek: the store does not pass its check: {type(error).__name__}: {said} (in {place.name})\n")


def _import(module: str) -> None:
    """Make the classes of a tool module known. One that cannot be imported costs only that."""
    try:
        importlib.import_module(module)
    except Exception:  # noqa: BLE001 - the application's code; its stored objects can be read without it
        sys.stderr.write(f"while checking the store: tool module {module} could not be imported\n")
        traceback.print_exc()


if __name__ == "__main__":
    main(sys.argv[1])
