"""What became of a call, as it is recorded: what it gave or raised, and what it did to its arguments.

Made where calls are made, in a job's stretch (`calling`) and outside (`performing`), and done again from the record by
`calling`. Pure over values; nothing here knows a job.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from statek.exceptions import CannotKeep, OutcomeUnknown
from statek.runtime.crossings import Outcome
from statek.sandbox import keep

ADDED = ":"  # before a name that a call gave to its job, among the arguments it changed
Change = tuple[str, Any]  # an argument that a call changed, by position or name, or a name that it gave to the job


def watching(
    args: tuple[Any, ...], kwargs: dict[str, Any], around: keep.Surroundings, number: Callable[[object], int]
) -> Callable[[], list[Change]]:
    """Which list, dict or set arguments a call has changed in place by the time that this is asked.

    `number` tells durable objects apart.
    """
    watched = containers(args, kwargs)
    before = {name: keep.digest_of(value, number) for name, value in watched.items()}

    def changes() -> list[Change]:
        return [(name, value) for name, value in watched.items() if keep.digest_of(value, number) != before[name]]

    return changes


def containers(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Top-level arguments that a call could change in place, by position or name."""
    named = {**{str(n): value for n, value in enumerate(args)}, **kwargs}
    return {name: value for name, value in named.items() if type(value) in (list, dict, set)}


def added_names(added: Mapping[str, Any]) -> list[Change]:
    """Names that a call gave to its job, as they are recorded beside the arguments it changed."""
    return [(ADDED + name, value) for name, value in added.items()]


def put_back(target: Any, value: Any) -> None:
    """Make a container equal to what a call had made of it."""
    target.clear()
    if isinstance(target, list):
        target.extend(value)
    else:
        target.update(value)


def success(result: Any, around: keep.Surroundings, changed: Sequence[Change] = ()) -> Outcome:
    """The outcome of a call that returned; `changed` are the arguments it changed in place."""
    try:
        data, refs = keep.dumps_value(result, around)
    except CannotKeep as error:
        return _with_changes(Outcome(True, b"", unkept=str(error)), changed, around)
    return _with_changes(Outcome(True, data, refs), changed, around)


def failure(error: BaseException, around: keep.Surroundings, changed: Sequence[Change] = ()) -> Outcome:
    """The outcome of a call that raised; an exception that cannot be kept becomes a RuntimeError with its text."""
    try:
        data, refs = keep.dumps_value(error, around)
    except CannotKeep:
        data, refs = keep.dumps_value(RuntimeError(f"{type(error).__name__}: {_text_of(error)}"), around)
    return _with_changes(Outcome(False, data, refs), changed, around)


def _with_changes(outcome: Outcome, changed: Sequence[Change], around: keep.Surroundings) -> Outcome:
    if not changed:
        return outcome
    refs, pieces = list(outcome.refs), []
    for name, value in changed:
        data, parts = keep.dumps_value(value, around)
        pieces.append((name, data, len(refs)))
        refs.extend(parts)
    return replace(outcome, refs=tuple(refs), changed=tuple(pieces))


def argument_of(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The argument at that position or of that name."""
    return args[int(name)] if name.isdigit() else kwargs[name]


def failed_call(name: str, error: BaseException, around: keep.Surroundings, changed: Sequence[Change] = ()) -> Outcome:
    """The outcome of a call that raised anything; what would have ended the process ends the call only."""
    if not isinstance(error, Exception):
        arguments = ", ".join(map(repr, error.args))
        error = RuntimeError(f"{name} raised {type(error).__name__}({arguments}), which ended this call only")
    return failure(error, around, changed)


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as second:  # noqa: BLE001 - its own __str__ is the application's
        return f"(its text cannot be made: {type(second).__name__})"


def unknown(name: str, around: keep.Surroundings) -> Outcome:
    """The outcome of a call that was under way when the process died."""
    text = f"{name} was under way when the worker died: look whether it happened before you call it again"
    return failure(OutcomeUnknown(text), around)
