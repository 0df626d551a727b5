"""Documented path of prices of models."""

from statek.store.prices import ModelPricing, get_model_pricing, init_model_pricing, set_model_pricing

__all__ = ["ModelPricing", "get_model_pricing", "init_model_pricing", "set_model_pricing"]
