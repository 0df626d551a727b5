"""Providers: what the runtime asks a model through, made from a configuration by a table of drivers.

A provider makes one try and raises; `ask_with_retry` tries again. Neither counts a job's limits, falls back to
another model or remembers anything: that is the runtime's. References such as `${secret:NAME}` are filled in at each
call, so a new key is used at once, and are blotted out of every error.
"""

import hashlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from statek.base.clock import Clock
from statek.exceptions import StatekError
from statek.ledger import compiled
from statek.llm import anthropic, gemini, openai_style, pricing, wire
from statek.llm.errors import ProviderError
from statek.llm.messages import Answer, Request, Usage
from statek.llm.scripted import ScriptedProvider
from statek.llm.transport import MAX_ANSWER, Connections, Transport, complaint
from statek.llm.wire import Adapter, Endpoint, Reply
from statek.settings import fill_references

__all__ = ["Provider", "ProviderError", "RemoteProvider", "ask_with_retry", "make_provider", "wait_before"]

MAX_RETRY_AFTER = 60.0  # seconds; a provider that asks for more is asked again anyway
Secret = Callable[[str], str | None]

ADAPTERS: dict[str, Adapter] = {
    "openai": openai_style.ADAPTER,
    "anthropic": anthropic.ADAPTER,
    "gemini": gemini.ADAPTER,
}


class Provider(Protocol):
    """What answers requests."""

    async def ask(self, request: Request) -> Answer:
        """One try. Raises ProviderError."""
        ...


def make_provider(
    config: compiled.Provider,
    *,
    scripts: Mapping[str, compiled.Script],
    secret: Secret,
    clock: Clock,
    connections: Connections,
    prices: Mapping[str, compiled.Price] | None = None,
) -> Provider:
    """The provider of a configuration. Opens nothing and resolves nothing yet.

    Args:
        config: what the Provider document says.
        scripts: Scripts by name, for the driver `scripted`.
        secret: value of a secret or environment variable by name, None when unset.
        clock: for latencies and measured seconds.
        connections: what it asks over; its maker closes them.
        prices: prices by a model's id at this provider.
    """
    if config.driver == "scripted":
        return ScriptedProvider(config.name, scripts, clock)
    transport = Transport(config.name, config.timeout, connections)
    return RemoteProvider(config, ADAPTERS[config.driver], transport, secret=secret, clock=clock, prices=prices or {})


@dataclass(frozen=True)
class _Resolved:
    endpoint: Endpoint
    secrets: tuple[str, ...]


class RemoteProvider:
    """A provider behind HTTP: one adapter and one transport."""

    def __init__(
        self,
        config: compiled.Provider,
        adapter: Adapter,
        transport: Transport,
        *,
        secret: Secret,
        clock: Clock,
        prices: Mapping[str, compiled.Price],
    ) -> None:
        """See `make_provider`."""
        self._config = config
        self._adapter = adapter
        self._secret = secret
        self._clock = clock
        self._prices = prices
        self._transport = transport

    async def ask(self, request: Request) -> Answer:
        """One POST and its answer.

        Raises:
            ProviderError: with every code but `no-rule`; its message holds no key.
        """
        began = self._clock.monotonic()
        resolved = self._resolve()
        try:
            reply, sent, received = await self._exchange(resolved.endpoint, request)
        except ProviderError as error:
            error.hide(resolved.secrets)
            raise
        return self._answer(request, reply, sent, received, self._clock.monotonic() - began)

    async def _exchange(self, endpoint: Endpoint, request: Request) -> tuple[Reply, int, int]:
        outgoing = self._adapter.encode(endpoint, request)
        body = wire.dump(outgoing.body)
        headers = {**outgoing.headers, "Content-Type": "application/json"}
        if request.key:
            sent = hashlib.sha256(outgoing.url.encode() + body).hexdigest()[:12]
            headers["Idempotency-Key"] = f"{request.key}-{sent}"
        received = await self._transport.post(outgoing.url, headers, body)
        if not 200 <= received.status < 300:
            raise complaint(self._config.name, received, self._clock.now_us())
        if not received.whole:
            raise wire.bad_answer(f"provider {self._config.name!r} sent more than {MAX_ANSWER:,} bytes")
        return self._adapter.decode(wire.load(received.body), self._config.name), len(body), len(received.body)

    def _answer(self, request: Request, reply: Reply, sent: int, received: int, seconds: float) -> Answer:
        tokens = reply.tokens or wire.Tokens(pricing.estimate_tokens(sent), pricing.estimate_tokens(received), 0)
        counted = Usage(tokens.input, tokens.output, tokens.cached, tokens.cost_usd)
        cost = wire.cost_of(pricing.cost(self._prices.get(request.model), counted))
        return Answer(
            text=reply.text,
            calls=reply.calls,
            usage=Usage(tokens.input, tokens.output, tokens.cached, cost, tokens.cost_usd),
            model=reply.model or request.model,
            provider=self._config.name,
            scripted=False,
            reasoning=reply.reasoning,
            bytes_sent=sent,
            bytes_received=received,
            seconds=seconds,
        )

    def _resolve(self) -> _Resolved:
        secrets: list[str] = []

        def look_up(name: str) -> str | None:
            value = self._secret(name)
            if value is not None:
                secrets.append(value)
            return value

        config = self._config
        try:
            key = None if config.api_key is None else fill_references(config.api_key, look_up)
            headers = {name: fill_references(value, look_up) for name, value in config.headers.items()}
            base_url = fill_references(config.base_url or self._adapter.base_url, look_up)
        except StatekError as error:
            raise ProviderError(f"provider {config.name!r}: {error}", code="no-key", hint=error.hint) from error
        if key:
            secrets.append(key)
        return _Resolved(Endpoint(config.name, base_url, key, headers), tuple(secrets))


async def ask_with_retry(
    provider: Provider, request: Request, retry: compiled.Retry, clock: Clock, rng: random.Random
) -> Answer:
    """Ask until there is an answer, an error that no new try can cure, or no try left.

    Raises:
        ProviderError: the last one; it says how many tries were made.
    """
    tries = 0
    while True:
        tries += 1
        try:
            return await provider.ask(request)
        except ProviderError as error:
            if not error.retryable or tries >= retry.max_attempts:
                raise error.after(tries) from error
            pause = wait_before(tries, retry.backoff, error.retry_after, rng)
        await clock.sleep(pause)


def wait_before(tries: int, backoff: compiled.Backoff, retry_after: float | None, rng: random.Random) -> float:
    """Seconds to wait after `tries` failed tries.

    Half to all of the backoff; where the provider named a time, at least that (60 s at most) and up to a tenth more,
    so that jobs which were refused together do not come back together.
    """
    pause = backoff.min_us / 1e6
    for _ in range(tries - 1):
        pause = min(pause * backoff.factor, backoff.max_us / 1e6)
    pause = min(pause, backoff.max_us / 1e6) * rng.uniform(0.5, 1.0)
    if retry_after is None:
        return pause
    return max(pause, min(retry_after, MAX_RETRY_AFTER) * rng.uniform(1.0, 1.1))
