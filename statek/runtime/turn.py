"""A job's history as a model request, and a model's answer as history and code. Pure over the stored job.

Not here: asking (the fleet), when to ask (`step`), running the code (`execute`). An answer is recorded once; what it
wants run becomes `parts`, the one form in which warmup blocks, console answers and formal calls are executed.
"""

import functools
import json
import keyword
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from statek.ledger.records import model_key
from statek.llm.messages import Answer, Call, Message, Request, Role
from statek.runtime.offer import Offer, Part
from statek.store import history
from statek.store.chat import ChatItem, decode_item
from statek.store.encoding import text_bytes
from statek.store.history import ChatHistoryItem, ChatRole, ContentSource
from statek.store.usage import Used
from statek.text import reply
from statek.text.warmup import CallSpec

BEGIN = "(begin)"
CLI = "python_cli"


@dataclass(frozen=True)
class Ask:
    """A model request that a job wants made, with the models to try in order."""

    request: Request
    chain: tuple[str, ...]


def key_of_question(job: Any, job_id: str = "") -> str:
    """Name of the question that the job asks next. An answer to any other one is not for it."""
    return model_key(job_id or job.id, job.turn + 1, int(job.reopened))


def build_ask(job_id: str, job: Any, offer: Offer, prompt: str, told: "History") -> Ask:
    """The request of the job's next turn. `model` in it is filled in when a provider is chosen."""
    messages = (_system(prompt), *told.messages(job))
    if len(messages) == 1:
        messages = (*messages, Message("user", BEGIN))
    request = Request(
        model="", messages=messages, params=dict(offer.params), tools=offer.formal_tools(), agent=offer.role,
        job=job_id, turn=job.turn + 1, key=key_of_question(job, job_id),
    )  # fmt: skip
    return Ask(request, offer.chain_of(job))


class History:
    """A job's history as messages, told once and then only what has come since."""

    def __init__(self, style: str, box: str = "", hint: str | None = None) -> None:
        """Nothing told yet. `box` is an XML tag around what a console says, `hint` stands behind words of the user."""
        self._told = history.History(style, functools.partial(message_of, box=box, hint=hint))

    def messages(self, job: Any) -> list[Message]:
        """All messages, oldest first."""
        return self._told.told(job.chat, job.read_console)


def message_of(item: ChatHistoryItem, box: str = "", hint: str | None = None) -> Message:
    """What a provider is sent of an item: what is neither its own nor a result of its calls comes from the user."""
    text = item.content
    if box and text is not None and item.content_src is ContentSource.CONSOLE:
        text = f"<{box}>\n{text}\n</{box}>"
    if hint and text is not None and item.content_src is ContentSource.USER:
        text = f"{text} ({hint})"
    role: Role = "user" if item.role is ChatRole.SYSTEM else item.role.value
    calls = tuple([Call(call.id, call.func_name, call.kwargs or {}) for call in item.tool_calls])
    return Message(role, sendable(text), calls, item.call_id, item.provider_reasoning_payload)


@functools.lru_cache(256)
def _system(prompt: str) -> Message:
    """The same for all questions with one prompt: what is measured of it, is measured once."""
    return Message("system", sendable(prompt))


def sendable(text: str | None) -> str | None:
    """A text with lone surrogates written out: tools do give them, and no request can hold one."""
    return text if text is None or text.isascii() else text.encode(errors="backslashreplace").decode()


def record_answer(job: Any, answer: Answer, at_us: int, style: str) -> list[Part]:
    """Append an answer to the history, count what it used, and give the code it wants run."""
    job.turn += 1
    note = {"model": answer.model, "provider": answer.provider, "scripted": answer.scripted}
    if answer.seconds:
        note["seconds"] = round(answer.seconds, 3)
    if job.difficulty:
        note["difficulty"] = job.difficulty
    if answer.reasoning is not None:
        note["reasoning"] = answer.reasoning
    calls = tuple({"id": c.id, "name": c.name, "arguments": dict(c.arguments)} for c in answer.calls)
    job.append_chat(ChatItem("answer", at_us, len(job.console_log), answer.text, calls, note=note))
    _count_usage(job, answer)
    return answer_parts(answer, style)


