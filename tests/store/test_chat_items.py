"""A job's history in the documented kinds, and jobs that begin with one."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from statek.store.agent import SupervisedAgent
from statek.store.chat import ChatItem
from statek.store.chat_items import (
    ChatLogItem,
    DifficultyChangeLogItem,
    LLM_LogItem,
    NotificationLogItem,
    SubTaskLogItem,
    SystemLogItem,
    ToolError,
    UserLogItem,
    WarmupLogItem,
)
from statek.store.history import ChatRole
from statek.store.job import Job, JobStatus, Stage
from statek.store.job_def import JobDef
from statek.store.prompt import TaskDifficulty
from statek.store.subtask import SubTaskHandler
from statek.text.warmup import CallSpec, CodeBlock

CALLS = ({"id": "a", "name": "look", "arguments": {"n": 1}}, {"id": "b", "name": "look", "arguments": {}})


@pytest.fixture
def definition(store: Path) -> JobDef:
    """A definition of jobs."""
    return JobDef(SupervisedAgent("clerk", "Be kind.", [], _metadata={"MODEL": "m"}))


def test_kinds(definition: JobDef) -> None:
    """Each record is an item of its kind, with time and console position."""
    job = Job(definition)
    job.append_chat(ChatItem("warmup", 1_000_000, 0, "x = 1"))
    job.append_chat(ChatItem("warmup", 1, 0, "y = 1"))
    job.append_chat(ChatItem("answer", 1, 3, "print(x)", note={"reasoning": "r"}))
    job.append_chat(ChatItem("system", 1, 4, "no"))
    first, second, answer, note = job.chat_log
    assert first == WarmupLogItem(0, None, datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), 0)
    assert isinstance(second, WarmupLogItem)
    assert second.warmup_block_num == 1
    assert isinstance(answer, LLM_LogItem)
    assert (answer.llm_resp, answer.console_pos, answer.llm_reasoning_payload) == ("print(x)", 3, "r")
    assert isinstance(note, SystemLogItem)


def test_results_of_calls(definition: JobDef) -> None:
    """What formal calls gave stands in the order of the calls, errors marked, "" for those that have not ended."""
    job = Job(definition)
    job.append_chat(ChatItem("answer", 1, 0, None, CALLS))
    job.append_chat(ChatItem("user", 1, 0, "wait"))
    job.append_chat(ChatItem("tool", 1, 0, "broken", call_id="b", error=True))
    answer, message = job.chat_log
    assert isinstance(answer, ChatLogItem)
    assert answer.tool_log == ["", ToolError("broken")]
    assert answer.get_tool_result(1) == ToolError("broken")
    assert message == UserLogItem("wait", message.timestamp)
    with pytest.raises(IndexError):
        answer.get_tool_result(2)
    with pytest.raises(KeyError):
        LLM_LogItem().get_tool_result(0)


def test_results_given_by_hand(definition: JobDef) -> None:
    """An item that a history is to begin with can be given its results one by one."""
    item = LLM_LogItem(llm_resp=CodeBlock(tool_calls=[CallSpec("a", "f"), CallSpec("b", "g")]))
    assert (item.push_tool_result("one"), item.tool_log) == (0, "one")
    assert (item.push_tool_result(ToolError("bad")), item.tool_log) == (1, ["one", ToolError("bad")])
    (answer,) = Job(definition, chat_log=[item]).chat_log
    assert isinstance(answer, LLM_LogItem)
    assert answer.tool_log == item.tool_log


def test_ends_of_children(definition: JobDef) -> None:
    """The end of a child has its handler and the result as text; a text of another job has its message."""
    parent = Job(definition, job_status=JobStatus.STARTED)
    handler = SubTaskHandler(Job(definition, parent_job=parent), "a")
    handler.complete([1, "x"])
    parent.send_notification("look here")
    child, text = parent.chat_log
    assert isinstance(child, SubTaskLogItem)
    assert (child.handler, child.tool_log) == (handler, '[1,"x"]')
    assert isinstance(text, NotificationLogItem)
    assert text.message == "look here"


def test_a_job_may_begin_with_a_history(definition: JobDef) -> None:
    """Texts, messages and answers are taken; the answer's code is what runs next."""
    block = CodeBlock("x = 1", [CallSpec("c", "look", None, {"n": 1})])
    log = ["hello", UserLogItem("again"), LLM_LogItem(llm_resp=block, tool_log="seen"), LLM_LogItem(llm_resp="y = 2")]
    job = Job(definition, JobStatus.STARTED, chat_log=log)
    assert (job.stage, job.num_turns, job.last_response) == (Stage.CODE, 2, "y = 2")
    answer = job.chat_log[2]
    assert isinstance(answer, LLM_LogItem)
    assert (answer.llm_resp, answer.tool_log) == (block, "seen")
    roles = [item.role for item in job.get_chat_history()]
    assert roles == [ChatRole.USER, ChatRole.USER, ChatRole.ASSISTANT, ChatRole.TOOL, ChatRole.ASSISTANT, ChatRole.USER]
    with pytest.raises(TypeError, match="SubTaskLogItem"):
        Job(definition, chat_log=[SubTaskLogItem()])


def test_a_started_job_asks(definition: JobDef) -> None:
    """A job made STARTED without an answer runs no warmup: it asks."""
    assert Job(definition, JobStatus.STARTED).stage == Stage.ASK
    assert Job(definition, JobStatus.DONE).stage == Stage.END


def test_a_raised_difficulty(definition: JobDef) -> None:
    """It is an item of its own, with the difficulties as they are documented."""
    job = Job(definition)
    job.panic()
    changed = job.chat_log[-1]
    assert isinstance(changed, DifficultyChangeLogItem)
    assert (changed.previous_difficulty, changed.difficulty) == (TaskDifficulty.medium, TaskDifficulty.high)
    assert Job(definition, chat_log=[changed]).chat_log[0].difficulty == TaskDifficulty.high
