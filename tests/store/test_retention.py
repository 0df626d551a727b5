"""Finished jobs leave the store: whole families, the oldest first, and nothing that anybody still uses."""

import gc
from pathlib import Path

import dbzero as db0
import pytest

from statek.store.agent import SupervisedAgent
from statek.store.job import Job, JobStatus, count_with, find_job, jobs_with, new_job
from statek.store.job_def import JobDef
from statek.store.retention import Keep, forget, forgettable, forgotten_at, still_forgettable
from statek.store.root import add_agent, current_root
from statek.store.session import Store
from statek.store.status import change_status
from statek.store.subtask import SubTaskHandler

ALL = Keep(before_us=1_000, newest=0)


@db0.memo(id="tests/Album", singleton=True)
class Album:
    def __init__(self) -> None:
        self.best: Job | None = None


def make_agent(revision: str = "") -> SupervisedAgent:
    """An agent, of a compiled revision or made in Python."""
    agent = SupervisedAgent("painter", None, [], _metadata={"MODEL": "m"})
    if revision:
        agent.revision = revision
        add_agent(agent)
    return agent


@pytest.fixture
def job_def(store: Path) -> JobDef:
    """The definition of an agent made in Python."""
    return JobDef(make_agent())


def finished(job_def: JobDef, job_id: str, ended_us: int = 10, parent: Job | None = None) -> Job:
    """A job that has ended, committed."""
    with db0.atomic():
        job = new_job(job_def, job_id, ended_us, parent)
        if parent is not None:
            parent.children = [*list(parent.children or ()), SubTaskHandler(job)]
    with db0.atomic():
        job.job_status, job.outcome, job.ended_us = JobStatus.DONE, "ok", ended_us
    db0.commit()
    return job


def let_go(keep: Keep = ALL) -> list[str]:
    """Forget what may be forgotten, and free it."""
    with db0.atomic():
        gone = still_forgettable(forgettable(keep).ids)
        forget(gone, 5_000)
    db0.commit()
    return gone


def test_the_oldest_go_and_the_newest_stay(job_def: JobDef) -> None:
    """Beyond the number to keep, and older than the age: both have to be true."""
    for n in range(5):
        finished(job_def, f"j{n}", ended_us=100 * n)
    assert let_go(Keep(before_us=1_000, newest=3)) == ["j0", "j1"]
    assert let_go(Keep(before_us=300, newest=0)) == ["j2"]
    assert count_with(JobStatus.DONE) == 2


def test_a_forgotten_job_is_told_from_one_that_never_was(job_def: JobDef) -> None:
    """Its id finds no job, but the time when it was forgotten; other ids find nothing."""
    finished(job_def, "j")
    let_go()
    assert find_job("j") is None
    assert (forgotten_at("j"), forgotten_at("other")) == (5_000, None)


def test_a_family_goes_as_a_whole(job_def: JobDef) -> None:
    """Children stay as long as their parent does, and go with it."""
    parent = finished(job_def, "p")
    finished(job_def, "c1", parent=parent)
    finished(job_def, "c2", ended_us=2_000, parent=parent)
    assert let_go() == []
    assert let_go(Keep(before_us=3_000, newest=0)) == ["p", "c1", "c2"]
    del parent
    db0.commit()
    assert (len(db0.find(Job)), len(db0.find(SubTaskHandler))) == (0, 0)


def test_a_job_with_a_live_relative_stays(job_def: JobDef) -> None:
    """A parent that works keeps its finished children; a child that works keeps its finished parent."""
    parent = finished(job_def, "p")
    child = finished(job_def, "c", parent=parent)
    for worker in (parent, child):
        worker.job_status = JobStatus.STARTED
        db0.commit()
        assert let_go() == []
        worker.job_status = JobStatus.DONE
        db0.commit()
    assert let_go() == ["p", "c"]


def test_a_job_that_something_refers_to_stays(job_def: JobDef) -> None:
    """Names of a live job, or an object of the application: what they refer to stays until they let go."""
    album = Album()
    album.best = finished(job_def, "j")
    live = new_job(job_def, "live", 1)
    live.refs = [album.best]
    db0.commit()
    assert let_go() == []
    album.best = None
    db0.commit()
    assert let_go() == []
    live.refs = None
    db0.commit()
    assert let_go() == ["j"]


def test_names_of_the_family_do_not_hold_it(job_def: JobDef) -> None:
    """A parent whose names hold its handlers and a child whose names hold its parent go all the same."""
    parent = finished(job_def, "p")
    child = finished(job_def, "c", parent=parent)
    parent.refs = [parent.children[0]]
    child.refs = [parent]
    db0.commit()
    assert let_go() == ["p", "c"]
    del parent, child
    db0.commit()
    assert len(db0.find(Job)) == 0


def test_definitions_that_nobody_uses_go_too(store: Path) -> None:
    """After its last job the definition of a compiled revision leaves; those of agents made in Python stay."""
    for agent, name in ((make_agent("r@1"), "j"), (make_agent(), "k")):
        finished(JobDef(agent), name)
    let_go()
    let_go()
    assert [job_def and job_def.agent.revision for job_def in current_root().job_defs] == [None, ""]


def test_revisions_that_nobody_uses_go_too(store: Path) -> None:
    """An agent without definitions leaves; the newest of its role and those made in Python stay."""
    for revision in ("r@1", "", "r@2"):
        make_agent(revision)
    db0.commit()
    let_go()
    assert {agent.revision for agent in current_root().agents if agent is not None} == {"", "r@2"}


def test_looking_goes_on_where_it_stopped(job_def: JobDef) -> None:
    """In slices of two slots everything is found once, and the last one says that it was the last."""
    for n in range(5):
        finished(job_def, f"j{n}")
    found, start = [], 0
    for _ in range(3):
        step = forgettable(ALL, start=start, look_at=2)
        found += step.ids
        start = step.next_slot
    assert (found, start) == ([f"j{n}" for n in range(5)], 0)


def test_forgotten_since_they_were_done(job_def: JobDef) -> None:
    """Jobs that are done and forgotten between two commits, as in a replay, are in no search afterwards."""
    for number in range(62):
        new_job(job_def, f"j{number}", 1)
    db0.commit()
    db0.clear_cache()
    for number in range(62):
        change_status(find_job(f"j{number}"), JobStatus.DONE)
    forget(still_forgettable([f"j{number}" for number in range(60)]), 5_000)
    assert [number for number in range(62) if find_job(f"j{number}") is not None] == [60, 61]
    change_status(find_job("j60"), JobStatus.STARTED)
    change_status(find_job("j60"), JobStatus.DONE)
    db0.commit()
    assert jobs_with(JobStatus.READY) == []
    assert sorted(job.id for job in jobs_with(JobStatus.DONE)) == ["j60", "j61"]


def test_a_forgotten_job_that_python_still_holds(job_def: JobDef) -> None:
    """A circle of Python's that nobody can reach keeps no forgotten job over the commit: no search finds it then."""
    finished(job_def, "j0")
    gc.disable()
    try:
        circle = [find_job("j0")]
        circle.append(circle)
        del circle
        with db0.atomic():
            forget(still_forgettable(["j0"]), 5_000)
        Store.attach().commit()
        assert jobs_with(JobStatus.DONE) == []
    finally:
        gc.enable()
