"""The watcher: an edit on disk becomes the release that new work uses, or a report of what is wrong with it.

The only user of watchfiles. It runs inside the worker, next to the scheduler: everything heavy happens on a thread of
its own, with a ledger connection of its own. The one idea: an event is only a hint. Whatever woke it, the watcher
looks at all files, compares their digest with the one it took over last, and runs the same compile, plan and apply as
the command line; it would come to the same result if every event were lost, because it also looks every few seconds.
So files that lie outside of the watched folders (settings, Evals, modules of tools, OpenAPI files) are seen, too.
A refused edit changes nothing and is tried again at every look, so that the mended file is taken at once.
"""

import asyncio
import contextlib
import hashlib
import logging
import os
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import watchfiles

from statek.base.clock import Clock
from statek.compiler.project import Compiler, Files
from statek.control.apply import Prepare, apply
from statek.control.desired import desired_objects
from statek.control.errors import Guarded, Nacked, ProblemData
from statek.control.plan import compare
from statek.exceptions import LedgerError
from statek.ledger import releases
from statek.ledger.file import LedgerFile
from statek.spec.problems import SpecProblems, to_json
from statek.spec.reading.project import load_project

_log = logging.getLogger(__name__)
_LONGEST_GIT_HOLD = 10.0  # seconds; a lock left behind by a dead git must not stop reloading for ever
_GIT_LOOK = 0.1
_POLLED_TYPES = ("nfs", "cifs", "smb", "9p", "fuse", "virtiofs", "vboxsf", "overlay", "afs", "ceph")


@dataclass(frozen=True)
class ReloadState:
    """The last look at the files.

    Attributes:
        ok: whether what is on disk is what head is at.
        at_us: when.
        problems: why not, as JSON data with at least `message`.
        release: where head is now; None: nothing was ever applied.
    """

    ok: bool
    at_us: int
    problems: tuple[ProblemData, ...]
    release: str | None


