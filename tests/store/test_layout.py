"""Fields that get a value late: no rolled-back transaction of an application makes the store forget them."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dbzero as db0
import pytest

from statek.sandbox.keep import dumps_value
from statek.store import retention
from statek.store.agent import Agent, SupervisedAgent
from statek.store.combine import ReadyFuture
from statek.store.compacted import scratch_file
from statek.store.error_handlers import ErrorHandler
from statek.store.future import FutureElement, FutureResult, get_any_future
from statek.store.job import Job, JobStatus, find_job, new_job
from statek.store.job_def import JobDef, JobDefError
from statek.store.queue import LaidAside, PushedItem, StatekPushQueue
from statek.store.root import Root, let_go_of_lists
from statek.store.session import PREFIX, Store
from statek.store.subtask import DelegationHandler, SubTaskHandler
from statek.store.task_future import TaskFutureResult

METADATA = {"MODEL": "a/b/c"}
COMPLETE = {"Fifo", "Held", "AgentEvents", "WarmupDef", "Gone"}  # all their fields have values from the first
NEVER_SET = {
    kind: {"_dep", "state_num"} for kind in ("FutureElement", "CombinedFutureResult", "ReadyFuture")
}  # by others than the constructor

COMPACT = """
import sys
from pathlib import Path
from statek.store import bare
bare.patch()
from statek.store import agent, compacted
compacted.write(Path(sys.argv[1]), lambda job, turn: ())
"""


class _UndoneError(Exception):
    pass


def a_job() -> Job:
    """One that was just made."""
    return Job(JobDef(SupervisedAgent("r", "p", [], _metadata=METADATA)))


MAKERS: dict[str, Callable[[], Any]] = {
    "Agent": lambda: Agent("r", "p", []),
    "SupervisedAgent": lambda: SupervisedAgent("r", "p", []),
    "JobDef": lambda: JobDef(SupervisedAgent("r", "p", []), METADATA),
    "JobDefError": lambda: JobDefError(ValueError("x")),
    "Job": a_job,
    "SubTaskHandler": lambda: SubTaskHandler(a_job()),
    "DelegationHandler": lambda: DelegationHandler(a_job()),
    "FutureResult": lambda: FutureResult("d", None),
    "FutureElement": lambda: FutureElement(FutureResult("d", None), 0),
    "CombinedFutureResult": lambda: get_any_future(FutureResult("d", None)),
    "TaskFutureResult": lambda: TaskFutureResult(a_job(), "d", None),
    "ReadyFuture": lambda: ReadyFuture(1),
    "ErrorHandler": lambda: ErrorHandler(dumps_value, 1),
    "PushedItem": lambda: PushedItem("j", "x", PREFIX),
    "LaidAside": lambda: LaidAside(PushedItem("j", "x", PREFIX), None, "", "r", PREFIX),
    "StatekPushQueue": StatekPushQueue,
    "Root": Root,
}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A new store is open in it."""
    Store.open(tmp_path).close()
    db0.init(str(tmp_path), autocommit=False)
    db0.open(PREFIX, "rw")
    yield tmp_path
    db0.close()


def late_fields(item: Any) -> list[str]:
    """Names of fields without a value yet, or with that of the class."""
    defaults = {
        name
        for kind in type(item).__mro__
        for name, value in vars(kind).items()
        if (value is None or type(value) in (int, float, str, bool)) and not name.startswith("__")
    }
    unset = {name for name, value in item.__dict__.items() if value is None}
    return sorted((unset | defaults) - {"knows_readiness"} - NEVER_SET.get(type(item).__name__, set()))


@pytest.mark.parametrize("kind", MAKERS)
def test_late_fields_outlive_a_transaction_that_was_rolled_back(folder: Path, kind: str) -> None:
    """What a field is given after a transaction gave it a value and was rolled back is stored."""
    item = MAKERS[kind]()
    Root().refused = [[item]]
    db0.commit()
    names = late_fields(item)
    assert names
    value = JobDef(SupervisedAgent("t", "p", []), METADATA) if names == ["job_def"] else 7
    _set_in_vain(item, names, value)
    for name in names:
        setattr(item, name, value)
    db0.commit()
    del item, value
    reopen(folder)
    found = db0.fetch(Root) if kind == "Root" else db0.fetch(Root).refused[0][0]
    assert [name for name in names if getattr(found, name) in (None, 0, "")] == []


def test_a_compacted_store_knows_them_too(folder: Path) -> None:
    """The new file of a compaction has the names of late fields, whether an object has values for them or not."""
    handler = SubTaskHandler(a_job())
    Root().refused = [[handler]]
    db0.commit()
    del handler
    db0.close()
    subprocess.run([sys.executable, "-c", COMPACT, str(folder)], check=True, timeout=60)
    scratch_file(folder).replace(folder / f"{PREFIX}.db0")
    reopen(folder)
    handler = db0.fetch(Root).refused[0][0]
    _set_in_vain(handler, ["_error"], b'"no"')
    handler._error = b'"no"'
    db0.commit()
    del handler
    reopen(folder)
    assert str(db0.fetch(Root).refused[0][0].error) == "no"


def test_a_compacted_store_without_any_job_left(folder: Path) -> None:
    """Where a compaction has carried over no job and no handler, the next ones are the first again."""
    definition = JobDef(SupervisedAgent("r", "p", [], _metadata=METADATA))
    family = _a_family(definition, "old")
    for job in family:
        job.set_status(JobStatus.DONE)
    del job, family
    db0.commit()
    assert retention.forget(["old", "old.child"], 1) is None
    del definition
    let_go_of_lists()
    db0.close()
    subprocess.run([sys.executable, "-c", COMPACT, str(folder)], check=True, timeout=60)
    scratch_file(folder).replace(folder / f"{PREFIX}.db0")
    reopen(folder)
    job, child = _a_family(JobDef(SupervisedAgent("r", "p", [], _metadata=METADATA)), "new")
    for item, names in ((job, ["depth", "subjobs"]), (child.handler, ["_error"])):
        _set_in_vain(item, names, 7)
    job.depth, child.handler._error = 5, b'"no"'
    db0.commit()
    del job, child, item
    reopen(folder)
    found = find_job("new")
    assert found is not None
    assert (found.depth, found.subjobs, str(found.children[0].error)) == (5, 0, "no")


def _a_family(definition: JobDef, name: str) -> tuple[Job, Job]:
    parent = new_job(definition, name, 1)
    child = new_job(definition, f"{name}.child", 1, parent)
    child.handler = SubTaskHandler(child)
    parent.add_child(child.handler)
    return parent, child


def reopen(folder: Path) -> None:
    """Close the store, if it is open, and open it again."""
    db0.close()
    db0.init(str(folder), autocommit=False)
    db0.open(PREFIX, "rw")


def _set_in_vain(item: Any, names: list[str], value: Any) -> None:
    try:
        with db0.atomic():
            for name in names:
                setattr(item, name, value)
            raise _UndoneError
    except _UndoneError:
        pass


def test_every_class_is_looked_at() -> None:
    """The kit's stored classes are those above, and those all of whose fields have values from the first."""
    prefix = "statek.store."
    kinds = {kind.__qualname__ for kind in _memo_classes() if kind.__module__.startswith(prefix)}
    assert kinds | {"Gone"} == set(MAKERS) | COMPLETE


def _memo_classes() -> Iterator[type]:
    waiting = [object]
    seen = set()
    while waiting:
        for kind in type.__subclasses__(waiting.pop()):
            if kind not in seen:
                seen.add(kind)
                waiting.append(kind)
                if db0.is_memo(kind):
                    yield kind
