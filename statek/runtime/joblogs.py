"""A log file for each job, and the log of the process that runs them, when the settings name a folder for logs.

After each pass the jobs that ran are looked at, and what is new in their history and console is appended to their
files as lines of JSON. Reads only: the store is the truth, a log may lag and is never read again. The one idea: each
batch ends with the place up to which the job is in the file, so that a new process goes on where the last one wrote.
"""

import hashlib
import json
import logging
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from statek.base.clock import as_text
from statek.base.log_files import FileHandler, LineFormatter, LogFiles, line_of
from statek.exceptions import StatekError
from statek.runtime.fleet import Fleet
from statek.runtime.views import BEGINNING, MOST_ITEMS, LogPlace, entries_from, prompt_of
from statek.settings import StatekSettings, get_statek_logger
from statek.store import current
from statek.store.job import find_job

WORKER_LOG = "worker.log"
LONGEST_TEXT = 100_000  # characters of one line's text
REMEMBERED = 20_000  # jobs whose place in their file is known without looking
_log = logging.getLogger(__name__)


class Logging:
    """The logs of one fleet, from `begin` to `end`."""

    def __init__(self, fleet: Fleet, files: LogFiles) -> None:
        self._fleet = fleet
        self._files = files
        self._handler = FileHandler(files, WORKER_LOG, LineFormatter(about_current_job))

    def begin(self) -> None:
        """Follow the fleet's jobs and the kit's logger."""
        self._fleet.watch = JobLogs(self._files, self._fleet).follow
        get_statek_logger().addHandler(self._handler)

    def end(self) -> None:
        """Let go of both and write what waits."""
        self._fleet.watch = None
        get_statek_logger().removeHandler(self._handler)
        self._files.close()


def logging_of(fleet: Fleet, settings: StatekSettings) -> Logging | None:
    """None when the settings name no folder for logs."""
    if settings.logs_path is None:
        return None
    return Logging(fleet, LogFiles(Path(settings.logs_path), settings.logs_max_bytes))


def tell_of_jobs(fleet: Fleet) -> None:
    """From now on log at INFO, after each pass, where the jobs that ran are; nothing where that level is off."""
    if not _log.isEnabledFor(logging.INFO):
        return
    follow = fleet.watch

    def watch(jobs: list[str]) -> None:
        _tell(jobs)
        if follow is not None:
            follow(jobs)

    fleet.watch = watch


def _tell(jobs: Iterable[str]) -> None:
    for job_id in jobs:
        job = find_job(job_id)
        if job is not None:
            cost = "" if job.usage.total_cost is None else f", {job.usage.total_cost:.4f} USD"
            state = f"{job.job_status} ({job.outcome})" if job.is_done else str(job.job_status)
            _log.info("job %s of %s: %s, turn %d%s", job.id, job.agent.role, state, job.turn, cost, extra=about(job))


def about_current_job() -> Mapping[str, Any]:
    """Which job runs here, for a log record; nothing outside of a job."""
    job = current.get_current_job()
    return {} if job is None else about(job)


def about(job: Any) -> dict[str, Any]:
    """What a log line says of a job."""
    return {"job": job.id, "agent": job.agent.role, "turn": job.turn}


class JobLogs:
    """The log files of jobs."""

    def __init__(self, files: LogFiles, fleet: Fleet) -> None:
        self._files = files
        self._fleet = fleet
        self._places: dict[str, LogPlace] = {}  # by file name

    def follow(self, jobs: Iterable[str]) -> None:
        """Write what is new of these jobs. Never raises: a log is not worth a job."""
        for name in self._files.take_failed():
            self._places.pop(name, None)  # what is missing is seen in the file
        for job_id in jobs:
            try:
                self._follow_one(job_id)
            except Exception:  # noqa: BLE001 - see above
                _log.exception("the log of job %s was not written", job_id)

    def _follow_one(self, job_id: str) -> None:
        job = find_job(job_id)
        if job is None:
            return
        name = file_name(job.agent.role, job.id)
        place = self._places.pop(name, None) or self._place_in(name)
        lines = [] if place is not None else [_prompt(self._fleet, job)]
        more = True
        while more:
            entries, place = entries_from(job, place or BEGINNING, MOST_ITEMS)
            lines += entries
            more = place.items < len(job.chat)
        if job.is_done:
            lines.append({"at": as_text(job.ended_us), "kind": "end", "text": job.outcome, **_error(job)})
        if not lines or place is None or self._files.put(name, _batch(job, lines, place)):
            self._remember(name, place)

    def _place_in(self, name: str) -> LogPlace | None:
        """How far a former process got; None for a file that has no beginning yet."""
        for line in reversed(self._files.tail(name)):
            try:
                return LogPlace.read(json.loads(line)["next"])
            except (ValueError, KeyError, TypeError, StatekError):
                continue  # the middle of a batch, or a line that was cut
        return None

    def _remember(self, name: str, place: LogPlace | None) -> None:
        if place is not None:
            self._places[name] = place
        if len(self._places) > REMEMBERED:
            del self._places[next(iter(self._places))]  # the one that was looked at longest ago


def file_name(role: str, job_id: str) -> str:
    """`<role>_<id>.log`; with a digest where the id has characters that a file name should not have."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", f"{role}_{job_id}")[:150]
    if plain == f"{role}_{job_id}":
        return f"{plain}.log"
    return f"{plain}-{hashlib.sha256(job_id.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}.log"


def _batch(job: Any, lines: list[dict[str, Any]], place: LogPlace) -> bytes:
    told = about(job)
    whole = [{"time": entry["at"], **told, **_bounded(entry)} for entry in lines]
    whole[-1]["next"] = str(place)
    return b"".join(map(line_of, whole))


def _bounded(entry: dict[str, Any]) -> dict[str, Any]:
    text = str(entry["text"])
    cut = text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}... ({len(text):,} characters)"
    return {name: value for name, value in entry.items() if name not in ("at", "text")} | {"text": cut}


def _prompt(fleet: Fleet, job: Any) -> dict[str, Any]:
    return {"at": as_text(job.created_us), "kind": "prompt", "text": prompt_of(fleet.catalog, job)}


def _error(job: Any) -> dict[str, Any]:
    return {} if job.error is None else {"error": job.error.error_message}
