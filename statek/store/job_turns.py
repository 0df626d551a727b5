"""A job's turns in the hands of code that drives jobs by itself: what comes next, and answers given to it by hand.

A part of `Job`. Workers and `run_job_step` record answers in `runtime.turn`; what is given here is the same record,
taken up in the next step.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from statek.base.clock import as_datetime
from statek.store import current
from statek.store.chat_items import LogItem, NotificationLogItem, log_items, record_of, records_of_answer
from statek.store.history import ChatRole
from statek.store.job_messages import JobMessages
from statek.store.stage import PART, Stage
from statek.text import reply
from statek.text.warmup import CallSpec, CodeBlock, parse_warmup_code


class ChatLog(list[Any]):
    """A job's history as it is now; what is added here is added to the job's, and nothing of it can be changed."""

    def __init__(self, items: Iterable[LogItem], job: Any) -> None:
        """Copy `items` of `job`."""
        super().__init__(items)
        self._job = job

    def append(self, item: Any) -> None:
        """Add an item to the job's history. Raises TypeError for what is no item that can be given."""
        self.extend([item])

    def extend(self, items: Iterable[Any]) -> None:
        """Add several; see `append`."""
        given = list(items)
        at, blocks = current.now_us(), self._job.code_blocks()
        records = [record for item in given for record in record_of(item, at, blocks)]
        for record in records:
            self._job.append_chat(record)
        super().extend(given)
        self._job.take_up_answer()

    def __iadd__(self, items: Iterable[Any]) -> "ChatLog":  # type: ignore[misc]
        self.extend(items)
        return self

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise TypeError("a job's history only grows: nothing of it can be changed or taken out")

    __setitem__ = __delitem__ = __imul__ = insert = pop = remove = clear = sort = reverse = _refuse


