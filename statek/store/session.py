"""Opening, committing and closing the store; the one owner that knows whether it is open.

Not here: what is stored, and when it is committed (`runtime.passes` decides, `store.checkpoint` does it). A store of
ours lives in a folder as `statek.db0`; an application may also open dbzero itself and let us `attach`. A new store is
made under another name and then moved, because a kill while it is made leaves a file that never opens.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Self

import dbzero as db0

from statek.exceptions import StoreError, StoreFull
from statek.sandbox import kinds
from statek.store import status
from statek.store.root import FORMAT, Root, let_go_of_lists, take_lists_again

PREFIX = "statek"
_AS_IT_IS: AbstractContextManager[Any] = nullcontext()
CACHE_BYTES = 256 << 20
OPEN_ALREADY = "already initialized"  # in what dbzero says when this process has a store open
IN_TRANSACTION = "inside an active db0.atomic"  # in what dbzero says when it cannot commit yet
LOCKED = "lock of: "  # in what dbzero says when another process has the file; it has blocks and streams, too


class Store:
    """An open store.

    Attributes:
        file: the dbzero file, or None when an application opened it and it could not be found.
        read_only: nothing can be written.
    """

    def __init__(self, file: Path | None, *, owned: bool, read_only: bool) -> None:
        """Use `Store.open` or `Store.attach`."""
        self.file = file
        self.read_only = read_only
        self._owned = owned
        self._open = True
        self._root: Root | None = None

    @property
    def prefix(self) -> str:
        """Name of the dbzero prefix that is current in this process."""
        return str(db0.get_current_prefix().name)

    @classmethod
    def open(cls, folder: Path, store_id: str = "", *, read_only: bool = False) -> Self:
        """Open the store in `folder`; a new one of that id is made when there is none.

        Raises:
            StoreError: another process has it, it is damaged, of another format or another store, or cannot be read.
        """
        file = folder / f"{PREFIX}.db0"
        if not file.exists():
            if read_only:
                raise StoreError(f"there is no store at {folder}", hint="run `statek work` first")
            _make(folder, store_id)
        _init(folder, read_only=read_only)
        store = cls(file, owned=True, read_only=read_only)
        try:
            store.check(store_id)
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    def attach(cls) -> Self:
        """Use the store that this process has open as its current prefix.

        Raises:
            StoreError: dbzero is not initialised, or this build does not read what is stored.
        """
        try:
            name = str(db0.get_current_prefix().name)
        except Exception as error:
            raise StoreError("dbzero is not open in this process", hint="call db0.init and db0.open first") from error
        store = cls(_find_file(name), owned=False, read_only=False)
        if db0.find(Root):
            store.check("")
        return store

    @property
    def writes_itself(self) -> bool:
        """Whether what is stored may reach the file at any moment outside of `together`, not by `commit` alone."""
        return not self._owned

    @property
    def root(self) -> Root:
        """The root object."""
        if not self._open:
            raise StoreError("the store is closed")
        if self._root is None:
            self._root = db0.fetch(Root) if self.read_only else Root()
        return self._root

    def check(self, store_id: str) -> None:
        """Compare format and identity. Raises StoreError when this build or ledger does not belong to it."""
        found = self.root.format
        if found != FORMAT:
            raise StoreError(
                f"the store {self.file} has format {found}, this build reads format {FORMAT}",
                hint="open it with the statek that wrote it" if found > FORMAT or not self._owned else _OLDER,
            )
        if store_id and self.root.store_id != store_id:
            raise StoreError(
                f"the store {self.file} does not belong to the ledger beside it",
                hint="put back the pair from one backup; nothing was changed",
            )

    def together(self) -> AbstractContextManager[Any]:
        """Changes that reach the file with one commit. Never await, yield or switch greenlets inside.

        A store of ours is written by `commit` alone; an application's is kept from writing itself meanwhile. Nothing is
        taken back when the code inside raises: dbzero's own transactions can do that, but they may not be mixed with
        changes outside of them, and get dearer as a store grows.
        """
        return _AS_IT_IS if self._owned else db0.locked()

    @contextmanager
    def watched(self) -> Iterator[list[bool]]:
        """Tell whether anything was written inside: the list holds one bool afterwards."""
        wrote: list[bool] = []
        with db0.locked() as lock:
            yield wrote
        wrote.append(bool(lock.get_mutation_log()))

    def commit(self) -> None:
        """Write what changed to the file. Raises StoreFull when that fails."""
        let_go_of_lists()
        try:
            db0.commit()
        except RuntimeError as error:
            raise _unwritable(error) from error
        status.settled()
        _clear_cache()
        if self._root is not None:
            take_lists_again(self._root)

    def save(self) -> None:
        """Write what changed, unless the application has a transaction of its own open: with its end it is written.

        Raises StoreFull.
        """
        try:
            self.commit()
        except StoreFull as error:
            if self._owned or IN_TRANSACTION not in str(error):
                raise

    def close(self) -> None:
        """Commit and close a store of ours; leave an application's store alone. Safe to call twice."""
        if self._open and self._owned:
            db0.close()
        self._open = False
        self._root = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def address_of(value: Any) -> str | None:
    """The store's own name of a durable object, or None when it has none (a container)."""
    return str(db0.uuid(value)) if db0.is_memo(value) else None


