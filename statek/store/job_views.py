"""What can be read off a job's history: the documented chat log, its dialog, requests and figures.

The reading half of `Job`, a class of its own only to keep the two apart: nothing here changes a job.
"""

import ast
import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from statek.store import model_choice
from statek.store.chat import ChatItem, decode_item
from statek.store.chat_items import LogItem, log_items, response_of
from statek.store.encoding import bytes_text
from statek.store.history import ChatHistoryItem, history
from statek.store.prompt import TaskDifficulty, parse_task_difficulty
from statek.store.pyenv import Error, ErrorKind
from statek.text import reply
from statek.text.locale import hint_of, rule_of
from statek.text.warmup import CodeBlock

BYTES_OF_TOKEN = 4
_ANSWER = "log: answer("


class JobViews:
    """The part of a job that only reads. Its fields are documented at `Job`."""

    agent: Any
    job_def: Any
    chat: Any
    console_log: Any
    children: Any
    error_lines: Any
    difficulty: str
    error: Any

    # -- history ---------------------------------------------------------------------------------------------------

    @property
    def records(self) -> list[ChatItem]:
        """The history as it is stored, oldest first."""
        return [decode_item(data) for data in self.chat]

    @property
    def last_chat_log_item(self) -> LogItem | None:
        """The newest item that the model sees, or None."""
        seen = [record for record in self.records if record.kind != "difficulty"]
        return log_items(seen, self._handler_of)[-1] if seen else None

    @property
    def last_response(self) -> str | CodeBlock | None:
        """The model's answer if it is the newest item, else None."""
        seen = [record for record in self.records if record.kind not in ("difficulty", "tool")]
        return response_of(seen[-1]) if seen and seen[-1].kind == "answer" else None

    def read_console(self, start: int = 0) -> list[str]:
        """Console entries from `start` on."""
        lines = self.console_log
        wanted = lines if start == 0 else (lines[place] for place in range(len(lines))[start:])
        return [bytes_text(line) for line in wanted]

    def get_chat_history(self) -> Iterator[ChatHistoryItem]:
        """What the model has been told, without the system prompt."""
        return iter(history(list(self.chat), self.read_console(), self.style))

    @property
    def style(self) -> str:
        """The chat style by its name in lower case; "console" where none is chosen."""
        chosen = self.job_def.chat_style
        return "console" if chosen is None else str(chosen.value)

    def errors_by_position(self) -> dict[int, Error]:
        """Errors of code by the console entry that tells them; that of a limit at the end of the console."""
        console = self.read_console()
        found = {
            int(line): Error(ErrorKind.EXECUTION, console[line] if line < len(console) else "")
            for line in self.error_lines or ()
        }
        if self.error is not None and self.error.error_message.startswith("LLM_HarnessError"):
            found[len(console)] = Error(ErrorKind.HARNESS, self.error.error_message)
        return found

    def last_words(self) -> list[str]:
        """Why the job ended, where no code of it has printed that: a limit, its provider, an end from outside."""
        text = "" if self.error is None else self.error.error_message
        return [text] if text and not text.startswith("warmup: ") else []

    # -- requests --------------------------------------------------------------------------------------------------

    def get_current_difficulty(self) -> TaskDifficulty:
        """How hard the task is: what it was raised to, else the default of its definition."""
        level: TaskDifficulty = parse_task_difficulty(self.difficulty or None) or self.job_def.default_difficulty
        return level

    def get_current_model(self, difficulty: Any = None) -> str:
        """The model string of a difficulty, by default the current one."""
        level = parse_task_difficulty(difficulty) or self.get_current_difficulty()
        return model_choice.model_for(self.job_def.metadata["MODEL"], level)

    def system_prompt(self, difficulty: Any = None) -> str:
        """The agent's prompt with this job's parameters, and the rule of its language behind it.

        Agents from files keep theirs in the release. The metadata `AUTO_LANG_RULE: FALSE` leaves the rule out.
        """
        level = parse_task_difficulty(difficulty) or self.get_current_difficulty()
        text: str = self.agent.system_prompt(level, self.job_def.job_params)
        rule = rule_of(self.job_def.locale, self.job_def.metadata)
        return text if rule is None else f"{text}\n\n{rule}"

    @property
    def language_hint(self) -> str | None:
        """What stands behind messages of the user because of the job's language."""
        return hint_of(self.job_def.locale, self.job_def.metadata) if self.job_def.locale else None

    def get_next_request(self, difficulty: Any = None) -> dict[str, Any]:
        """What the next request would say: history (lazy), system prompt, model, metadata, tools, and what is set."""
        return self._request(self.get_chat_history(), difficulty)

    def get_request_data(self, turn_num: int) -> dict[str, Any]:
        """What the request of turn `turn_num`, from 0, said. Raises IndexError when there was none."""
        answers = [n for n, record in enumerate(self.records) if record.kind == "answer"]
        if not 0 <= turn_num < len(answers):
            raise IndexError(f"turn {turn_num}: the job has had {len(answers)}")
        record = self.records[answers[turn_num]]
        told = history(list(self.chat)[: answers[turn_num]], self.read_console()[: record.console_pos], self.style)
        return self._request(iter(told), (record.note or {}).get("difficulty"))

    def _request(self, told: Iterator[ChatHistoryItem], difficulty: Any) -> dict[str, Any]:
        metadata = self.job_def.metadata
        request = {
            "chat_history": told, "system_prompt": self.system_prompt(difficulty),
            "model": self.get_current_model(difficulty), "metadata": metadata, "available_tools": self.agent.tools,
            "provider_config": None,
        }  # fmt: skip
        if "TEMPERATURE" in metadata:
            request["temperature"] = float(metadata["TEMPERATURE"])
        if self.job_def.chat_style is not None:
            request["chat_style"] = self.job_def.chat_style
        return request

    # -- dialog ----------------------------------------------------------------------------------------------------

    def get_dialog(self) -> Iterator[ChatHistoryItem]:
        """What the user and the agent said to each other."""
        for item in self.get_chat_history():
            if item.content_src is not None and item.content_src.name == "USER":
                yield item
            elif item.content_src is not None and item.content_src.name == "ASSISTANT":
                said = self._said_to_user(item.content)
                if said is not None:
                    yield ChatHistoryItem(item.role, said, item.content_src)

    def get_chat_responses(self) -> Iterator[str]:
        """What the user was told: replies, and bodies of `log: answer(...)` lines of the console."""
        records = [record for record in self.records if record.kind == "answer"]
        console = self.read_console()
        ends = [later.console_pos for _, later in pairwise(records)] + [len(console)]
        for record, end in zip(records, ends, strict=True):
            said = self._said_to_user(record.text)
            if said is not None:
                yield said
            yield from filter(None, map(_answer_body, console[record.console_pos : end]))

    def _said_to_user(self, text: str | None) -> str | None:
        if text is None or not text.strip():
            return None
        if self.style in ("direct", "md_dialog"):
            return reply.read_reply(text, self.style).dialog
        return text

    # -- figures ---------------------------------------------------------------------------------------------------

    def count_llm_actions(self) -> int:
        """What the model has done: a block of code, each formal call, each text to the user counts one."""
        total = 0
        for record in self.records:
            if record.kind == "answer":
                read = reply.read_reply(record.text, self.style)
                total += len(record.calls) + reply.has_statements(read.code) + (read.dialog is not None)
        return total

    def get_response_times(self) -> list[float]:
        """Seconds from each message of a user to the answer after it."""
        found: list[float] = []
        asked: int | None = None
        for record in self.records:
            if record.kind == "user":
                asked = record.at_us if asked is None else asked
            elif record.kind == "answer" and asked is not None:
                found.append((record.at_us - asked) / 1_000_000)
                asked = None
        return found

    def get_llm_response_times(self) -> list[float]:
        """Seconds that the model took for each answer of which that is known."""
        notes = [record.note or {} for record in self.records if record.kind == "answer"]
        return [float(note["seconds"]) for note in notes if "seconds" in note]

    def get_llm_step_sizes(self) -> list[int]:
        """Estimated tokens of each answer: a fourth of its characters."""
        return [_size(record.text, record.calls) for record in self.records if record.kind == "answer"]

    def get_llm_initial_step_size(self) -> int:
        """Estimated tokens of the first request: a fourth of the characters of prompt and history before it."""
        before: list[bytes] = []
        position = 0
        for data in self.chat:
            record = decode_item(data)
            position = record.console_pos
            if record.kind == "answer":
                break
            before.append(data)
        told = history(before, self.read_console()[:position], self.style)
        said = sum(len(item.content or "") for item in told)
        return (len(self.system_prompt()) + said) // BYTES_OF_TOKEN

    def _handler_of(self, child_id: str) -> Any:
        return next((handler for handler in list(self.children or ()) if handler.job.id == child_id), None)


def _size(text: str | None, calls: Sequence[Any]) -> int:
    written = sum(len(str(call["name"])) + len(json.dumps(call["arguments"])) for call in calls)
    return (len(text or "") + written) // BYTES_OF_TOKEN


def _answer_body(line: str) -> str | None:
    """The body of a `log: answer(...)` line, which is written as a call with literals."""
    if not line.startswith(_ANSWER):
        return None
    try:
        call = ast.parse(line.removeprefix("log: "), mode="eval").body
        assert isinstance(call, ast.Call)
        named = {keyword.arg: keyword.value for keyword in call.keywords}
        body = ast.literal_eval(named.get("body", call.args[0] if call.args else ast.Constant(None)))
    except (SyntaxError, ValueError):
        return None  # the agent's own print, not the log of an answer
    return body if isinstance(body, str) else None
