"""Committing the store so that a kill inside the commit costs time, not data.

Around `Store.commit` a mark is set and a pre-image of the blocks that dbzero rewrites in place is kept; a start that
finds the mark puts the pre-image back or does not trust the file. When to commit is the runtime's decision.
"""

from statek.base.mark import Mark
from statek.base.preimage import PreImage
from statek.store.session import Store


class Checkpoint:
    """The one way in which a worker commits its store."""

    def __init__(self, store: Store, *, mark: Mark | None = None, preimage: PreImage | None = None) -> None:
        """Guard commits of `store`; without mark and pre-image it is a plain commit."""
        self._store = store
        self._mark = mark
        self._preimage = preimage

    def commit(self) -> None:
        """Write the store. Raises StoreError when that fails."""
        if self._preimage is not None:
            self._preimage.save(self._store.root.seq)
        if self._mark is not None:
            self._mark.begin_commit()
        self._store.commit()
        # The mark goes first: a kill between the two lines leaves a whole store and a pre-image that is put back.
        if self._mark is not None:
            self._mark.end_commit()
        if self._preimage is not None:
            self._preimage.void()