def at_address(address: str) -> Any:
    """The durable object of that address, also one of before a compaction. Raises StoreError when it is gone."""
    try:
        return db0.fetch(address)
    except Exception as error:
        for root in db0.find(Root):
            for before, item in root.moved or ():
                if before == address:
                    return item
        raise StoreError(f"the stored object {address} is gone") from error


def foreign_address_of(value: Any) -> Any:
    """A text with prefix and address for a durable object of another prefix than the current one; others as they are.

    References across prefixes are not counted by the store, so they are not stored as such.
    """
    if isinstance(value, str) or not db0.is_memo(value) or isinstance(value, type):
        return value
    prefix = db0.get_prefix_of(value).name
    return value if prefix == db0.get_current_prefix().name else f"{prefix} {db0.uuid(value)}"


def at_foreign_address(address: str) -> Any:
    """The durable object of a text that `foreign_address_of` gave. Raises StoreError when it cannot be had."""
    prefix, _, uuid = address.rpartition(" ")
    try:
        return db0.fetch(uuid, prefix=prefix)
    except Exception as error:
        why = "is gone" if prefix in {found.name for found in db0.get_prefixes()} else "is in a prefix that is not open"
        raise StoreError(f"the stored object {uuid} of prefix {prefix!r} {why}", hint=_OPEN_PREFIX) from error


_OLDER = (
    "go on with the statek that wrote it; or move the file away: while the ledger beside it has never been pruned, "
    "the worker makes it again from there"
)
_OPEN_PREFIX = "open its prefix (db0.open) before the worker starts"
_CONTAINERS = frozenset({"List", "Dict", "Set", "Tuple", "ByteArray", "Index"})  # types of dbzero, "builtins" they say


def is_durable(value: Any) -> bool:
    """Whether `value` lives in the store, or stands for what does: a memo object, a container, an enum value."""
    kind = type(value)
    if kind in kinds.STAND_INS:
        return True
    if kind.__module__ == "builtins":
        return kind.__name__ in _CONTAINERS
    return bool(db0.is_memo(value)) or (kind.__module__, kind.__name__) == ("dbzero", "EnumValue")


def _clear_cache() -> None:
    """Forget what is cached, right after a commit only.

    With changes that are not committed dbzero miscounts references now and then: it frees an object that others still
    refer to, and whoever reads it later meets an invalid address.
    """
    try:
        db0.clear_cache()
    except RuntimeError as error:
        raise _unwritable(error) from error


def _unwritable(error: RuntimeError) -> StoreFull:
    return StoreFull(f"the store could not be written: {str(error).strip()}", hint="free space on its disk")


def _init(folder: Path, *, read_only: bool) -> None:
    try:
        db0.init(str(folder), prefix=PREFIX, read_write=not read_only, autocommit=False, cache_size=CACHE_BYTES)
    except RuntimeError as error:
        text = str(error)
        if OPEN_ALREADY not in text:
            db0.close()  # half open: nothing else could be opened in this process
        if LOCKED in text:
            raise StoreError(
                f"another process has the store {folder} open", hint="stop it, or use the worker that runs"
            ) from error
        raise StoreError(
            f"the store {folder} cannot be opened: {text}", hint="start `statek work`: it repairs the store"
        ) from error


def _make(folder: Path, store_id: str) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    scratch = folder / f".new-{os.getpid()}"
    shutil.rmtree(scratch, ignore_errors=True)
    _init(scratch, read_only=False)
    try:
        Root(store_id)
        db0.commit()
    finally:
        db0.close()
    made = scratch / f"{PREFIX}.db0"
    with made.open("rb") as handle:
        os.fsync(handle.fileno())
    made.rename(folder / f"{PREFIX}.db0")
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    shutil.rmtree(scratch)


def _find_file(prefix: str) -> Path | None:
    """The file of an open prefix: dbzero does not tell, the process's open files do."""
    wanted = prefix.strip("/") + ".db0"
    for entry in Path("/proc/self/fd").iterdir() if Path("/proc/self/fd").is_dir() else ():
        try:
            target = entry.readlink()
        except OSError:
            continue
        if str(target).endswith("/" + wanted):
            return target
    return None
