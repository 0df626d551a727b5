"""Puts keys into their places once a load is complete.

While a load goes on, instances of classes that say themselves how they are hashed are hashed by identity. Now the
dicts and sets that hold such keys are filled again with the real hashes, which may run code of the job; whatever that
code raises leaves the container as it is.
"""

import collections
from collections.abc import Iterable
from typing import Any

from statek.sandbox import keep_shapes, kinds
from statek.sandbox.keep_loading import Loading


def rehash(loading: Loading, values: Iterable[object]) -> None:
    """Fill the dicts and sets among `values` again, where their keys need it."""
    hashed = tuple(made.kind for made in loading.classes.values() if _hashes_itself(made.kind))
    if not hashed:
        return
    for value in list(values):
        if isinstance(value, dict | set) and any(_depends(key, hashed) for key in _keys(value)):
            _fill_again(value)
    for made in loading.classes.values():  # where enums keep their members by value
        members = vars(made.kind).get("_value2member_map_")
        if members and any(_depends(key, hashed) for key in members):
            _fill_again(members)


def _hashes_itself(kind: type) -> bool:
    return any(keep_shapes.has_own_hash(base) for base in kind.__mro__ if kinds.is_job_class(base))


def _keys(value: Any) -> Iterable[Any]:
    return dict.keys(value) if isinstance(value, dict) else set.__iter__(value)


def _depends(key: object, hashed: tuple[type, ...]) -> bool:
    """Whether the hash of a key is that of an instance of `hashed`."""
    if isinstance(key, hashed):
        return True
    if isinstance(key, tuple):
        return any(_depends(part, hashed) for part in tuple.__iter__(key))
    return isinstance(key, frozenset) and any(_depends(part, hashed) for part in frozenset.__iter__(key))


def _fill_again(value: Any) -> None:
    """Keep what is there if the keys can no longer be told apart or hashed."""
    try:
        if isinstance(value, set):
            members = set(set.__iter__(value))
            if len(members) == set.__len__(value):
                set.clear(value)
                set.update(value, members)
            return
        items = dict(dict.items(value))
        if len(items) != dict.__len__(value):
            return
        if isinstance(value, collections.OrderedDict):
            collections.OrderedDict.clear(value)
            for key, item in items.items():
                collections.OrderedDict.__setitem__(value, key, item)
        else:
            dict.clear(value)
            dict.update(value, items)
    except Exception:  # noqa: BLE001 - the hash or comparison of a key is the job's code
        return
