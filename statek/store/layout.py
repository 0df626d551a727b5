"""Fields that an object has a value for only later: their names are made known to the store before they are needed.

dbzero learns the name of a field when it is first given a value that is not None. If that happens in a transaction of
the application that is rolled back, the store forgets the name again, and this process does not: what is set under it
from then on is lost, or lands in another field. So each such field is given a value once, by the first object of its
class: if that is rolled back, the class is forgotten with it, and the next object is the first again.

A class names them in `_late_fields`. Its constructor ends with `lay_out_first`, which costs a microsecond for each
field and thirty to ask; jobs and handlers, of which there are many, ask the root whether they are the first.
"""

from collections.abc import Iterable
from typing import Any

import dbzero as db0

_FOR_A_MOMENT = "-"  # text, because a field may be a tag


def lay_out_first(item: Any) -> None:
    """At the end of the constructor of `item`: lay its fields out when the store has no object of its class yet."""
    if _is_first(type(item)):
        lay_out(item, late_fields(type(item)))


def late_fields(kind: type) -> tuple[str, ...]:
    """Names of the fields that objects of `kind` have a value for only later."""
    return getattr(kind, "_late_fields", ())


def lay_out(item: Any, names: Iterable[str]) -> None:
    """Make the store know the fields `names` of `item`'s class; those that are None or not set stay as they are."""
    for name in names:
        before = getattr(item, name)
        if before is None or before == getattr(type(item), name, None):
            setattr(item, name, _FOR_A_MOMENT)
            setattr(item, name, before)


def _is_first(kind: type) -> bool:
    try:
        return not db0.get_schema(kind)
    except RuntimeError:  # none on this prefix, while others may have some
        return True
