"""Errors to exit codes and messages: what the boundary in `main` shows. One message that says what to do, no traceback.

The one idea: an exception of the kit says what happened, this table says what that means to a script.
"""

import errno
import os
import tempfile
import traceback
from pathlib import Path

from statek.base.redaction import SECRETS
from statek.cli.codes import Exit
from statek.cli.diagnostics import show_validation
from statek.cli.screen import Screen
from statek.control.errors import Guarded, Nacked
from statek.exceptions import BugError, LedgerError, StatekError, StoreError
from statek.ledger.releases import HeadMoved
from statek.ledger.submit import QueueFull
from statek.spec.problems import SpecProblems
from statek.spec.reading.project import FILE
from statek.worker.paused import Paused

_MOST = 20  # lines of a message with many
_SECRETS = "STK8"  # codes of secrets and variables
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


class TimedOut(StatekError):  # noqa: N818 - says what happened
    """Nothing came in time."""


_CODES: tuple[tuple[type[StatekError], Exit], ...] = (
    (HeadMoved, Exit.STALE),
    (Guarded, Exit.REFUSED),
    (QueueFull, Exit.REFUSED),
    (Paused, Exit.REFUSED),
    (TimedOut, Exit.TIMEOUT),
    (LedgerError, Exit.STORE),
    (StoreError, Exit.STORE),
    (BugError, Exit.BUG),
    (StatekError, Exit.WRONG),
)


def exit_code(error: StatekError) -> Exit:
    """The documented code of an error."""
    if isinstance(error, Nacked):
        codes = [str(problem.get("code", "")) for problem in error.problems]
        return Exit.PROVIDER if all(code.startswith(_SECRETS) for code in codes) else Exit.NACKED
    return next(code for kind, code in _CODES if isinstance(error, kind))


def show_error(screen: Screen, error: StatekError) -> Exit:
    """Say what happened and what to do. Returns the exit code."""
    code = exit_code(error)
    if isinstance(error, SpecProblems):
        _show_spec_problems(screen, error)
    else:
        _show(screen, type(error).__name__, str(error), error.hint, code)
    return code


def show_failure(screen: Screen, error: OSError) -> Exit:
    """A file or disk that the system refuses."""
    code = Exit.STORE if error.errno in _NO_SPACE else Exit.WRONG
    place = f"{error.filename}: " if error.filename else ""
    hint = "free space on the disk or make it writable, then run the same again" if code is Exit.STORE else ""
    _show(screen, "SystemError", f"{place}{error.strerror or error}", hint, code)
    return code


def show_bug(screen: Screen, error: BaseException) -> Exit:
    """One line, and where the traceback was written."""
    handle, name = tempfile.mkstemp(prefix="statek-bug-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(SECRETS.text("".join(traceback.format_exception(error))))
    first = str(error).partition("\n")[0][:200]
    message = f"this is a bug in statek: {type(error).__name__}: {first}; the traceback is in {name}"
    _show(screen, "BugError", message, "please report it, with that file", Exit.BUG)
    return Exit.BUG


def _show(screen: Screen, name: str, message: str, hint: str, code: Exit) -> None:
    if screen.json:
        error = {"code": name, "message": message, "hint": hint}
        screen.document("Error", {"exitCode": int(code), "error": error})
    lines = message.split("\n")
    if len(lines) > _MOST:
        lines = [*lines[:_MOST], f"... and {len(lines) - _MOST} more"]
    screen.note("error: " + "\n".join(lines), "bold red" if len(lines) == 1 else "")
    if hint:
        screen.note(f"  {hint}")


def _show_spec_problems(screen: Screen, error: SpecProblems) -> None:
    show_validation(screen, error.problems, _settings_folder(Path.cwd()), ok=False)


def _settings_folder(start: Path) -> Path:
    """Where the settings file lies that problems without a project are about."""
    return next((folder for folder in (start, *start.parents) if (folder / FILE).is_file()), start)
