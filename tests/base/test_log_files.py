"""Log files: bounded, never in the way, without secrets."""

import json
import logging
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from statek.base.log_files import FileHandler, LineFormatter, LogFiles
from statek.base.redaction import SECRETS


@pytest.fixture
def files(tmp_path: Path) -> Iterator[LogFiles]:
    """A folder that is made with the first line."""
    found = LogFiles(tmp_path / "logs", 1_000)
    yield found
    found.close()


def until(look: Callable[[], bool]) -> None:
    """Wait for the writing thread, within a bound."""
    end = time.monotonic() + 60
    while not look():
        assert time.monotonic() < end
        time.sleep(0.01)


def record(message: str, **extra: object) -> logging.LogRecord:
    """A record of a logger."""
    made = logging.LogRecord("statek.x", logging.ERROR, "f", 1, message, None, None)
    vars(made).update(extra)
    return made


def test_lines_are_there_after_close_and_nobody_elses(files: LogFiles) -> None:
    """What was put is written in order, for the owner alone."""
    assert files.put("a.log", b"1\n")
    assert files.put("a.log", b"2\n")
    files.close()
    path = files.folder / "a.log"
    assert path.read_bytes() == b"1\n2\n"
    assert (path.stat().st_mode & 0o777, files.folder.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_file_is_bounded(files: LogFiles) -> None:
    """Beyond its size it becomes NAME.1, in place of the one before: two files, however much was written."""
    for _ in range(50):
        files.put("a.log", b"x" * 99 + b"\n")
    files.close()
    sizes = {path.name: path.stat().st_size for path in files.folder.iterdir()}
    assert set(sizes) == {"a.log", "a.log.1"}
    assert all(0 < size <= 1_000 for size in sizes.values())


def test_a_disk_that_takes_nothing_is_reported_once(
    files: LogFiles, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody is held up, one complaint for the whole outage, and the files with gaps are known."""
    (tmp_path / "logs").write_text("a file where the folder should be")
    for _ in range(5):
        files.put("a.log", b"1\n")
    files.close()
    assert [entry.message.count("cannot be written") for entry in caplog.records] == [1]
    assert files.take_failed() == {"a.log"}
    assert files.take_failed() == set()
    (tmp_path / "logs").unlink()
    files.put("a.log", b"2\n")
    files.close()
    assert files.tail("a.log") == [b"2"]


def test_a_line_that_was_cut_does_not_spoil_the_next(files: LogFiles) -> None:
    """After a kill in the middle of a line the next one begins on a line of its own."""
    files.folder.mkdir()
    (files.folder / "a.log").write_bytes(b'{"half')
    files.put("a.log", b"whole\n")
    files.close()
    assert files.tail("a.log") == [b'{"half', b"whole"]


def test_a_record_is_a_line_of_json() -> None:
    """Time in UTC, level, logger, message, and the job where one is known."""
    line = json.loads(LineFormatter().format(record("hi", created=1_767_225_600.5, job="a/1", turn=2)))
    assert line == {
        "time": "2026-01-01T00:00:00.500Z", "level": "ERROR", "logger": "statek.x", "message": "hi", "job": "a/1",
        "turn": 2,
    }  # fmt: skip


def test_the_job_that_runs_is_named() -> None:
    """Records that do not say it are told which job runs."""
    line = json.loads(LineFormatter(lambda: {"job": "b/1"}).format(record("hi")))
    assert line["job"] == "b/1"


def test_neither_message_nor_traceback_holds_a_secret() -> None:
    """A known value and the usual forms of keys are blotted out."""
    SECRETS.learn("p1anted-log-value")
    try:
        raise ValueError("p1anted-log-value")
    except ValueError:
        made = record("Authorization: Bearer abcdefghijklmnop0", exc_info=sys.exc_info())
    text = LineFormatter().format(made)
    assert "p1anted" not in text
    assert "abcdefghijklmnop0" not in text


def test_the_kits_logger_can_write_there(files: LogFiles) -> None:
    """A handler puts records into a file."""
    handler = FileHandler(files, "worker.log", LineFormatter())
    handler.handle(record("hi"))
    files.close()
    assert json.loads(files.tail("worker.log")[0])["message"] == "hi"
