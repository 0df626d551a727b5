"""What a job has used of models: the record it keeps, and the documented value that is made of it at each look.

One record, because a field of the store costs as much to write as all of these together.
"""

import struct
from dataclasses import dataclass
from typing import NamedTuple, Self

from statek.store.prices import ModelPricing, get_model_pricing

_FORM = struct.Struct("<B7q2d")  # what is known, the whole numbers, the money


class Used(NamedTuple):
    """Counters of one job.

    Attributes:
        context_bytes: bytes of the newest request and its answer.
        bytes_sent: bytes of all requests.
        bytes_received: bytes of all answers.
        input_tokens: tokens sent, as counted by the provider (estimated where it does not say).
        cached_tokens: part of the input that the provider had cached.
        output_tokens: tokens received.
        model_us: microseconds of waiting for answers.
        cost_usd: USD, each answer by the price known when it came; None when nothing is known.
        reported_usd: USD that providers said themselves; None when none did.
        scripted: an answer was none of a model.
    """

    context_bytes: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    model_us: int = 0
    cost_usd: float | None = None
    reported_usd: float | None = None
    scripted: bool = False

    def encode(self) -> bytes:
        """The stored form."""
        *counts, cost, reported, scripted = self
        known = (cost is not None) | (reported is not None) << 1 | bool(scripted) << 2
        return _FORM.pack(known, *counts, cost or 0.0, reported or 0.0)

    @classmethod
    def decode(cls, data: bytes | None) -> Self:
        """What `encode` wrote; None stands for nothing used."""
        if data is None:
            return cls()
        known, *counts, cost, reported = _FORM.unpack(data)
        money = cost if known & 1 else None, reported if known & 2 else None
        return cls._make((*counts, *money, bool(known & 4)))


@dataclass(frozen=True)
class LLM_Usage:  # noqa: N801 - documented name
    """Tokens, bytes and money.

    Attributes:
        pricing: the price of the model, None when none is known.
        context_bytes: bytes of the newest request and its answer.
        total_bytes_sent: bytes of the requests.
        total_bytes_received: bytes of the answers.
        total_input_tokens: tokens sent, as counted by the provider (estimated where it does not say).
        total_cached_tokens: part of the input that the provider had cached.
        total_output_tokens: tokens received.
        total_reported_cost: USD that providers said themselves, None when none did.
        cost_usd: USD, each answer by the price known when it came, else as reported; None when nothing is known.
        seconds: time spent waiting for answers.
    """

    pricing: ModelPricing | None = None
    context_bytes: int = 0
    total_bytes_sent: int = 0
    total_bytes_received: int = 0
    total_input_tokens: int = 0
    total_cached_tokens: int = 0
    total_output_tokens: int = 0
    total_reported_cost: float | None = None
    cost_usd: float | None = None
    seconds: float = 0.0

    @classmethod
    def for_model(cls, provider: str, model: str, model_family: str | None = None) -> "LLM_Usage":
        """Nothing used yet of a model, with its price if that is known."""
        return cls(pricing=get_model_pricing(provider, model, model_family, no_create=True))

    @property
    def total_cost(self) -> float | None:
        """USD: what was counted with the answers, else tokens by the price, else what was reported; None: unknown."""
        if self.cost_usd is not None:
            return self.cost_usd
        if self.pricing is not None and self.total_input_tokens + self.total_output_tokens > 0:
            cost = self.pricing.cost(self.total_input_tokens, self.total_cached_tokens, self.total_output_tokens)
            if cost is not None:
                return cost
        return self.total_reported_cost

    @property
    def input_tokens(self) -> int:
        """`total_input_tokens`."""
        return self.total_input_tokens

    @property
    def cached_tokens(self) -> int:
        """`total_cached_tokens`."""
        return self.total_cached_tokens

    @property
    def output_tokens(self) -> int:
        """`total_output_tokens`."""
        return self.total_output_tokens
