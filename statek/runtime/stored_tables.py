"""Dicts and sets of the store as the code of a job sees them: like Python's own, every access recorded.

What dbzero has no method for (`popitem`, `|=`, `symmetric_difference_update`) is computed from the members. Their order
is the store's, not that of insertion.
"""

import operator
from collections.abc import Callable, Iterable, Iterator, MutableMapping, MutableSet
from typing import Any, Final, Self

from statek.runtime.storable import storable_key
from statek.runtime.stored import Stored
from statek.runtime.stored_sequences import StoredTuple

_UNSET: Final = object()


class StoredDict(Stored, MutableMapping[Any, Any]):
    """A dict of the store."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return dict

    def _plain(self) -> Any:
        flat = self._read("pairs", _pairs, self.raw)
        return dict(zip(map(_as_key, flat[::2]), flat[1::2], strict=True))

    def _members(self) -> Any:
        return [_as_key(key) for key in self._read("members", list, self.raw)]

    def __getitem__(self, key: Any) -> Any:
        found = self._of_key("get", _get, key)
        if found is _UNSET:
            raise KeyError(key)
        return found

    def __contains__(self, key: object) -> bool:
        return self._of_key("in", _has_key, key) is True

    def _of_key(self, what: str, do: Callable[..., Any], key: Any) -> Any:
        hash(key)
        try:
            bare = storable_key(key)
        except (TypeError, ValueError):
            return _UNSET  # no such key can be in it
        return self._read(what, do, self.raw, bare, of=self._recorder.digest(key))

    def get(self, key: Any, default: Any = None) -> Any:
        """Give the value of a key, or the default."""
        try:
            return self[key]
        except KeyError:
            return default

    def keys(self) -> Any:
        """Give the keys as they are now."""
        return self._plain().keys()

    def values(self) -> Any:
        """Give the values as they are now."""
        return self._plain().values()

    def items(self) -> Any:
        """Give keys and values as they are now."""
        return self._plain().items()

    def __reversed__(self) -> Iterator[Any]:
        return iter(self._members()[::-1])

    def __eq__(self, other: object) -> Any:
        if self is other:
            return True
        return self._plain() == dict(other) if isinstance(other, dict) else NotImplemented

    def __or__(self, other: Any) -> Any:
        return self._plain() | dict(other) if isinstance(other, dict) else NotImplemented

    def __ror__(self, other: Any) -> Any:
        return dict(other) | self._plain() if isinstance(other, dict) else NotImplemented

    def __ior__(self, other: Any) -> Self:
        self.update(other)
        return self

    def __setitem__(self, key: Any, value: Any) -> None:
        self._write("update!", _update, {key: value})

    def __delitem__(self, key: Any) -> None:
        self.pop(key)

    def pop(self, key: Any, default: Any = _UNSET) -> Any:
        """Remove a key and give its value."""
        if key in self:
            return self._change("pop!", _pop_key, self.raw, storable_key(key), of=self._recorder.digest(key))
        if default is _UNSET:
            raise KeyError(key)
        return default

    def popitem(self) -> tuple[Any, Any]:
        """Remove the last key in the order of the store; give it and its value."""
        keys = self._members()
        if not keys:
            raise KeyError("popitem(): dictionary is empty")
        return keys[-1], self.pop(keys[-1])

    def clear(self) -> None:
        """Remove everything."""
        self._change("clear!", _clear, self.raw)

    def update(self, other: Any = (), /, **named: Any) -> None:
        """Set many keys: all of them, or none when one cannot be stored."""
        self._write("update!", _update, {**dict(other), **named})

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """Give the value of a key, set to the default before when there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def __repr__(self) -> str:
        return repr(self._plain())


