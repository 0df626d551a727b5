"""Asking models: which provider serves a model name, one bounded and repeated call, fallbacks in order.

Everything here waits; nothing here touches a stored job. The answer goes back to the scheduler as an arrival.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import replace

from statek.base.clock import Clock
from statek.base.prices import get_model_pricing
from statek.exceptions import StatekError
from statek.ledger import compiled
from statek.llm import provider, undeclared
from statek.llm.messages import Answer
from statek.llm.model_name import format_model_for_provider, parse_model_name, request_params
from statek.llm.provider import Provider, ProviderError
from statek.llm.transport import Connections
from statek.llm.wire import cost_of
from statek.runtime.catalog import Catalog
from statek.runtime.offer import model_chain
from statek.runtime.turn import Ask
from statek.settings import StatekSettings

Secret = Callable[[str], str | None]
DEFAULT_CONCURRENT = 100


class Asker:
    """Clients of the providers in use, made at their first question."""

    def __init__(self, catalog: Catalog, clock: Clock, secret: Secret, settings: StatekSettings | None) -> None:
        """`settings` name the providers that agents made in Python may use."""
        self._catalog = catalog
        self._clock = clock
        self._secret = secret
        self._settings = settings
        self._connections = Connections()
        self._clients: dict[str, tuple[tuple[compiled.Provider, str], Provider]] = {}
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._rng = random.Random()  # noqa: S311 - jitter of repeated calls

    async def ask(self, ask: Ask, default_provider: str | None = None) -> Answer:
        """The first answer along the chain of models. Raises the last ProviderError or StatekError."""
        error: StatekError = StatekError(f"agent {ask.request.agent!r} has no model")
        for name in model_chain(ask.chain, self._catalog.models):
            try:
                return await self._ask_one(name, ask, default_provider)
            except ProviderError as failed:
                error = failed
        raise error

    async def close(self) -> None:
        """Let go of all connections."""
        self._clients.clear()
        await self._connections.close()

    async def _ask_one(self, name: str, ask: Ask, default_provider: str | None) -> Answer:
        model = self._catalog.models.get(name)
        if model is not None:
            config = self._catalog.providers.get(model.provider) or self._built_in(model.provider)
            request = replace(ask.request, model=model.id, params={**model.params, **ask.request.params})
        else:
            config, model_id, params = self._by_name(name, default_provider)
            request = replace(ask.request, model=model_id, params={**params, **ask.request.params})
        client = self._client(config)
        async with self._slot(config):
            answer = await provider.ask_with_retry(client, request, config.retry, self._clock, self._rng)
        return answer if model is not None else _priced(answer, config.name, name)

    def _by_name(self, name: str, default_provider: str | None) -> tuple[compiled.Provider, str, Mapping[str, object]]:
        """Provider and id of a model string such as `openrouter/openai/gpt-5-mini`."""
        parsed = parse_model_name(name)
        if self._settings is None:
            raise StatekError(f"model {name!r} is not declared", hint="declare a Model of that name")
        wanted = parsed.provider or default_provider or self._settings.default_llm_api_provider
        model_id = format_model_for_provider(parsed, wanted)
        return self._catalog.providers.get(wanted) or self._built_in(wanted), model_id, request_params(parsed)

    def _built_in(self, name: str) -> compiled.Provider:
        """A provider that no document describes."""
        api = undeclared.credentials_for(name, self._settings.llm_api_settings) if self._settings is not None else None
        return undeclared.known_provider(name, api)

    def _client(self, config: compiled.Provider) -> Provider:
        made_for = (config, self._catalog.release)
        cached = self._clients.get(config.name)
        if cached is not None and cached[0] == made_for:
            return cached[1]
        prices = {
            m.id: m.price for m in self._catalog.models.values() if m.provider == config.name and m.price is not None
        }
        client = provider.make_provider(
            config, scripts=self._catalog.scripts, secret=self._secret, clock=self._clock, prices=prices,
            connections=self._connections,
        )  # fmt: skip
        self._clients[config.name] = (made_for, client)
        return client

    def _slot(self, config: compiled.Provider) -> asyncio.Semaphore:
        slots = config.concurrent or DEFAULT_CONCURRENT
        return self._slots.setdefault(f"{config.name} {slots}", asyncio.Semaphore(slots))


def _priced(answer: Answer, provider_name: str, model: str) -> Answer:
    """An answer of a model that no document declares, with its cost where a price is known (`base.prices`).

    Raises ProviderError for a cost that cannot be.
    """
    parsed, used = parse_model_name(model), answer.usage
    price = get_model_pricing(provider_name, parsed.model or "", parsed.family, no_create=True)
    cost = None if price is None else price.cost(used.input_tokens, used.cached_tokens, used.output_tokens)
    return answer if cost is None else replace(answer, usage=replace(used, cost_usd=cost_of(cost)))
