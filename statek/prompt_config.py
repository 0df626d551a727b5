"""Documented path of prompts made in Python and of prompt files."""

from statek.settings import PromptDef
from statek.store.agent import update_prompt_config
from statek.store.prompt import (
    PromptSection,
    PromptSectionData,
    PromptStyle,
    SystemPrompt,
    SystemPromptData,
    compare_prompts,
    format_system_prompt,
    load_prompt_files,
    make_system_prompt,
    parse_prompt_file,
    parse_system_prompt,
)

__all__ = [
    "PromptDef",
    "PromptSection",
    "PromptSectionData",
    "PromptStyle",
    "SystemPrompt",
    "SystemPromptData",
    "compare_prompts",
    "format_system_prompt",
    "load_prompt_files",
    "make_system_prompt",
    "parse_prompt_file",
    "parse_system_prompt",
    "update_prompt_config",
]
