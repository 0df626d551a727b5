"""A job's history as the model is told it: who says what, in order. Pure over the stored records.

Not here: requests and providers (`runtime.turn` makes messages of these items). Two rules: what code printed follows
the code that printed it, and what formal calls gave follows their answer at once, whatever came in meanwhile.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from typing import Any, Generic, TypeVar

from statek.store.chat import ChatItem, decode_item
from statek.text.warmup import CallSpec

SILENT = "(no output)"
CUT_OFF = "(no result: the job ended first)"
T = TypeVar("T")


class ChatRole(Enum):
    """Who speaks."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class ContentSource(Enum):
    """Where the words come from."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    CONSOLE = "console"


@dataclass(frozen=True)
class ChatHistoryItem:
    """One message of a history; `call_id` is the call that a tool item answers."""

    role: ChatRole
    content: str | None = None
    content_src: ContentSource | None = None
    tool_calls: tuple[CallSpec, ...] = ()
    provider_reasoning_payload: Any = None
    call_id: str | None = None


class History(Generic[T]):
    """A job's history, told once and then only what has come since.

    Records are only ever appended, so everything before the last piece of code that ran is told once and kept; what
    that piece printed may still grow.
    """

    def __init__(self, style: str, made: Callable[[ChatHistoryItem], T]) -> None:
        """Nothing told yet. `style` is the job's chat style; `made` makes of each item what the caller wants."""
        self._silent = style == "console"
        self._made = made
        self._kept: list[T] = []
        self._records = 0  # of those in `_kept`: all before the last one that runs
        self._began = False

    def told(self, records: Sequence[bytes], console_from: Callable[[int], Sequence[str]]) -> list[T]:
        """All of it, oldest first, of the encoded `records` and the console lines from a number on."""
        rest = [_told(records[n]) for n in range(self._records, len(records))]
        runs = [n for n, record in enumerate(rest) if record.runs]
        if not runs:
            return self._make([*_printed(console_from(0), silent=False), *self._tell(rest, [], 0)])
        start = rest[0].console_pos if self._began else 0
        console = console_from(start)
        if not self._began:
            self._kept += self._make(_printed(console[: rest[runs[0]].console_pos], silent=False))
            self._began = True
        last = runs[-1]
        self._kept += self._make(self._tell(rest[:last], console[: rest[last].console_pos - start], start))
        self._records += last
        return [*self._kept, *self._make(self._tell(rest[last:], console, start))]

    def _make(self, items: Iterable[ChatHistoryItem]) -> list[T]:
        return [self._made(item) for item in items]

    def _tell(self, records: "Sequence[_Told]", console: Sequence[str], start: int) -> Iterator[ChatHistoryItem]:
        """Items of `records`; `console` are the lines from number `start` to the next one that runs, or the end."""
        told = list(_in_order(records))
        ends = iter([*[record.console_pos - start for record in told if record.runs][1:], len(console)])
        end = len(console)
        for record in told:
            end = next(ends) if record.runs else end
            if record.hidden:
                continue
            yield from record.items
            if record.is_last_result or (record.runs and not record.calls):
                silent = self._silent and not record.is_last_result
                yield from _printed(console[record.console_pos - start : end], silent=silent)


def history(records: Sequence[bytes], console: Sequence[str], style: str) -> list[ChatHistoryItem]:
    """The items of the encoded `records` and the `console`, by the job's chat style."""
    return History(style, lambda item: item).told(records, lambda start: console[start:])


@dataclass(frozen=True)
class _Told:
    """What a history needs of one record.

    Attributes:
        runs: code of it ran.
        calls: ids of an answer's formal calls.
        result_of: the formal call that gave it.
        is_last_result: of the calls of one answer.
    """

    console_pos: int
    hidden: bool
    runs: bool
    calls: tuple[str, ...]
    items: tuple[ChatHistoryItem, ...]
    result_of: str | None = None
    is_last_result: bool = False


def _in_order(records: Sequence[_Told]) -> Iterator[_Told]:
    """Results of calls directly after the answer that made them: what came in meanwhile stands behind them."""
    waiting: list[str] = []
    behind: list[_Told] = []
    position = 0
    for record in records:
        if waiting and record.runs:
            yield from (*_unanswered(waiting, position), *behind)
            waiting, behind = [], []
        if record.result_of is None and waiting:
            behind.append(record)
            continue
        position = record.console_pos
        waiting = list(record.calls) if record.calls else [call for call in waiting if call != record.result_of]
        is_last = record.result_of is not None and not waiting
        yield replace(record, is_last_result=True) if is_last else record
        if is_last:
            yield from behind
            behind = []
    yield from (*_unanswered(waiting, position), *behind)


def _unanswered(calls: Sequence[str], position: int) -> Iterator[_Told]:
    """Calls that never came to an end: a provider takes no answer whose calls have no results."""
    for n, call in enumerate(calls, 1):
        result = (ChatHistoryItem(ChatRole.TOOL, CUT_OFF, ContentSource.CONSOLE, call_id=call),)
        yield _Told(position, False, False, (), result, call, is_last_result=n == len(calls))


@lru_cache(maxsize=8192)  # each turn tells the whole history again
def _told(data: bytes) -> _Told:
    item = decode_item(data)
    runs = item.kind in ("warmup", "answer")
    calls = tuple(str(call["id"]) for call in item.calls)
    return _Told(item.console_pos, item.hidden, runs, calls, tuple(_said(item)), item.call_id)


def _printed(lines: Sequence[str], *, silent: bool) -> Iterator[ChatHistoryItem]:
    if lines or silent:
        yield ChatHistoryItem(ChatRole.USER, "\n".join(lines) if lines else SILENT, ContentSource.CONSOLE)


def _said(item: ChatItem) -> Iterator[ChatHistoryItem]:
    match item.kind:
        case "warmup":
            yield ChatHistoryItem(ChatRole.ASSISTANT, item.text, ContentSource.ASSISTANT)
        case "answer":
            calls = tuple(CallSpec(c["id"], c["name"], None, dict(c["arguments"])) for c in item.calls)
            if item.text or calls:
                source = ContentSource.ASSISTANT if item.text else None
                payload = (item.note or {}).get("reasoning")
                yield ChatHistoryItem(ChatRole.ASSISTANT, item.text, source, calls, payload)
        case "tool":
            yield ChatHistoryItem(ChatRole.TOOL, item.text or "", ContentSource.CONSOLE, call_id=item.call_id)
        case "user":
            yield ChatHistoryItem(ChatRole.USER, item.text or "", ContentSource.USER)
        case "system":
            yield ChatHistoryItem(ChatRole.SYSTEM, item.text or "", ContentSource.SYSTEM)
        case "subtask":
            result = (item.note or {}).get("result")
            text = item.text or ""
            yield ChatHistoryItem(ChatRole.SYSTEM, f"{text}\n{result}" if result else text, ContentSource.SYSTEM)
        case "difficulty":
            pass
