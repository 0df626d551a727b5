"""The documented kinds of a job's history, as values: what `Job.chat_log` gives and `Job(chat_log=...)` takes.

Views over the stored records (`store.chat`), made anew at every read; changing one changes nothing stored. The idea:
what formal calls gave is a record of its own in the store and the `tool_log` of its answer here.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from statek.store.chat import ChatItem
from statek.store.prompt import TaskDifficulty, parse_task_difficulty
from statek.text.warmup import CallSpec, CodeBlock


@dataclass(frozen=True)
class ToolError:
    """A formal call that failed, in a `tool_log`."""

    err_message: str


@dataclass(frozen=True)
class UserLogItem:
    """A message of a user."""

    message: str
    timestamp: datetime | None = None


class FirstMessage(str):
    """The message that a dialog begins with: a plain text, which knows when it came."""

    timestamp: datetime | None = None

    @property
    def message(self) -> str:
        """The text."""
        return str(self)


@dataclass(frozen=True)
class ChatLogItem:
    """What all other kinds have.

    Attributes:
        console_pos: length of the console before the item's code ran.
        tool_log: None, what the one formal call gave, or a list in the order of the calls.
        timestamp: when, aware UTC.
    """

    console_pos: int = 0
    tool_log: str | ToolError | list[str | ToolError] | None = None
    timestamp: datetime | None = None

    def get_tool_result(self, index: int) -> str | ToolError:
        """What the call of that index gave. Raises KeyError without a log, IndexError outside of it."""
        if self.tool_log is None:
            raise KeyError("this item has no tool results")
        entries = self._tool_results()
        if not 0 <= index < len(entries):
            raise IndexError(f"tool result {index}: there are {len(entries)}")
        return entries[index]

    def push_tool_result(self, result: str | ToolError) -> int:
        """Add what the next call gave to an item that a history is to begin with; the index of it."""
        known = self._tool_results()
        object.__setattr__(self, "tool_log", [*known, result] if known else result)
        return len(known)

    def _tool_results(self) -> list[str | ToolError]:
        if self.tool_log is None:
            return []
        return self.tool_log if isinstance(self.tool_log, list) else [self.tool_log]


@dataclass(frozen=True)
class WarmupLogItem(ChatLogItem):
    """A block of the warmup that ran."""

    warmup_block_num: int = 0


@dataclass(frozen=True)
class LLM_LogItem(ChatLogItem):  # noqa: N801 - documented name
    """An answer of the model: its text, or a CodeBlock when it has formal calls."""

    llm_resp: str | CodeBlock | None = None
    llm_reasoning_payload: Any = None
    request_difficulty: TaskDifficulty | None = None
    cumulative_token_usage: int | None = None


@dataclass(frozen=True)
class SubTaskLogItem(ChatLogItem):
    """A child job ended; `handler` is None when it is not known here any more."""

    handler: Any = None
    message: str = ""


@dataclass(frozen=True)
class NotificationLogItem(ChatLogItem):
    """A text that another job sent."""

    message: str = ""


@dataclass(frozen=True)
class SystemLogItem(ChatLogItem):
    """A note of the kit: why the job ended, or what was asked of the model again."""

    message: str = ""


@dataclass(frozen=True)
class PostProcessedItem(SystemLogItem):
    """What a post-processor had to say about an answer."""

    post_processor: Any = None


@dataclass(frozen=True)
class ReminderLogItem(SystemLogItem):
    """A reminder that fired."""

    reminder: Any = None


@dataclass(frozen=True)
class DifficultyChangeLogItem(ChatLogItem):
    """The job's difficulty was raised; not part of what the model sees."""

    previous_difficulty: TaskDifficulty | None = None
    difficulty: TaskDifficulty | None = None
    cumulative_token_usage: int = 0


LogItem = FirstMessage | UserLogItem | ChatLogItem
BARE = {"bare": True}  # the note of a message that is a plain text in the documented kinds
_NOTES: dict[str, type[SystemLogItem]] = {"post": PostProcessedItem, "reminder": ReminderLogItem}


def log_items(records: Sequence[ChatItem], find_handler: Callable[[str], Any]) -> list[LogItem]:
    """The records as documented items; `find_handler` gives a parent's handler by its child's id."""
    found: list[LogItem] = []
    blocks = 0
    for number, record in enumerate(records):
        if record.kind == "tool":
            continue
        results = _tool_log(record, records[number + 1 :]) if record.calls else None
        found.append(_log_item(record, results, blocks, find_handler))
        blocks += record.kind == "warmup"
    return found


