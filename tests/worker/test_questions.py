"""Asking, with a worker and without."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from statek.exceptions import NotApplied, StoreError
from statek.ledger import inbox
from statek.ledger.file import LedgerFile
from statek.worker import api
from statek.worker.lock import held_by, take
from statek.worker.questions import Questions, open_questions, poke
from statek.worker.remote import WorkerEnded
from statek.worker.server import Server


class Desk:
    """The surface of a worker with one job."""

    def __init__(self) -> None:
        self.pokes = 0
        self.is_over = asyncio.Event()

    def health(self) -> dict[str, Any]:
        return {"state": "running", "release": "r-1"}

    def status(self) -> dict[str, Any]:
        return {"done": 3}

    def jobs(self, **choice: Any) -> dict[str, Any]:
        return {"jobs": [], "total": 0, "choice": choice}

    def job(self, job: str) -> dict[str, Any]:
        raise NotApplied(f"there is no job {job!r}", hint="look")

    def log(self, job: str) -> list[dict[str, Any]]:
        return [{"text": job}]

    async def prepare(self, release: str) -> list[dict[str, Any]]:
        await self.is_over.wait()
        return [{"code": "STK502", "message": release, "object": "Agent/a"}]

    def poke(self) -> None:
        self.pokes += 1

    def shutdown(self) -> None:
        self.pokes = -1


@pytest.fixture
def socket() -> Iterator[Path]:
    """A short path for a socket."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "c.sock"


@pytest.fixture
async def desk(store: Path, socket: Path, ledger: LedgerFile) -> AsyncIterator[Desk]:
    """A live worker on the store: lock and socket."""
    found = Desk()
    with take(store, "worker", socket):
        server = Server(api.build(found), socket)
        server.start()
        yield found
        found.is_over.set()
        await server.stop()


async def asked(store: Path, question: Callable[[Questions], Any]) -> Any:
    """Ask beside the loop that answers."""

    def ask() -> Any:
        with closing(open_questions(store)) as questions:
            return question(questions)

    return await asyncio.to_thread(ask)


@pytest.mark.usefixtures("desk")
async def test_a_live_worker_is_asked(store: Path) -> None:
    """While a worker holds the lock its socket answers."""
    assert await asked(store, lambda questions: (questions.live, questions.status())) == (True, {"done": 3})


@pytest.mark.usefixtures("desk")
async def test_the_choice_reaches_the_worker(store: Path) -> None:
    """Arguments travel whole."""
    found = await asked(store, lambda questions: questions.jobs(agent="a b", everything=True, limit=3))
    assert found["choice"] == {"agent": "a b", "status": None, "everything": True, "limit": 3}


@pytest.mark.usefixtures("desk")
async def test_an_odd_job_id_travels_whole(store: Path) -> None:
    """Slashes, spaces, question marks and percent signs are part of an id."""
    odd = "q:a/b c?d%20#é"
    assert await asked(store, lambda questions: questions.log(odd)) == [{"text": odd}]


@pytest.mark.usefixtures("desk")
async def test_an_error_of_the_worker_is_raised_here(store: Path) -> None:
    """The class, the message and the hint are those of the worker."""
    with pytest.raises(NotApplied, match="no job 'x'") as raised:
        await asked(store, lambda questions: questions.job("x"))
    assert raised.value.hint == "look"


@pytest.mark.usefixtures("desk")
async def test_a_worker_that_takes_too_long_is_an_error(store: Path) -> None:
    """The asker's patience bounds the answer."""
    with pytest.raises(StoreError, match="did not answer within"):
        await asked(store, lambda questions: questions.prepare("r-1", 0.2))


async def test_a_poke_is_heard(store: Path, desk: Desk) -> None:
    """A live worker is told to look at its inbox."""
    assert await asyncio.to_thread(poke, store) is True
    assert desk.pokes == 1


def test_without_a_worker_nobody_hears_a_poke(store: Path) -> None:
    """No lock, no answer, no error."""
    assert poke(store) is False


async def test_a_child_that_starts_again_is_waited_for(store: Path, socket: Path, ledger: LedgerFile) -> None:
    """The lock is held but nobody answers yet: the question is asked again until somebody does."""
    with take(store, "worker", socket):
        question = asyncio.create_task(asked(store, lambda questions: questions.status()))
        await asyncio.sleep(0.3)
        server = Server(api.build(Desk()), socket)
        server.start()
        assert await question == {"done": 3}
        await server.stop()


async def test_a_worker_that_ends_is_an_error_of_its_own(store: Path, socket: Path, ledger: LedgerFile) -> None:
    """A question that nobody can answer any more fails at once."""
    lock = take(store, "worker", socket)
    server = Server(api.build(Desk()), socket)
    server.start()
    questions = await asyncio.to_thread(open_questions, store)
    await server.stop()
    lock.release()
    with pytest.raises(WorkerEnded), closing(questions):
        await asyncio.to_thread(questions.status)


def test_before_the_first_worker_only_the_inbox_answers(store: Path, ledger: LedgerFile) -> None:
    """No store yet: no jobs, what waits in queues, and a lock that is given back."""
    entry = inbox.NewEntry("q:1", inbox.InputKind.ITEM, "q", {}, 1)
    inbox.append(ledger, [entry])
    with closing(open_questions(store)) as questions:
        assert (questions.live, questions.jobs()["jobs"]) == (False, [])
        assert questions.status()["queued"] == {"q": 1}
        with pytest.raises(NotApplied):
            questions.job("x")
    assert held_by(store) is None


def test_without_a_ledger_there_is_nothing_to_ask(store: Path) -> None:
    """The hint says how everything begins."""
    with pytest.raises(StoreError, match="no store") as raised:
        open_questions(store)
    assert "statek apply" in raised.value.hint


def test_readers_wait_for_each_other(store: Path, ledger: LedgerFile) -> None:
    """A second reader gets its turn when the first one is done."""
    first = open_questions(store)
    lock_before = held_by(store)
    first.close()
    with closing(open_questions(store)):
        after = held_by(store)
    assert lock_before is not None
    assert after is not None
    assert (lock_before.role, after.role) == ("reader", "reader")
