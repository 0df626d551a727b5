"""Objects in a store's file that nothing refers to any more.

dbzero frees an object with a commit, when nothing stored refers to it and no variable of the process either. A process
that ends earlier, killed or not, leaves it in the file for good: searches find it, and what it refers to counts as
referred to. And of an object that lies across two pages and was read, not written, in a transaction of dbzero's, the
store loses that a reference has gone. Whoever compares or copies a whole file leaves such objects out; nothing here
removes them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Set
from typing import Any

import dbzero as db0

_LISTS = {"List", "Tuple", "Set", "list", "tuple", "set"}
_DICTS = {"Dict", "dict"}


def left_over(loose: Iterable[Any]) -> tuple[set[str], Counter[str]]:
    """`loose` and all that nothing but they and such refer to.

    Args:
        loose: the objects to which nothing refers at all; no singletons.

    Returns:
        The addresses, and how often these objects refer to which addresses. Circles of them are not found.
    """
    found: set[str] = set()
    held: Counter[str] = Counter()
    weak = _WeakNames()
    waiting = list(loose)
    while waiting:
        item = waiting.pop()
        found.add(db0.uuid(item))
        for value in references(item, without=weak[type(item)]):
            address = db0.uuid(value)
            held[address] += 1
            if held[address] == db0.getrefcount(value) and not db0.is_singleton(value):
                waiting.append(value)
    return found, held


class _WeakNames(dict[type, set[str]]):
    """Of each class the fields that refer weakly, which is not counted."""

    def __missing__(self, cls: type) -> set[str]:
        schema = db0.get_schema(cls).items()
        self[cls] = {
            name for name, about in schema if "WeakProxy" in {kind.__name__ for kind in about["all_types"] if kind}
        }
        return self[cls]


def references(item: Any, *, without: Set[str] = frozenset()) -> Iterator[Any]:
    """Every stored object that the fields of `item` refer to, as often as they do, weakly too; not fields `without`."""
    waiting = [value for name, value in item.__dict__.items() if name not in without]
    while waiting:
        value = waiting.pop()
        if db0.expired(value):  # before anything looks at its type, which crashes
            continue
        kind = type(value).__name__
        if kind in _LISTS:
            waiting.extend(value)
        elif kind in _DICTS:
            waiting.extend([value[key] for key in value])
        elif db0.is_memo(value) and not isinstance(value, type):
            yield value
