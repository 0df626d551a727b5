"""Prices that an application sets belong to the stores that are open then (`base.prices`).

A process that opens one store after another, as tests do, never counts with the prices of the former.
"""

import dbzero as db0

from statek.base.prices import (
    ModelPricing,
    ask_which_stores,
    get_model_pricing,
    init_model_pricing,
    set_model_pricing,
)

__all__ = ["ModelPricing", "get_model_pricing", "init_model_pricing", "set_model_pricing"]


def open_stores() -> frozenset[int]:
    """The prefixes of the open dbzero root by their numbers; none when dbzero is not initialised."""
    try:
        return frozenset(prefix.uuid for prefix in db0.get_prefixes())
    except RuntimeError:
        return frozenset()


ask_which_stores(open_stores)
