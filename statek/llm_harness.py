"""Documented path of limits of jobs."""

from statek.exceptions import LLM_HarnessError
from statek.runtime.harness import LLM_Harness, get_llm_harness

__all__ = ["LLM_Harness", "LLM_HarnessError", "get_llm_harness"]
