"""Error handlers of a job: functions of the application that clean up when the job ends with an error.

Stored by their import names, with the value they are to be called with. Here is what is stored and how one is called;
when they are called is the runtime's matter (`runtime.cleanup`), because they may do anything outside.
"""

import logging
from collections.abc import Callable
from typing import Any

import dbzero as db0

from statek.exceptions import CannotKeep
from statek.sandbox import keep
from statek.store import workspace
from statek.store.future import function_name, resolve_function
from statek.store.layout import lay_out_first

log = logging.getLogger(__name__)
CRITICAL = "critical_error_handler"  # the agent's adapter that the newest input is handed to


@db0.memo(id="statek/ErrorHandler")
class ErrorHandler:
    """One registered handler and its context."""

    _late_fields = ("agent", "refs")

    def __init__(self, error_handler: Callable[..., Any] | None, context: Any, agent: Any = None) -> None:
        """Keep a function, or None for the adapter `critical_error_handler` of `agent`.

        Raises:
            TypeError, ValueError: the function cannot be found again by its name.
            CannotKeep: the context cannot be stored.
        """
        self.name = function_name(error_handler) if error_handler is not None else ""
        self.agent = agent
        self.data, refs = keep.dumps_value(context, workspace.OUTSIDE)
        self.refs = list(refs) or None
        lay_out_first(self)

    @property
    def context(self) -> Any:
        """What it is called with."""
        return keep.loads_value(self.data, list(self.refs or ()), workspace.OUTSIDE)

    def __call__(self, error: BaseException | None = None) -> None:
        """Call it. What goes wrong is logged and goes no further: the error that made it necessary must stay."""
        try:
            function = resolve_function(self.name) if self.name else self.agent.get_adapter(CRITICAL)
            if function is not None:
                function(self.context, error=error)
        except Exception:
            log.exception("error handler %s failed", self.name or CRITICAL)


class JobErrors:
    """The part of a job that counts errors and knows whom to tell of its end."""

    console_log: Any
    exception_count: int
    exception_streak: int
    longest_streak: int
    error_lines: Any
    error_handlers: Any
    agent: Any

    def count_exception(self, *, in_a_row: bool = True) -> None:
        """Code of the model failed; the console's last entry says how.

        Args:
            in_a_row: it makes the streak of failed turns longer, as the first failure of a turn does.
        """
        self.exception_count += 1
        self.exception_streak += in_a_row
        if self.exception_streak > self.longest_streak:
            self.longest_streak = self.exception_streak
        if self.error_lines is None:
            self.error_lines = []
        self.error_lines.append(max(0, len(self.console_log) - 1))

    def add_error_handler(self, error_handler: Any, context: Any) -> None:
        """Have `error_handler(context, error=...)` called if the job ends with an error.

        Raises:
            TypeError, ValueError: the function cannot be found again by its name.
            CannotKeep: the context cannot be stored.
        """
        self._keep_handler(ErrorHandler(error_handler, context))

    def add_error_handlers_from(self, parent_job: Any) -> None:
        """Have the handlers of another job called for this one too."""
        for handler in list(parent_job.error_handlers or ()):
            self._keep_handler(handler)

    def bind_critical_error_context(self, context: Any) -> None:
        """Have the agent's `critical_error_handler` called with the newest input; it takes the place of the last one.

        An input that cannot be stored is bound as text.
        """
        try:
            handler = ErrorHandler(None, context, self.agent)
        except CannotKeep:
            handler = ErrorHandler(None, str(context), self.agent)
        kept = [known for known in self.error_handlers or () if known.name]
        self.error_handlers = [*kept, handler]

    def notify_handlers(self, error: BaseException | None = None) -> None:
        """Call every registered handler once; the list is empty before the first call."""
        handlers, self.error_handlers = list(self.error_handlers or ()), None
        for handler in handlers:
            handler(error)

    def _keep_handler(self, handler: ErrorHandler) -> None:
        self.error_handlers = [*(self.error_handlers or ()), handler]
