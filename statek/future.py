"""Documented path of futures."""

from statek.store.future import (
    CombinedFutureResult,
    FutureElement,
    FutureResult,
    get_all_future,
    get_any_future,
    temporal,
)

__all__ = ["CombinedFutureResult", "FutureElement", "FutureResult", "get_all_future", "get_any_future", "temporal"]
