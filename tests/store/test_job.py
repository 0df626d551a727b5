"""Jobs as stored: found, tagged, described; history, messages, names and handlers."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import dbzero as db0
import pytest

from statek.exceptions import BugError, CannotKeep
from statek.store import job as jobs
from statek.store.agent import SupervisedAgent
from statek.store.chat import ChatItem
from statek.store.job import Job, JobStatus, PyEnv, Stage
from statek.store.job_def import JobDef, JobDefError
from statek.store.subtask import SubTaskHandler
from statek.store.usage import Used

STATUSES = ["READY", "WARMING_UP", "STARTED", "SUSPENDED", "DONE"]
CHANGES = 100_000


@pytest.fixture
def definition(store: Path) -> JobDef:
    """A definition of jobs."""
    return JobDef(SupervisedAgent("clerk", "For {who}.", [], _metadata={"MODEL": "f/m"}), job_params={"who": "you"})


def statuses() -> list[Any]:
    """The values of the open store's enum."""
    return [getattr(JobStatus, name) for name in STATUSES]


def reopen(folder: Path) -> None:
    """Close the store and open it again."""
    db0.commit()
    db0.close()
    db0.init(str(folder), prefix="t", autocommit=False)


def test_the_five_statuses(store: Path) -> None:
    """The statuses and their order are stored for ever."""
    assert [str(status) for status in statuses()] == STATUSES


def test_a_new_job(definition: JobDef) -> None:
    """A job begins READY, with an id of its own, under which it is found."""
    job = Job(definition)
    assert (job.status, job.stage, job.outcome) == (JobStatus.READY, Stage.NEW, "")
    assert jobs.find_job(job.id) is job
    assert (job.model, job.model_family, job.system_prompt()) == ("f/m", "f", "For you.")
    assert Job(definition).id != job.id


def test_a_job_survives_a_restart(definition: JobDef, store: Path) -> None:
    """Names, console, history and status of a job are there after a restart."""
    job = Job(definition, py_env=PyEnv(local_state={"a": [1, {"b": None}]}), chat_log=["hello"])
    job.console_append("out \0 \ud800")
    job.set_status(JobStatus.SUSPENDED)
    job_id = job.id
    reopen(store)
    found = jobs.find_job(job_id)
    assert found is not None
    assert found.py_env.local_state == {"a": [1, {"b": None}]}
    assert found.py_env.console == ["out \0 \ud800"]
    assert [item.message for item in found.chat_log] == ["hello"]
    assert found.status == JobStatus.SUSPENDED


def test_names_from_outside(definition: JobDef) -> None:
    """Names can be added and found by name and by type; what cannot be kept is named and changes nothing."""
    job = Job(definition)
    job.add_locals(n=1, text="x")
    assert list(job.find_locals(var_name="n")) == [1]
    assert list(job.find_locals(var_type=str)) == ["x"]
    with pytest.raises(CannotKeep, match="name 'g' cannot be kept"):
        job.add_locals(g=(n for n in "ab"))
    assert job.py_env.local_state == {"n": 1, "text": "x"}


def test_chat_log_is_append_only_text(definition: JobDef) -> None:
    """Records come back in order, and errors and pushes are found among them."""
    job = Job(definition)
    job.append_chat(ChatItem("answer", 1, 0, "x = 1"))
    job.append_chat(ChatItem("system", 2, 0, "bad", error=True))
    job.push_user_message("hello", 3)
    assert [item.kind for item in job.records] == ["answer", "system", "user"]
    assert (job.py_env.exceptions, job.py_env.push_log) == (None, {0: "hello"})


def test_message_to_a_working_job(definition: JobDef) -> None:
    """A message to a job that is not done counts as unread and wakes nobody."""
    job = Job(definition)
    assert job.push_user_message("hello", 1) is False
    assert (job.unread, job.status) == (1, JobStatus.READY)


def test_message_to_a_finished_job(definition: JobDef) -> None:
    """A message to a finished job brings it back: nothing of its end is left."""
    job = Job(definition, job_status=JobStatus.DONE, error=JobDefError(ValueError("x")))
    job.outcome, job.exited, job.exception_streak = "failed", True, 3
    assert job.push_user_message("hello", 1) is True
    assert (job.status, job.stage, job.outcome, job.error) == (JobStatus.STARTED, Stage.ASK, "", None)
    assert (job.exited, job.exit_value, job.exception_streak) == (False, None, 0)


def test_ids_are_given_once(definition: JobDef) -> None:
    """A derived id leads to its job; the same one a second time is a bug."""
    job = jobs.new_job(definition, "clerk/1", 5, None)
    assert jobs.find_job("clerk/1") is job
    with pytest.raises(BugError, match="clerk/1"):
        jobs.new_job(definition, "clerk/1", 5, None)


