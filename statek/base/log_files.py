"""Logs as files of JSON lines: one thread writes them, nobody waits for it, and no line holds a secret.

It knows files and lines, not jobs. A log must never hold up or fail what it tells of: lines wait in a bounded queue,
and a disk that does not take them is reported once, until it takes some again. Each file is bounded: beyond its size
it is moved to `NAME.1`, in place of the one before.
"""

import json
import logging
import os
import queue
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from statek.base.clock import as_datetime
from statek.base.redaction import SECRETS

WAITING = 10_000  # batches of lines
TAIL = 1 << 20  # bytes
CLOSE_SECONDS = 2.0
ABOUT = ("job", "agent", "turn")  # what a log record may say of a job, as `extra`
_log = logging.getLogger(__name__)


def line_of(fields: Mapping[str, Any]) -> bytes:
    """One line of JSON, without secrets."""
    return json.dumps(SECRETS.data(dict(fields)), separators=(",", ":"), default=str).encode() + b"\n"


class LogFiles:
    """The log files in one folder. The folder and its thread are made when the first line comes."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        """Keep at most `max_bytes` in a file, and as many in the one before it."""
        self.folder = folder
        self._max_bytes = max_bytes
        self._waiting: queue.Queue[tuple[str, bytes] | None] = queue.Queue(WAITING)
        self._thread: threading.Thread | None = None
        self._failed: set[str] = set()
        self._told = False

    def put(self, name: str, lines: bytes) -> bool:
        """Add whole lines to a file. False: too much waits already, and nothing was added."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="statek-logs", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait((name, lines))
        except queue.Full:
            return False
        return True

    def take_failed(self) -> set[str]:
        """The files in which something is missing since the last question."""
        found, self._failed = self._failed, set()
        return found

    def tail(self, name: str) -> list[bytes]:
        """The last whole lines of a file, within 1 MB; none when there is no such file or it cannot be read."""
        try:
            with (self.folder / name).open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - TAIL))
                return file.read().split(b"\n")[:-1]
        except OSError:
            return []

    def close(self) -> None:
        """Write what waits, for up to 2 s. Lines that come later begin a thread of their own."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        try:
            self._waiting.put(None, timeout=CLOSE_SECONDS)
        except queue.Full:
            return  # the disk hangs: the thread is left to the end of the process
        thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        while (entry := self._waiting.get()) is not None:
            name, lines = entry
            try:
                self._write(self.folder / name, lines)
                self._told = False
            except OSError as error:
                self._failed = {*self._failed, name}
                self._complain(error)

    def _complain(self, error: OSError) -> None:
        if not self._told:
            self._told = True  # first: the complaint may itself want to be written here
            _log.error("the logs in %s cannot be written: %s; jobs go on without them", self.folder, error.strerror)

    def _write(self, path: Path, lines: bytes) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        size = path.stat().st_size if path.exists() else 0
        if size and size + len(lines) > self._max_bytes:
            path.replace(path.with_name(f"{path.name}.1"))
            size = 0
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            if size and os.pread(descriptor, 1, size - 1) != b"\n":  # cut by a full disk or a kill
                lines = b"\n" + lines
            while lines:
                lines = lines[os.write(descriptor, lines) :]
        finally:
            os.close(descriptor)


class LineFormatter(logging.Formatter):
    """A log record as a line of JSON: time (UTC), level, logger, message; job, agent and turn where they are known."""

    def __init__(self, about: Callable[[], Mapping[str, Any]] = dict) -> None:
        """`about` says which job runs here, for records that do not say it themselves."""
        super().__init__()
        self._about = about

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        told = {name: getattr(record, name) for name in ABOUT if hasattr(record, name)}
        fields: dict[str, Any] = {
            "time": as_datetime(round(record.created * 1_000_000)).isoformat(timespec="milliseconds")[:-6] + "Z",
            "level": record.levelname, "logger": record.name, "message": record.getMessage(),
            **(told or self._about()),
        }  # fmt: skip
        if record.exc_info:
            fields["error"] = self.formatException(record.exc_info)
        return line_of(fields)[:-1].decode()


class FileHandler(logging.Handler):
    """Puts records into one of the log files, as far as they fit."""

    def __init__(self, files: LogFiles, name: str, formatter: logging.Formatter) -> None:
        """Write to the file `name`."""
        super().__init__()
        self._files = files
        self._file = name
        self.setFormatter(formatter)

    def emit(self, record: logging.LogRecord) -> None:
        """Put one record."""
        try:
            self._files.put(self._file, self.format(record).encode() + b"\n")
        except Exception:  # noqa: BLE001 - a record that cannot be formatted; as every handler of the library does
            self.handleError(record)
