"""The process that a user starts: holds the lock, starts the child that owns the store, watches and restarts it.

It must not reach dbzero, which may crash, hang or tear its file: that is the child's risk. Called by `statek work`.

The one idea: whatever happens to the child, the ledger knows what was promised, so killing it costs time only, except
in the middle of a commit. So a child that gives no sign of life is killed, one that dies is replaced, and a step that
has killed two children is reported as poison through the same inbox as every other input.
"""

import dataclasses
import math
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from statek import exceptions
from statek.base.clock import Clock, SystemClock
from statek.base.guarded_file import Mark
from statek.exceptions import BugError, NotApplied, StatekError, StoreError
from statek.ledger import compiled, inbox, releases
from statek.ledger.file import LedgerFile
from statek.ledger.records import Records
from statek.settings import StatekSettings
from statek.spec.problems import SpecProblems
from statek.spec.reading.project import load_project
from statek.worker import compaction, places, recovery, spawn
from statek.worker.deaths import Deaths, Place, Pulse
from statek.worker.lock import WorkerLock, take
from statek.worker.paused import Paused, find_pause, resume
from statek.worker.probing import Probing
from statek.worker.reports import Report, Reports
from statek.worker.restore import finish_restore, is_cut

GAVE_UP = 70
INTERRUPTED = 130
_LOOK_SECONDS = 0.1
_COMMIT_SECONDS = 1.0
_AT_ONCE_SECONDS = 0.5  # `timeout` signals its child and then the group, the child among it
_USED = ("failed", "inputTokens", "outputTokens", "costUsd")


