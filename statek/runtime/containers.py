"""Which facade stands for which container of the store, and what code may call on it. Data, nothing else."""

from collections.abc import Mapping
from typing import Final

from statek.runtime.stored import Stored
from statek.runtime.stored_sequences import StoredList, StoredTuple
from statek.runtime.stored_tables import StoredDict, StoredSet

FACADES: Final[Mapping[str, type[Stored]]] = {
    "List": StoredList,
    "Dict": StoredDict,
    "Set": StoredSet,
    "Tuple": StoredTuple,
}
"""By the name of dbzero's type."""

PUBLIC: Final[Mapping[type, frozenset[str]]] = {
    facade: frozenset(name for name in dir(kind) if not name.startswith("_") and hasattr(facade, name))
    for facade, kind in ((StoredList, list), (StoredDict, dict), (StoredSet, set), (StoredTuple, tuple))
}
"""Methods that the code of a job may call."""
