"""The documented queue-backed warmup, verbatim: a job picks its task from the application's own queue, or waits.

The temporal function and the warmup are the documents' files; the queue is an application's, as the page leaves it.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from statek.ledger.file import LedgerFile
from statek.ledger.records import Kind, Records
from tests.doors.test_quickstart import Quickstart
from tests.loopback_llm import LoopbackLLM

TASKS = """
import dbzero as db0


@db0.memo(id="acme/Task")
class Task:
    def __init__(self, subject):
        self.event = {"subject": subject}


@db0.memo(id="acme/TaskQueue", singleton=True)
class TaskQueue:
    def __init__(self):
        self.tasks = []
        self.version = 0

    def put(self, subject):
        self.tasks.append(Task(subject))
        self.version += 1

    def has_ready_task(self):
        return len(self.tasks) > 0

    def peek_ready_task(self):
        return self.tasks[0] if self.has_ready_task() else None
"""
SUBMIT = """
import sys
from pathlib import Path
from acme_tasks import TaskQueue
from queue_temporal import pick_next_task
from quickstart_common import create_triage_agent, open_statek_store
from statek.statek_client_api import StatekClientAPI

open_statek_store()
queue = TaskQueue()
agent = create_triage_agent()
agent.update_warmup_def(Path("queue_warmup.py").read_text())
for subject in sys.argv[1:]:
    queue.put(subject)
given = {"pick_next_task": pick_next_task, "task_queue": queue}
job = StatekClientAPI().submit_new_job(agent=agent, shared_vars=given)
names = job.py_env.local_state
print(names["pick_next_task"] is pick_next_task, names["task_queue"] is queue)
"""
PUT = """
import dbzero
from acme_tasks import TaskQueue
from quickstart_common import open_statek_store

open_statek_store()
TaskQueue().put("It came later")
dbzero.commit()
"""
LOOK = """
import dbzero
import acme_tasks
from quickstart_common import open_statek_store
from statek.executors.job import Job
open_statek_store()
for job in dbzero.find(Job):
    print(job.status, job.awaited_result is not None, job.next_instr_num, job.py_env.console)
"""


@pytest.fixture
def llm() -> Iterator[LoopbackLLM]:
    """A model that ends the job with what the warmup found."""
    with LoopbackLLM(lambda _: "exit(event['subject'])") as server:
        yield server


@pytest.fixture
def quickstart(tmp_path: Path, llm: LoopbackLLM) -> Quickstart:
    """The folder with the documents' files and the application's queue."""
    found = Quickstart(tmp_path, llm.url)
    for name, text in (("acme_tasks", TASKS), ("submit_queue", SUBMIT), ("put", PUT), ("look_queue", LOOK)):
        (tmp_path / f"{name}.py").write_text(text)
    worker = (tmp_path / "worker.py").read_text()
    (tmp_path / "worker.py").write_text(f"import acme_tasks\n{worker}")  # an application's worker knows its classes
    return found


def has_run(quickstart: Quickstart) -> bool:
    """Whether a stretch of a job is in the ledger."""
    for path in quickstart.folder.rglob("*.ledger.sqlite"):
        with LedgerFile.open(path) as ledger:
            return any(record.kind == Kind.RAN for record in Records(ledger).after(0))
    return False


def test_task_is_ready(quickstart: Quickstart, llm: LoopbackLLM) -> None:
    """A task that waits in the queue is received at once; the names given to the job are what was given."""
    submit = quickstart.folder / "submit_now.py"
    submit.write_text(f"import sys\nsys.argv.append('It was there')\n{SUBMIT}")
    assert quickstart.run("submit_now.py") == "True True\n"
    quickstart.work("worker.py", lambda: bool(llm.requests) and quickstart.has_said())
    assert quickstart.run("look_queue.py") == ("""DONE False None ['received event: {"subject":"It was there"}']\n""")
    assert quickstart.run("look.py").startswith("DONE ok It was there ")


def test_job_suspends_until_a_task_comes(quickstart: Quickstart, llm: LoopbackLLM) -> None:
    """Without a task the warmup waits at its use; put in while no worker runs, it is received by the next one."""
    quickstart.run("submit_queue.py")
    quickstart.work("worker.py", lambda: has_run(quickstart))
    assert quickstart.run("look_queue.py") == "WARMING_UP True 1 []\n"
    assert llm.requests == []
    quickstart.run("put.py")
    quickstart.work("worker.py", lambda: bool(llm.requests) and quickstart.has_said())
    assert quickstart.run("look_queue.py") == ("""DONE False None ['received event: {"subject":"It came later"}']\n""")
    assert quickstart.run("look.py").startswith("DONE ok It came later ")
