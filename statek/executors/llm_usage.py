"""Documented path of what a job has used of models."""

from statek.store.usage import LLM_Usage

__all__ = ["LLM_Usage"]
