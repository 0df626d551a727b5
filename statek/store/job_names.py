"""A job's names and the objects it has been shown, from the point of view of tools and applications.

A part of `Job`. While the job's own code runs, its names are the live ones: what is given to it by a tool becomes a
name when the call is over, so that running the statement again comes to the same.
"""

from collections.abc import Iterator
from typing import Any

from statek.store import current, workspace
from statek.store.encoding import text_bytes
from statek.store.future import FutureResult
from statek.store.pyenv import PERM_CTX
from statek.store.session import address_of


class JobNames:
    """The part of a job that reads and gives names."""

    id: str
    ext_refs: Any

    def read_names(self) -> dict[str, Any]:
        """The job's names: those of its code while that runs here, else the stored ones."""
        scene = current.scene_of(self)
        if scene is None or scene.names is None:
            stored = workspace.read_names(self)
            return stored if scene is None else {**stored, **scene.added}
        live = {name: value for name, value in scene.names.items() if name != "__builtins__"}
        return {**live, **scene.added}

    def find_locals(
        self, var_type: type | None = None, var_name: str | None = None, ext_scan: bool = True
    ) -> Iterator[Any]:
        """Values of the job's names, and with `ext_scan` of its persistent context behind them.

        Futures give their values: looked for by name they must be ready, otherwise those that are not are left out.

        Raises:
            FutureError: the value of `var_name` is not ready.
        """
        names = self.read_names()
        if ext_scan:
            names = {**(names.get(PERM_CTX) or {}), **names}
        for name, value in names.items():
            if name == PERM_CTX or var_name not in (None, name):
                continue
            if isinstance(value, FutureResult):
                if var_name is None and not value.check_condition():
                    continue
                value = value.value
            if var_type is None or isinstance(value, var_type):
                yield value

    def add_locals(self, **kwargs: Any) -> None:
        """Put values into the job's names. Raises CannotKeep for a value that cannot be stored."""
        scene = current.scene_of(self)
        if scene is None:
            workspace.add_names(self, kwargs)
            return
        workspace.check_names(kwargs)
        scene.added.update(kwargs)  # the code that runs gets them when the call is over

    def add_ext_ref(self, obj: Any) -> None:
        """Remember a stored object without keeping it alive; anything else is ignored."""
        address = address_of(obj)
        if address is None or self.contains_ext_ref(obj):
            return
        if self.ext_refs is None:
            self.ext_refs = []
        self.ext_refs.append(text_bytes(address))

    def contains_ext_ref(self, obj: Any) -> bool:
        """Was this object remembered by `add_ext_ref`?"""
        address = address_of(obj)
        return address is not None and text_bytes(address) in list(self.ext_refs or ())
