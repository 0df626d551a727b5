"""The watcher: real files, a real ledger, real events."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from statek.base.clock import SystemClock
from statek.control.reload import ReloadState, Watcher
from statek.ledger import releases
from statek.ledger.file import LedgerFile

PATIENCE = 120.0


class PatientClock(SystemClock):
    """A clock by which nobody ever loses patience. The watcher sleeps on it while git holds its lock, and only then."""

    def __init__(self) -> None:
        self.sleeps: asyncio.Queue[float] = asyncio.Queue()

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.sleeps.put_nowait(seconds)
        await asyncio.sleep(seconds)


class Desk:
    """A watcher with its results in a queue, and what `prepare` answers."""

    def __init__(self, root: Path, ledger: LedgerFile, sweep: float = 60.0) -> None:
        self.clock = PatientClock()
        self.results: asyncio.Queue[ReloadState] = asyncio.Queue()
        self.answers: list[dict[str, object]] = []
        self.watcher = Watcher(
            root, "dev", ledger.path, lambda release: self.answers, self.clock, self.results.put_nowait,
            settle=0.05, sweep=sweep,
        )  # fmt: skip

    async def next(self) -> ReloadState:
        """The next result."""
        return await asyncio.wait_for(self.results.get(), PATIENCE)


@asynccontextmanager
async def running(desk: Desk) -> AsyncIterator[None]:
    """The watcher at work until the block ends."""
    stop = asyncio.Event()
    task = asyncio.create_task(desk.watcher.run(stop))
    yield
    stop.set()
    await asyncio.wait_for(task, PATIENCE)


def edit(project: Path, old: str, new: str) -> None:
    """Replace text of the agent, atomically as editors do."""
    path = project / "agents/triage.md"
    fresh = project / "agents/.triage.new"
    fresh.write_text(path.read_text().replace(old, new))
    fresh.rename(path)


async def test_files_are_applied_at_the_start(project: Path, ledger: LedgerFile) -> None:
    """Without any event what is on disk becomes head."""
    desk = Desk(project, ledger)

    async with running(desk):
        state = await desk.next()

    head = releases.head(ledger)
    assert head is not None
    assert (state.ok, state.release) == (True, head.release)


async def test_an_edit_moves_head(project: Path, ledger: LedgerFile) -> None:
    """A changed prompt is applied while the watcher runs, with `reload` as its reason."""
    desk = Desk(project, ledger)

    async with running(desk):
        first = await desk.next()
        edit(project, "Sort", "Sort quickly")
        second = await desk.next()

    assert second.ok
    assert first.release != second.release
    assert releases.history(ledger)[0].reason == "reload"


async def test_repeated_atomic_replaces_are_all_seen(project: Path, ledger: LedgerFile) -> None:
    """Every one of several replaced files is noticed, not only the first."""
    desk = Desk(project, ledger)

    async with running(desk):
        found = [(await desk.next()).release]
        for n in range(3):
            edit(project, "Sort", f"Sort {n}")
            found.append((await desk.next()).release)

    assert len(set(found)) == 4


async def test_a_bad_edit_leaves_head_and_is_reported(project: Path, ledger: LedgerFile) -> None:
    """Files with errors change nothing; the problems are told with their place."""
    desk = Desk(project, ledger)

    async with running(desk):
        good = await desk.next()
        edit(project, "inputs.ticket }}", "inputs.tikcet }}")
        bad = await desk.next()

    assert (bad.ok, bad.release) == (False, good.release)
    assert {"code": "STK301", "file": "agents/triage.md"}.items() <= bad.problems[0].items()


async def test_an_edit_that_is_not_run_yet_leaves_head(project: Path, ledger: LedgerFile) -> None:
    """Good files that ask for more than this build runs are refused like files with errors."""
    desk = Desk(project, ledger)

    async with running(desk):
        good = await desk.next()
        edit(project, "model: fast", "model: fast\nlocale: en-US")
        bad = await desk.next()

    assert (bad.ok, bad.release) == (False, good.release)
    assert [problem["code"] for problem in bad.problems] == ["STK100"]


async def test_the_mended_file_is_taken_at_once(project: Path, ledger: LedgerFile) -> None:
    """Going back to the very files that were applied before the bad edit is good again."""
    desk = Desk(project, ledger)

    async with running(desk):
        first = await desk.next()
        edit(project, "inputs.ticket }}", "inputs.tikcet }}")
        await desk.next()
        edit(project, "inputs.tikcet }}", "inputs.ticket }}")
        mended = await desk.next()

    assert (mended.ok, mended.release) == (True, first.release)


async def test_a_release_that_cannot_run_is_tried_again(project: Path, ledger: LedgerFile) -> None:
    """What `prepare` refuses stays out of head, and is taken when it can run, without another edit."""
    desk = Desk(project, ledger, sweep=0.1)
    desk.answers = [{"code": "STK501", "message": "no module named shop"}]

    async with running(desk):
        refused = await desk.next()
        desk.answers = []
        taken = await desk.next()

    assert (refused.ok, refused.release, refused.problems[0]["message"]) == (False, None, "no module named shop")
    assert taken.ok


async def test_a_touched_file_is_no_edit(project: Path, ledger: LedgerFile) -> None:
    """The same bytes with a new time are not applied again."""
    desk = Desk(project, ledger)
    await desk.watcher.look()

    (project / "agents/triage.md").touch()

    assert await desk.watcher.look() is None


async def test_a_lost_event_is_made_good_by_the_sweep(project: Path, ledger: LedgerFile) -> None:
    """A folder that appears after the start is found although nobody watches it."""
    (project / "queues/support.yaml").rename(project / "support.yaml")
    (project / "queues").rmdir()
    desk = Desk(project, ledger, sweep=0.1)

    async with running(desk):
        await desk.next()
        (project / "queues").mkdir()
        (project / "support.yaml").rename(project / "queues/support.yaml")
        second = await desk.next()

    assert second.release is not None
    assert "Queue/support" in releases.read_release(ledger, second.release).objects


async def test_a_checkout_in_progress_is_waited_for(project: Path, ledger: LedgerFile) -> None:
    """While git holds its lock nothing is applied; when it lets go, the whole set is."""
    desk = Desk(project, ledger, sweep=0.1)
    lock = project / ".git/index.lock"
    lock.parent.mkdir()

    async with running(desk):
        await desk.next()
        lock.touch()
        await asyncio.wait_for(desk.clock.sleeps.get(), PATIENCE)  # it has seen the lock
        edit(project, "Sort", "Half done")
        for _ in range(4):
            await asyncio.wait_for(desk.clock.sleeps.get(), PATIENCE)
        nothing_yet = desk.results.empty()
        edit(project, "Half done", "Whole")
        lock.unlink()
        state = await desk.next()

    assert nothing_yet
    assert (state.ok, desk.results.empty()) == (True, True)


async def test_a_deleted_file_prunes_nothing(project: Path, ledger: LedgerFile) -> None:
    """An object whose file is gone stays in head."""
    desk = Desk(project, ledger)
    await desk.watcher.look()
    (project / "queues/support.yaml").unlink()

    state = await desk.watcher.look()

    assert state is not None
    assert state.release is not None
    assert "Queue/support" in releases.read_release(ledger, state.release).objects


async def test_a_change_of_a_tool_module_is_seen(project: Path, ledger: LedgerFile) -> None:
    """The module lies in no watched folder, and no file that is watched changes; the next look sees it all the same."""
    module = project / "bench.py"
    tools = "apiVersion: statek/v1\nkind: ToolSet\nmetadata: {name: bench}\nspec: {tools: [{python: 'bench:saw'}]}\n"
    module.write_text("def saw() -> None: ...\n")
    (project / "agents/bench.yaml").write_text(tools)
    watcher = Desk(project, ledger).watcher

    first = await watcher.look()
    unchanged = await watcher.look()
    module.write_text("def plane() -> None: ...\n")
    broken = await watcher.look()
    module.write_text("def saw() -> None: ...\n")
    mended = await watcher.look()

    assert unchanged is None
    assert first is not None
    assert broken is not None
    assert mended is not None
    assert [problem["code"] for problem in broken.problems] == ["STK502"]
    assert (first.ok, mended.ok, mended.release) == (True, True, first.release)
