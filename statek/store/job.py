"""Jobs: durable Python sessions, as stored. State and its rules; running them is the runtime's work.

A job's code is always at a known place: `stage` says what comes next (see `Stage`), the workspace says with which
names. Everything the documentation calls an attribute of a job is here as a field or a read-only property.

Status walk:

    READY ──► WARMING_UP ──► STARTED ◄──► SUSPENDED
      └──────────────────────►  │
                                ▼
                              DONE ──► STARTED   (a message or a child's result arrives)
"""

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import dbzero as db0

from statek.base.clock import SystemClock
from statek.exceptions import BugError
from statek.sandbox import keep
from statek.store import current, root, workspace
from statek.store.chat import ChatItem, encode_item
from statek.store.chat_items import LogItem, record_of
from statek.store.encoding import Json, bytes_json, json_bytes, text_bytes
from statek.store.error_handlers import JobErrors
from statek.store.job_def import JobDef, JobDefError
from statek.store.job_index import JobIndex
from statek.store.job_names import JobNames
from statek.store.job_turns import JobTurns
from statek.store.layout import late_fields, lay_out
from statek.store.pyenv import ErrorKind, PyEnv, StoredPyEnv
from statek.store.signatures import Documented
from statek.store.stage import Stage as Stage
from statek.store.status import change_status
from statek.store.usage import LLM_Usage, Used

JobStatus = db0.enum("JobStatus", ["READY", "WARMING_UP", "STARTED", "SUSPENDED", "DONE"])  # final for ever


