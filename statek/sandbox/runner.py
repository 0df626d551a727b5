"""Runs one statement of a block and says how it ended. Knows no job; storing and scheduling are its caller's.

The namespace holds the job's own names; everything else is behind `namespace["__builtins__"]`, made by `builtins_for`.
A wait that crossed the border is the outcome whatever the code did with it.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from statek.base.clock import SystemClock
from statek.exceptions import BugError, ExitSignal, FutureError, Refused, Signal, TimeLimit
from statek.sandbox.bounds import WATCHDOG
from statek.sandbox.guards import Border, Guards, builtins_for, guards_of
from statek.sandbox.policy import Policy
from statek.sandbox.restrict import Statement, compile_block
from statek.text.llm_repr import llm_repr

MAX_MESSAGE = 4_000  # characters of an error's text
_MAX_CHAIN = 50


@dataclass(frozen=True)
class Finished:
    """The statement ran to its end; `echo` is what it added to the console by its value, already written."""

    echo: str | None


@dataclass(frozen=True)
class Exited:
    """The code called `exit(status)`."""

    status: object


@dataclass(frozen=True)
class Failed:
    """An ordinary error ended the statement.

    Attributes:
        error: without traceback.
        text: `TypeName: message`.
        line: of the block, where it happened; None when it is not known.
    """

    error: BaseException
    text: str
    line: int | None = None


@dataclass(frozen=True)
class Suspended:
    """A value is not ready; the statement is to be run again."""

    error: FutureError


Outcome = Finished | Exited | Failed | Suspended


def run_statement(statement: Statement, namespace: dict[str, object], border: Border) -> Outcome:
    """Run one statement in `namespace`.

    Raises:
        Signal: a bound was reached, the record diverged or the job was abandoned (never ExitSignal).
    """
    builtins = namespace["__builtins__"]
    assert isinstance(builtins, dict)
    guards = guards_of(builtins)
    if statement.index == 0:
        guards.console.restart()
    guards.facades.leaving = None
    guards.cleanup.running += 1  # outside of a statement, code that cleans up does nothing
    try:
        outcome = _outcome(statement, namespace, guards)
    finally:
        guards.cleanup.running -= 1
        guards.cases.clear()
    if WATCHDOG.overdue:
        raise TimeLimit(WATCHDOG.reason)
    return _sticky(border, guards) or outcome


def _sticky(border: Border, guards: Guards) -> Outcome | None:
    """Give the outcome that the code cannot take back."""
    leaving = border.pausing() or guards.facades.leaving
    if isinstance(leaving, FutureError):
        return Suspended(leaving)
    if isinstance(leaving, ExitSignal):
        return Exited(leaving.status)
    if leaving is not None:
        raise leaving
    return None


def _outcome(statement: Statement, namespace: dict[str, object], guards: Guards) -> Outcome:
    try:
        if not statement.is_expression:
            exec(statement.code, namespace)  # noqa: S102 - this is what the sandbox is for
            return Finished(None)
        return Finished(_echo(eval(statement.code, namespace), statement, guards))  # noqa: S307 - as above
    except ExitSignal as signal:
        return Exited(signal.status)
    except FutureError as error:
        error.__traceback__ = None
        return Suspended(error)
    except Exception as error:  # noqa: BLE001 - whatever model code raises is its outcome
        return _failed(error, statement)


def _echo(value: Any, statement: Statement, guards: Guards) -> str | None:
    value = guards.calls.use(value)
    if value is None and statement.quiet:
        return None
    text = value if isinstance(value, str) else llm_repr(guards.calls.within(value))
    guards.console.write(text)
    return text


def _failed(error: Exception, statement: Statement) -> Failed:
    line = _line_of(error.__traceback__, statement.code.co_filename)
    name = type(error).__name__
    try:
        message = str(error)
    except Exception as second:  # noqa: BLE001 - its own __str__ may be model code
        message = f"(its text cannot be made: {type(second).__name__})"
    _drop_tracebacks(error)
    if len(message) > MAX_MESSAGE:
        message = f"{message[:MAX_MESSAGE]}... ({len(message):,} characters)"
    return Failed(error, f"{name}: {message}" if message else name, line)


def _line_of(trace: TracebackType | None, filename: str) -> int | None:
    line = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == filename:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _drop_tracebacks(error: BaseException) -> None:
    """Let go of the frames, of this error and of those behind it."""
    waiting = [error]
    for _ in range(_MAX_CHAIN):
        if not waiting:
            return
        current = waiting.pop()
        current.__traceback__ = None
        waiting += [
            e for e in (current.__cause__, current.__context__) if e is not None and e.__traceback__ is not None
        ]


class LocalBorder:
    """A world without store: console lines in a list, the machine's clock, nothing durable."""

    def __init__(self, seed: int | None = None) -> None:
        """Start with an empty console; `seed` makes random numbers repeat."""
        self.lines: list[str] = []
        self._rng = random.Random(seed)  # noqa: S311 - not a secret
        self._clock = SystemClock()

    def write(self, text: str) -> None:
        """Keep a console entry."""
        self.lines.append(text)

    def now_us(self) -> int:
        """Microseconds since 1970, UTC."""
        return self._clock.now_us()

    def rng(self) -> random.Random:
        """Give the generator."""
        return self._rng

    def is_durable(self, _value: object) -> bool:
        """Nothing is."""
        return False

    def is_placeholder(self, _value: object) -> bool:
        """Nothing is."""
        return False

    def resolve(self, value: object) -> object:
        """Give it as it is."""
        return value

    def resolve_within(self, value: object) -> object:
        """Give it as it is."""
        return value

    def resolve_arguments(
        self, _function: object, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Give them as they are."""
        return args, kwargs

    def elements(self, value: object) -> object:
        """Give it as it is."""
        return value

    def admit(self, value: object) -> object:
        """Give it as it is."""
        return value

    def pausing(self) -> BaseException | None:
        """Nothing waits."""
        return None

    def get_attribute(self, owner: object, name: str) -> object:
        """Never called: nothing is durable."""
        raise BugError(f"a durable {type(owner).__name__} ({name}) where nothing is durable")

    def set_attribute(self, owner: object, name: str, _value: object) -> None:
        """Never called: nothing is durable."""
        self.get_attribute(owner, name)

    def delete_attribute(self, owner: object, name: str) -> None:
        """Never called: nothing is durable."""
        self.get_attribute(owner, name)

    def get_item(self, owner: object, key: object) -> object:
        """Never called: nothing is durable."""
        return self.get_attribute(owner, repr(key))

    def set_item(self, owner: object, key: object, _value: object) -> None:
        """Never called: nothing is durable."""
        self.get_attribute(owner, repr(key))

    def delete_item(self, owner: object, key: object) -> None:
        """Never called: nothing is durable."""
        self.get_attribute(owner, repr(key))

    def iterate(self, owner: object) -> Iterator[object]:
        """Never called: nothing is durable."""
        raise BugError(f"a durable {type(owner).__name__} where nothing is durable")


def run_block_locally(
    source: str,
    locals: dict[str, Any] | None = None,  # noqa: A002 - documented name
    policy: Policy = Policy(),  # noqa: B008 - frozen
) -> tuple[list[str], BaseException | None]:
    """Run a block without job and store; `locals` is filled with the names it leaves.

    Returns:
        The console entries, and the error that ended it: SourceRefused, an ordinary error, a FutureError or a
        TimeLimit; None when it ran through or called `exit`.
    """
    border = LocalBorder()
    names = locals if locals is not None else {}
    try:
        block = compile_block(source, policy)
        namespace = {**names, "__builtins__": builtins_for(border, policy, {})}
    except Refused as error:
        return border.lines, error
    try:
        with WATCHDOG.armed(policy.step_seconds, policy.memory_growth_bytes):
            error_or_none = _run_all(block.statements, namespace, border)
    except Signal as signal:
        error_or_none = signal
    names.update((name, value) for name, value in namespace.items() if name != "__builtins__")
    return border.lines, error_or_none


def _run_all(statements: tuple[Statement, ...], namespace: dict[str, object], border: Border) -> BaseException | None:
    for statement in statements:
        outcome = run_statement(statement, namespace, border)
        if isinstance(outcome, Failed | Suspended):
            return outcome.error
        if isinstance(outcome, Exited):
            return None
    return None
