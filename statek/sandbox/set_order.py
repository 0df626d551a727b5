"""Sets in an order that only their members decide.

Python goes through a set by hash and history: the same set read back from a store, or in another process, may come in
another order. What a job's code does with its members must not depend on that, since a statement is run again after a
wait or a crash and its calls are compared with the record. Pure; nothing here knows a job.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

KINDS: Final = frozenset({set, frozenset})
POPPED_IN_ORDER: Final = 1_000  # members; choosing the first of more at each `pop` would take too long
_NUMBERS: Final = frozenset({int, float, bool})
_FLAT: Final = frozenset({type(None), int, float, bool, str, bytes})


def in_order(members: Any) -> Iterator[Any]:
    """Go through a set in its order; through one with members that have none (objects) as Python does."""
    return iter(_ordered(members)) if len(members) > 1 else iter(members)


def pop(members: Any) -> Any:
    """`set.pop`: the first member. Raises KeyError when there is none."""
    if type(members) is not set or not 1 < len(members) <= POPPED_IN_ORDER:
        return set.pop(members)
    first = next(in_order(members))
    members.discard(first)
    return first


def fromkeys(keys: Any, value: Any = None) -> dict[Any, Any]:
    """`dict.fromkeys`."""
    return dict.fromkeys(in_order(keys) if type(keys) in KINDS else keys, value)


def _ordered(members: Any) -> Sequence[Any]:
    kinds = set(map(type, members))
    if kinds <= {str} or kinds <= {bytes} or (kinds <= _NUMBERS and all(member == member for member in members)):
        return sorted(members)
    if all(map(_is_plain, members)):
        return sorted(members, key=_text_of)
    return list(members)


def _is_plain(member: Any) -> bool:
    """Whether its text tells it from any other member."""
    kind = type(member)
    if kind is tuple or kind is frozenset:
        return all(map(_is_plain, member))
    return kind in _FLAT


def _text_of(member: Any) -> str:
    if type(member) is frozenset:
        return f"frozenset({[_text_of(part) for part in _ordered(member)]})"
    if type(member) is tuple:
        return f"({[_text_of(part) for part in member]})"
    return repr(member)