@db0.memo(id="statek/Job")
@db0.tag_fields("job_status", "agent")
class Job(JobTurns, JobNames, JobErrors):
    """One durable unit of work. Its status and its agent are tags; its definition is none (docs/decisions/0002)."""

    # fields that many jobs never set: read from the class, stored once they are
    awaited_result: Any = None
    children: Any = None
    depth = 0
    difficulty = ""
    ending_bytes: bytes | None = None  # asked to end from outside, not ended yet: [outcome, reason]
    error: JobDefError | None = None
    error_handlers: Any = None
    error_lines: Any = None  # console entries that tell of failed code
    exception_count = 0
    exception_streak = 0
    exit_refs: Any = None
    ext_refs: Any = None  # addresses of objects that messages brought
    functions_bytes: bytes | None = None  # import names of functions of the application among its names
    handler: Any = None
    holds_futures = False  # its code has guards at first uses
    journal: Any = None
    journal_refs: Any = None
    longest_streak = 0
    num_completions: int | None = None
    numbers: bytes | None = None  # of the objects in `refs`: what tells them apart in records
    parent_id = ""
    queue = ""
    queue_marks: bytes | None = None  # last message it had from each push queue of another file
    refs: Any = None
    reopened = 0  # how often it was brought back to work: a question asked anew has another name
    subjobs = 0
    tool_calls = 0
    unread: int | None = None  # messages that the model has not read
    untold: Any = None  # places in `chat` of notifications that the model has not read
    warmup_block_num: int | None = None
    __signature__ = Documented({"_id", "_facts"}, job_status=lambda: JobStatus.READY)
    _late_fields = (
        "awaited_result", "children", "code", "created_as_local", "depth", "difficulty", "ending_bytes", "error",
        "error_handlers", "error_lines", "exception_count", "exception_streak", "exit_bytes", "exit_refs",
        "ext_refs", "functions_bytes", "handler", "holds_futures", "inputs_bytes", "journal", "journal_refs",
        "longest_streak", "num_completions", "numbers", "parent_id", "queue", "queue_marks", "refs", "reopened",
        "snapshot", "subjobs", "tool_calls", "unread", "untold", "used_bytes", "waiting_bytes", "warmup_block_num",
    )  # fmt: skip

    def __init__(
        self,
        job_def: JobDef,
        job_status: Any = None,
        py_env: PyEnv | None = None,
        chat_log: Iterable[str | LogItem | ChatItem] | None = None,
        awaited_result: Any = None,
        next_instr_num: int | None = None,
        warmup_block_num: int | None = None,
        error: JobDefError | None = None,
        created_at: datetime | None = None,
        parent_job: Any = None,
        model_family: str | None = None,
        model: str | None = None,
        _id: str | None = None,
        _facts: tuple[int, bytes | None, str] | None = None,
    ) -> None:
        """Make a job and hang it into the store under a random id (one with a derived id is made by `new_job`)."""
        self.job_def = job_def
        self.agent = job_def.agent
        self.job_status = JobStatus.READY if job_status is None else job_status
        self.id = _id or random_id()
        if parent_job is not None:
            self.parent_id = parent_job.id
            self.depth = parent_job.depth + 1
        made_us, inputs, self.release = _facts or (SystemClock().now_us(), None, "")
        self.created_us = int(created_at.timestamp() * 1_000_000) if created_at else made_us
        if created_at is not None and created_at.tzinfo is None:
            self.created_as_local = True
        self.started_us = 0
        self.ended_us = 0
        self.inputs_bytes = inputs
        # the workspace
        self.snapshot: bytes | None = None
        self.snap_version = 0
        self.stage = Stage.NEW
        self.code: bytes | None = None
        self.statement = next_instr_num or 0
        if warmup_block_num is not None:
            self.warmup_block_num = warmup_block_num
        # history
        self.console_log: Any = []
        self.chat: Any = []
        self.turn = 0
        self.used_bytes: bytes | None = None
        # waiting and ending
        if awaited_result is not None:
            self.awaited_result = awaited_result
        self.waiting_bytes: bytes | None = None
        self.exited = False
        self.exit_bytes: bytes | None = None
        self.outcome = ""
        if error is not None:
            self.error = error
        if _id is not None:
            return
        me = db0.materialized(self)  # which stays in memory from here on
        _hang_up(me, self.id, root.job_index())
        _fill(me, py_env, chat_log)

    # -- documented properties -------------------------------------------------------------------------------------

    @property
    def status(self) -> Any:
        """READY, WARMING_UP, STARTED, SUSPENDED or DONE."""
        return self.job_status

    @property
    def is_done(self) -> bool:
        """Has it ended?"""
        return bool(self.job_status == JobStatus.DONE)

    @property
    def py_env(self) -> PyEnv:
        """Locals, console and exit status."""
        return StoredPyEnv(self)

    @property
    def parent_job(self) -> Any:
        """The parent, or None."""
        return root.find_job(self.parent_id) if self.parent_id else None

    @property
    def model(self) -> str | None:
        """The model string of the definition."""
        model: str | None = self.job_def.model
        return model

    @property
    def model_family(self) -> str | None:
        """The model family of the definition."""
        family: str | None = self.job_def.model_family
        return family

    @property
    def inputs(self) -> Json:
        """The inputs as they were given, frozen."""
        return bytes_json(self.inputs_bytes)

    @property
    def waiting_for(self) -> Json:
        """What the job waits for, `{"kind": ..., "detail": ...}`, or None."""
        return bytes_json(self.waiting_bytes)

    @property
    def exit_value(self) -> Any:
        """What was given to `exit`, decoded."""
        if self.exit_bytes is None:
            return None
        return keep.loads_value(self.exit_bytes, workspace.read_refs(self.exit_refs), workspace.OUTSIDE)

    @property
    def usage(self) -> LLM_Usage:
        """What the job has used of models."""
        used = self.used
        return LLM_Usage(
            self.job_def.pricing, used.context_bytes, used.bytes_sent, used.bytes_received, used.input_tokens,
            used.cached_tokens, used.output_tokens, used.reported_usd, used.cost_usd, used.model_us / 1_000_000,
        )  # fmt: skip

    @property
    def used(self) -> Used:
        """The counters of what it has used of models."""
        return Used.decode(self.used_bytes)

    @property
    def approx_token_usage(self) -> int:
        """Tokens by the documented estimate: bytes sent and received, divided by four."""
        used = self.used
        return (used.bytes_sent + used.bytes_received) // 4

    @property
    def num_turns(self) -> int:
        """Answers of the model so far."""
        return int(self.turn)

    def tokens_per_sec(self) -> float:
        """Tokens of all answers over the time spent waiting for them; 0.0 when nothing is known."""
        used = self.used
        seconds = used.model_us / 1_000_000
        return (used.input_tokens + used.output_tokens) / seconds if seconds else 0.0

    @property
    def max_consecutive_exceptions(self) -> int:
        """The most turns in a row that failed."""
        return int(self.longest_streak)

    @property
    def difficulty_token_extension(self) -> int:
        """Tokens by which the limit grew: those used before each time the difficulty was raised."""
        if not self.difficulty:
            return 0
        return sum(record.note["tokens"] for record in self.records if record.kind == "difficulty")

    # -- documented methods ----------------------------------------------------------------------------------------

    def set_status(self, status: Any) -> None:
        """Change the status; the lookup tag follows."""
        change_status(self, status)

    def console_append(self, output: str, error: Any = None) -> None:
        """Add one console entry; with `error`, an exception or an `Error`, it counts as code that failed."""
        self.console_log.append(text_bytes(output))
        if error is not None and getattr(error, "kind", None) is not ErrorKind.HARNESS:
            self.count_exception()

    def append_chat(self, item: ChatItem) -> None:
        """Add one record to the history."""
        self.chat.append(encode_item(item))

    def reopen(self) -> None:
        """Bring a finished job back to work: it asks the model next."""
        change_status(self, JobStatus.STARTED)
        self.stage = Stage.ASK
        self.reopened = int(self.reopened) + 1
        self.exited, self.exit_bytes = False, None
        self.outcome, self.ended_us = "", 0
        for name, before in (("exit_refs", None), ("error", None), ("exception_streak", 0)):
            if getattr(self, name) != before:  # an assignment alone grows the file
                setattr(self, name, before)
        current.announce(woken=self.id)