class StoredSet(Stored, MutableSet[Any]):
    """A set of the store."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return set

    def _members(self) -> Any:
        return [_as_key(member) for member in self._read("members", list, self.raw)]

    def _plain(self) -> Any:
        return set(self._members())

    def __contains__(self, value: object) -> bool:
        hash(value)
        return self._has(value)

    def _other(self, value: Any) -> Any:
        return set(value) if isinstance(value, set | frozenset) else None

    def _compute(self, do: Callable[[Any, Any], Any], other: Any) -> Any:
        right = self._other(other)
        return NotImplemented if right is None else do(self._plain(), right)

    def __eq__(self, other: object) -> Any:
        return self is other or self._compute(operator.eq, other)

    def __lt__(self, other: Any) -> Any:
        return self._compute(operator.lt, other)

    def __le__(self, other: Any) -> Any:
        return self._compute(operator.le, other)

    def __gt__(self, other: Any) -> Any:
        return self._compute(operator.gt, other)

    def __ge__(self, other: Any) -> Any:
        return self._compute(operator.ge, other)

    def __and__(self, other: Any) -> Any:
        return self._compute(operator.and_, other)

    def __or__(self, other: Any) -> Any:
        return self._compute(operator.or_, other)

    def __sub__(self, other: Any) -> Any:
        return self._compute(operator.sub, other)

    def __xor__(self, other: Any) -> Any:
        return self._compute(operator.xor, other)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __rsub__(self, other: Any) -> Any:
        return self._compute(lambda a, b: b - a, other)

    def union(self, *others: Iterable[Any]) -> Any:
        """Give everything in it or in one of the others."""
        return self._plain().union(*others)

    def intersection(self, *others: Iterable[Any]) -> Any:
        """Give what is in it and in all others."""
        return self._plain().intersection(*others)

    def difference(self, *others: Iterable[Any]) -> Any:
        """Give what is in it and in none of the others."""
        return self._plain().difference(*others)

    def symmetric_difference(self, other: Iterable[Any]) -> Any:
        """Give what is in exactly one of both."""
        return self._plain().symmetric_difference(other)

    def issubset(self, other: Iterable[Any]) -> Any:
        """Whether all members are in the other."""
        return self._plain().issubset(other)

    def issuperset(self, other: Iterable[Any]) -> Any:
        """Whether it has all members of the other."""
        return self._plain().issuperset(other)

    def isdisjoint(self, other: Iterable[Any]) -> Any:
        """Whether nothing is in both."""
        return self._plain().isdisjoint(other)

    def add(self, value: Any) -> None:
        """Add a member."""
        self._write("add!", _join, {value})

    def discard(self, value: Any) -> None:
        """Remove a member if it is there."""
        if value in self:
            self._write("leave!", _leave, {value})

    def remove(self, value: Any) -> None:
        """Remove a member."""
        if value not in self:
            raise KeyError(value)
        self.discard(value)

    def pop(self) -> Any:
        """Remove one member and give it."""
        members = self._members()
        if not members:
            raise KeyError("pop from an empty set")
        self.discard(members[0])
        return members[0]

    def clear(self) -> None:
        """Remove all members."""
        self._change("clear!", _clear, self.raw)

    def update(self, *others: Iterable[Any]) -> None:
        """Add members: all of them, or none when one cannot be stored."""
        self._write("add!", _join, set().union(*others))

    def _keep_only(self, kept: set[Any]) -> None:
        self._write("leave!", _leave, self._plain() - kept)

    def difference_update(self, *others: Iterable[Any]) -> None:
        """Remove what is in one of the others."""
        self._keep_only(self.difference(*others))

    def intersection_update(self, *others: Iterable[Any]) -> None:
        """Remove what is not in all others."""
        self._keep_only(self.intersection(*others))

    def symmetric_difference_update(self, other: Iterable[Any]) -> None:
        """Keep what is in exactly one of both."""
        now, given = self._plain(), set(other)
        self._write("leave!", _leave, now & given)
        self._write("add!", _join, given - now)

    def __ior__(self, other: Any) -> Self:
        return self._changed(self.update, other)

    def __iand__(self, other: Any) -> Self:
        return self._changed(self.intersection_update, other)

    def __isub__(self, other: Any) -> Self:
        return self._changed(self.difference_update, other)

    def __ixor__(self, other: Any) -> Self:
        return self._changed(self.symmetric_difference_update, other)

    def _changed(self, change: Callable[[Any], None], other: Any) -> Self:
        right = self._other(other)
        if right is None:
            raise TypeError(f"unsupported operand type(s): 'set' and '{type(other).__name__}'")
        change(right)
        return self

    def __repr__(self) -> str:
        return repr(self._plain())


def _as_key(member: Any) -> Any:
    """A key or member of a set as Python would give it: the store's tuples are no tuples."""
    return tuple([_as_key(part) for part in member]) if type(member) in (StoredTuple, tuple) else member


# -- what is done to the store itself; arguments are checked already --------------------------------------------------


def _clear(raw: Any) -> None:
    raw.clear()


def _pairs(raw: Any) -> list[Any]:
    return [part for pair in raw.items() for part in pair]


def _get(raw: Any, key: Any) -> Any:
    if key not in raw:
        raise KeyError(key)
    return raw[key]


def _has_key(raw: Any, key: Any) -> bool:
    return key in raw


def _update(raw: Any, values: dict[Any, Any]) -> None:
    for key, value in values.items():
        raw[key] = value


def _pop_key(raw: Any, key: Any) -> Any:
    value = raw[key]
    del raw[key]
    return value


def _join(raw: Any, members: set[Any]) -> None:
    for member in members:
        raw.add(member)


def _leave(raw: Any, members: set[Any]) -> None:
    for member in members:
        raw.discard(member)
