"""What all facades of stored containers share: reading and writing through the record of the job.

A facade stands for one container of dbzero; it is never that container itself, because `len(x)` and `y in x` would go
past the guards. Going through it records the members once, at the start. Recording itself is `runtime.durable`'s.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

from statek.runtime.storable import storable
from statek.store.reference import Reference

_SIMPLE: Final = frozenset({type(None), bool, int, float, str, bytes})


class Recorder(Protocol):
    """What a facade asks of the job's record."""

    def number_of(self, value: object) -> int:
        """Give the number of a durable object."""
        ...

    def digest(self, value: object) -> Any:
        """Give something short that is equal for equal values."""
        ...

    def read(self, key: tuple[Any, ...], do: Callable[..., Any], *args: Any) -> Any:
        """Read, or give what was read before."""
        ...

    def change(self, key: tuple[Any, ...], do: Callable[..., Any], *args: Any) -> Any:
        """Write, or give what the write gave before."""
        ...

    def ask(self, owner: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a method, or give what the call gave before."""
        ...


class Stored(Reference):
    """A container of the store in the hands of a job."""

    __slots__ = ("_recorder",)

    def __init__(self, recorder: Recorder, raw: Any, origin: tuple[Any, ...] = (), number: int | None = None) -> None:
        super().__init__(raw, origin, number)
        self._recorder = recorder

    def _read(self, what: str, do: Callable[..., Any], *args: Any, of: Any = None) -> Any:
        return self._recorder.read((what, self._recorder.number_of(self), of), do, *args)

    def _change(self, what: str, do: Callable[..., Any], *args: Any, of: Any = None) -> Any:
        return self._recorder.change((what, self._recorder.number_of(self), of), do, *args)

    def _write(self, what: str, do: Callable[..., Any], value: Any) -> Any:
        """Write a value of the job."""
        of = self._recorder.digest(value)
        return self._change(what, do, self.raw, storable(value), of=of)

    def _members(self) -> Any:
        """Everything in it, as it is now."""
        return self._read("members", list, self.raw)

    def __len__(self) -> int:
        return int(self._read("len", len, self.raw))

    def __bool__(self) -> bool:
        return len(self) > 0

    def __iter__(self) -> Iterator[Any]:
        return iter(self._members())

    def _has(self, value: Any) -> bool:
        """Whether a value is among the members: asked of the store when that needs no code of the job."""
        if type(value) not in _SIMPLE and not isinstance(value, Reference):
            return value in self._members()
        bare = value.raw if isinstance(value, Reference) else value
        return bool(self._read("in", _is_among, self.raw, bare, of=self._recorder.digest(value)))

    def __copy__(self) -> Any:
        return self.copy()

    def copy(self) -> Any:
        """Give a plain copy."""
        return self._plain()

    def _plain(self) -> Any:
        return self._members()


def _is_among(raw: Any, value: Any) -> bool:
    return any(member is value or member == value for member in raw)
