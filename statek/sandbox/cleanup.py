"""`finally` and `with` of model code: a wait is a pause, not a way out, so no cleanup runs while pausing.

At `exit()` cleanup does run, but cannot keep the job from ending. Cleanup of abandoned generators, run by the garbage
collector outside of any statement, does nothing: it would be model code without bounds. Called by `guards.py`.
"""

import sys
from types import TracebackType
from typing import Any

from statek.exceptions import Abandoned, Diverged, ExitSignal, FutureError, Refused, Signal, TimeLimit
from statek.sandbox.access import ModuleProxy
from statek.sandbox.border import Border
from statek.sandbox.bounds import WATCHDOG

PAUSES = (FutureError, Diverged, TimeLimit, Abandoned)


class Cleanup:
    """Whether and how the code of one namespace cleans up."""

    def __init__(self, border: Border) -> None:
        """Ask `border` what is on its way out."""
        self._border = border
        self.running = 0  # statements of this namespace that are under way

    def is_pausing(self) -> bool:
        """Whether cleanup has to be left out."""
        if not self.running or WATCHDOG.overdue or isinstance(sys.exception(), PAUSES):
            return True
        leaving = self._border.pausing()
        return leaving is not None and not isinstance(leaving, ExitSignal)

    def managed(self, manager: Any) -> "Managed":
        """Guard the manager of a `with` statement."""
        if self._border.is_placeholder(manager):
            manager = self._border.resolve(manager)
        if isinstance(manager, ModuleProxy | type):
            raise Refused(f"`with` cannot enter {manager!r}")
        return Managed(self, manager)


class Managed:
    """A context manager that is not left while pausing."""

    __slots__ = ("_cleanup", "_manager")

    def __init__(self, cleanup: Cleanup, manager: Any) -> None:
        """Stand for `manager`."""
        self._cleanup, self._manager = cleanup, manager

    def __enter__(self) -> Any:
        """Enter it."""
        kind = type(self._manager)
        if not (hasattr(kind, "__enter__") and hasattr(kind, "__exit__")):
            raise TypeError(f"'{kind.__name__}' object does not support the context manager protocol")
        return kind.__enter__(self._manager)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Leave it; without the traceback, which leads to frames."""
        if self._cleanup.is_pausing() or isinstance(error, PAUSES):
            return False
        leave = type(self._manager).__exit__
        if error is None or isinstance(error, Signal):
            leave(self._manager, None, None, None)
            return False
        try:
            return bool(leave(self._manager, kind, error, None))
        finally:
            error.__traceback__ = trace