def random_id() -> str:
    """An id for a job that is made outside of any stretch."""
    return f"job-{secrets.token_hex(6)}"


def new_job(
    job_def: JobDef,
    job_id: str,
    created_us: int,
    parent: Any = None,
    *,
    inputs_bytes: bytes | None = None,
    release: str = "",
) -> Job:
    """A READY job under an id of the caller's. Raises BugError when there is one of that id.

    It is hung into the store from outside of its constructor: what a constructor hangs up itself stays in the memory
    of this process for ever.
    """
    index = root.job_index()
    if index.find(job_id) is not None:
        raise BugError(f"there is a job {job_id} already")
    job = Job(job_def, parent_job=parent, _id=job_id, _facts=(created_us, inputs_bytes, release))
    _hang_up(job, job_id, index)
    return job


def _hang_up(job: Job, job_id: str, index: JobIndex) -> None:
    if root.is_first("has_jobs"):
        lay_out(job, late_fields(Job))
    index.add(job, job_id)


def _fill(job: Job, py_env: PyEnv | None, chat_log: Iterable[str | LogItem | ChatItem] | None) -> None:
    """Give a job made by an application what it is to begin with, and the stage that its status and history say."""
    for item in chat_log or ():
        for record in record_of(item, job.created_us, job.code_blocks()):
            job.append_chat(record)
    if py_env is not None:
        _fill_env(job, py_env)
    if job.awaited_result is not None:
        job.waiting_bytes = json_bytes({"kind": "future", "detail": type(job.awaited_result).__name__})
    if job.job_status == JobStatus.DONE:
        job.stage = Stage.END
        job.take_up_answer()
    elif job.job_status in (JobStatus.STARTED, JobStatus.SUSPENDED):
        place = job.statement
        job.stage = Stage.ASK
        job.take_up_answer()
        if job.stage == Stage.CODE:
            job.statement = place


def _fill_env(job: Job, py_env: PyEnv) -> None:
    """Console, names, messages, errors and exit status; what code finds as globals becomes names of the job."""
    for line in py_env.console or ():
        job.console_append(line)
    names = {**py_env.global_state, **py_env.local_state}
    if names:
        workspace.add_names(job, names)
    for place, told in sorted((py_env.push_log or {}).items()):
        for text in [told] if isinstance(told, str) else told:
            job.append_chat(ChatItem("user", job.created_us, place, text))
    for place, error in sorted((py_env.exceptions or {}).items()):
        if error.kind is ErrorKind.EXECUTION:
            job.count_exception()
            job.error_lines[-1] = place
    if py_env.exit_status is not None:
        job.exit_bytes, refs = keep.dumps_value(py_env.exit_status, workspace.OUTSIDE)
        job.exited, job.exit_refs = True, workspace.store_refs(refs) or None


def load_console(job: Job, start: int = 0) -> list[str]:
    """Console entries from `start` on."""
    return job.read_console(start)


def find_job(job_id: str) -> Job | None:
    """The job of that id, or None."""
    job: Job | None = root.find_job(job_id)
    return job


def jobs_with(*statuses: Any) -> list[Job]:
    """Jobs in one of these statuses, oldest first."""
    found = reversed(list(db0.find(Job, list(statuses))))  # by their place in the file, which a compaction changes
    return sorted(found, key=lambda job: int(job.created_us))


def count_with(status: Any) -> int:
    """How many jobs have this status."""
    return len(db0.find(Job, status))
