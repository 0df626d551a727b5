"""The supervisor, with stand-in children in real processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from statek.base.guarded_file import Mark
from statek.exceptions import LedgerError, NotApplied, StoreError
from statek.ledger import inbox
from statek.ledger.file import LedgerFile
from statek.store.session import Store
from statek.worker import paused, places
from statek.worker.lock import held_by, take
from statek.worker.reports import Report
from statek.worker.supervisor import GAVE_UP, INTERRUPTED, Patience, WorkOptions, run_worker, with_earlier

HERE = Path(__file__).parent
CHILDREN = HERE / "children.py"


class Seen(list[Report]):
    """Collects reports."""

    def __call__(self, report: Report) -> None:
        """Keep it."""
        self.append(report)

    def texts(self) -> str:
        """All notices."""
        return "\n".join(str(report["text"]) for report in self if report["kind"] == "notice")


def run(
    root: Path, store: Path, mode: str, progress: Callable[[Report], None], *, resume: bool = False, **patience: float
) -> int:
    """Run a worker whose children behave as `mode` says."""
    options = WorkOptions(root, "dev", store, until_idle=True, watch=False, max_concurrency=None, resume=resume)
    return run_worker(
        options, progress, child=(sys.executable, str(CHILDREN), mode), patience=Patience(**patience)
    )  # fmt: skip


def starts(store: Path) -> list[int]:
    """Pids of the children that were started."""
    return [int(line) for line in (store / "starts").read_text().splitlines()]


@pytest.mark.usefixtures("ledger")
def test_a_child_that_ends_well_ends_the_worker(root: Path, store: Path) -> None:
    """Exit code 0 of the child is 0 of the worker, its reports are passed on, the lock is free."""
    seen = Seen()
    assert run(root, store, "end", seen) == 0
    assert [(report["kind"], report["done"]) for report in seen] == [("progress", 1)]
    assert held_by(store) is None


@pytest.mark.usefixtures("ledger")
def test_a_killed_child_is_started_again(root: Path, store: Path) -> None:
    """A crash costs a restart and is told; what the dead child used is still counted."""
    seen = Seen()
    assert run(root, store, "crash-once", seen) == 0
    assert len(starts(store)) == 2
    assert "SIGKILL" in seen.texts()
    assert [r["inputTokens"] for r in seen if r["kind"] == "progress"] == [10, 20]


@pytest.mark.usefixtures("ledger")
def test_children_that_only_die_are_given_up(root: Path, store: Path) -> None:
    """Five deaths without progress end the worker with 70, in seconds."""
    seen = Seen()
    assert run(root, store, "crash", seen) == GAVE_UP
    assert len(starts(store)) == 5
    assert "giving up" in seen.texts()


def test_a_store_that_kills_every_child_is_set_aside_once(root: Path, store: Path, ledger: LedgerFile) -> None:
    """A file that passes its check and kills all the same is replaced after five deaths; the next child lives."""
    Store.open(store, ledger.store_id).close()
    seen = Seen()
    assert run(root, store, "crash-on-store", seen) == 0
    assert len(starts(store)) == 6
    assert "every process that opens it dies: moved to" in seen.texts()
    assert not places.store_file(store).exists()


def test_children_that_die_of_something_else_are_given_up(root: Path, store: Path, ledger: LedgerFile) -> None:
    """The store is blamed once, not for ever."""
    Store.open(store, ledger.store_id).close()
    seen = Seen()
    assert run(root, store, "crash", seen) == GAVE_UP
    assert len(starts(store)) == 10
    assert seen.texts().count("moved to") == 1


def test_a_store_that_was_closed_well_and_cannot_be_opened_is_checked(
    root: Path, store: Path, ledger: LedgerFile
) -> None:
    """Damage that came after a clean end needs nobody: the file is looked at, replaced, and work goes on."""
    Store.open(store, ledger.store_id).close()
    places.store_file(store).write_bytes(places.store_file(store).read_bytes()[:50_000])
    with Mark(places.mark_file(store)) as mark:
        mark.set_clean_end(True)
    seen = Seen()
    assert run(root, store, "looks-once", seen) == 0
    assert "could not be trusted" in seen.texts()


def test_after_a_restore_work_waits_for_a_word(root: Path, store: Path, ledger: LedgerFile) -> None:
    """A store that was put back from a backup is worked on only when somebody says so, and then it goes on."""
    (store / paused.NAME).write_bytes(paused.Pause(1_767_225_600_000_000, 7).to_bytes())
    with pytest.raises(paused.Paused, match="2026-01-01T00:00:00Z, which ends at record 7"):
        run(root, store, "end", Seen())
    assert run(root, store, "end", Seen(), resume=True) == 0
    assert run(root, store, "end", Seen()) == 0
    assert ledger.low == 0


@pytest.mark.usefixtures("ledger")
def test_a_silent_child_is_killed_and_replaced(root: Path, store: Path) -> None:
    """No sign of life for the set time: the child is killed, the next one does the work."""
    seen = Seen()
    assert run(root, store, "silent-once", seen, silence=1.5) == 0
    assert len(starts(store)) == 2
    assert "no sign of life" in seen.texts()


def test_a_step_that_kills_twice_is_poisoned(root: Path, store: Path, ledger: LedgerFile) -> None:
    """The second death in the same statement puts an input into the inbox that ends the job."""
    assert run(root, store, "poison", Seen()) == 0
    (entry,) = inbox.waiting(ledger, kinds=["poison"])
    assert (entry.id, entry.target) == ("poison j1 3 4", "j1")
    assert "twice" in entry.body["reason"]


@pytest.mark.usefixtures("ledger")
def test_what_no_restart_can_mend_is_raised_at_once(root: Path, store: Path) -> None:
    """A child that says it can never start is not started again; its own error reaches the caller."""
    with pytest.raises(StoreError, match="fatal store") as raised:
        run(root, store, "fatal", Seen())
    assert (len(starts(store)), raised.value.hint) == (1, "mend it")


@pytest.mark.usefixtures("ledger")
def test_a_failure_that_stays_is_raised_in_the_end(root: Path, store: Path) -> None:
    """A child that cannot go on is replaced; when that never helps, its reason is the worker's."""
    with pytest.raises(StoreError, match="failed store"):
        run(root, store, "failed", Seen())
    assert len(starts(store)) == 5


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, INTERRUPTED), (signal.SIGHUP, 0)])
def test_a_signal_lets_the_child_end(root: Path, store: Path, number: int, code: int) -> None:
    """SIGTERM, SIGINT and SIGHUP ask the child to end and kill nothing, also when one comes twice at once."""
    seen, before = Seen(), signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs the tests may ignore it

    def interrupt(report: Report) -> None:
        seen(report)
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)

    try:
        assert run(root, store, "until-asked", interrupt) == code
    finally:
        signal.signal(signal.SIGHUP, before)
    assert "killed" not in seen.texts()


