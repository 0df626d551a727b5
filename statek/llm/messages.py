"""Neutral requests and answers: what every adapter translates from and to, and what the ledger keeps.

No vendor's word occurs here. Everything is frozen and survives JSON (`to_json`, `from_json`). The runtime builds
requests and records answers; adapters read the one and make the other.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from statek.exceptions import BugError

Json = Any  # JSON data: None, bool, int, float, str, list, dict with str keys
Role = Literal["system", "user", "assistant", "tool"]

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_AROUND = len('{"role":"","text":,"calls":[],"call_id":,"reasoning":null}')

MALFORMED = "malformed_arguments"
"""The one argument of a Call whose arguments were no JSON object: its value is the text as the model wrote it."""


@dataclass(frozen=True)
class Call:
    """One call of a formal tool that a model asked for."""

    id: str
    name: str
    arguments: Mapping[str, Json]

    def to_json(self) -> dict[str, Json]:
        """JSON data that `from_json` reads back."""
        return {"id": self.id, "name": self.name, "arguments": dict(self.arguments)}

    @classmethod
    def from_json(cls, data: Json) -> "Call":
        """Read what `to_json` wrote. Raises BugError when the fields differ."""
        return cls(**_fields(cls, data))


@dataclass(frozen=True)
class Message:
    """One entry of the conversation. `reasoning` is an Answer's, given back to the provider that made it."""

    role: Role
    text: str | None
    calls: tuple[Call, ...] = ()
    call_id: str | None = None
    reasoning: Json | None = None

    @cached_property
    def size(self) -> int:
        """Bytes of its JSON."""
        if self.calls or self.reasoning is not None:
            return _size(_encode(self.to_json()))
        return _AROUND + len(self.role) + sum(map(_size_of_text, (self.text, self.call_id)))

    def to_json(self) -> dict[str, Json]:
        """JSON data that `from_json` reads back."""
        return {
            "role": self.role,
            "text": self.text,
            "calls": [call.to_json() for call in self.calls],
            "call_id": self.call_id,
            "reasoning": self.reasoning,
        }

    @classmethod
    def from_json(cls, data: Json) -> "Message":
        """Read what `to_json` wrote. Raises BugError when the fields differ."""
        fields = _fields(cls, data)
        return cls(**{**fields, "calls": tuple(Call.from_json(call) for call in fields["calls"])})


@dataclass(frozen=True)
class Request:
    """One model call: what goes out, and for whom.

    Attributes:
        model: the id at the provider (for a scripted provider the name of a Script).
        params: temperature, top_p, max_output_tokens, reasoning, seed; an absent or None one is not sent.
        tools: formal specs `{name, description, parameters}`, parameters as JSON Schema.
        agent: name of the agent, not sent.
        job: id of the job, not sent.
        turn: 1 for the job's first model call, not sent.
        key: name of the question; with a digest of what is sent it goes out as the header `Idempotency-Key`.
    """

    model: str
    messages: tuple[Message, ...]
    params: Mapping[str, Json]
    tools: tuple[Mapping[str, Json], ...]
    agent: str
    job: str
    turn: int
    key: str

    def digest(self) -> str:
        """12 hex digits over everything that goes out but `key`: equal digests mean an equal question."""
        outgoing = [
            self.model,
            [message.to_json() for message in self.messages],
            dict(self.params),
            [dict(tool) for tool in self.tools],
        ]
        text = json.dumps(outgoing, sort_keys=True, separators=(",", ":"))  # ASCII: a lone surrogate has no UTF-8
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def to_json(self) -> dict[str, Json]:
        """JSON data that `from_json` reads back."""
        return {
            "model": self.model,
            "messages": [message.to_json() for message in self.messages],
            "params": dict(self.params),
            "tools": [dict(tool) for tool in self.tools],
            "agent": self.agent,
            "job": self.job,
            "turn": self.turn,
            "key": self.key,
        }

    @classmethod
    def from_json(cls, data: Json) -> "Request":
        """Read what `to_json` wrote. Raises BugError when the fields differ."""
        fields = _fields(cls, data)
        messages = tuple(Message.from_json(message) for message in fields["messages"])
        return cls(**{**fields, "messages": messages, "tools": tuple(fields["tools"])})


@dataclass(frozen=True)
class Usage:
    """What a call used.

    `cached_tokens` is a part of `input_tokens`; money is in USD, None when nobody knows it. `reported_usd` is what the
    provider said, whatever the price.
    """

    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost_usd: float | None
    reported_usd: float | None = None

    def to_json(self) -> dict[str, Json]:
        """JSON data that `from_json` reads back."""
        return dict(vars(self))

    @classmethod
    def from_json(cls, data: Json) -> "Usage":
        """Read what `to_json` wrote, also without `reported_usd`. Raises BugError when the fields differ."""
        known = {"reported_usd": None, **data} if isinstance(data, dict) else data
        return cls(**_fields(cls, known))


@dataclass(frozen=True)
class Answer:
    """What a model answered to one request.

    Attributes:
        text: what it said, None when it only called tools.
        calls: tool calls in its order.
        model: the model as the provider names it.
        provider: name of the provider's configuration.
        scripted: no model was asked.
        reasoning: opaque; goes back with the same turn's Message, to the same provider only.
        bytes_sent: size of the request's body.
        bytes_received: size of the answer's body, unpacked.
        seconds: from asking to the whole answer.
    """

    text: str | None
    calls: tuple[Call, ...]
    usage: Usage
    model: str
    provider: str
    scripted: bool
    reasoning: Json | None
    bytes_sent: int
    bytes_received: int
    seconds: float

    def message(self) -> Message:
        """The entry that stands for this answer in the next request."""
        return Message("assistant", self.text, self.calls, reasoning=self.reasoning)

    def to_json(self) -> dict[str, Json]:
        """JSON data that `from_json` reads back."""
        return {**vars(self), "calls": [call.to_json() for call in self.calls], "usage": self.usage.to_json()}

    @classmethod
    def from_json(cls, data: Json) -> "Answer":
        """Read what `to_json` wrote. Raises BugError when the fields differ."""
        fields = _fields(cls, data)
        calls = tuple(Call.from_json(call) for call in fields["calls"])
        return cls(**{**fields, "calls": calls, "usage": Usage.from_json(fields["usage"])})


def _size_of_text(text: str | None) -> int:
    return len("null") if text is None else _size(json.encoder.encode_basestring(text))


def _size(encoded: str) -> int:
    return len(encoded.encode("utf-8", "replace"))


def _fields(cls: Any, data: Json) -> dict[str, Json]:
    expected = set(cls.__dataclass_fields__)
    if not isinstance(data, dict) or set(data) != expected:
        found = sorted(data) if isinstance(data, dict) else type(data).__name__
        raise BugError(f"stored {cls.__name__}: expected the fields {sorted(expected)}, found {found}")
    return data
