"""A job's names as stored: replaced when they differ, read back exactly, durable parts by reference."""

from pathlib import Path
from typing import Any

import dbzero as db0
import pytest

from statek.exceptions import CannotKeep
from statek.sandbox import keep, restrict
from statek.store import workspace
from statek.store.agent import SupervisedAgent
from statek.store.job import Job, find_job
from statek.store.job_def import JobDef


@db0.memo(id="tests/WorkspaceBox")
class WorkspaceBox:
    def __init__(self, value: Any) -> None:
        self.value = value


@pytest.fixture
def job(store: Path) -> Job:
    """A job without names."""
    return Job(JobDef(SupervisedAgent("clerk", None, [], _metadata={"MODEL": "m"})))


def put(job: Job, **names: Any) -> bool:
    """Store these names."""
    return workspace.replace_names(job, keep.dumps(names, workspace.OUTSIDE))


def test_equal_names_are_not_written_again(job: Job) -> None:
    """A snapshot that equals the stored one costs nothing; another one makes a new version."""
    assert put(job, a=1) is True
    version = job.snap_version
    assert put(job, a=1) is False
    assert put(job, a=2) is True
    assert job.snap_version == version + 1


def test_order_and_sharing_are_kept(job: Job) -> None:
    """Names keep their order, and two names of one list stay two names of one list."""
    shared = [1]
    put(job, b=shared, a=[shared, shared])
    found = workspace.read_names(job)
    assert list(found) == ["b", "a"]
    assert found["a"][0] is found["a"][1] is found["b"]


def test_stored_objects_by_reference(job: Job, store: Path) -> None:
    """A name that holds a stored object, or a container of one, gives that object back after a restart."""
    box = WorkspaceBox([1, 2])
    put(job, box=box, inside=box.value, again=[box])
    job_id, address = job.id, db0.uuid(box)
    del box
    db0.commit()
    db0.close()
    db0.init(str(store), prefix="t", autocommit=False)
    names = workspace.read_names(find_job(job_id))
    assert names["box"] is names["again"][0] is db0.fetch(address)
    assert list(names["inside"]) == [1, 2]


def test_another_object_of_equal_bytes_is_written(job: Job) -> None:
    """Equal bytes that refer to another stored object are another snapshot."""
    put(job, box=WorkspaceBox(1))
    assert put(job, box=WorkspaceBox(1)) is True


def test_functions_can_be_read_but_not_called(job: Job) -> None:
    """Functions of the job survive reading and adding from outside; outside of the job they cannot run."""
    names: dict[str, Any] = {"__builtins__": {}}
    exec(restrict.compile_block("def f():\n    return print(1)").statements[0].code, names)
    workspace.replace_names(job, keep.dumps(names, workspace.OUTSIDE))
    job.add_locals(n=1)
    found = workspace.read_names(job)
    assert list(found) == ["f", "n"]
    with pytest.raises(NameError):
        found["f"]()


def test_ready_names_have_their_builtins(job: Job) -> None:
    """With builtins given, the names are ready to run code in."""
    put(job, a=1)
    builtins = {"x": 1}
    assert workspace.read_names(job, builtins=builtins)["__builtins__"] is builtins


def test_what_cannot_be_kept_is_named(job: Job) -> None:
    """Adding from outside is all or nothing, and names the culprit."""
    with pytest.raises(CannotKeep, match="name 'bad' cannot be kept"):
        workspace.add_names(job, {"good": 1, "bad": object()})
    assert workspace.read_names(job) == {}