class Watcher:
    """Watches one project for one environment. `state` is the last result, None before the first."""

    def __init__(
        self,
        root: Path,
        env: str,
        ledger_path: Path,
        prepare: Prepare,
        clock: Clock,
        on_result: Callable[[ReloadState], None],
        *,
        settle: float = 0.3,
        sweep: float = 5.0,
        poll: bool = False,
    ) -> None:
        """Keep what a look needs.

        Args:
            root: the project.
            env: environment.
            ledger_path: the ledger; a connection is opened for each look.
            prepare: tries a staged release out; called on the watcher's thread.
            clock: gives times and waits.
            on_result: told on the loop's thread whenever the result differs from the one before.
            settle: seconds without an edit before the files are read.
            sweep: seconds between looks that no event asked for.
            poll: never rely on the file system's events.
        """
        self._root, self._env, self._ledger_path = root, env, ledger_path
        self._prepare, self._clock, self._on_result = prepare, clock, on_result
        self._settle, self._sweep, self._poll = settle, sweep, poll
        self._git_lock = root / ".git" / "index.lock"
        self._git_is_stuck = False  # the lock outlasted our patience: somebody left it behind
        self._compiler = Compiler()
        self._taken_over: str | None = None  # digest of the files that head was last made equal to
        self._others: Mapping[str, str] = {}  # what else was read for that, such as modules of tools -> SHA-256
        self.state: ReloadState | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Look now, at every edit and every few seconds, until `stop` is set."""
        while not stop.is_set():
            folders = await asyncio.to_thread(self._folders)
            async with contextlib.aclosing(self._hints(folders, stop)) as hints:
                await self._follow(hints, folders)

    async def _follow(self, hints: AsyncGenerator[bool, None], folders: dict[Path, tuple[int, int]]) -> None:
        """Look at every hint, until they end or the folders are others than those that are watched."""
        hint = asyncio.ensure_future(anext(hints, False))
        try:
            await asyncio.sleep(0)  # the watch begins before the first look: no edit falls between the two
            await self.look()
            while await hint and await asyncio.to_thread(self._folders) == folders:
                hint = asyncio.ensure_future(anext(hints, False))
                await self._wait_for_git()
                await self.look()
        finally:
            hint.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await hint

    async def look(self) -> ReloadState | None:
        """Compare all files with what was taken over and apply what differs. Returns None when nothing differs."""
        found = await asyncio.to_thread(self._look)
        if found is None:
            return None
        before, self.state = self.state, found
        if before is None or _differs(before, found):
            self._on_result(found)
        return found

    async def _hints(self, folders: dict[Path, tuple[int, int]], stop: asyncio.Event) -> AsyncGenerator[bool, None]:
        """True whenever somebody should look."""
        if not folders:
            await _pause(stop, self._sweep)
            yield True
            return
        # `step` is the quiet time; `debounce` only bounds how long edits that never pause can put off a look.
        events = watchfiles.awatch(
            *folders,
            step=int(self._settle * 1000),
            debounce=max(2000, int(self._settle * 10_000)),
            stop_event=_Halt(stop),
            rust_timeout=int(self._sweep * 1000),
            yield_on_timeout=True,
            force_polling=True if self._poll or any(_needs_polling(folder) for folder in folders) else None,
        )
        try:
            async with contextlib.aclosing(events):
                async for _ in events:
                    yield True
        except (OSError, RuntimeError) as error:  # a limit of the system, or a folder that went away this moment
            _log.warning("files are polled from now on, they cannot be watched: %s", error)
            self._poll = True
            await _pause(stop, self._sweep)

    async def _wait_for_git(self) -> None:
        """A checkout writes file after file; its lock says when the set is whole."""
        until = self._clock.monotonic() + _LONGEST_GIT_HOLD
        while self._git_lock.exists() and self._clock.monotonic() < until:
            await self._clock.sleep(_GIT_LOOK)
        self._git_is_stuck = self._git_lock.exists()

    def _folders(self) -> dict[Path, tuple[int, int]]:
        """The folders to watch, each with its identity on disk."""
        try:
            config = load_project(self._root)
        except SpecProblems:
            return {}
        found = {}
        for name in config.roots:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                folder = Path(os.path.realpath(config.root / name))
                status = folder.stat()
                if folder.is_dir():
                    found[folder] = (status.st_dev, status.st_ino)
        return found

    def _look(self) -> ReloadState | None:
        try:
            files = self._compiler.files(self._root)
            if files.digest == self._taken_over and not _have_changed(files.config.root, self._others):
                return None
            release = self._take_over(files)
            if release is None:
                return None
        except SpecProblems as error:
            return self._refused(tuple(to_json(problem) for problem in error.problems))
        except Nacked as error:
            return self._refused(error.problems)
        except Guarded as error:
            return self._refused(
                tuple({"code": refusal.code, "message": refusal.message} for refusal in error.refusals)
            )
        except LedgerError as error:  # HeadMoved too: the next look plans anew
            return self._refused(({"message": str(error)},))
        self._taken_over = files.digest
        return ReloadState(True, self._clock.now_us(), (), release)

    def _take_over(self, files: Files) -> str | None:
        """Compile, plan, apply. Returns where head is; None when git began to change the files meanwhile."""
        compilation = self._compiler.compile(files, env=self._env)
        listed = {file.path for file in files.snapshot.files}
        self._others = {path: digest for path, digest in compilation.sources.items() if path not in listed}
        if self._git_lock.exists() and not self._git_is_stuck:
            return None  # what was read may be half of a checkout; the next look comes after it
        if not compilation.runs:
            raise SpecProblems([problem for problem in compilation.obstacles if problem.severity == "error"])
        with LedgerFile.open(self._ledger_path) as ledger:
            head = releases.head(ledger)
            base = releases.read_release(ledger, head.release) if head else None
            objects = desired_objects(compilation)
            plan = compare(base, objects, env=self._env, project=compilation.config.project)
            applied = apply(plan, ledger=ledger, prepare=self._prepare, clock=self._clock, reason="reload")
        return applied.head.release

    def _refused(self, problems: tuple[ProblemData, ...]) -> ReloadState:
        # Whatever comes next is news: also the files that head was made equal to before this edit.
        self._taken_over = None
        return ReloadState(False, self._clock.now_us(), problems, self._head())

    def _head(self) -> str | None:
        try:
            with LedgerFile.open(self._ledger_path) as ledger:
                head = releases.head(ledger)
        except LedgerError as error:
            _log.warning("head cannot be read: %s", error)
            return None
        return head.release if head else None


class _Halt:
    """Set when `stop` is; setting it, as a cancelled watch does, leaves `stop` alone: it belongs to others."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop, self._cancelled = stop, False

    def is_set(self) -> bool:
        """Asked from the thread that watches."""
        return self._cancelled or self._stop.is_set()

    def set(self) -> None:
        """The watch was cancelled."""
        self._cancelled = True


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


def _have_changed(root: Path, digests: Mapping[str, str]) -> bool:
    """Whether any of these files has another content by now, or is none any more."""
    for name, digest in digests.items():
        path = root / name
        try:
            if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
                return True
        except OSError:
            return True
    return False


def _differs(before: ReloadState, now: ReloadState) -> bool:
    return (before.ok, before.problems, before.release) != (now.ok, now.problems, now.release)


def _needs_polling(folder: Path) -> bool:
    """Whether the folder lies on a file system whose events cannot be relied on."""
    mounts = Path("/proc/self/mountinfo")
    if not mounts.is_file():
        return False
    best, kind = "", ""
    for line in mounts.read_text().splitlines():
        left, _, right = line.partition(" - ")
        point = left.split(" ")[4]
        if len(point) >= len(best) and folder.is_relative_to(point):
            best, kind = point, right.split(" ")[0]
    return kind.startswith(_POLLED_TYPES)
