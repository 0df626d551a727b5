"""Taking values apart for `a, (b, c) = x`, through the guard on iteration. Written into code by the transform."""

from collections.abc import Callable, Iterator
from typing import Any

Spec = dict[str, Any]  # "childs": tuple of (index, Spec), "min_len": int
Iterate = Callable[[Any], Iterator[Any]]


def unpack_sequence(values: Any, spec: Spec, iterate: Iterate) -> Any:
    """Give what Python may unpack natively in place of `values`; nested targets are guarded too."""
    if not spec["childs"]:
        return values if type(values) in (list, tuple) else iterate(values)
    parts = list(iterate(values))
    if len(parts) >= spec["min_len"]:
        for index, child in spec["childs"]:
            parts[index] = unpack_sequence(parts[index], child, iterate)
    return parts


def iter_unpack_sequence(values: Any, spec: Spec, iterate: Iterate) -> Iterator[Any]:
    """Serve `for a, b in values`."""
    for part in iterate(values):
        yield unpack_sequence(part, spec, iterate)