def test_children_know_their_parent(definition: JobDef) -> None:
    """A child keeps its parent's id and how deep it is."""
    parent = Job(definition)
    child = Job(definition, parent_job=parent)
    assert (child.parent_job, child.depth, parent.parent_job) == (parent, 1, None)


def test_handlers_are_found(definition: JobDef) -> None:
    """The newest completed child, or that of an id; one that has not completed is refused by name."""
    parent = Job(definition)
    handlers = [SubTaskHandler(Job(definition, parent_job=parent), id=n) for n in range(3)]
    parent.children = handlers
    assert parent.find_sub_task_handler() is None
    handlers[0].complete("a")
    handlers[1].complete("b")
    assert parent.find_sub_task_handler().result == "b"
    assert parent.find_sub_task_handler(0).result == "a"
    with pytest.raises(RuntimeError, match="sub-task 2 has not completed"):
        parent.find_sub_task_handler(2)


def test_usage(definition: JobDef) -> None:
    """Estimated tokens are bytes by four; speed is tokens by the time of waiting."""
    job = Job(definition)
    assert (job.approx_token_usage, job.tokens_per_sec()) == (0, 0.0)
    used = Used(bytes_sent=30, bytes_received=11, input_tokens=3, output_tokens=5, model_us=2_000_000)
    job.used_bytes = used.encode()
    assert (job.approx_token_usage, job.tokens_per_sec(), job.usage.seconds) == (10, 4.0, 2.0)


def test_jobs_are_found_by_status(definition: JobDef) -> None:
    """Jobs of a status are found oldest first, and counted."""
    made = [Job(definition, job_status=status) for status in (JobStatus.READY, JobStatus.DONE, JobStatus.READY)]
    assert jobs.jobs_with(JobStatus.READY) == [made[0], made[2]]
    assert jobs.count_with(JobStatus.DONE) == 1


@pytest.mark.timeout(300)
def test_many_small_changes(definition: JobDef, store: Path) -> None:
    """After very many changes of jobs, rolled back ones among them, lookup tags agree with fields, also on disk."""
    rnd = random.Random(1)
    values = statuses()
    made = [Job(definition) for _ in range(50)]
    for round_ in range(CHANGES // 500):
        for _ in range(50):
            _change(rnd.choice(made), rnd.choice(values), rnd)
        if round_ % 20 == 0:
            db0.commit()
    _check(made)
    ids = [job.id for job in made]
    del made, values  # an enum value from before a restart aborts the process
    reopen(store)
    _check([jobs.find_job(job_id) for job_id in ids])


class _UndoneError(Exception):
    pass


def _change(job: Any, status: Any, rnd: random.Random) -> None:
    """Ten small changes, the status once, in one transaction that is sometimes rolled back."""
    try:
        with db0.atomic():
            job.turn += 1
            job.journal = [b"a", b"b"]
            job.waiting_bytes = b"{}" if rnd.random() < 0.5 else None
            job.snapshot = bytes(rnd.randrange(40))
            job.journal, job.unread = None, rnd.randrange(3)
            job.console_append("x")
            job.stage = Stage.ASK
            if job.job_status != status:
                job.job_status = status
            if rnd.random() < 0.1:
                raise _UndoneError
    except _UndoneError:
        pass


def _check(made: list[Any]) -> None:
    values = statuses()
    counted = Counter(str(job.job_status) for job in made)
    assert [jobs.count_with(value) for value in values] == [counted[str(value)] for value in values]
    for value in values:
        assert {job.id for job in jobs.jobs_with(value)} == {job.id for job in made if job.job_status == value}


def test_a_field_first_set_in_a_transaction_that_fails(store: Path, definition: JobDef) -> None:
    """What a job needs only later is kept all the same, under its own name, and is there after a restart."""

    def set_and_fail(job: Job) -> None:
        with db0.atomic():
            job.reopened, job.difficulty, job.exception_count = 7, "low", 5
            raise KeyError

    made = [jobs.new_job(definition, name, 1) for name in ("first", "second")]
    for job in made:
        with pytest.raises(KeyError):
            set_and_fail(job)
    made[1].count_exception()
    made[1].reopened, made[1].difficulty = 2, "high"
    del job, made
    reopen(store)
    first, second = jobs.find_job("first"), jobs.find_job("second")
    assert first is not None
    assert second is not None
    assert (first.reopened, first.difficulty, first.exception_count, first.error_lines) == (0, "", 0, None)
    assert second.exception_count == 1
    assert (second.reopened, second.difficulty, list(second.error_lines)) == (2, "high", [0])
