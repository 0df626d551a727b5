"""What a call costs. Pure arithmetic; called by the adapters' caller and by the runtime's budget check."""

from statek.ledger.compiled import Price
from statek.llm.messages import Usage

PER = 1_000_000  # prices are for a million tokens


def cost(price: Price | None, usage: Usage) -> float | None:
    """USD of `usage`: by the price if there is one, else what the provider reported, else None (unknown).

    Cached tokens are a part of the input and cost their own price, or the input's when none is given.
    """
    if price is None:
        return usage.cost_usd
    cached = min(usage.cached_tokens, usage.input_tokens)
    cached_price = price.input_per_mtok if price.cached_per_mtok is None else price.cached_per_mtok
    fresh = (usage.input_tokens - cached) * price.input_per_mtok
    return (fresh + cached * cached_price + usage.output_tokens * price.output_per_mtok) / PER


def estimate_tokens(size: int) -> int:
    """Tokens in `size` bytes, by the documented rule of four bytes a token."""
    return size // 4
