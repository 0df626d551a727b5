"""A job's Python names as stored: one snapshot with its references, and the place where its code stands.

Reading and replacing the stored form, nothing else; running code and crossings are the runtime's. What is on the job
is always a triple from which the work can go on: the names at the start of statement `statement` of the code in
progress, and the journal of what that statement has already done.
"""

from collections.abc import Mapping
from typing import Any

from statek.exceptions import CannotKeep
from statek.sandbox import keep, restrict
from statek.store.session import is_durable


def compile_source(source: str) -> None:
    """Compile a source of a job under the rules of the sandbox, so that its functions can be restored."""
    restrict.compile_block(source)


OUTSIDE = keep.Surroundings(host={}, is_durable=is_durable, compile_source=compile_source)


def read_names(job: Any, around: keep.Surroundings = OUTSIDE, builtins: dict[str, Any] | None = None) -> dict[str, Any]:
    """The job's names, decoded. What the surroundings do not offer comes back as a stub that says so when used.

    With `builtins` the names are ready to run code in; without, functions among them can be shown but not called.
    """
    names: dict[str, Any] = {"__builtins__": builtins if builtins is not None else {}}
    if job.snapshot is not None:
        keep.loads(job.snapshot, list(job.refs or ()), around, names)
    if builtins is None:
        del names["__builtins__"]
    return names


def replace_names(job: Any, kept: keep.Kept) -> bool:
    """Store a snapshot unless it equals the stored one; True when it was written."""
    refs = list(kept.refs)
    if job.snapshot == kept.data and _same(job.refs, refs):
        return False
    job.snapshot = kept.data
    job.refs = refs or None
    job.snap_version += 1
    return True


def add_names(job: Any, values: Mapping[str, Any]) -> None:
    """Put values into a job from outside. Raises CannotKeep naming the first value that cannot be kept."""
    names = read_names(job, builtins={})
    names.update(values)
    kept = keep.dumps(names, OUTSIDE)
    for name, reason in kept.lost.items():
        raise keep_error(name, reason)
    replace_names(job, kept)


def keep_error(name: str, reason: str) -> Exception:
    """The error for a name that cannot be kept."""
    return CannotKeep(f"name {name!r} cannot be kept: {reason}")


def _same(stored: Any, refs: list[Any]) -> bool:
    old = list(stored) if stored is not None else []
    return len(old) == len(refs) and all(a is b for a, b in zip(old, refs, strict=True))
