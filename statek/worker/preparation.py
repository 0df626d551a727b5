"""Trying out a release before head moves to it: its tools are imported, its prompts rendered, its secrets looked up.

What is tried is the runtime's matter (`runtime.prepare`); this module finds the process to do it in. A live worker does
it in its own process, since that is where the release will run; without one it happens in a process of its own,
because the application's modules may do anything while they are imported. Head never moves here.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from statek.exceptions import BugError, LedgerError, StatekError
from statek.ledger import releases
from statek.ledger.file import LedgerFile
from statek.runtime import prepare as runtime_prepare
from statek.settings import StatekSettings
from statek.worker import spawn

ProblemData = dict[str, Any]  # "code", "message", "object"

PREPARATION = (*spawn.PYTHON, "statek.worker.preparation")


def prepare_release(ledger: Path, release: str, settings: StatekSettings) -> list[ProblemData]:
    """Try a staged release out in this process. Returns what is wrong with it, nothing when it can run here.

    Raises LedgerError when it was never staged.
    """
    with LedgerFile.open(ledger) as file:
        found = releases.read_release(file, release)
    return list(runtime_prepare.prepare(found, settings))


def prepare_in_subprocess(
    project_root: Path, python_path: Sequence[Path | str], ledger: Path, release: str, timeout: float
) -> list[ProblemData]:
    """Try a staged release out in a process of its own, as a worker of this project would.

    Args:
        project_root: the folder it runs in.
        python_path: where tool modules are found.
        ledger: the ledger's file.
        release: id of the release.
        timeout: seconds until it is killed; that is a problem of the release.

    Raises:
        LedgerError: the release was never staged, or the ledger cannot be used.
    """
    asked = {
        "root": str(project_root.absolute()), "python_path": [str(Path(path).absolute()) for path in python_path],
        "ledger": str(ledger.absolute()), "release": release, "parent": os.getpid(),
    }  # fmt: skip
    process = spawn.start_tied([*PREPARATION, json.dumps(asked)], stdout=subprocess.PIPE)
    try:
        answer, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        return [_failure(release, f"it could not be prepared within {timeout:g} s: some tool module waits at import")]
    finally:
        spawn.kill_group(process)
        if process.stdout is not None:
            process.stdout.close()
    if process.returncode != 0 or not answer:
        how = f"importing its tools ended the process (exit code {process.returncode}); its messages are above"
        return [_failure(release, how)]
    return _read(json.loads(answer))


def main(argument: str) -> None:
    """The process of `prepare_in_subprocess`: writes one JSON document to stdout."""
    asked = json.loads(argument)
    spawn.tie_to_parent(asked["parent"])
    answers = os.dup(1)
    os.dup2(2, 1)  # what modules print at import is not our answer
    os.chdir(asked["root"])
    sys.path[:0] = asked["python_path"]
    found: dict[str, Any]
    try:
        found = {"problems": prepare_release(Path(asked["ledger"]), asked["release"], StatekSettings())}
    except StatekError as error:
        found = {"error": {"message": str(error), "hint": error.hint}}
    with os.fdopen(answers, "w") as file:
        json.dump(found, file)


def _read(found: dict[str, Any]) -> list[ProblemData]:
    if "error" in found:
        raise LedgerError(found["error"]["message"], hint=found["error"]["hint"])
    problems = found["problems"]
    if not isinstance(problems, list):
        raise BugError(f"preparing answered {found!r}")
    return problems


def _failure(release: str, what: str) -> ProblemData:
    return {"code": "STK501", "message": f"release {release}: {what}", "object": ""}


if __name__ == "__main__":
    main(sys.argv[1])
