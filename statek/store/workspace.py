"""A job's Python names as stored: one snapshot with its references, and the place where its code stands.

Reading and replacing the stored form, nothing else; running code and crossings are the runtime's. What is on the job
is always a triple from which the work can go on: the names at the start of statement `statement` of the code in
progress, and the journal of what that statement has already done.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from types import FunctionType, MethodType
from typing import Any

from statek.exceptions import CannotKeep, StatekError, StoreError
from statek.sandbox import keep, restrict
from statek.store.encoding import bytes_json, json_bytes
from statek.store.future import function_name, resolve_function
from statek.store.reference import Elsewhere, Reference
from statek.store.session import at_foreign_address, foreign_address_of, is_durable


def compile_source(source: str) -> None:
    """Compile a source of a job under the rules of the sandbox, so that its functions can be restored."""
    restrict.compile_block(source)


def method_of(value: object) -> tuple[object, str] | None:
    """The durable object and the name of a method of its class that is bound to it; None for anything else."""
    if type(value) is not MethodType or not is_durable(value.__self__):
        return None
    return value.__self__, value.__name__


def method(owner: object, name: str) -> object:
    """The method of that name of a durable object. Raises LookupError when its class has none."""
    if name.startswith("_") or not callable(getattr(type(owner), name, None)):
        raise LookupError(f"{type(owner).__name__} has no method {name!r} any more")
    return getattr(owner, name)


OUTSIDE = keep.Surroundings(
    host={}, is_durable=is_durable, compile_source=compile_source, method_of=method_of, method=method
)


def outside_of(classes: Mapping[str, object]) -> keep.Surroundings:
    """The same where values of these classes of the application can be kept, too."""
    return replace(OUTSIDE, host=classes) if classes else OUTSIDE


_NO_NAMES = keep.dumps({}, OUTSIDE).data


def function_names(job: Any) -> list[str]:
    """Import names of the application's functions that the job was given as values."""
    names: list[str] = bytes_json(job.functions_bytes) or []
    return names


def outside(known: Collection[str], used: list[str] | None = None) -> keep.Surroundings:
    """What a job's names lean on where no code runs: functions of the application are themselves.

    Args:
        known: import names that are served when names are read.
        used: filled with the import names that are written.
    """

    def name_of(value: object) -> str | None:
        name = _import_name(value)
        if name is not None and used is not None and name not in used:
            used.append(name)
        return name

    def function(name: str) -> object:
        if name not in known:
            raise LookupError(f"the job was not given the function {name}")
        try:
            return resolve_function(name)
        except StatekError as error:
            raise LookupError(str(error)) from error

    return keep.Surroundings(
        host={}, is_durable=is_durable, compile_source=compile_source, function_name=name_of, function=function,
        method_of=method_of, method=method,
    )  # fmt: skip


def _import_name(value: object) -> str | None:
    if not isinstance(value, FunctionType):
        return None
    try:
        return function_name(value)
    except (TypeError, ValueError, StatekError):
        return None  # nothing leads back to it: it cannot be kept


Lift = Callable[[Sequence[Any], Sequence[int | None]], list[Any]]
"""Stored references and their numbers -> what the names hold of them."""


def read_names(
    job: Any,
    around: keep.Surroundings | None = None,
    builtins: dict[str, Any] | None = None,
    lift: Lift | None = None,
) -> dict[str, Any]:
    """The job's names, decoded. What the surroundings do not offer comes back as a stub that says so when used.

    With `builtins` the names are ready to run code in; without, functions among them can be shown but not called.
    With `lift` they hold what it gives for durable objects, otherwise the objects themselves.
    """
    names: dict[str, Any] = {"__builtins__": builtins if builtins is not None else {}}
    if job.snapshot is not None:
        stored = list(job.refs or ())
        refs = read_refs(stored) if lift is None else lift(stored, numbers(job))
        keep.loads(job.snapshot, refs, around if around is not None else outside(function_names(job)), names)
    if builtins is None:  # what the kit keeps beside the names has no identifier
        return {name: value for name, value in names.items() if name.isidentifier() and not name.startswith("__")}
    return names