def answer_parts(answer: Answer, style: str) -> list[Part]:
    """What an answer wants run: its calls in order, each written as code, then the code in its text."""
    return _parts(answer.text, answer.calls, style)


def parts_of_last(job: Any, style: str) -> list[Part]:
    """What the newest answer wants run, of a history that an application made."""
    newest = next(record for record in reversed(job.records) if record.kind == "answer")
    given = tuple(Call(call["id"], call["name"], call["arguments"]) for call in newest.calls)
    return _parts(newest.text, given, style)


def _parts(text: str | None, calls: Sequence[Call], style: str) -> list[Part]:
    # Beside calls, only a fence marked as Python is code: prose is not.
    code = reply.read_reply(text, "markdown" if calls and style == "console" else style).code
    written = [Part(code)] if code is not None and reply.has_statements(code) else []
    together = sum(call.name == CLI for call in calls)
    return [*(_cli_part(call, together) if call.name == CLI else _call_part(call) for call in calls), *written]


def dialog(answer: Answer, style: str) -> str | None:
    """What an answer says to the user, in the dialog styles."""
    return reply.read_reply(answer.text, style).dialog


def failed_calls(job: Any) -> int:
    """How many formal calls of the newest answer failed."""
    if not job.turn:
        return 0
    chat = job.chat
    newest = (decode_item(chat[at]) for at in range(len(chat) - 1, -1, -1))
    return sum(item.kind == "tool" and item.error for item in takewhile(lambda item: item.kind != "answer", newest))


def _call_part(call: Call) -> Part:
    if not call.name.isidentifier() or keyword.iskeyword(call.name):
        return Part("", call=call.id, tool=call.name, error=f"NameError: there is no tool {call.name!r}")
    named = dict(call.arguments)
    if all(name.isidentifier() and not keyword.iskeyword(name) for name in named):
        return Part(CallSpec(call.id, call.name, None, named).format(), call=call.id, tool=call.name)
    return Part(f"{call.name}(**{named!r})", call=call.id, tool=call.name)


def _cli_part(call: Call, together: int) -> Part:
    """The code of `python_cli`. Of several in one answer none runs: they were written without knowing of each other."""
    code = call.arguments.get("code")
    if together > 1:
        error = f"ValueError: {together} calls of {CLI} in one answer, none was run: put all code into one call"
        return Part("", call=call.id, error=error)
    if not isinstance(code, str):
        return Part("", call=call.id, error=f"TypeError: {CLI} takes the text `code`")
    return Part(code, call=call.id)


def _count_usage(job: Any, answer: Answer) -> None:
    used, new = job.used, answer.usage
    job.used_bytes = Used(
        context_bytes=answer.bytes_sent + answer.bytes_received,
        bytes_sent=used.bytes_sent + answer.bytes_sent,
        bytes_received=used.bytes_received + answer.bytes_received,
        input_tokens=used.input_tokens + new.input_tokens,
        cached_tokens=used.cached_tokens + new.cached_tokens,
        output_tokens=used.output_tokens + new.output_tokens,
        model_us=used.model_us + int(answer.seconds * 1_000_000),
        cost_usd=_sum(used.cost_usd, new.cost_usd),
        reported_usd=_sum(used.reported_usd, new.reported_usd),
        scripted=used.scripted or answer.scripted,
    ).encode()


def _sum(before: float | None, more: float | None) -> float | None:
    return before if more is None else (before or 0.0) + more


def encode_parts(parts: Sequence[Part]) -> bytes:
    """Parts as stored while they run."""
    return text_bytes(json.dumps([[p.code, p.hidden, p.call, p.tool, p.error, p.calls] for p in parts]))


@functools.lru_cache(256)
def decode_parts(data: bytes) -> tuple[Part, ...]:
    """What `encode_parts` wrote."""
    return tuple(Part(*fields) for fields in json.loads(data))
