"""Documented path of helpers for code that runs in a job."""

from statek.runtime.job_tools import (
    find_locals,
    perm_ctx_get,
    perm_ctx_set,
    perm_ctx_set_unique,
    statek_ctx_get,
    statek_ctx_set,
)
from statek.runtime.system_tools import statek_print
from statek.store.current import get_current_agent, get_current_agent_name, get_current_job
from statek.text.llm_repr import format_default_llm_repr, format_llm_repr, format_value_repr
from statek.tools.describe import format_callable_decl, format_tool_spec
from statek.tools.selection import LLM_ToolsScope, parse_llm_tools_scope, select_request_tools

__all__ = [
    "LLM_ToolsScope",
    "find_locals",
    "format_callable_decl",
    "format_default_llm_repr",
    "format_llm_repr",
    "format_tool_spec",
    "format_value_repr",
    "get_current_agent",
    "get_current_agent_name",
    "get_current_job",
    "parse_llm_tools_scope",
    "perm_ctx_get",
    "perm_ctx_set",
    "perm_ctx_set_unique",
    "select_request_tools",
    "statek_ctx_get",
    "statek_ctx_set",
    "statek_print",
]