def replace_names(job: Any, kept: keep.Kept, numbered: Sequence[int | None] | None = None) -> bool:
    """Store a snapshot unless it equals the stored one; True when it was written.

    `numbered` are the numbers of the durable objects in their job, by position; without them each keeps the one it had.
    """
    refs = store_refs(kept.refs)
    stored, held = job.snapshot, job.refs
    if (stored is None and kept.data == _NO_NAMES) or (stored == kept.data and _same(held, refs)):
        return False
    given = list(numbered) if numbered is not None else _known_numbers(job, refs)
    job.snapshot = kept.data
    if refs or held is not None:
        job.refs = refs or None
        job.numbers = json_bytes(given) if refs else None
    job.snap_version += 1
    return True


def store_journal(job: Any, head: bytes, entry: bytes | None, refs: Sequence[Any], *, whole: bool) -> None:
    """Add an entry to the record of the statement in progress; `whole`: it replaces what is stored."""
    stored = store_refs(refs)
    if whole or job.journal is None:
        job.journal = [head] if entry is None else [head, entry]
        job.journal_refs = stored or None
        return
    if bytes(job.journal[0]) != head:
        job.journal[0] = head
    if entry is not None:
        job.journal.append(entry)
    if job.journal_refs is None:
        job.journal_refs = stored or None
        return
    for ref in stored:
        job.journal_refs.append(ref)


def store_refs(refs: Sequence[Any]) -> list[Any]:
    """Durable objects as they are stored: themselves, those of another prefix by their addresses."""
    return [foreign_address_of(ref.stored if isinstance(ref, Reference) else ref) for ref in refs]


def read_refs(stored: Sequence[Any] | None) -> list[Any]:
    """What `store_refs` stored; one of a prefix that is not open is a stand-in that says so."""
    return [_from_elsewhere(ref) if isinstance(ref, str) else ref for ref in stored or ()]


def _from_elsewhere(address: str) -> Any:
    try:
        return at_foreign_address(address)
    except StoreError as error:
        return Elsewhere(address, error)


def numbers(job: Any) -> list[int | None]:
    """The numbers of the durable objects among a job's names, by position; empty in jobs of older stores."""
    found: list[int | None] = bytes_json(job.numbers) or []
    return found


def _known_numbers(job: Any, refs: list[Any]) -> list[int | None]:
    held = list(job.refs or ())
    known = dict(zip(map(id, held), numbers(job), strict=False))
    return [known.get(id(ref)) for ref in refs]


def check_names(values: Mapping[str, Any], around: keep.Surroundings = OUTSIDE) -> None:
    """Raise CannotKeep naming the first value that cannot be kept, with `around` as what names may lean on."""
    for name, reason in keep.dumps(dict(values), around).lost.items():
        raise keep_error(name, reason)


def add_names(job: Any, values: Mapping[str, Any]) -> None:
    """Put values into a job from outside. Raises CannotKeep naming the first value that cannot be kept."""
    names = read_names(job, builtins={})
    names.update(values)
    used: list[str] = []
    kept = keep.dumps(names, outside((), used))
    for name, reason in kept.lost.items():
        raise keep_error(name, reason)
    replace_names(job, kept)
    if used != function_names(job):
        job.functions_bytes = json_bytes(used)


def keep_error(name: str, reason: str) -> Exception:
    """The error for a name that cannot be kept."""
    return CannotKeep(f"name {name!r} cannot be kept: {reason}")


def _same(stored: Any, refs: list[Any]) -> bool:
    old = list(stored) if stored is not None else []
    return len(old) == len(refs) and all(map(_is_same, old, refs))


def _is_same(one: Any, other: Any) -> bool:
    return one is other or (isinstance(one, str) and one == other)
