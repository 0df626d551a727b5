"""The ledger file: one SQLite database beside the store, opened, paired, and changed in transactions.

It knows tables, not what their rows mean (records, inbox and releases do), and never reaches dbzero. Worker, clients
and command line use it alike, one `LedgerFile` per thread.

The one idea: a COMMIT here is the promise. The file is in WAL mode, and a commit is synced unless its caller syncs
later; so what was committed survives a power cut, and everything else in the kit may be lost and is computed again from
here. What is not synced yet survives the process, and the log loses its end only. Therefore every error of
SQLite becomes a LedgerError that says what to do, and no statement ever runs outside the transaction it was meant for.
"""

import os
import secrets
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from statek.base.durable import sync_file, sync_folder
from statek.exceptions import BugError, LedgerError

FORMAT = 1  # raised when an older build could not read the file any more
APPLICATION_ID = 0x53544B4C  # "STKL"
NAME = "ledger.sqlite"
REPLACING = "restoring"  # a folder of this name beside the ledger: it was decided that another one takes its place
BUSY_SECONDS = 5.0

Value = None | int | float | str | bytes
Row = tuple[Any, ...]

_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE rec (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, key TEXT UNIQUE, body BLOB NOT NULL, tag TEXT NOT NULL);
CREATE TABLE inbox (
    n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, target TEXT,
    body BLOB NOT NULL, at_us INTEGER NOT NULL);
CREATE INDEX inbox_waiting ON inbox (kind, target, n);
CREATE TABLE revisions (kind TEXT NOT NULL, revision TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (kind, revision));
CREATE TABLE releases (id TEXT PRIMARY KEY, env TEXT NOT NULL, objects TEXT NOT NULL);
CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), release TEXT NOT NULL, number INTEGER NOT NULL,
    at_us INTEGER NOT NULL);
CREATE TABLE generations (object TEXT PRIMARY KEY, revision TEXT, generation INTEGER NOT NULL);
CREATE TABLE history (number INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, release TEXT NOT NULL, base TEXT,
    reason TEXT NOT NULL, changed TEXT NOT NULL);
