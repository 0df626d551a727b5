"""Fields that an object has a value for only later: their names are made known to the store before they are needed.

dbzero learns the name of a field when it is first given a value that is not None. If that happens in a transaction of
the application that is rolled back, the store forgets the name again, and this process does not: what is set under it
from then on is lost, or lands in another field. So each such field is given a value once, where nothing fails.
"""

from collections.abc import Iterable
from typing import Any


def lay_out(item: Any, names: Iterable[str]) -> None:
    """Make the store know the fields `names` of `item`'s class; those that are None or not set stay as they are."""
    for name in names:
        before = getattr(item, name)
        if before is None or before == getattr(type(item), name, None):
            setattr(item, name, 0)
            setattr(item, name, before)
