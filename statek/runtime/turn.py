"""A job's history as a model request, and a model's answer as history and code. Pure over the stored job.

Not here: asking (the fleet), when to ask (`step`), running the code (`execute`). An answer is recorded once; what it
wants run becomes `parts`, the one form in which warmup blocks, console answers and formal calls are executed.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from statek.ledger.records import model_key
from statek.llm.messages import Answer, Call, Message, Request
from statek.runtime.offer import Offer, Part
from statek.store.chat import ChatItem, decode_item
from statek.store.encoding import text_bytes
from statek.store.job import load_console
from statek.text import reply
from statek.text.warmup import CallSpec

SILENT = "(no output)"
BEGIN = "(begin)"


@dataclass(frozen=True)
class Ask:
    """A model request that a job wants made, with the models to try in order."""

    request: Request
    chain: tuple[str, ...]


def build_ask(job: Any, offer: Offer, prompt: str) -> Ask:
    """The request of the job's next turn. `model` in it is filled in when a provider is chosen."""
    messages = (Message("system", prompt), *history(job, offer.chat_style))
    if len(messages) == 1:
        messages = (*messages, Message("user", BEGIN))
    request = Request(
        model="", messages=messages, params=dict(offer.params), tools=offer.formal_tools(), agent=offer.role,
        job=job.id, turn=job.turn + 1, key=model_key(job.id, job.turn + 1),
    )  # fmt: skip
    return Ask(request, offer.chain)


def history(job: Any, style: str) -> Iterator[Message]:
    """The job's history as messages: what ran, and after it what it printed."""
    told = [_told(data) for data in job.chat]
    console = load_console(job)
    runs = [n for n, item in enumerate(told) if item.runs]
    ends = {n: told[m].console_pos for n, m in pairwise(runs)}
    yield from _printed(console[: told[runs[0]].console_pos] if runs else console, silent=False)
    for n, item in enumerate(told):
        if item.hidden:
            continue
        yield from item.messages
        if item.runs and not item.calls:
            yield from _printed(console[item.console_pos : ends.get(n)], silent=style == "console")


@dataclass(frozen=True)
class _Told:
    """What a request has to know of one record of the history."""

    console_pos: int
    hidden: bool
    runs: bool  # code of it ran
    calls: bool
    messages: tuple[Message, ...]


@lru_cache(maxsize=8192)  # each turn tells the whole history again
def _told(data: bytes) -> _Told:
    item = decode_item(data)
    runs = item.kind in ("warmup", "answer")
    return _Told(item.console_pos, item.hidden, runs, bool(item.calls), tuple(_said(item)))


def _printed(lines: Sequence[str], *, silent: bool) -> Iterator[Message]:
    if lines or silent:
        yield Message("user", "\n".join(lines) if lines else SILENT)


def _said(item: ChatItem) -> Iterator[Message]:
    match item.kind:
        case "warmup":
            yield Message("assistant", item.text)
        case "answer":
            calls = tuple(Call(c["id"], c["name"], c["arguments"]) for c in item.calls)
            if item.text or calls:
                yield Message("assistant", item.text, calls, reasoning=(item.note or {}).get("reasoning"))
        case "tool":
            yield Message("tool", item.text or "", call_id=item.call_id)
        case "user" | "system" | "subtask":
            yield Message("user", item.text or "")


def record_answer(job: Any, answer: Answer, at_us: int, style: str) -> list[Part]:
    """Append an answer to the history, count what it used, and give the code it wants run."""
    job.turn += 1
    note = {"model": answer.model, "provider": answer.provider, "scripted": answer.scripted}
    if answer.reasoning is not None:
        note["reasoning"] = answer.reasoning
    calls = tuple({"id": c.id, "name": c.name, "arguments": dict(c.arguments)} for c in answer.calls)
    job.append_chat(ChatItem("answer", at_us, len(job.console_log), answer.text, calls, note=note))
    _count_usage(job, answer)
    return answer_parts(answer, style)


def answer_parts(answer: Answer, style: str) -> list[Part]:
    """What an answer wants run: its calls, each written as code, else the code in its text."""
    if answer.calls:
        return [_call_part(call) for call in answer.calls]
    code = reply.read_reply(answer.text, style).code
    return [Part(code)] if code is not None and reply.has_statements(code) else []


def dialog(answer: Answer, style: str) -> str | None:
    """What an answer says to the user, in the dialog styles."""
    return reply.read_reply(answer.text, style).dialog


def _call_part(call: Call) -> Part:
    if call.name == "python_cli":
        return Part(str(call.arguments.get("code", "")), call=call.id)
    return Part(CallSpec(call.id, call.name, None, dict(call.arguments)).format(), call=call.id)


def _count_usage(job: Any, answer: Answer) -> None:
    usage = answer.usage
    job.input_tokens += usage.input_tokens
    job.output_tokens += usage.output_tokens
    job.cached_tokens += usage.cached_tokens
    if usage.cost_usd is not None:
        job.cost_usd = (job.cost_usd or 0.0) + usage.cost_usd
    job.total_bytes_sent += answer.bytes_sent
    job.total_bytes_received += answer.bytes_received
    job.model_us += int(answer.seconds * 1_000_000)
    job.scripted = bool(job.scripted or answer.scripted)


def encode_parts(parts: Sequence[Part]) -> bytes:
    """Parts as stored while they run."""
    return text_bytes(json.dumps([[p.code, p.hidden, p.call] for p in parts]))


def decode_parts(data: bytes | None) -> list[Part]:
    """What `encode_parts` wrote."""
    return [] if data is None else [Part(code, hidden, call) for code, hidden, call in json.loads(data)]