@pytest.mark.usefixtures("ledger")
def test_a_second_signal_kills_the_child(root: Path, store: Path) -> None:
    """Whoever asks twice does not wait for the drain time."""
    seen = Seen()

    def interrupt(report: Report) -> None:
        seen(report)
        if report["kind"] == "progress":
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.6)  # twice at once counts as one
            os.kill(os.getpid(), signal.SIGINT)

    assert run(root, store, "deaf", interrupt) == INTERRUPTED
    assert "a second signal" in seen.texts()


def test_without_a_release_nothing_is_made(root: Path, store: Path) -> None:
    """A worker on a project that was never applied says so and leaves no file."""
    with pytest.raises(NotApplied) as raised:
        run(root, store, "end", Seen())
    assert "statek apply" in raised.value.hint
    assert list(store.iterdir()) == []


def test_a_store_without_its_ledger_is_refused(root: Path, store: Path) -> None:
    """The ledger is never replaced by an empty one."""
    places.store_file(store).write_bytes(b"x")
    with pytest.raises(LedgerError, match="not its ledger"):
        run(root, store, "end", Seen())


@pytest.mark.usefixtures("ledger")
def test_a_second_supervisor_is_refused(root: Path, store: Path) -> None:
    """One worker for each store."""
    with take(store, "worker"), pytest.raises(StoreError, match="another worker"):
        run(root, store, "end", Seen())


@pytest.mark.usefixtures("ledger")
def test_a_killed_supervisor_takes_its_child_along(root: Path, store: Path) -> None:
    """After `kill -9` of the supervisor no child is left that could write, and the lock comes free."""
    command = [sys.executable, str(HERE / "supervise.py"), str(root), str(store), "deaf"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as supervisor:
        wait_for(lambda: (store / "starts").exists() and bool(starts(store)))
        (child,) = starts(store)
        supervisor.kill()
    wait_for(lambda: not is_alive(child))
    wait_for(lambda: held_by(store) is None)


def test_the_supervisor_does_not_reach_the_object_store() -> None:
    """Importing the supervisor imports no dbzero: it must survive what kills the child."""
    code = "import sys, statek.worker.supervisor; sys.exit('dbzero' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_earlier_children_used_is_added() -> None:
    """Unknown costs stay unknown; known ones are summed."""
    earlier = {"inputTokens": 3, "costUsd": None, "scripted": True}
    added = with_earlier({"inputTokens": 4, "costUsd": None, "done": 5, "scripted": False}, earlier)
    assert added == {"inputTokens": 7, "costUsd": None, "done": 5, "scripted": True}


def wait_for(is_so: Callable[[], bool]) -> None:
    """Wait for another process, within a bound."""
    until = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether the process runs (one that nobody has waited for does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # the latter when it goes between opening and reading
        return False
