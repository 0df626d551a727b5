"""How the writer takes containers of `collections` and namespaces apart.

They are made empty and then filled, for they may hold themselves. Each rule gives a reduction made of makers.
"""

import collections
import types
from typing import Any, Final

from statek.sandbox import keep_makers as makers
from statek.sandbox.keep_class_rules import Unkept

Reduced = tuple[Any, ...]
_CONTAINERS: Final = {kind: name for name, kind in makers.CONTAINERS.items()}


def dictionary(_: object, obj: Any) -> Reduced:
    """Counter and OrderedDict."""
    if vars(obj):
        raise Unkept(f"a {type(obj).__name__} with attributes of its own is not kept; put them under keys", obj)
    return makers.make_container, (_CONTAINERS[type(obj)],), (dict(obj), None), None, None, makers.fill_container


def defaultdict(_: object, obj: "collections.defaultdict[Any, Any]") -> Reduced:
    """Write the factory as state: it may be a closure that reaches the dict itself."""
    state = (dict(obj), obj.default_factory)
    return makers.make_container, ("defaultdict",), state, None, None, makers.fill_container


def deque(_: object, obj: "collections.deque[Any]") -> Reduced:
    """Write the bound, then the items."""
    made = ("deque",) if obj.maxlen is None else ("deque", obj.maxlen)
    return makers.make_container, made, (list(obj), None), None, None, makers.fill_container


def chain(_: object, obj: "collections.ChainMap[Any, Any]") -> Reduced:
    """Write the list of maps."""
    if set(vars(obj)) != {"maps"}:
        raise Unkept("a ChainMap with attributes of its own is not kept; put them under keys", obj)
    return makers.make_container, ("chain",), (obj.maps, None), None, None, makers.fill_container


def plain_namespace(_: object, obj: types.SimpleNamespace) -> Reduced:
    """Write the attributes."""
    return makers.make_container, ("namespace",), (dict(vars(obj)), None), None, None, makers.fill_container
