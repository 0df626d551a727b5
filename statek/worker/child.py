"""The process that owns the store: here everything is put together, once. `python -m statek.worker.child JSON`.

Started and watched by the supervisor, and with `recover_only` by a reader. Nothing is decided here: the fleet runs,
this module gives it store, ledger, clock, secrets and guards, and stands by: control socket, watcher, reports, signals.

The one idea: there are two ways to end. After a clean run everything is committed and the mark says so. In any other
case the process leaves at once with `os._exit`: a normal exit would save the store, which then might hold what the
ledger does not.
"""

import asyncio
import gc
import importlib
import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Awaitable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from statek.base.clock import Clock, SystemClock
from statek.base.guarded_file import Mark, PreImage
from statek.base.log_files import LineFormatter
from statek.exceptions import LedgerError, StatekError, StoreError
from statek.ledger import compiled, releases
from statek.ledger.file import LedgerFile
from statek.runtime.fleet import Fleet
from statek.runtime.joblogs import about_current_job, logging_of, tell_of_jobs
from statek.sandbox.bounds import WATCHDOG
from statek.settings import StatekSettings, set_statek_settings
from statek.store.checkpoint import Checkpoint
from statek.store.live import estimate_live_bytes
from statek.store.session import Store
from statek.worker import api, places, spawn
from statek.worker.compaction import drop_former
from statek.worker.copying import COPY_PROBE_SECONDS, NICE, Copying, FleetStore, Rhythm, copy_to
from statek.worker.forgetting import Forgetting, Rule
from statek.worker.growth import Measuring
from statek.worker.preparation import prepare_release
from statek.worker.probing import Probing
from statek.worker.redaction import learn_declared
from statek.worker.reports import Report, Reporter
from statek.worker.server import Server
from statek.worker.surface import LiveSurface

if TYPE_CHECKING:  # only a worker that watches its files needs the compiler: a sixth of what is imported here
    from statek.control.reload import ReloadState, Watcher

PROGRESS_SECONDS = 0.25
PREPARE_SECONDS = 60.0
BESIDE_SECONDS = 3.0
SHOWN_FAILURES = 20

_log = logging.getLogger(__name__)


def main(argument: str) -> NoReturn:
    """Run as `argument` (ChildOptions in JSON) says, and leave the process."""
    options = spawn.ChildOptions.read(argument)
    spawn.tie_to_parent(options.parent)
    stop = _EarlyStop()
    if options.lock >= 0:
        os.set_inheritable(options.lock, False)  # held by us, not by what our tools start
    reporter = Reporter(options.report)
    try:
        _open_and_run(options, reporter, stop)
    except BrokenPipeError:  # the supervisor is gone
        os._exit(1)
    except StatekError as error:
        _leave(reporter, error, spawn.FAILED)
    except BaseException:  # noqa: BLE001 - the edge of the process: a bug; whatever else is done, nothing is saved
        traceback.print_exc()
        os._exit(1)
    os._exit(1)  # a clean end has left from within


class BeatingMark(Mark):
    """A mark that takes the beginning of a stretch for a sign of life, as it is.

    The alarm alone is not enough: it is set anew with every stretch, so it never comes while stretches are short.
    """

    def begin_stretch(self, job: str, turn: int, statement: int) -> None:
        """Say which stretch runs from now on, and that we are alive."""
        super().begin_stretch(job, turn, statement)
        self.beat(time.monotonic_ns())


class _EarlyStop:
    """SIGTERM before there is a loop that could hear it; SIGINT and SIGHUP are the supervisor's."""

    def __init__(self) -> None:
        self.came = False
        signal.signal(signal.SIGTERM, self._note)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def _note(self, *_: object) -> None:
        self.came = True


def _open_and_run(options: spawn.ChildOptions, reporter: Reporter, stop: _EarlyStop) -> None:
    if options.watch:  # before modules are looked for in the project, and before anybody waits for a sign of life
        importlib.import_module("statek.control.reload")
    os.chdir(options.root)
    sys.path[:0] = options.python_path
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter(about_current_job))
    logging.basicConfig(handlers=[handler])
    logging.captureWarnings(True)
    settings = StatekSettings()
    set_statek_settings(settings)
    child = Child.open(options, settings, reporter)
    child.fleet.recover()
    drop_former(Path(options.store), child.store.root.seq)  # the new file of a compaction was opened, and works
    if options.recover_only:
        child.close()
        _end()
    asyncio.run(child.run(stop))