@dataclass(frozen=True)
class WorkOptions:
    """What `statek work` was asked for. `store` is the folder; `max_concurrency` None: the fleet's own.

    `resume`: work goes on although the store was put back from a backup. `compact`: the store is written anew first.
    """

    root: Path
    env: str
    store: Path
    until_idle: bool
    watch: bool
    max_concurrency: int | None
    resume: bool = False
    compact: bool = False


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds: for the first sign of life, the next one, and the end beyond the drain time."""

    start: float = 60.0
    silence: float = 8.0
    end: float = 5.0


def run_worker(
    options: WorkOptions,
    progress: Callable[[Report], None],
    *,
    child: Sequence[str] = spawn.CHILD,
    patience: Patience | None = None,
) -> int:
    """Run a worker until it is idle, asked to stop, or cannot go on.

    Args:
        options: what to run.
        progress: called with each report of the child and with notices: dicts with "kind" `progress`, `notice` or
            `end`.
        child: the command that is started, with its options as one more argument.
        patience: other waiting times than the usual ones.

    Returns:
        Exit code: 0 after a clean end, 130 after SIGINT, 70 when children die again and again.

    Raises:
        StoreError: another worker runs, or the store cannot be used.
        Paused: the store was put back from a backup, and `resume` was not asked for.
        NotApplied: nothing was ever applied.
        LedgerError: there is no ledger to a store, or it cannot be used.
        StatekError: what the child reported before it gave up for good.
        SpecProblems: `options.root` is no project, or its settings ask for what this build does not run yet.
    """
    config = load_project(options.root)
    if later := config.later_in(options.env):
        raise SpecProblems(later)
    python_path = tuple(str(folder) for folder in config.python_path)
    runtime_folder = StatekSettings().secret("XDG_RUNTIME_DIR")
    store = options.store.absolute()
    if is_cut(store):
        with take(store, "worker"):
            finish_restore(store)
    _require_applied(store)
    pause = find_pause(store)
    if pause is not None and not options.resume:
        raise Paused(pause)
    socket = places.socket_path(store, runtime_folder)
    with (
        take(store, "worker", socket) as lock,
        recovery.open_ledger(store) as ledger,
        Mark(places.mark_file(store)) as mark,
        _stop_signals() as stop,
    ):
        told = spawn.ChildOptions(
            root=str(options.root.absolute()), env=options.env, store=str(store), python_path=python_path,
            hash_seed=spawn.hash_seed(ledger.store_id), socket=str(socket), until_idle=options.until_idle,
            watch=options.watch, max_concurrency=options.max_concurrency, lock=lock.descriptor,
        )  # fmt: skip
        if pause is not None:
            resume(store)
        if options.compact:
            _compact(told, ledger, mark, progress)
        run = _Run(told, lock, ledger, mark, stop, progress, tuple(child), patience or Patience())
        run.replaced = pause is not None
        return run.to_the_end()


class _Stop:
    """What was asked of the supervisor by signals. What comes at once with another signal asks for nothing more."""

    def __init__(self) -> None:
        self.signals: list[int] = []
        self._last = -math.inf

    def note(self, number: int, _frame: FrameType | None) -> None:
        """Signal handler."""
        before, self._last = self._last, time.monotonic()
        if self._last - before > _AT_ONCE_SECONDS:
            self.signals.append(number)

    @property
    def exit_code(self) -> int:
        """130 when it was interrupted, 0 when it was asked to end."""
        return INTERRUPTED if signal.SIGINT in self.signals else 0


@contextmanager
def _stop_signals() -> Iterator[_Stop]:
    """Collect SIGTERM, SIGINT and SIGHUP instead of dying of them. Off the main thread they are the host's.

    SIGHUP, which comes when a terminal is closed, stays ignored where it is (`nohup`).
    """
    stop = _Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    heard = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        heard.append(signal.SIGHUP)
    before = {number: signal.signal(number, stop.note) for number in heard}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass
class _Run:
    """One run of a worker: its children, one after another."""

    options: spawn.ChildOptions
    lock: WorkerLock
    ledger: LedgerFile
    mark: Mark
    stop: _Stop
    progress: Callable[[Report], None]
    command: tuple[str, ...]
    patience: Patience

    def __post_init__(self) -> None:
        self.clock: Clock = SystemClock()
        self.began = self.clock.monotonic()
        self.deaths = Deaths()
        self.restarts = 0
        self.earlier: Report = {}  # what the children before the present one have used
        self.latest: Report = {}
        self.probing = Probing(self.options.python_path)
        self.has_set_aside = False
        self.replaced = False  # the store's file; the next child makes a copy of the new one at once
        self.failure: Report | None = None  # what the child that ended last said about it

    def to_the_end(self) -> int:
        """Start, watch and restart children. Returns the exit code."""
        store = Path(self.options.store)
        while not self.stop.signals:
            prepared = recovery.prepare_store(
                store, self.ledger, mark=self.mark, clock=self.clock, probing=self.probing, say=self._notice
            )
            self.replaced |= prepared.replaced
            code = self._one_child()
            if code == spawn.FATAL and self.failure is not None:
                if prepared.was_clean and self.failure["code"] == StoreError.__name__:
                    continue  # nobody had looked into the file; it is no longer taken for clean, so now somebody will
                raise _error(self.failure)
            if self.stop.signals or code == 0:
                break
            if not self._goes_on_after(code):
                if self.failure is not None:
                    raise _error(self.failure)
                return GAVE_UP
        return self.stop.exit_code

    def _goes_on_after(self, code: int) -> bool:
        """Deal with a death; False when it was one too many."""
        place = self.mark.running()
        verdict = self.deaths.note(self.clock.monotonic(), place, Records(self.ledger).last()[0])
        where = f" while it ran statement {place[2]} of turn {place[1]} of job {place[0]}" if place else ""
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        how = str(self.failure["message"]) if self.failure is not None else how
        if verdict.give_up and not self._sets_store_aside():
            self._notice(
                f"the worker's process ended ({how}){where} again and again without getting on: giving up; "
                "its messages above say why, nothing that was acknowledged is lost"
            )
            return False
        self._notice(f"the worker's process ended unexpectedly ({how}){where}; starting it again")
        if verdict.poisoned is not None:
            self._poison(verdict.poisoned)
        self._pause(verdict.delay)
        self.restarts += 1
        self.earlier, self.latest = with_earlier(self.latest, self.earlier), {}
        return True

    def _sets_store_aside(self) -> bool:
        """Blame the store's file, once, for children that die without a word: another file, and a new count."""
        file = places.store_file(Path(self.options.store))
        if self.has_set_aside or self.failure is not None or not file.exists():
            return False
        self.has_set_aside = self.replaced = True
        why = f"the store file {file} passes its check, but every process that opens it dies"
        recovery.replace_store(
            file.parent, self.ledger, why, clock=self.clock, probing=self.probing, say=self._notice
        )  # fmt: skip
        self.deaths = Deaths()
        return True

    def _poison(self, place: Place) -> None:
        job, turn, statement = place
        reason = f"statement {statement} of turn {turn} killed the worker's process twice"
        entry = inbox.NewEntry(
            f"poison {job} {turn} {statement}", "poison", job, {"reason": reason}, self.clock.now_us()
        )
        inbox.append(self.ledger, [entry])
        self._notice(f"job {job} is poisoned: {reason}; it is not tried again")

    def _one_child(self) -> int:
        """Start a child and stay with it to its end. Returns its exit code, negative for a signal."""
        self.failure = None
        self.mark.beat(0)  # an old sign of life, perhaps of before the machine was started, is none
        options = dataclasses.replace(self.options, copy_now=self.replaced)
        self.replaced = False
        process, descriptor = spawn.start_child(self.command, options)
        reports = Reports(descriptor)
        try:
            self._watch(process, reports)
            self._pass_on(reports.wait(0))
        finally:
            spawn.kill_group(process)  # alive only when we fail ourselves
            reports.close()
        return process.returncode

    def _watch(self, process: "subprocess.Popen[bytes]", reports: Reports) -> None:
        pulse = Pulse(0, self.clock.monotonic())
        ends: float | None = None
        while process.poll() is None:
            self._pass_on(reports.wait(_LOOK_SECONDS))
            now = self.clock.monotonic()
            if self.stop.signals and ends is None:
                process.terminate()
                ends = now + self._drain_seconds() + self.patience.end
            if ends is not None and (now > ends or len(self.stop.signals) > 1):
                self._kill(process, "it did not end in time" if now > ends else "a second signal came")
            silent = pulse.look(now, self.mark.last_beat())
            if silent > (self.patience.silence if pulse.has_begun else self.patience.start):
                self._kill(process, f"it gave no sign of life for {silent:.0f} s")

    def _kill(self, process: "subprocess.Popen[bytes]", reason: str) -> None:
        until = self.clock.monotonic() + _COMMIT_SECONDS
        while self.mark.in_commit and self.clock.monotonic() < until and process.poll() is None:
            time.sleep(0.005)
        self._notice(f"the worker's process is killed: {reason}")
        spawn.kill_group(process)

    def _pass_on(self, found: Sequence[Report]) -> None:
        for report in found:
            if report["kind"] == "failed":
                self.failure = report
                continue
            if report["kind"] != "notice":
                self.latest = report
                whole = with_earlier(report, self.earlier)
                report = {**whole, "elapsedSeconds": self.clock.monotonic() - self.began, "restarts": self.restarts}
            self.progress(report)

    def _notice(self, text: str) -> None:
        self.progress({"kind": "notice", "text": text})

    def _pause(self, seconds: float) -> None:
        until = self.clock.monotonic() + seconds
        while not self.stop.signals and self.clock.monotonic() < until:
            time.sleep(0.02)

    def _drain_seconds(self) -> float:
        """The longest drain time of the fleets in the release that head is at now; 10 s without a fleet."""
        head = releases.head(self.ledger)
        if head is None:
            raise BugError("head has vanished while the worker ran")
        entries = releases.read_release(self.ledger, head.release).objects.values()
        fleets = [compiled.decode("Fleet", entry.text) for entry in entries if entry.kind == "Fleet"]
        return max((fleet.drain_us / 1e6 for fleet in fleets if isinstance(fleet, compiled.Fleet)), default=10.0)


