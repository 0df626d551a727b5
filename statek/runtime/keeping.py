"""The names of one job while its code runs: what they are, what is kept of them, what futures among them stand for.

Before each statement the names are taken as they are, as bytes (`_settle`); that is what the job goes on with after a
crash or a wait. Names that cannot be kept go at the end of their block, and are remembered with the reason. A part of
the running side of a job, a class of its own only to keep the parts apart.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from statek.exceptions import FutureError, Refused
from statek.runtime import futures
from statek.runtime.crossings import Journal, Place
from statek.runtime.environment import Environment
from statek.sandbox import keep, runner
from statek.sandbox.policy import Policy
from statek.store import current, workspace
from statek.store.future import FutureResult
from statek.store.job import Stage
from statek.store.session import address_of

VALUES = "values of futures"  # key of what futures have given while something still refers to them
RNG = "random generator"  # key of the generator among the kept names; no name of a job can have a space
GONE = "names that could not be kept"  # key of why they could not
MAX_GONE = 100


class Keeping(ABC):
    """The part of a running side that has the names."""

    journal: Journal

    def __init__(self, job: Any, environment: Environment, policy: Policy) -> None:
        """Take up the names where the job's stored place says."""
        self.job = job
        self.environment = environment
        self._policy = policy
        self.durables = environment.durables
        lift = self.durables.lift_all
        self.names: dict[str, Any] = workspace.read_names(job, environment.around, environment.builtins, lift)
        self.scene = current.Scene(job, names=self.names)
        self._gone: dict[str, str] = {}  # names that could not be kept -> why
        self._take_extra()
        self.lazy = self._may_hold_futures()
        self.holds = self.lazy and has_future(job.refs or ())
        self._kept: keep.Kept | None = None
        self._before: keep.Kept | None = None  # the names at the start of the statement that ran last
        self._pausing: BaseException | None = None

    @abstractmethod
    def write(self, text: str) -> None:
        """One console entry."""

    @abstractmethod
    def ask(self, future: FutureResult, do: Callable[[], Any]) -> Any:
        """What the record says a future gave, else what `do` gives."""

    @abstractmethod
    def is_recorded(self, future: FutureResult) -> bool:
        """Whether the statement's record says what a future gave."""

    # -- keeping ----------------------------------------------------------------------------------------------------

    def _settle(self) -> str:
        """Take the names as they are for the start of the next statement.

        Returns:
            What is wrong when they are too large: they are again as they were before the statement that ran last.
        """
        try:
            self._kept = self._keep()
        except keep.TooLarge as error:
            if self._before is None:
                raise
            self._roll_back(self._before)
            self.write(str(error))
            self._kept = self._keep()
            return str(error)
        return ""

    def _keep(self) -> keep.Kept:
        extra: dict[str, object] = {RNG: self._rng} if self._rng is not None else {}
        if self._gone:
            extra[GONE] = self._gone
        around, limit = self.environment.around, self._policy.workspace_bytes
        kept = keep.dumps(self.names, around, extra=extra, limit=limit)
        if not self._values:
            return kept
        pairs = self._values.still_needed(kept.refs)
        self._values.keep_only(pairs)
        return keep.dumps(self.names, around, extra={VALUES: pairs, **extra}, limit=limit) if pairs else kept

    def _roll_back(self, kept: keep.Kept) -> None:
        """Make the names what they were; the dictionary stays, functions of the job have it for their globals."""
        builtins = self.names["__builtins__"]
        self.names.clear()
        self.names["__builtins__"] = builtins
        keep.loads(kept.data, kept.refs, self.environment.around, self.names)
        self._take_extra()

    def _take_extra(self) -> None:
        """Take what is kept beside the names."""
        self._rng = self.names.pop(RNG, None)
        self._values = futures.Values(self.names.pop(VALUES, ()), self)
        self._gone = self.names.pop(GONE, {})

    def _drop_lost(self) -> str:
        """At the end of a block, take names that cannot be kept out of the live names too, and say so.

        Returns:
            What is wrong when the names were too large and were put back; otherwise nothing.
        """
        too_large = self._settle()
        assert self._kept is not None
        self._gone = {name: reason for name, reason in self._gone.items() if name not in self.names}
        for name, reason in self._kept.lost.items():
            self._gone[name] = f"name {name!r} cannot be kept across steps: {reason}"
            self.write(self._gone[name])
            self.names.pop(name, None)
        if self._kept.lost:
            self._gone = dict(list(self._gone.items())[-MAX_GONE:])
            self._kept = self._keep()
        size, limit = len(self._kept.data), self._policy.workspace_bytes
        if size > limit // 2:
            self.write(f"the names of this job take {size} bytes, the limit is {limit}; delete what is not needed")
        if self.journal.prints:  # what was said about names belongs to no statement
            self.journal = Journal()
        return too_large

    def _explained(self, outcome: runner.Failed) -> runner.Failed:
        """Say why a name is not there, when it was taken away because it cannot be kept."""
        error = outcome.error
        if not isinstance(error, NameError) or error.name not in self._gone:
            return outcome
        if str(error) != f"name {error.name!r} is not defined":
            return outcome
        return replace(outcome, text=f"NameError: {self._gone[error.name]}")

    # -- futures ----------------------------------------------------------------------------------------------------

    def _may_hold_futures(self) -> bool:
        """Whether the job's code has guards at first uses: decided before it begins, and the same to its end."""
        job = self.job
        if job.stage == Stage.NEW and not job.holds_futures:
            given = self.function_names() or has_future(job.refs or ())
            if given or self.environment.may_hold_futures:
                job.holds_futures = True
        return bool(job.holds_futures)

    def function_names(self) -> list[str]:
        """Import names of the functions that the job was given as values."""
        return workspace.function_names(self.job)

    def _put_values(self) -> runner.Suspended | None:
        """Where the code cannot hold futures, put their values in place of those that came in between statements."""
        if self.lazy or self._kept is None or not has_future(self._kept.refs):
            return None
        try:
            self.names.update({name: futures.resolve_within(value, self.resolve) for name, value in self.names.items()})
        except FutureError as error:
            return runner.Suspended(error)
        return None

    def resolve(self, future: FutureResult) -> Any:
        """The value of a future, the same from its first use on. Raises FutureError, which suspends the statement."""
        if self._pausing is not None:
            raise self._pausing
        try:
            return self._values.of(future)
        except FutureError as error:
            self._check_wait()
            self._pausing = error
            raise

    def admit(self, value: Any) -> Any:
        """A value from outside with futures in it: as it is where the code has guards at first uses, else resolved."""
        if not self.lazy:
            return futures.resolve_within(value, self.resolve)
        self.holds = True
        return value

    def can_stand_still(self) -> bool:
        """Whether the record of the statement is enough to run it again."""
        return not self._unrepeatable()

    def _unrepeatable(self) -> str:
        """Why the statement could not be run again from its record; empty when it could."""
        reason = self.journal.unkept()
        for name, why in (self._kept.lost if self._kept is not None else {}).items():
            reason = f"name {name!r}, made earlier in this block, cannot be kept while waiting: {why}"
        return reason

    def _check_wait(self) -> None:
        """Refuse to wait in a statement whose record would not be enough to run it again."""
        if reason := self._unrepeatable():
            hint = "do that in a statement of its own and put what you need into a name first"
            raise Refused(f"cannot wait here: {reason}; {hint}")


def place_of(future: FutureResult) -> Place:
    """Where the record of a future's value stands: a statement asks each one once."""
    return Place("value of a future", str(address_of(future)), 0)


def has_future(refs: Iterable[object]) -> bool:
    """Whether a future is among durable objects."""
    return any(isinstance(ref, FutureResult) for ref in refs)