CREATE TABLE holds (object TEXT PRIMARY KEY, digest TEXT NOT NULL, reason TEXT NOT NULL, at_us INTEGER NOT NULL);
"""

_FREE_SPACE = "free space on its disk, then start again; nothing that was acknowledged is missing"
_HINTS = {
    sqlite3.SQLITE_FULL: ("its disk is full", _FREE_SPACE),
    sqlite3.SQLITE_BUSY: (
        f"another process kept it locked for {BUSY_SECONDS:.0f} s",
        "try again; look for a process that hangs with the file open",
    ),
    sqlite3.SQLITE_READONLY: ("it cannot be written", "give this user write access to the file and its folder"),
    sqlite3.SQLITE_CANTOPEN: ("it cannot be opened", "give this user write access to the file and its folder"),
    sqlite3.SQLITE_NOTADB: ("it is not a ledger", "look for the right file; nothing was changed"),
    sqlite3.SQLITE_CORRUPT: ("it is damaged", "put the ledger and the store back from the same backup"),
    sqlite3.SQLITE_IOERR: ("its disk reports an error", "check the disk, free space on it; nothing was kept"),
}


class LedgerFile:
    """One open ledger.

    Attributes:
        path: the SQLite file; `-wal` and `-shm` beside it belong to it.
        store_id: 32 hex digits made with the file; the store it belongs to keeps the same.
    """

    path: Path
    store_id: str

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """Use `create` or `open` instead; they check what they open."""
        self.path = path
        self._connection = connection
        self._in_transaction = False
        self._failed = False  # a write of the open transaction failed: it may only be undone
        self._syncs = True  # commits are synced
        self._is_ahead = False  # of the disk: something committed is not synced yet
        self._place = str(path.absolute())
        self._replacing = str(path.absolute().with_name(REPLACING))
        self._file = _identity(self._place)
        self.store_id = str(self._meta("store_id"))

    @classmethod
    def create(cls, path: Path) -> "LedgerFile":
        """Make a new ledger with a random store id, whole or not at all; one that is there already is opened.

        Make it only together with a new store. Raises LedgerError as `open` does, and when a `-wal` file without its
        ledger lies there: then the ledger was deleted, not yet made.
        """
        if path.exists():
            return cls.open(path)
        if path.with_name(path.name + "-wal").exists():
            raise LedgerError(
                f"{path} is gone, but {path.name}-wal, its newest part, is still there",
                hint="put the ledger back from where it went, or move the rest away to start anew",
            )
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
        try:
            _write_new(unfinished)
            with suppress(FileExistsError):  # another process was first: theirs counts
                os.link(unfinished, path)  # unlike a rename this never replaces
        except OSError as error:
            raise LedgerError(f"the ledger {path} cannot be made: {error.strerror}", hint=_FREE_SPACE) from error
        finally:
            unfinished.unlink(missing_ok=True)
        sync_folder(path.parent)
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> "LedgerFile":
        """Open the ledger at `path`.

        Raises:
            LedgerError: there is no file, it is not a ledger, of a newer format, read-only or damaged.
        """
        if not path.is_file():
            raise LedgerError(f"there is no ledger {path}", hint="start the worker once to make store and ledger")
        if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
            raise LedgerError(f"the ledger {path} cannot be written", hint=_HINTS[sqlite3.SQLITE_READONLY][1])
        with _translated(path):
            connection = _connect(path)
            try:
                _check_format(path, connection)
                _make_durable(path, connection)
                return cls(path, connection)
            except BaseException:
                connection.close()
                raise

    @property
    def is_in_place(self) -> bool:
        """Whether the file is where it was opened; not when a backup took its place, or is about to."""
        return _identity(self._place) == self._file and not os.path.exists(self._replacing)  # noqa: PTH110 - each commit asks

    @property
    def low(self) -> int:
        """The highest record that was pruned (0: none). A store older than this cannot be brought up to date."""
        return int(self._meta("low"))

    @contextmanager
    def transaction(self, *, synced: bool = True) -> Iterator[None]:
        """One transaction: all of what is written inside, durable when the block ends, or nothing.

        Without `synced` it survives a power cut only from the next synced one, or from `sync`, on: for what nobody is
        told and nothing outside depends on before that.

        Raises LedgerError when it cannot be committed (then nothing of it is kept), or the file is not in its place any
        more (what is written to it then, nobody reads); BugError when used inside itself.
        """
        if self._in_transaction:
            raise BugError("a ledger transaction was begun inside another one")
        if synced != self._syncs:
            self._execute(f"PRAGMA synchronous = {'FULL' if synced else 'NORMAL'}")
            self._syncs = synced
        self._execute("BEGIN IMMEDIATE")
        self._in_transaction, self._failed = True, False
        before = self._connection.total_changes
        try:
            self._require_in_place()
            yield
            self._require_whole()
            self._execute("COMMIT")
            if not synced:
                self._is_ahead = True
            elif self._connection.total_changes != before:
                self._is_ahead = False
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._in_transaction = False

    def sync(self) -> None:
        """Return once all that was committed survives a power cut. Raises LedgerError when the disk refuses."""
        if self._is_ahead:
            try:
                sync_file(self.path.with_name(f"{self.path.name}-wal"))
            except OSError as error:
                raise LedgerError(f"the ledger {self.path} cannot be synced: {error.strerror}") from error
            self._is_ahead = False

    @contextmanager
    def joined(self) -> Iterator[None]:
        """The transaction that is open, or one of its own: for what may happen alone or as part of a pass."""
        if self._in_transaction:
            yield
            return
        with self.transaction():
            yield

    def rows(self, sql: str, *values: Value) -> list[Row]:
        """All rows of a query."""
        return self._execute(sql, *values).fetchall()

    def write(self, sql: str, *values: Value) -> sqlite3.Cursor:
        """Run one changing statement. Raises BugError outside a transaction."""
        if not self._in_transaction:
            raise BugError("the ledger was written outside a transaction")
        self._require_whole()
        try:
            return self._execute(sql, *values)
        except LedgerError:
            self._failed = True
            raise

    def set_meta(self, name: str, value: Value) -> None:
        """Keep `value` under `name`, inside a transaction."""
        self.write("INSERT OR REPLACE INTO meta VALUES (?, ?)", name, value)

    def data_version(self) -> int:
        """A number that changes when another process has committed to the file."""
        return int(self.rows("PRAGMA data_version")[0][0])

    def check_pair(self, store_id: str, seq: int, seq_tag: str | None) -> None:
        """Refuse a store that this ledger cannot bring up to date.

        Args:
            store_id: the id in the store.
            seq: the last record the store has taken in, 0 for an empty store.
            seq_tag: the tag of that record as the store keeps it; None when it keeps none.

        Raises:
            LedgerError: another ledger's store, a ledger older than the store, one pruned past the store, or one that
                went another way after an older backup was put back.
        """
        if store_id != self.store_id:
            raise LedgerError(
                f"the ledger {self.path} has id {self.store_id}, the store has {store_id}: they do not belong together",
                hint="put the ledger and the store back from the same backup",
            )
        if seq < self.low:
            raise LedgerError(
                f"the store ends at record {seq}, the ledger {self.path} was pruned up to {self.low}",
                hint="use a newer copy of the store",
            )
        self._check_record(seq, seq_tag)

    def verify(self) -> None:
        """Read the whole file and check its structure; slow for large files. Raises LedgerError when it is damaged."""
        found = self.rows("PRAGMA quick_check(1)")[0][0]
        if found != "ok":
            raise LedgerError(f"the ledger {self.path} is damaged: {found}", hint=_HINTS[sqlite3.SQLITE_CORRUPT][1])

    def back_up(self, target: Path) -> None:
        """Write a consistent copy to the new file `target`, while others go on. Raises LedgerError when it exists."""
        if target.exists():
            raise LedgerError(f"{target} is there already", hint="choose another name; nothing is overwritten")
        unfinished = target.with_name(f"{target.name}.{secrets.token_hex(4)}.new")
        try:
            self._execute("VACUUM INTO ?", str(unfinished))
            sync_file(unfinished)
            unfinished.rename(target)
        finally:
            unfinished.unlink(missing_ok=True)
        sync_folder(target.parent)

    def close(self) -> None:
        """Close the file. Harmless when repeated."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_record(self, seq: int, seq_tag: str | None) -> None:
        if seq == self.low:
            tag = self._meta("low_tag")
        else:
            found = self.rows("SELECT tag FROM rec WHERE seq = ?", seq)
            if not found:
                raise LedgerError(
                    f"the store ends at record {seq}, which the ledger {self.path} does not have: it is older",
                    hint="put the ledger and the store back from the same backup",
                )
            tag = found[0][0]
        if seq_tag is not None and seq_tag != tag:
            raise LedgerError(
                f"record {seq} is {tag} in the ledger {self.path} and {seq_tag} in the store: one of them is from "
                "a backup and has gone another way since",
                hint="put the ledger and the store back from the same backup",
            )

    def _meta(self, name: str) -> Any:
        found = self.rows("SELECT value FROM meta WHERE name = ?", name)
        if not found:
            raise LedgerError(f"the ledger {self.path} is damaged: no {name} in it", hint="put a backup back")
        return found[0][0]

    def _execute(self, sql: str, *values: Value) -> sqlite3.Cursor:
        try:
            return self._connection.execute(sql, values)
        except sqlite3.Error as error:
            raise _translation(self.path, error) from error

    def _require_in_place(self) -> None:
        if not self.is_in_place:
            raise LedgerError(
                f"the ledger {self.path} was moved away since it was opened, as when a backup is restored",
                hint="nothing was kept; open the one that is there now",
            )

    def _require_whole(self) -> None:
        # After an error such as a full disk SQLite has undone the statement, or by itself the whole transaction: what
        # a caller writes after it must not be committed without the rest.
        if self._failed or not self._connection.in_transaction:
            raise LedgerError(f"an earlier write of this transaction on {self.path} failed: nothing of it is kept")

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            with suppress(sqlite3.Error):  # the error that brought us here is the one to report
                self._connection.execute("ROLLBACK")


