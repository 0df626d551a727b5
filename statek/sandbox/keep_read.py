"""Bytes to values, behind three locks: the scan of operations, makers only, own objects only.

`keep.loads` and `keep.loads_value` call `read`. What the bytes say is never trusted: whatever goes wrong in them is a
CannotKeep, and nothing of the host is changed on the way.
"""

import io
import pickle
import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from statek.exceptions import CannotKeep
from statek.sandbox.keep_class_makers import finish
from statek.sandbox.keep_format import FORMAT, MODULE, Surroundings
from statek.sandbox.keep_loading import MAKERS, Loading
from statek.sandbox.keep_rehash import rehash
from statek.sandbox.keep_scan import scan

# What damaged arguments make the makers and the unpickler raise; anything else is a mistake of ours and passes.
DAMAGE: Final = (
    pickle.UnpicklingError,
    EOFError,
    ArithmeticError,
    AttributeError,
    ImportError,
    LookupError,
    MemoryError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    SystemError,
    TypeError,
    ValueError,
    re.error,
    struct.error,
)


@dataclass(frozen=True)
class Read:
    """What was read: the value, and `settle`, to be called when the names of the job are in place."""

    value: object
    settle: Callable[[], None]


def read(data: bytes, refs: Sequence[object], around: Surroundings, namespace: dict[str, object] | None) -> Read:
    """Read one stream; functions get `namespace` as their globals (None: they become stubs).

    Raises:
        CannotKeep: another format, damaged bytes, or bytes that this version never writes.
        BugError: functions would get a namespace without `__builtins__`.
    """
    if data[:1] != bytes((FORMAT,)):
        found = data[0] if data else "nothing"
        raise CannotKeep(f"the stored workspace has format {found}, this version reads format {FORMAT}")
    scan(data, 1)
    reader = _Reader(data, Loading(refs, around, namespace))
    try:
        value = reader.load()
        finish(reader.loading)
    except DAMAGE as error:
        raise CannotKeep(f"the stored workspace is damaged: {type(error).__name__}: {error}") from error
    return Read(value, reader.settle)


class _Bound:
    """A maker bound to one load; nothing can be set on it."""

    __slots__ = ("_call",)
    _call: tuple[Callable[..., Any], Loading]

    def __init__(self, build: Callable[..., Any], loading: Loading) -> None:
        object.__setattr__(self, "_call", (build, loading))

    def __call__(self, *arguments: Any) -> Any:
        build, loading = self._call
        return build(loading, *arguments)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(name)


class _Reader(pickle.Unpickler):
    """An unpickler that knows makers only."""

    def __init__(self, data: bytes, loading: Loading) -> None:
        stream = io.BytesIO(data)
        stream.seek(1)
        super().__init__(stream)
        self.loading = loading

    def settle(self) -> None:
        """Enter the classes, and put keys into their places, which may ask code of the job for their hashes."""
        self.loading.enter_classes()
        if self.loading.classes:
            rehash(self.loading, self.memo.copy().values())

    def find_class(self, module: str, name: str) -> _Bound:
        """Give the maker `name` of this load."""
        maker = MAKERS.get(name)
        if module == MODULE and maker is not None:
            return _Bound(maker.build, self.loading)
        raise pickle.UnpicklingError(f"{module}.{name} is no maker")
