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
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import dbzero as db0

from statek.base.clock import SystemClock, as_datetime
from statek.exceptions import BugError
from statek.sandbox import keep
from statek.store import root, workspace
from statek.store.chat import ChatItem, decode_item, encode_item
from statek.store.encoding import Json, bytes_json, bytes_text, json_bytes, text_bytes
from statek.store.job_def import JobDef, JobDefError

JobStatus = db0.enum("JobStatus", ["READY", "WARMING_UP", "STARTED", "SUSPENDED", "DONE"])  # final for ever


class Stage:
    """What a job does next. Text, because the list may grow."""

    NEW: Final = "new"  # nothing has run
    CODE: Final = "code"  # run `code` from `statement` on
    ASK: Final = "ask"  # the model's next answer is wanted
    END: Final = "end"  # nothing


@dataclass(frozen=True)
class Usage:
    """What a job has used of models.

    Attributes:
        input_tokens: tokens sent, as counted by the provider (estimated where it does not say).
        output_tokens: tokens received.
        cached_tokens: part of the input that the provider had cached.
        cost_usd: money, None when no price is known.
        total_bytes_sent: bytes of the requests.
        total_bytes_received: bytes of the answers.
        seconds: time spent waiting for answers.
    """

    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost_usd: float | None
    total_bytes_sent: int
    total_bytes_received: int
    seconds: float


class PyEnv:
    """A job's Python side, read from the store at each access."""

    def __init__(self, job: Any = None, *, local_state: dict[str, Any] | None = None) -> None:
        """View `job`; without one, `local_state` waits to be copied into a new job."""
        self._job = job
        self._waiting = local_state or {}

    @property
    def local_state(self) -> dict[str, Any]:
        """The job's names: a copy, changes go through `Job.add_locals`."""
        return self._waiting if self._job is None else workspace.read_names(self._job)

    @property
    def console(self) -> list[str]:
        """Everything printed, one entry a print."""
        return [] if self._job is None else [bytes_text(line) for line in self._job.console_log]

    @property
    def exit_status(self) -> Any:
        """What was given to `exit`; None when it was nothing or the job has not exited."""
        return None if self._job is None else self._job.exit_value

    @property
    def exceptions(self) -> list[str]:
        """Errors of the job's code, oldest first."""
        return [] if self._job is None else [item.text or "" for item in self._job.chat_log if item.error]

    @property
    def push_log(self) -> list[tuple[int, str]]:
        """Messages pushed to the job, each with the console length at which it arrived."""
        items = () if self._job is None else self._job.chat_log
        return [(item.console_pos, item.text or "") for item in items if item.kind == "user"]


