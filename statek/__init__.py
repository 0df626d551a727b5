"""Stateful Agent Execution Kit: LLM agents declared in files, run as durable jobs.

The documented names of the package root, each loaded at its first use: importing `statek` costs next to nothing and
needs no store. `NAMES` is the table; a test imports every row.
"""

import importlib
from typing import Any

NAMES = {
    "init": "statek.worker.embedded",
    "start_statek": "statek.worker.embedded",
    "start_statek_async": "statek.worker.embedded",
    "StatekSettings": "statek.settings",
    "LLM_API_Settings": "statek.settings",
    "MultiSourceBaseSettings": "statek.settings",
    "SettingValuesSource": "statek.settings",
    "get_statek_settings": "statek.settings",
    "set_statek_settings": "statek.settings",
    "LLM_HarnessError": "statek.exceptions",
    "tool": "statek.tools.registry",
    "error_handler": "statek.tools.registry",
    "is_valid_error_handler": "statek.tools.registry",
    "find_tools": "statek.tools.selection",
    "select_tools": "statek.tools.selection",
    "create_tool": "statek.tools.registry",
    "docs_style": "statek.tools.registry",
    "docstr": "statek.runtime.system_tools",
    "brief": "statek.runtime.system_tools",
    "statek_print": "statek.runtime.system_tools",
    "get_any": "statek.store.combine",
    "get_all": "statek.store.combine",
    "find_sub_task_handler": "statek.runtime.delegation",
    "get_pending_notifications": "statek.runtime.job_tools",
    "send_notification_to": "statek.runtime.job_tools",
    "subtask": "statek.runtime.subtask_tool",
    "LLM_Harness": "statek.runtime.harness",
    "get_llm_harness": "statek.runtime.harness",
    "PromptDef": "statek.settings",
    "update_prompt_config": "statek.store.agent",
    "format_default_llm_repr": "statek.text.llm_repr",
    "get_current_agent": "statek.store.current",
    "get_current_agent_name": "statek.store.current",
    "get_current_job": "statek.store.current",
    "SubTaskHandler": "statek.store.subtask",
    "SubTaskState": "statek.store.subtask",
    "TaskError": "statek.store.subtask",
    "complete_sub_task": "statek.runtime.delegation",
    "create_new_job": "statek.runtime.delegation",
    "create_sub_task": "statek.runtime.delegation",
}
__all__ = [*NAMES]


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # itself a quarter of what a short command imports

    try:
        return version("statek")
    except PackageNotFoundError:
        return "0+unknown"


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return _version()
    if name == "task":
        return importlib.import_module("statek.task")
    if name not in NAMES:
        raise AttributeError(f"module 'statek' has no attribute {name!r}")
    return getattr(importlib.import_module(NAMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *NAMES})
