"""A job's namespace as bytes and back, exactly, or a refusal that says why.

The door to the modules `keep_*`. A stream is one format byte and one pickle protocol 5 stream, written and read
through closed tables: plain data natively, other values by their parts, functions of the job by source and by value,
host objects by name, durable objects by position in a list beside the bytes. One stream, so that shared parts, cycles
and order are exact; nothing of the job is executed to restore it. Pure: no store, no ledger, no clock. The runtime
calls `dumps` between statements, `dumps_value` for the results of calls, `digest_of` for their arguments.
"""

import contextlib
import functools
import pickle
import sys
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from statek.exceptions import CannotKeep
from statek.sandbox.keep_digest import digest_of, digest_of_call
from statek.sandbox.keep_format import FORMAT, LIMIT, Surroundings, TooLarge, is_machinery
from statek.sandbox.keep_loading import CLASSES, ClassBook
from statek.sandbox.keep_read import read
from statek.sandbox.keep_write import Unkept, measure, write

__all__ = [
    "FORMAT",
    "LIMIT",
    "Kept",
    "Surroundings",
    "TooLarge",
    "digest_of",
    "digest_of_call",
    "dumps",
    "dumps_value",
    "loads",
    "loads_value",
]
NOTHING: Final[Mapping[str, object]] = types.MappingProxyType({})
_SHOWN: Final = 3  # names in the message of TooLarge


_HEAD = bytes((FORMAT,))
_PLAIN = frozenset({type(None), bool, int, float})  # written alike by every pickler, in a few bytes
_NATIVE = frozenset({str, bytes, list, dict, tuple, set, frozenset})
_SMALL = 32  # bytes of a plain value that is read again and again, such as what a job gave to exit
_MOST = 1024
_small: dict[bytes, object] = {}  # plain values that were read, by their bytes


@dataclass(frozen=True)
class Kept:
    """A namespace as it is stored.

    Attributes:
        data: the bytes.
        refs: durable objects that `data` refers to by position; each once.
        lost: top-level name -> why it cannot be kept; these names are not in `data`.
    """

    data: bytes
    refs: tuple[object, ...]
    lost: Mapping[str, str]


_NO_NAMES = Kept(_HEAD + pickle.dumps({}, protocol=5), (), {})


def dumps(
    namespace: dict[str, object], around: Surroundings, *, extra: Mapping[str, object] = NOTHING, limit: int = LIMIT
) -> Kept:
    """Write the names of a job, in their order; names `__x` and `_x_` belong to the kit and are left out.

    Where `namespace` holds `__builtins__` it is taken for the globals of the job's functions, and a function with
    other globals is refused. `extra` holds what the kit keeps beside the names, under names that no job can write.

    Raises:
        TooLarge: more than `limit` bytes; the message names the largest.
    """
    own = namespace.copy()
    for name in [name for name in own if name[:1] == "_"]:
        if is_machinery(name):
            del own[name]
    names = {**extra, **own} if extra else own
    if not names and CLASSES not in namespace:
        return _NO_NAMES
    book = namespace.get(CLASSES)
    home = namespace if "__builtins__" in namespace else None
    lost: dict[str, str] = {}
    try:
        try:
            data, refs = write(_counted(names, book), around, home=home, limit=limit)
        except Unkept:
            lost = _lost(names, around, home, limit)
            names = {name: value for name, value in names.items() if name not in lost}
            data, refs = write(_counted(names, book), around, home=home, limit=limit)
    except TooLarge as error:
        raise _too_large(names, around, home, limit) from error
    return Kept(data, refs, lost)