def with_earlier(report: Report, earlier: Report) -> Report:
    """A child's report with what its forerunners counted added: each child counts what is used from its own start."""
    total = dict(report)
    for name in _USED:
        counted = [found[name] for found in (report, earlier) if found.get(name) is not None]
        if counted:
            total[name] = sum(counted)
    if report.get("scripted") or earlier.get("scripted"):
        total["scripted"] = True
    return total


def _compact(
    told: spawn.ChildOptions, ledger: LedgerFile, mark: Mark, progress: Callable[[Report], None]
) -> None:  # fmt: skip
    """Write the store anew before the first child opens it. A store that cannot be is opened as it is."""
    store = Path(told.store)

    def say(text: str) -> None:
        progress({"kind": "notice", "text": text})

    def recover() -> None:
        how = Probing(told.python_path)
        recovery.prepare_store(store, ledger, mark=mark, clock=SystemClock(), probing=how, say=say)
        process, descriptor = spawn.start_child(spawn.CHILD, dataclasses.replace(told, socket=None, recover_only=True))
        try:
            code = process.wait()
        finally:
            spawn.kill_group(process)
            os.close(descriptor)
        if code != 0:
            raise StoreError(f"it could not be brought up to date first (exit code {code})")

    try:
        done = compaction.compact(store, told.python_path, ledger, mark=mark, recover=recover)
    except StoreError as error:
        say(f"the store is used as it is: {error}")
    else:
        say(f"the store was compacted from {done.before:,} to {done.after:,} bytes in {done.seconds:.1f} s")


def _require_applied(store: Path) -> None:
    """Raise NotApplied when there is nothing to run, before anything is made."""
    has_nothing = not (places.ledger_file(store).exists() or places.store_file(store).exists())
    if not has_nothing:
        with recovery.open_ledger(store) as ledger:
            has_nothing = releases.head(ledger) is None
    if has_nothing:
        raise NotApplied(f"nothing is applied to {store} yet", hint="run `statek apply` first")


def _error(report: Report) -> StatekError:
    """The error that a child reported, as its own class where that is one of ours."""
    kind = getattr(exceptions, str(report["code"]), StatekError)
    message, hint = str(report["message"]), str(report["hint"])
    return kind(message, hint=hint) if issubclass(kind, StatekError) else StatekError(message, hint=hint)
