"""Every error of the kit, in one tree. Nothing else lives here.

An error tells the runtime what to do and the reader what happened: the docstring of a class is its message when
none is given. Wrong *files* are not exceptions but values (`statek.spec` collects Problems to the end).

    Exception
    ├── FutureError            a value is not ready; the job suspends (applications raise it in complements)
    ├── LLM_HarnessError       a limit of the job was exceeded
    ├── InvalidFormat          text that does not follow its documented format
    └── StatekError
        ├── RetryLater         try again after `delay` seconds
        ├── GiveUp             trying again will not help
        ├── Refused            the sandbox or a policy does not allow it
        │   └── CannotKeep     a value that cannot live on between two steps
        ├── OutcomeUnknown     an outside call was under way when the process died
        ├── TaskFailed         a child job ended with an error
        ├── LedgerError        the ledger file cannot be used
        ├── StoreError         the store file cannot be used
        │   └── StoreFull      it cannot be written now: leave at once, nothing is lost
        ├── NotApplied         nothing of that name is in the applied release
        └── BugError           the kit contradicts itself
    BaseException
    └── Signal                 not an error: leaves model code, which can never catch it
        ├── ExitSignal         `exit(status)` was called
        ├── Diverged           a repeated statement did something else than its record says
        ├── TimeLimit          the step's bound on time or memory was reached
        └── Abandoned          the job was ended from outside while its code was waiting
"""

from dataclasses import dataclass
from typing import Any


class StatekError(Exception):
    """Something went wrong in statek."""

    def __init__(self, message: str = "", *, hint: str = "") -> None:
        """Keep `message` (default: the class docstring) and an optional `hint` saying what to do."""
        super().__init__(message or (type(self).__doc__ or "").strip())
        self.hint = hint


class RetryLater(StatekError):
    """Not now; try again later."""

    def __init__(self, message: str = "", *, delay: float | None = None, hint: str = "") -> None:
        """Keep `delay`, seconds until the next try makes sense (None: the caller's own back-off decides)."""
        super().__init__(message, hint=hint)
        self.delay = delay


class GiveUp(StatekError):
    """This cannot succeed; trying again will not help."""


class Refused(StatekError):
    """The sandbox or a policy does not allow this."""


class CannotKeep(Refused):
    """This value cannot be kept across steps."""


class OutcomeUnknown(StatekError):
    """An outside call was under way when the process died: look whether it happened before calling again."""


class TaskFailed(StatekError):
    """A child job ended with an error."""


class LedgerError(StatekError):
    """The ledger file cannot be used."""


class StoreError(StatekError):
    """The store cannot be used."""


class StoreFull(StoreError):
    """The store cannot be written now, most often because its disk is full."""


class NotApplied(StatekError):
    """Nothing of that name is in the applied release."""


class BugError(StatekError):
    """This is a bug in statek."""


class LLM_HarnessError(Exception):  # noqa: N801 - documented name
    """A limit of the job was exceeded."""


class InvalidFormat(Exception):
    """This text does not follow its documented format."""


@dataclass(eq=False)
class FutureError(Exception):
    """A value is not ready.

    Attributes:
        future_result: the future that is not ready; the job waits for it.
        instr_num: index of the top-level statement that met it, filled in by the executor.
    """

    future_result: Any
    instr_num: int | tuple[int, int] | None = None

    def __str__(self) -> str:
        """Say it in words; the dataclass would print the future."""
        return "a value is not ready yet"


class Signal(BaseException):
    """Leaves model-written code without being an error; such code can never catch it."""


class ExitSignal(Signal):
    """`exit(status)` was called."""

    def __init__(self, status: Any = None) -> None:
        """Keep the status given to `exit`."""
        super().__init__(status)
        self.status = status


class Diverged(Signal):
    """A repeated statement did something else than its record says."""


class TimeLimit(Signal):
    """The step's bound on time or memory was reached."""


class Abandoned(Signal):
    """The job was ended from outside while its code was waiting."""
