"""The desk with a model behind HTTP on loopback, in place of the rehearsal."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.acceptance.projects import LONGEST, Project, until
from tests.loopback_llm import LoopbackLLM

REHEARSAL = "  provider: rehearsal\n  id: rehearsal"
REAL_URL = "https://openrouter.ai/api/v1"
KEY = "sk-test-of-nobody"
GO_ON = "```python\nprint('on')\n```"
END = "```python\nexit('filed')\n```"


class HeldLLM(LoopbackLLM):
    """A provider whose answers wait until the test gives them. `prompts` are the system prompts, oldest first."""

    def __init__(self) -> None:
        self.given: list[str] = []
        self.may_answer = threading.Semaphore(0)
        super().__init__(self._answer)

    @property
    def prompts(self) -> list[str]:
        """What each request said first."""
        return [str(request["messages"][0]["content"]) for request in self.requests]

    def give(self, text: str) -> None:
        """Let the oldest request that waits have this answer."""
        self.given.append(text)
        self.may_answer.release()

    def next_prompt(self, number: int) -> str:
        """The system prompt of request `number`, from 1, once it has come."""
        until(lambda: len(self.requests) >= number, f"request {number}")
        return self.prompts[number - 1]

    def _answer(self, _request: dict[str, Any]) -> str:
        assert self.may_answer.acquire(timeout=LONGEST)
        return self.given.pop(0)


def point_at(desk: Project, llm: LoopbackLLM) -> None:
    """Let the provider `openrouter` of the desk's files be the one on loopback, and give its key."""
    desk.edit("agents/models.yaml", REAL_URL, llm.url)
    desk.environ["OPENROUTER_API_KEY"] = KEY


@contextmanager
def held_desk(desk: Project) -> Iterator[HeldLLM]:
    """The desk, applied, with the held provider as its model in the environment `dev`."""
    with HeldLLM() as llm:
        point_at(desk, llm)
        desk.edit("agents/models.yaml", REHEARSAL, "  provider: openrouter\n  id: loopback")
        desk.do("apply", ".", "--yes")
        yield llm