@db0.memo(id="statek/Job")
@db0.tag_fields("job_status", "agent")
class Job:
    """One durable unit of work."""

    def __init__(
        self,
        job_def: JobDef,
        job_status: Any = None,
        py_env: PyEnv | None = None,
        chat_log: Iterable[str | ChatItem] | None = None,
        awaited_result: Any = None,
        next_instr_num: int | None = None,
        warmup_block_num: int | None = None,
        error: JobDefError | None = None,
        created_at: datetime | None = None,
        parent_job: Any = None,
        model_family: str | None = None,
        model: str | None = None,
        _id: str | None = None,
    ) -> None:
        """Make a job and hang it into the store under a random id (one with a derived id is made by `new_job`)."""
        self.job_def = job_def
        self.agent = job_def.agent
        self.job_status = JobStatus.READY if job_status is None else job_status
        self.id = _id or f"job-{secrets.token_hex(6)}"
        self.parent_id = parent_job.id if parent_job is not None else ""
        self.depth = parent_job.depth + 1 if parent_job is not None else 0
        self.queue = ""
        self.release = ""
        self.created_us = int(created_at.timestamp() * 1_000_000) if created_at else SystemClock().now_us()
        self.started_us = 0
        self.ended_us = 0
        self.inputs_bytes: bytes | None = None
        # the workspace
        self.snapshot: bytes | None = None
        self.refs: Any = None
        self.snap_version = 0
        self.stage = Stage.NEW
        self.code: bytes | None = None
        self.statement = next_instr_num or 0
        self.journal: Any = None
        self.journal_refs: Any = None
        self.warmup_block_num = warmup_block_num
        # history
        self.console_log: Any = []
        self.chat: Any = []
        self.unread: Any = None
        self.children: Any = None
        # waiting and ending
        self.awaited_result = awaited_result
        self.waiting_bytes: bytes | None = None
        self.ending_bytes: bytes | None = None  # asked to end from outside, not ended yet: [outcome, reason]
        self.exited = False
        self.exit_bytes: bytes | None = None
        self.exit_refs: Any = None
        self.outcome = ""
        self.error = error
        self.handler: Any = None
        self.error_handlers: Any = None
        # counters
        self.turn = 0
        self.num_completions: int | None = None
        self.exception_count = 0
        self.exception_streak = 0
        self.tool_calls = 0
        self.subjobs = 0
        self.input_tokens = 0
        self.output_tokens = 0
        self.cached_tokens = 0
        self.cost_usd: float | None = None
        self.total_bytes_sent = 0
        self.total_bytes_received = 0
        self.model_us = 0
        self.scripted = False
        if _id is not None:
            return
        me = db0.materialized(self)  # which stays in memory from here on
        root.add_job(me, self.id)
        for item in chat_log or ():
            me.append_chat(ChatItem("user", self.created_us, 0, item) if isinstance(item, str) else item)
        if py_env is not None and py_env.local_state:
            workspace.add_names(me, py_env.local_state)

    # -- documented properties -------------------------------------------------------------------------------------

    @property
    def status(self) -> Any:
        """READY, WARMING_UP, STARTED, SUSPENDED or DONE."""
        return self.job_status

    @property
    def py_env(self) -> PyEnv:
        """Locals, console and exit status."""
        return PyEnv(self)

    @property
    def chat_log(self) -> list[ChatItem]:
        """The history, oldest first."""
        return [decode_item(data) for data in self.chat]

    @property
    def parent_job(self) -> Any:
        """The parent, or None."""
        return root.find_job(self.parent_id) if self.parent_id else None

    @property
    def created_at(self) -> datetime:
        """Creation time, aware UTC."""
        return as_datetime(self.created_us)

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
    def next_instr_num(self) -> int | None:
        """Index of the statement at which a waiting job goes on, else None."""
        return self.statement if self.waiting_for is not None else None

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
        return keep.loads_value(self.exit_bytes, list(self.exit_refs or ()), workspace.OUTSIDE)

    @property
    def usage(self) -> Usage:
        """What the job has used of models."""
        return Usage(
            self.input_tokens, self.output_tokens, self.cached_tokens, self.cost_usd,
            self.total_bytes_sent, self.total_bytes_received, self.model_us / 1_000_000,
        )  # fmt: skip

    @property
    def approx_token_usage(self) -> int:
        """Tokens by the documented estimate: bytes sent and received, divided by four."""
        return int(self.total_bytes_sent + self.total_bytes_received) // 4

    @property
    def num_turns(self) -> int:
        """Answers of the model so far."""
        return int(self.turn)

    def tokens_per_sec(self) -> float:
        """Tokens of all answers over the time spent waiting for them; 0.0 when nothing is known."""
        seconds = self.model_us / 1_000_000
        return (self.input_tokens + self.output_tokens) / seconds if seconds else 0.0

    def system_prompt(self, difficulty: Any = None) -> str:
        """The agent's prompt with this job's parameters. Agents from specs: see `runtime.offer`."""
        text: str = self.agent.system_prompt(difficulty, self.job_def.job_params)
        return text

    # -- documented methods ----------------------------------------------------------------------------------------

    def set_status(self, status: Any) -> None:
        """Change the status; the lookup tag follows. At most one change in a transaction (see dbzero's traps)."""
        self.job_status = status

    def find_locals(
        self, var_type: type | None = None, var_name: str | None = None, ext_scan: bool = True
    ) -> Iterator[Any]:
        """Values of the job's names, by name, by type or all of them."""
        for name, value in workspace.read_names(self).items():
            if (var_name is None or name == var_name) and (var_type is None or isinstance(value, var_type)):
                yield value

    def add_locals(self, **kwargs: Any) -> None:
        """Put values into the job's names. Raises CannotKeep for a value that cannot be stored."""
        workspace.add_names(self, kwargs)

    def console_append(self, text: str) -> None:
        """Add one console entry."""
        self.console_log.append(text_bytes(text))

    def append_chat(self, item: ChatItem) -> None:
        """Add one record to the history."""
        self.chat.append(encode_item(item))

    def push_user_message(self, message: Any, at_us: int | None = None) -> bool:
        """Deliver a message; True when it brought a finished job back to work."""
        text = message if isinstance(message, str) else str(message)
        at = SystemClock().now_us() if at_us is None else at_us
        self.append_chat(ChatItem("user", at, len(self.console_log), text))
        if self.job_status != JobStatus.DONE:
            self.unread = (self.unread or 0) + 1
            return False
        self.num_completions = (self.num_completions or 0) + 1
        self.reopen()
        return True

    def reopen(self) -> None:
        """Bring a finished job back to work: it asks the model next."""
        self.job_status = JobStatus.STARTED
        self.stage = Stage.ASK
        self.exited, self.exit_bytes, self.exit_refs = False, None, None
        self.outcome, self.ended_us, self.error = "", 0, None
        self.exception_streak = 0

    def find_sub_task_handler(self, id: Any = None) -> Any:  # noqa: A002 - documented name
        """The newest completed child handler, or that of `id`.

        Raises:
            RuntimeError: the handler of `id` has not completed.
        """
        wanted = None if id is None else json_bytes(id)
        for handler in reversed(list(self.children or ())):
            if handler.is_completed and (wanted is None or handler.id_bytes == wanted):
                return handler
        if id is not None:
            raise RuntimeError(f"sub-task {id!r} has not completed: wait for its notification")
        return None

    def push_notification(self, handler: Any, at_us: int | None = None) -> None:
        """Tell the job that a child has ended. Raises RuntimeError when it has not."""
        if not handler.is_completed:
            raise RuntimeError("a sub-task that has not completed cannot be announced")
        at = SystemClock().now_us() if at_us is None else at_us
        self.append_chat(ChatItem("subtask", at, len(self.console_log), handler.get_log_message()))
        if self.job_status == JobStatus.DONE:
            self.reopen()


def new_job(job_def: JobDef, job_id: str, created_us: int, parent: Any = None) -> Job:
    """A READY job under an id of the caller's. Raises BugError when there is one of that id.

    It is hung into the store from outside of its constructor: what a constructor hangs up itself stays in the memory
    of this process, and each transaction goes through all that is there.
    """
    if root.has_job(job_id):
        raise BugError(f"there is a job {job_id} already")
    job = Job(job_def, parent_job=parent, _id=job_id)
    job.created_us = created_us
    root.add_job(job, job_id)
    return job


def load_console(job: Job, start: int = 0) -> list[str]:
    """Console entries from `start` on."""
    return [bytes_text(line) for line in list(job.console_log)[start:]]


def find_job(job_id: str) -> Job | None:
    """The job of that id, or None."""
    job: Job | None = root.find_job(job_id)
    return job


def jobs_with(*statuses: Any) -> list[Job]:
    """Jobs in one of these statuses, oldest first."""
    return list(reversed(list(db0.find(Job, list(statuses)))))


def count_with(status: Any) -> int:
    """How many jobs have this status."""
    return len(db0.find(Job, status))
