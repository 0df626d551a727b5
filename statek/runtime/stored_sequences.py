"""Lists and tuples of the store as the code of a job sees them: like Python's own, every access recorded.

What dbzero has no method for (sorting, inserting, slices) is computed from the members and written back.
"""

import operator
from collections.abc import Callable, Iterable, Iterator, MutableSequence, Sequence
from typing import Any, Self

from statek.runtime.storable import storable
from statek.runtime.stored import Stored


class _Ordered(Stored):
    """What lists and tuples share."""

    __slots__ = ()

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._plain()[index]
        return self._read("item", _item, self.raw, operator.index(index), of=operator.index(index))

    def __contains__(self, value: object) -> bool:
        return self._has(value)

    def __reversed__(self) -> Iterator[Any]:
        return iter(self._members()[::-1])

    def index(self, value: Any, *bounds: int) -> int:
        """Where the first equal member stands."""
        found: int = self._plain().index(value, *bounds)
        return found

    def count(self, value: Any) -> int:
        """How many members are equal."""
        found: int = self._plain().count(value)
        return found

    def _with(self, other: Any) -> Any:
        """The other side of an operator as plain data, None when it is another type."""
        kind: Any = self.__class__
        return kind(other) if isinstance(other, kind) else None

    def _compare(self, test: Callable[[Any, Any], Any], other: Any) -> Any:
        right = self._with(other)
        return NotImplemented if right is None else test(self._plain(), right)

    def __eq__(self, other: object) -> Any:
        return self is other or self._compare(operator.eq, other)

    def __lt__(self, other: Any) -> Any:
        return self._compare(operator.lt, other)

    def __le__(self, other: Any) -> Any:
        return self._compare(operator.le, other)

    def __gt__(self, other: Any) -> Any:
        return self._compare(operator.gt, other)

    def __ge__(self, other: Any) -> Any:
        return self._compare(operator.ge, other)

    def __add__(self, other: Any) -> Any:
        return self._compare(operator.add, other)

    def __radd__(self, other: Any) -> Any:
        left = self._with(other)
        return NotImplemented if left is None else left + self._plain()

    def __mul__(self, times: Any) -> Any:
        return self._plain() * times

    __rmul__ = __mul__

    def __repr__(self) -> str:
        return repr(self._plain())


class StoredTuple(_Ordered, Sequence[Any]):
    """A tuple of the store."""

    __slots__ = ()

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return tuple

    def _plain(self) -> Any:
        return tuple(self._members())

    def __hash__(self) -> int:
        return hash(self._plain())


class StoredList(_Ordered, MutableSequence[Any]):
    """A list of the store."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return list

    def _become(self, members: list[Any]) -> None:
        self._write("members!", _replace, members)

    def append(self, value: Any) -> None:
        """Add a member at the end."""
        self._write("append!", _append, value)

    def extend(self, values: Iterable[Any]) -> None:
        """Add members at the end: all of them, or none when one cannot be stored."""
        self._write("extend!", _extend, list(values))

    def __iadd__(self, values: Iterable[Any]) -> Self:  # type: ignore[misc]
        self.extend(values)
        return self

    def __imul__(self, times: Any) -> Self:
        self._become(self._members() * times)
        return self

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(index, slice):
            members = self._members()
            members[index] = list(value)
            self._become(members)
            return
        at = operator.index(index)
        self._change("put!", _put, self.raw, at, storable(value), of=(at, self._recorder.digest(value)))

    def __delitem__(self, index: Any) -> None:
        if isinstance(index, slice):
            members = self._members()
            del members[index]
            self._become(members)
            return
        at = operator.index(index)
        self._change("drop!", _drop, self.raw, at, of=at)

    def pop(self, index: int = -1) -> Any:
        """Remove a member and give it."""
        at = operator.index(index)
        return self._change("pop!", _pop, self.raw, at, of=at)

    def remove(self, value: Any) -> None:
        """Remove the first equal member."""
        del self[self.index(value)]

    def insert(self, index: int, value: Any) -> None:
        """Put a member before another; the ones behind it are written anew."""
        members = self._members()
        members.insert(index, value)
        self._become(members)

    def clear(self) -> None:
        """Remove all members."""
        self._change("clear!", _clear, self.raw)

    def reverse(self) -> None:
        """Turn the order round."""
        self._become(self._members()[::-1])

    def sort(self, *, key: Any = None, reverse: bool = False) -> None:
        """Put the members in order."""
        self._become(sorted(self._members(), key=key, reverse=reverse))


# -- what is done to the store itself; arguments are checked already --------------------------------------------------


def _position(raw: Any, index: int) -> int:
    at = index + len(raw) if index < 0 else index
    if not 0 <= at < len(raw):
        raise IndexError(f"index {index} out of range: there are {len(raw)} members")
    return at


def _item(raw: Any, index: int) -> Any:
    return raw[_position(raw, index)]


def _append(raw: Any, value: Any) -> None:
    raw.append(value)


def _extend(raw: Any, values: list[Any]) -> None:
    for value in values:
        raw.append(value)


def _put(raw: Any, index: int, value: Any) -> None:
    at = _position(raw, index)
    if raw[at] is not value:  # a container that takes its own place could be freed on the way
        raw[at] = value


def _drop(raw: Any, index: int) -> None:
    del raw[_position(raw, index)]  # dbzero's own `pop` and `remove` leak


def _pop(raw: Any, index: int) -> Any:
    at = _position(raw, index)
    value = raw[at]
    del raw[at]
    return value


def _clear(raw: Any) -> None:
    raw.clear()


def _replace(raw: Any, members: list[Any]) -> None:
    held = list(raw)  # so that nothing is freed while members change places
    for at, value in enumerate(members[: len(held)]):
        if held[at] is not value:
            raw[at] = value
    _extend(raw, members[len(held) :])
    for at in range(len(held) - 1, len(members) - 1, -1):
        del raw[at]
