"""A job's history as stored: an append-only list of small records. Values and their encoding, nothing else.

One record is one thing that happened, in the order of happening; nothing is ever rewritten. How a history becomes
messages for a model is the runtime's business (`runtime.turn`).
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from statek.base.clock import as_datetime
from statek.store.encoding import Json, bytes_json, json_bytes

ChatKind = Literal["warmup", "answer", "user", "tool", "system", "subtask", "difficulty"]


@dataclass(frozen=True)
class ChatItem:
    """One record of a job's history.

    Attributes:
        kind: "warmup" code that ran, "answer" of the model, "user" message, "tool" result, "system" or "subtask" note,
            "difficulty" that was raised (never shown to the model).
        at_us: when, microseconds UTC.
        console_pos: length of the console at that moment.
        text: what was said, run or returned.
        calls: formal tool calls of an answer, as JSON data.
        call_id: which call a tool result belongs to.
        hidden: not shown to the model.
        error: the text is an error.
        note: further facts (model, provider, scripted, usage of an answer).
    """

    kind: ChatKind
    at_us: int
    console_pos: int
    text: str | None = None
    calls: tuple[Json, ...] = ()
    call_id: str | None = None
    hidden: bool = False
    error: bool = False
    note: Json = None

    @property
    def timestamp(self) -> Any:
        """When, as an aware UTC datetime."""
        return as_datetime(self.at_us)

    @property
    def message(self) -> str | None:
        """The text of a user message."""
        return self.text

    @property
    def llm_resp(self) -> str | None:
        """The text of an answer, or None for other kinds."""
        return self.text if self.kind == "answer" else None


_DEFAULTS = {name: getattr(ChatItem, name) for name in ("text", "calls", "call_id", "hidden", "error", "note")}


def encode_item(item: ChatItem) -> bytes:
    """The stored form; fields at their default are left out."""
    data = {name: value for name, value in vars(item).items() if name not in _DEFAULTS or value != _DEFAULTS[name]}
    return json_bytes(data)


@lru_cache(maxsize=4096)  # each turn looks at records of the turns before it
def decode_item(data: bytes) -> ChatItem:
    """What `encode_item` wrote."""
    fields = bytes_json(data)
    fields["calls"] = tuple(fields.get("calls") or ())
    return ChatItem(**fields)
