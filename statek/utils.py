"""Documented path of helpers for code that runs in a job."""

from statek.store.current import get_current_agent, get_current_agent_name, get_current_job
from statek.text.llm_repr import format_default_llm_repr

__all__ = ["format_default_llm_repr", "get_current_agent", "get_current_agent_name", "get_current_job"]
