"""Documented path of tools."""

from statek.runtime.delegation import find_sub_task_handler
from statek.tools.registry import error_handler, find_tools, is_valid_error_handler, select_tools, tool

__all__ = [
    "error_handler",
    "find_sub_task_handler",
    "find_tools",
    "is_valid_error_handler",
    "select_tools",
    "tool",
]
