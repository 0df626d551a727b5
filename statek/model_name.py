"""Documented path of model names."""

from statek.llm.model_name import (
    ModelName,
    ensure_model_name,
    format_model_for_provider,
    parse_model_name,
    select_model_provider,
)

__all__ = ["ModelName", "ensure_model_name", "format_model_for_provider", "parse_model_name", "select_model_provider"]