def _identity(path: str) -> tuple[int, int] | None:
    """Which file that is; None when there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - each commit asks
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _translation(path, error) from error


def _translation(path: Path, error: sqlite3.Error) -> LedgerError:
    code = getattr(error, "sqlite_errorcode", None)
    reason, hint = _HINTS.get(code & 0xFF if code else -1, ("SQLite refused", ""))
    return LedgerError(f"the ledger {path} cannot be used: {reason} ({error})", hint=hint)


def _connect(path: Path) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_SECONDS)


def _make_durable(path: Path, connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA synchronous = FULL")
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise LedgerError(f"{path} cannot be used with a write-ahead log", hint="keep it on a local disk")


def _check_format(path: Path, connection: sqlite3.Connection) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if application != APPLICATION_ID:
        raise LedgerError(f"{path} is a SQLite file, but not a ledger", hint=_HINTS[sqlite3.SQLITE_NOTADB][1])
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != FORMAT:
        raise LedgerError(
            f"the ledger {path} has format {version}, this build reads format {FORMAT}",
            hint="install the version of statek that wrote it, or a newer one",
        )
    connection.execute("BEGIN IMMEDIATE")  # finds a read-only file before somebody relies on it
    connection.execute("ROLLBACK")


def _write_new(path: Path) -> None:
    path.touch(mode=0o600, exist_ok=False)
    with _translated(path):
        connection = _connect(path)
        try:
            _make_durable(path, connection)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {FORMAT}")
            connection.executescript(f"BEGIN;{_SCHEMA}COMMIT;")
            meta = {"format": FORMAT, "store_id": uuid.uuid4().hex, "low": 0, "low_tag": ""}
            connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
        finally:
            connection.close()
    sync_file(path)
