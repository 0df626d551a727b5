"""What these tests share: a clock that does not wait, a request, and a provider pointed at a loopback server."""

import dataclasses
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from statek.ledger import compiled
from statek.llm.messages import Message, Request
from statek.llm.provider import Provider, make_provider
from statek.llm.transport import Connections

SECOND = 1_000_000
TIMEOUTS = compiled.Timeouts(*[100 * SECOND] * 4)  # no test waits for them, however slow the machine is
BACKOFF = compiled.Backoff(min_us=SECOND, max_us=8 * SECOND, factor=2.0)


class StillClock:
    """Time passes only where somebody sleeps; `slept` lists the seconds."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now_us(self) -> int:
        return 1_700_000_000 * SECOND + int(sum(self.slept) * SECOND)

    def monotonic(self) -> float:
        return sum(self.slept)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def clock() -> StillClock:
    """A clock that stands still until somebody sleeps."""
    return StillClock()


def configure(**changes: Any) -> compiled.Provider:
    """A Provider of the driver `openai`, changed as told."""
    config = compiled.Provider(
        name="loop",
        driver="openai",
        base_url="http://127.0.0.1:9/v1",
        api_key="${secret:LOOP_KEY}",
        headers={},
        timeout=TIMEOUTS,
        concurrent=None,
        rpm=None,
        tpm=None,
        cost_usd_per_day=None,
        retry=compiled.Retry(3, BACKOFF),
    )
    return dataclasses.replace(config, **changes)


def ask_for(*messages: Message, **changes: Any) -> Request:
    """A Request of agent `triage` in its first turn, changed as told."""
    request = Request(
        model="loopback-1",
        messages=messages or (Message("system", "be brief"), Message("user", "hello")),
        params={},
        tools=(),
        agent="triage",
        job="j1",
        turn=1,
        key="k1",
    )
    return dataclasses.replace(request, **changes)


@pytest.fixture
async def connections() -> AsyncIterator[Connections]:
    """What providers ask over, closed afterwards."""
    opened = Connections()
    yield opened
    await opened.close()


@pytest.fixture
def make(clock: StillClock, connections: Connections) -> Callable[..., Provider]:
    """Makes providers."""

    def build(*, prices: Any = None, scripts: Any = None, **changes: Any) -> Provider:
        secrets = {"LOOP_KEY": "sk-canary-123456789"}
        return make_provider(
            configure(**changes), scripts=scripts or {}, secret=secrets.get, clock=clock, prices=prices,
            connections=connections,
        )  # fmt: skip

    return build


@pytest.fixture
def request_for() -> Callable[..., Request]:
    """See `ask_for`."""
    return ask_for


@pytest.fixture
def config_for() -> Callable[..., compiled.Provider]:
    """See `configure`."""
    return configure