class JobTurns(JobMessages):
    """The part of a job that is asked and told about single turns. Its fields are documented at `Job`."""

    created_us: int
    started_us: int
    created_as_local = False  # it was given as a naive local time, and is given back as such
    job_status: Any
    stage: int
    code: bytes | None
    statement: int
    turn: int
    warmup_block_num: int | None
    waiting_for: Any

    @property
    def created_at(self) -> datetime:
        """Creation time, aware UTC; in the form in which it was given where an application gave it."""
        at = as_datetime(self.created_us)
        return at.astimezone().replace(tzinfo=None) if self.created_as_local else at

    @property
    def chat_log(self) -> list[LogItem]:
        """The history in the documented kinds, oldest first; `append` adds to the job's."""
        return ChatLog(log_items(self.records, self._handler_of), self)

    @property
    def next_instr_num(self) -> int | None:
        """Index of the statement of its block at which a waiting job goes on, or a new one begins; else None.

        Of a job that has never run, what it was made with.
        """
        goes_on = (self.stage in (Stage.NEW, Stage.CODE) or not self.started_us) and self.statement % PART > 0
        return self.statement % PART if goes_on or self.waiting_for is not None else None

    # -- what comes next -------------------------------------------------------------------------------------------

    def get_next_code_block(self) -> str | CodeBlock | None:
        """What runs next: a block of the warmup before the first answer, else the newest answer; None when done."""
        if self.is_done:
            return None
        if str(self.job_status) not in ("READY", "WARMING_UP"):
            return self._code_of(self.last_response)
        blocks = self.code_blocks()
        number = self.warmup_block_num or 0
        return blocks[number] if number < len(blocks) else None

    def get_next_prompt(self) -> str:
        """What the model is told next that it has not answered yet, as one text; "" when there is nothing."""
        said: list[str] = []
        for item in self.get_chat_history():
            if item.role is ChatRole.ASSISTANT:
                said.clear()
            elif item.content:
                said.append(item.content)
        return "\n".join(said)

    def has_more_warmup_blocks(self) -> bool:
        """Is there a block of the warmup behind the current one?"""
        return (self.warmup_block_num or 0) + 1 < len(self.code_blocks())

    def advance_warmup_block(self) -> None:
        """Go on to the next block of the warmup."""
        self.warmup_block_num = (self.warmup_block_num or 0) + 1

    def is_step_final(self, llm_step: Any) -> bool:
        """Would this answer end the job by itself? Only a text to the user does, in the dialog styles.

        Args:
            llm_step: the answer: a text, a CodeBlock, or an object with `text` and `call_requests`.
        """
        answer = answer_of(llm_step)
        if answer.tool_calls or self.style not in ("direct", "md_dialog"):
            return False
        return not reply.has_statements(reply.read_reply(answer.code, self.style).code)

    def iter_notification_log_items(self) -> Iterator[tuple[str, NotificationLogItem]]:
        """Texts of other jobs that the model has been told, each with a name of its own."""
        waiting = set(self.untold or ())
        told = [record for place, record in enumerate(self.records) if place not in waiting]
        items = [item for item in log_items(told, self._handler_of) if isinstance(item, NotificationLogItem)]
        return ((f"STATEK-NOTIFICATION-{n:03}", item) for n, item in enumerate(items, 1))

    def get_resource_agents(self, difficulty: Any = None) -> list[Any]:
        """The agents whose tools the job has: its own. `difficulty` changes nothing."""
        return [self.agent]

    def get_resource_tools(self, include_internal: bool = True, difficulty: Any = None) -> list[Any]:
        """The tools of those agents, the first of each name."""
        tools = [
            tool
            for agent in self.get_resource_agents(difficulty)
            for tool in (agent.all_tools if include_internal else agent.tools)
        ]
        return list({tool.__name__: tool for tool in reversed(tools)}.values())[::-1]

    # -- answers given by hand -------------------------------------------------------------------------------------

    def append_chat_log(
        self,
        request: Any,
        llm_resp: Any,
        request_difficulty: Any = None,
        cumulative_token_usage: int | None = None,
    ) -> None:
        """Record an answer of a model that somebody else asked; its code runs in the next step.

        Args:
            request: what was asked; the history knows it already.
            llm_resp: a text, a CodeBlock, None, or an object with `text` and `call_requests`, alone or as `step_data`.
            request_difficulty: the difficulty that the request was made for.
            cumulative_token_usage: tokens that the job had used then.
        """
        facts: dict[str, Any] = {}
        if request_difficulty is not None:
            facts["difficulty"] = getattr(request_difficulty, "name", request_difficulty)
        if cumulative_token_usage is not None:
            facts["tokens"] = cumulative_token_usage
        at, place = current.now_us(), len(self.console_log)
        for record in records_of_answer(answer_of(llm_resp), None, at, place, facts or None):
            self.append_chat(record)
        self.take_up_answer()

    def take_up_answer(self) -> None:
        """Count the answers; in a job that has begun let the newest be what runs next, if the history ends with it."""
        self.turn = sum(record.kind == "answer" for record in self.records)
        if self.is_done or not self.turn or self.stage == Stage.NEW:
            return
        runs = self._runs(self.last_response)
        self.stage, self.code, self.statement = Stage.CODE if runs else Stage.ASK, None, 0

    def _runs(self, response: str | CodeBlock | None) -> bool:
        if isinstance(response, CodeBlock) and response.tool_calls:
            return True
        code = self._code_of(response)
        return isinstance(code, str) and reply.has_statements(code)

    def _code_of(self, response: str | CodeBlock | None) -> str | CodeBlock | None:
        """An answer without what is said in it; formal calls stay as they are."""
        text = response.code if isinstance(response, CodeBlock) else response
        calls = response.tool_calls if isinstance(response, CodeBlock) else None
        style = "markdown" if calls and self.style == "console" else self.style
        code = reply.read_reply(text, style).code
        return CodeBlock(code, calls) if calls else code

    def code_blocks(self) -> list[str | CodeBlock]:
        """The blocks of its warmup."""
        found = parse_warmup_code(self.job_def.warmup_code)
        return [] if found is None else [found] if isinstance(found, str | CodeBlock) else found


def answer_of(given: Any) -> CodeBlock:
    """An answer in whatever form it is given, as a block: its text, and its formal calls.

    Raises:
        TypeError: it has no form that is known.
    """
    step = getattr(given, "step_data", given)
    if isinstance(step, CodeBlock):
        return step
    if step is None or isinstance(step, str):
        return CodeBlock(step)
    if not hasattr(step, "text"):
        raise TypeError(f"an answer is a text, a CodeBlock or has a `text`, not a {type(step).__name__}")
    return CodeBlock(step.text, [_call_of(call) for call in getattr(step, "call_requests", None) or ()] or None)


def _call_of(call: Any) -> CallSpec:
    if isinstance(call, CallSpec):
        return call
    name = getattr(call, "func_name", None) or call.name
    named = getattr(call, "kwargs", None) or getattr(call, "arguments", None) or {}
    return CallSpec(call.id, name, list(getattr(call, "args", None) or ()) or None, dict(named) or None)
