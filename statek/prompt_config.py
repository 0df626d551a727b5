"""Documented path of prompts made in Python and of prompt files."""

from statek.store.prompt import (
    PromptDef,
    SystemPromptData,
    compare_prompts,
    format_system_prompt,
    load_prompt_files,
    make_system_prompt,
    parse_system_prompt,
)

__all__ = [
    "PromptDef",
    "SystemPromptData",
    "compare_prompts",
    "format_system_prompt",
    "load_prompt_files",
    "make_system_prompt",
    "parse_system_prompt",
]
