"""The lock beside the store."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from statek.exceptions import StoreError
from statek.worker.lock import Holder, held_by, take

HOLD = Path(__file__).with_name("hold.py")


def start(store: Path, role: str = "worker") -> "subprocess.Popen[str]":
    """A process that takes the lock."""
    command = [sys.executable, str(HOLD), str(store), role]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def said(process: "subprocess.Popen[str]") -> str:
    """Its first line."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end(process: "subprocess.Popen[str]") -> int:
    """Let it go on to its end."""
    process.communicate()
    return process.returncode


def test_a_free_lock_has_no_holder(store: Path) -> None:
    """Before anybody takes the lock it is held by nobody, file or no file."""
    before = held_by(store)
    take(store, "worker").release()
    assert (before, held_by(store)) == (None, None)


def test_the_holder_is_written_in_the_lock(store: Path) -> None:
    """Others read pid, role and socket of the holder."""
    with take(store, "worker", Path("/run/x.sock")):
        assert held_by(store) == Holder(os.getpid(), "worker", Path("/run/x.sock"))


def test_a_second_worker_is_refused_at_once(store: Path) -> None:
    """While a worker runs another one is told its pid and what to do."""
    with take(store, "worker"), pytest.raises(StoreError, match=f"pid {os.getpid()}") as refused:
        take(store, "worker")
    assert "statek status" in refused.value.hint


def test_of_many_workers_exactly_one_wins(store: Path) -> None:
    """Five processes that race for the lock: one holds it, the others are refused."""
    racers = [start(store) for _ in range(5)]
    answers = [said(racer).partition(":")[0] for racer in racers]
    codes = [end(racer) for racer in racers]
    assert sorted(answers) == ["held", "refused", "refused", "refused", "refused"]
    assert sorted(codes) == [0, 9, 9, 9, 9]


def test_a_killed_holder_leaves_the_lock_free(store: Path) -> None:
    """After `kill -9` of the holder the next one takes the lock, and the old content means nothing."""
    process = start(store)
    said(process)
    process.kill()
    end(process)
    assert held_by(store) is None
    take(store, "worker").release()


def test_a_worker_waits_for_a_reader(store: Path) -> None:
    """A reader that is nearly done does not keep a worker from starting."""
    reader = take(store, "reader")
    worker = start(store)
    with pytest.raises(subprocess.TimeoutExpired):
        worker.wait(0.5)
    reader.release()
    assert (said(worker), end(worker)) == ("held", 0)


def test_the_lock_is_held_until_the_last_heir_of_its_file_ends(store: Path) -> None:
    """The child inherits the lock: while it lives, the death of the supervisor frees nothing."""
    with take(store, "worker") as lock:
        heir = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[lock.descriptor])
    assert held_by(store) is not None
    heir.communicate(b"\n")
    assert held_by(store) is None
