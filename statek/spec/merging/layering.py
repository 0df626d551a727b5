"""One tree of nodes over another: mappings merge, everything else replaces. Pure; knows nothing of kinds.

Every node of the result keeps its file, and a mapping that both trees have takes the place of the nearer one, so
whatever is said of a merged value points at the text that says it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from statek.spec.problems import Range
from statek.spec.reading.nodes import Node

Short = Mapping[str, str]  # field -> the inner field that its short form stands for (`model: fast` is `{use: fast}`)
NONE: Short = {}


def over(base: Node, nearer: Node, short: Short = NONE, *, stays: bool = False) -> Node:
    """`nearer` laid over `base`; with `stays` a mapping that both have keeps the place of `base`.

    A mapping laid over the short form of a field of `short` goes over its long form, so nothing of it is lost. A list
    is its long form at once: laid over a mapping it replaces that one list.
    """
    if not (_is_map(base) and _is_map(nearer)):
        return nearer
    members, keys = dict(base.members), dict(base.keys)
    for name, node in nearer.members.items():
        below, inner = members.get(name), short.get(name)
        if inner is not None and (_is_map(node) or _is_list(node)) and below is not None:
            below, node = _long(below, inner), _long(node, inner)
        members[name] = node if below is None else over(below, node, stays=stays)
        if not (stays and below is not None and _is_map(below) and _is_map(node)):
            keys[name] = nearer.keys[name]
    place = base if stays else nearer
    return replace(place, data=_data(members), members=members, keys=keys)


def joined(lists: Sequence[Node]) -> Node:
    """The items of all lists, each value once, in the place of the last."""
    items: list[Node] = []
    for node in lists:
        items.extend(item for item in node.items if all(item.data != other.data for other in items))
    return replace(lists[-1], data=[item.data for item in items], items=tuple(items))


def unfolded(node: Node, short: Short) -> Node:
    """`node` with each list that is the short form of a field written as its long form."""
    lists = {name: _long(node.members[name], inner) for name, inner in short.items() if _has_list(node, name)}
    members = {**node.members, **lists}
    return replace(node, members=members, data=_data(members)) if lists else node


def _has_list(node: Node, name: str) -> bool:
    return name in node.members and _is_list(node.members[name])


def with_list(node: Node, path: tuple[str, str], value: Node) -> Node:
    """`node` with the list under `path`, which it has, replaced."""
    field = node.members[path[0]]
    inner_members = {**field.members, path[1]: value}
    members = {**node.members, path[0]: replace(field, members=inner_members, data=_data(inner_members))}
    return replace(node, members=members, data=_data(members))


def without(node: Node, names: frozenset[str]) -> Node:
    """A mapping without some of its fields."""
    members = {name: inner for name, inner in node.members.items() if name not in names}
    return replace(node, members=members, data=_data(members))


def nested(path: Sequence[str], key: Range, value: Node) -> Node:
    """A tree that holds `value` under `path`; all that is made up for it lies at `key`."""
    for name in reversed(path):
        value = Node({name: value.data}, key, members={name: value}, keys={name: key}, file=value.file)
    return value


def _data(members: Mapping[str, Node]) -> dict[str, Any]:
    return {name: node.data for name, node in members.items()}


def _is_map(node: Node) -> bool:
    return isinstance(node.data, dict)


def _is_list(node: Node) -> bool:
    return isinstance(node.data, list)


def _long(node: Node, inner: str) -> Node:
    """The long form of a short one; null has none."""
    if _is_map(node) or node.data is None:
        return node
    return nested((inner,), node.span, node)
