"""Documented path of tools."""

from statek.runtime.delegation import find_sub_task_handler
from statek.runtime.job_tools import get_pending_notifications, panic, send_notification_to
from statek.runtime.subtask_tool import subtask
from statek.runtime.system_tools import brief, docstr, python_cli, statek_print
from statek.store.combine import get_all, get_any
from statek.tools.registry import create_tool, docs_style, error_handler, is_valid_error_handler, tool
from statek.tools.selection import find_tools, select_tools

__all__ = [
    "brief",
    "create_tool",
    "docs_style",
    "docstr",
    "error_handler",
    "find_sub_task_handler",
    "find_tools",
    "get_all",
    "get_any",
    "get_pending_notifications",
    "is_valid_error_handler",
    "panic",
    "python_cli",
    "select_tools",
    "send_notification_to",
    "statek_print",
    "subtask",
    "tool",
]