def _end() -> NoReturn:
    """Leave after a clean end. Everything is closed; nothing that an application left running may hold us up."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _leave(reporter: Reporter, error: StatekError, code: int) -> NoReturn:
    """Say why and leave at once."""
    report = {"kind": "failed", "code": type(error).__name__, "message": str(error), "hint": error.hint}
    with suppress(OSError):  # nobody reads any more; leaving matters more
        reporter.tell(report)
    os._exit(code)


class Child:
    """The parts of a worker, open."""

    def __init__(
        self,
        options: spawn.ChildOptions,
        settings: StatekSettings,
        reporter: Reporter,
        ledger: LedgerFile,
        store: Store,
    ) -> None:
        """Use `open`."""
        folder = Path(options.store)
        self.options, self.settings, self.reporter = options, settings, reporter
        self.ledger, self.store = ledger, store
        learn_declared(ledger, settings.secret)
        self.clock: Clock = SystemClock()
        self.mark = BeatingMark(places.mark_file(folder))
        self.checkpoint = Checkpoint(store, mark=self.mark, preimage=self._pre_image(places.store_file(folder)))
        self.fleet = Fleet(
            store=store, ledger=ledger, clock=self.clock, secret=settings.secret, watchdog=WATCHDOG,
            checkpoint=self.checkpoint.commit, mark=self.mark, max_concurrency=options.max_concurrency,
            step_seconds=settings.step_seconds, inline_seconds=settings.plain_call_seconds, settings=settings,
            start_again=self._start_again,
        )  # fmt: skip
        self.logs = None if options.recover_only else logging_of(self.fleet, settings)
        self.surface = LiveSurface(self)
        self.stop = asyncio.Event()
        self.reload: ReloadState | None = None
        head = releases.head(ledger)
        self._began_with = head.release if head is not None else None
        self.began = self.clock.monotonic()

    @classmethod
    def open(cls, options: spawn.ChildOptions, settings: StatekSettings, reporter: Reporter) -> "Child":
        """Open ledger and store and check that they belong together. What is wrong here stays wrong: leave."""
        folder = Path(options.store)
        mark = Mark(places.mark_file(folder))
        WATCHDOG.install(lambda: mark.beat(time.monotonic_ns()))
        mark.beat(time.monotonic_ns())
        mark.set_clean_end(False)
        try:
            ledger = LedgerFile.open(places.ledger_file(folder))
            store = Store.open(folder, ledger.store_id)
            ledger.check_pair(store.root.store_id, store.root.seq, store.root.seq_tag or None)
        except StatekError as error:
            _leave(reporter, error, spawn.FATAL)
        return cls(options, settings, reporter, ledger, store)

    async def run(self, stop: _EarlyStop) -> None:
        """Serve, watch and report beside the fleet until it ends, close everything, and leave the process."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.stop.set)
        if stop.came:
            self.stop.set()
        server = Server(api.build(self.surface), Path(self.options.socket)) if self.options.socket else None
        if server is not None:
            server.start()
        if self.logs is not None:
            self.logs.begin()
        tell_of_jobs(self.fleet)
        beside = [self._start("reporting", self._report_progress())]
        copying = self._copying()
        if copying is not None:
            beside.append(self._start("copying the store", copying.run(self.stop)))
        beside += [self._start("measuring growth", self._measuring().run(self.stop))]
        beside += [self._start("forgetting finished jobs", self._forgetting().run(self.stop))]
        if self.options.watch:
            beside.append(self._start("watching the files", self._watcher(loop).run(self.stop)))
        try:
            await self.fleet.run(self.stop, until_idle=self.options.until_idle)
        except StatekError as error:  # at once: nothing may be saved, and no other task may act any more
            if not isinstance(error, StoreError | LedgerError):  # those tell of the disk, not of a bug
                traceback.print_exc()
            _leave(self.reporter, error, spawn.FAILED)
        except Exception:  # noqa: BLE001 - a bug: the loop's own end would wait for others, and save
            traceback.print_exc()
            os._exit(1)
        self.stop.set()
        if server is not None:
            await server.stop()
        await asyncio.wait(beside, timeout=BESIDE_SECONDS)
        self.close()
        _end()  # here, not after the loop: it would wait for a thread of the watcher, however long that takes

    def close(self) -> None:
        """Commit, say how it ended, close, and leave the mark of a clean end."""
        gc.collect()  # dropped objects that circles of Python hold would stay in the file
        self.checkpoint.commit()
        self._measuring().end()
        if not self.options.recover_only:
            self.reporter.tell({"kind": "end", **self._numbers(), **self.surface.outcomes(SHOWN_FAILURES)})
        if self.logs is not None:
            self.logs.end()
        self.store.close()
        self.ledger.close()
        WATCHDOG.uninstall()
        self.mark.set_clean_end(True)

    def _start_again(self, reason: str) -> NoReturn:
        """Leave; the supervisor starts another child, unless we were asked to end. That does what the ledger says."""
        try:
            self.notice(f"{reason}; the worker starts again from its last commit")
        finally:
            os._exit(0 if self.stop.is_set() else 1)

    def notice(self, text: str) -> None:
        """Tell the user something worth knowing."""
        self.reporter.tell({"kind": "notice", "text": text})

    async def prepare(self, release: str) -> list[dict[str, Any]]:
        """Try a staged release out, between two passes: the application's modules may not meet a half-run step."""
        return prepare_release(self.ledger.path, release, self.settings)

    async def copy_store(self, target: str) -> dict[str, Any]:
        """Copy the store as it is between two passes to the new file `target`. Raises StoreError."""
        file = places.store_file(Path(self.options.store))
        return {"seq": await copy_to(Path(target), file, self._copied(), self.ledger.store_id)}

    def _copied(self) -> FleetStore:
        def checkpoint() -> None:
            try:
                self.fleet.checkpoint()
            except StatekError as error:  # as when the fleet itself meets it
                _leave(self.reporter, error, spawn.FAILED)

        return FleetStore(self.fleet, self.ledger, checkpoint)

    def _copying(self) -> Copying | None:
        """None when the settings want no copies."""
        rhythm = Rhythm(
            self.settings.copy_seconds, self.settings.copies_kept, self.settings.keys_kept_days * 86_400_000_000
        )  # fmt: skip
        if rhythm.keep == 0:
            return None
        return Copying(
            places.store_file(Path(self.options.store)), self._copied(), self.ledger, self.clock, rhythm, self.notice,
            how=Probing(self.options.python_path, seconds=COPY_PROBE_SECONDS, nice=NICE), wanted=self.options.copy_now,
        )  # fmt: skip

    def _measuring(self) -> Measuring:
        file = places.store_file(Path(self.options.store))
        return Measuring(file, self.ledger, self.clock, estimate_live_bytes)

    def _forgetting(self) -> Forgetting:
        rule = Rule(self.settings.keep_jobs_days, self.settings.keep_jobs)
        return Forgetting(self.ledger.path, self.clock, rule, self.fleet.passes.ready.is_idle)

    def _pre_image(self, file: Path) -> PreImage | None:
        if PreImage.layout_is_known(file):
            return PreImage(file, self.ledger.store_id)
        self.notice(
            f"the store file {file} has a layout that this build cannot guard inside a commit; after a crash there "
            "it is rebuilt from the ledger"
        )
        return None

    def _start(self, what: str, work: Awaitable[None]) -> "asyncio.Task[None]":
        """Run something beside the fleet. The fleet goes on when it fails, but not silently."""

        async def run() -> None:
            try:
                await work
            except BrokenPipeError:
                os._exit(1)
            except Exception as error:  # noqa: BLE001 - whatever fails beside the fleet must not end it
                _log.exception("%s failed", what)
                self.notice(f"{what} ended with an error: {type(error).__name__}: {error}")

        return asyncio.create_task(run())

    async def _report_progress(self) -> None:
        while not self.stop.is_set():
            self.reporter.offer({"kind": "progress", **self._numbers()})
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stop.wait(), PROGRESS_SECONDS)

    def _numbers(self) -> Report:
        counts = self.fleet.counts()
        elapsed = self.clock.monotonic() - self.began
        rate = int(counts["endedHere"]) / elapsed if elapsed > 0 else 0.0
        return {**counts, "jobsPerSecond": round(rate, 2), "elapsedSeconds": round(elapsed, 2)}

    def _watcher(self, loop: asyncio.AbstractEventLoop) -> "Watcher":
        from statek.control.reload import Watcher

        def prepare(release: str) -> list[dict[str, Any]]:
            return asyncio.run_coroutine_threadsafe(self.prepare(release), loop).result(PREPARE_SECONDS)

        settle, poll = self._watch_settings()
        return Watcher(
            Path(self.options.root), self.options.env, self.ledger.path, prepare, self.clock, self._take_reload,
            settle=settle, poll=poll,
        )  # fmt: skip

    def _watch_settings(self) -> tuple[float, bool]:
        """Quiet time in seconds and whether to poll, by the fleets of the applied release."""
        head = releases.head(self.ledger)
        entries = releases.read_release(self.ledger, head.release).objects.values() if head else ()
        found = [compiled.decode("Fleet", entry.text) for entry in entries if entry.kind == "Fleet"]
        fleets = [fleet for fleet in found if isinstance(fleet, compiled.Fleet)]
        settle = max((fleet.settle_us for fleet in fleets), default=300_000)
        return settle / 1e6, any(fleet.poll for fleet in fleets)

    def _take_reload(self, state: "ReloadState") -> None:
        before, self.reload = self.reload, state
        if not state.ok:
            lines = "\n".join(_problem_line(problem) for problem in state.problems)
            self.notice(f"the edited files are not applied, {state.release or 'nothing'} goes on:\n{lines}")
        elif before is not None or state.release != self._began_with:
            # the first look may find an edit that was saved while this process started
            self.notice(f"the edited files are applied: {state.release}")
        self.fleet.poke()


def _problem_line(problem: dict[str, Any]) -> str:
    """`file:line:column: [CODE] message`; what is found while a release is tried out has no place in a file."""
    code = f"[{problem['code']}] " if problem.get("code") else ""
    start = problem["range"]["start"] if problem.get("file") and problem.get("range") else None
    place = f"{problem['file']}:{start['line']}:{start['column']}: " if start else ""
    return f"{place}{code}{problem['message']}"


if __name__ == "__main__":
    main(sys.argv[1])