def loads(data: bytes, refs: Sequence[object], around: Surroundings, into: dict[str, object]) -> None:
    """Put the names of `data` into `into`, which becomes the globals of their functions; all of them or none.

    `into` must hold the sandbox's `__builtins__` already. What is no longer offered, and a function whose source no
    longer compiles, becomes a stub that raises NameError when used.

    Raises:
        CannotKeep: the bytes have another format, are damaged, or say what is never written.
        BugError: there are functions and `into` has no `__builtins__`.
    """
    found = read(data, refs, around, into)
    names = found.value
    if type(names) is not dict:
        raise CannotKeep(f"the stored workspace is damaged: it holds a {type(names).__name__}, not names")
    names.pop(CLASSES, None)
    for name in names:
        if type(name) is not str or is_machinery(name):
            raise CannotKeep(f"the stored workspace is damaged: {name!r} is no name of a job")
    into.update((sys.intern(name), value) for name, value in names.items())
    found.settle()


def dumps_value(
    value: object, around: Surroundings, *, home: dict[str, object] | None = None, limit: int = LIMIT
) -> tuple[bytes, tuple[object, ...]]:
    """Write one value, such as the result of a call; give the bytes and the durable objects they refer to.

    Classes of the job whose names are `home` are the same classes when the value is read for it.

    Raises:
        CannotKeep: why it cannot be kept; TooLarge beyond `limit` bytes.
    """
    if type(value) in _PLAIN:
        return _plain(value), ()
    if type(value) not in _NATIVE and around.name_of(value) is None and around.is_durable(value):
        return _one_durable(), (value,)
    try:
        return write(value, around, home=home, limit=limit)
    except Unkept as error:
        raise CannotKeep(_reason(error, value)) from error


def loads_value(
    data: bytes, refs: Sequence[object], around: Surroundings, functions_globals: dict[str, object] | None = None
) -> object:
    """Read one value; its functions get `functions_globals`, and without it they are stubs.

    Raises:
        CannotKeep: as `loads`.
        BugError: as `loads`.
    """
    is_small = len(data) <= _SMALL
    if is_small and data in _small:
        return _small[data]
    found = read(data, refs, around, functions_globals)
    found.settle()
    value = found.value
    if is_small and type(value) in _PLAIN and _plain(value) == data:
        if len(_small) >= _MOST:
            _small.clear()
        _small[data] = value
    return value


@functools.cache
def _one_durable() -> bytes:
    """A durable object by itself, as `write` writes every one."""
    around = Surroundings({}, is_durable=lambda _: True, compile_source=lambda _: None)
    return write(object(), around, home=None, limit=LIMIT)[0]


def _plain(value: object) -> bytes:
    """As `write` writes it."""
    return _HEAD + pickle.dumps(value, protocol=5)


def _counted(names: dict[str, object], book: object) -> dict[str, object]:
    """Put the count of the job's classes behind its names: numbers of classes that are gone are not given again."""
    return {**names, CLASSES: book} if isinstance(book, ClassBook) and book.last else names


def _lost(
    names: Mapping[str, object], around: Surroundings, home: dict[str, object] | None, limit: int
) -> dict[str, str]:
    """Find the culprits by writing each name alone."""
    lost = {}
    for name, value in names.items():
        try:
            write({name: value}, around, home=home, limit=limit)
        except Unkept as error:
            lost[name] = _reason(error, value)
    return lost


def _reason(error: Unkept, value: object) -> str:
    return (
        str(error)
        if error.culprit is None or error.culprit is value
        else f"it holds something that cannot be kept: {error}"
    )


def _too_large(
    names: Mapping[str, object], around: Surroundings, home: dict[str, object] | None, limit: int
) -> TooLarge:
    sizes = {}
    for name, value in names.items():
        with contextlib.suppress(Unkept):  # it would be lost anyway
            sizes[name] = measure({name: value}, around, home)
    total = measure({name: names[name] for name in sizes}, around, home)
    largest = sorted(sizes, key=lambda name: -sizes[name])[:_SHOWN]
    listed = ", ".join(f"{name} ({_readable(sizes[name])})" for name in largest)
    return TooLarge(
        f"the workspace would take {total} bytes, the limit is {limit}; largest names: {listed}",
        hint="delete names that are no longer needed, or keep less in them",
    )


def _readable(size: int) -> str:
    for unit, least in (("MB", 1 << 20), ("KB", 1 << 10)):
        if size >= least:
            return f"{size // least} {unit}"
    return f"{size} bytes"