def record_of(item: str | LogItem | ChatItem, at_us: int, blocks: Sequence[str | CodeBlock] = ()) -> list[ChatItem]:
    """The stored records of an item that an application made.

    Args:
        item: the item.
        at_us: when, where it has no time of its own.
        blocks: the warmup of its job, of which items of blocks that ran speak.

    Raises:
        TypeError: it is no item that a history can begin with.
    """
    if isinstance(item, ChatItem):
        return [item]
    if isinstance(item, str):
        return [ChatItem("user", at_us, 0, str(item), note=BARE)]
    at_us = int(item.timestamp.timestamp() * 1_000_000) if item.timestamp is not None else at_us
    match item:
        case UserLogItem():
            return [ChatItem("user", at_us, 0, item.message)]
        case WarmupLogItem():
            block = blocks[item.warmup_block_num] if item.warmup_block_num < len(blocks) else CodeBlock("")
            code, hidden = (block, False) if isinstance(block, str) else (block.code or "", block.hidden)
            return [ChatItem("warmup", at_us, item.console_pos, code, hidden=hidden or not code)]
        case LLM_LogItem():
            answer = item.llm_resp if isinstance(item.llm_resp, CodeBlock) else CodeBlock(item.llm_resp)
            facts = {"reasoning": item.llm_reasoning_payload, "difficulty": _level_name(item.request_difficulty)}
            facts["tokens"] = item.cumulative_token_usage
            note = {name: fact for name, fact in facts.items() if fact is not None}
            return records_of_answer(answer, item.tool_log, at_us, item.console_pos, note or None)
        case SubTaskLogItem(handler=handler) if handler is not None:
            text, note = handler.announcement()
            return [ChatItem("subtask", at_us, item.console_pos, text, note=note)]
        case DifficultyChangeLogItem():
            note = {"from": _level_name(item.previous_difficulty), "to": _level_name(item.difficulty)}
            note["tokens"] = item.cumulative_token_usage
            return [ChatItem("difficulty", at_us, item.console_pos, note=note)]
        case NotificationLogItem():
            return [ChatItem("subtask", at_us, item.console_pos, item.message, note={"text": True})]
        case SystemLogItem():
            return [ChatItem("system", at_us, item.console_pos, item.message)]
        case _:
            pass
    raise TypeError(f"a job's history cannot begin with a {type(item).__name__}")


def _level_name(level: TaskDifficulty | str | None) -> str | None:
    known = parse_task_difficulty(level)
    return None if known is None else known.name


def _log_item(record: ChatItem, results: Any, block: int, find_handler: Callable[[str], Any]) -> LogItem:
    common: dict[str, Any] = {"console_pos": record.console_pos, "tool_log": results, "timestamp": record.timestamp}
    note = record.note or {}
    match record.kind:
        case "user" if note.get("bare"):
            first = FirstMessage(record.text or "")
            first.timestamp = record.timestamp
            return first
        case "user":
            return UserLogItem(record.text or "", record.timestamp)
        case "warmup":
            return WarmupLogItem(**common, warmup_block_num=block)
        case "answer":
            return LLM_LogItem(
                **common, llm_resp=response_of(record), llm_reasoning_payload=note.get("reasoning"),
                request_difficulty=parse_task_difficulty(note.get("difficulty")),
                cumulative_token_usage=note.get("tokens"),
            )  # fmt: skip
        case "subtask" if note.get("text"):
            return NotificationLogItem(**common, message=record.text or "")
        case "subtask":
            common["tool_log"] = note.get("result")
            return SubTaskLogItem(**common, handler=find_handler(note.get("child", "")), message=record.text or "")
        case "difficulty":
            return DifficultyChangeLogItem(
                **common, previous_difficulty=parse_task_difficulty(note["from"]),
                difficulty=parse_task_difficulty(note["to"]), cumulative_token_usage=note["tokens"],
            )  # fmt: skip
        case _:
            pass
    return _NOTES.get(note.get("by", ""), SystemLogItem)(**common, message=record.text or "")


def response_of(record: ChatItem) -> str | CodeBlock | None:
    """The answer in a record: its text, a CodeBlock when it has calls."""
    if not record.calls:
        return record.text
    calls = [CallSpec(call["id"], call["name"], None, dict(call["arguments"])) for call in record.calls]
    return CodeBlock(record.text, calls)


def _tool_log(record: ChatItem, following: Iterable[ChatItem]) -> Any:
    """What the calls of an answer gave, "" for those that have not ended, in the order of the calls."""
    given: dict[str, str | ToolError] = {}
    for later in following:
        if later.kind == "answer":
            break
        if later.kind == "tool":
            text = later.text or ""
            given[str(later.call_id)] = ToolError(text) if later.error else text
    results = [given.get(str(call["id"]), "") for call in record.calls]
    return results[0] if len(results) == 1 else results


def records_of_answer(
    answer: CodeBlock, tool_log: Any, at_us: int, console_pos: int, note: dict[str, Any] | None
) -> list[ChatItem]:
    """The records of an answer and of what its formal calls gave, where that is known."""
    specs = answer.tool_calls or []
    calls = tuple({"id": spec.id, "name": spec.func_name, "arguments": dict(spec.kwargs or {})} for spec in specs)
    records = [ChatItem("answer", at_us, console_pos, answer.code, calls, note=note)]
    logged = tool_log if isinstance(tool_log, list) else [tool_log] if tool_log is not None else []
    for spec, entry in zip(specs, logged, strict=False):
        failed = isinstance(entry, ToolError)
        text = entry.err_message if isinstance(entry, ToolError) else entry
        records.append(ChatItem("tool", at_us, console_pos, text, call_id=spec.id, error=failed))
    return records
