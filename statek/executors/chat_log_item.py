"""Documented path of the kinds of a job's history."""

from statek.store.chat_items import (
    ChatLogItem,
    DifficultyChangeLogItem,
    LLM_LogItem,
    NotificationLogItem,
    PostProcessedItem,
    ReminderLogItem,
    SubTaskLogItem,
    SystemLogItem,
    ToolError,
    UserLogItem,
    WarmupLogItem,
)

__all__ = [
    "ChatLogItem",
    "DifficultyChangeLogItem",
    "LLM_LogItem",
    "NotificationLogItem",
    "PostProcessedItem",
    "ReminderLogItem",
    "SubTaskLogItem",
    "SystemLogItem",
    "ToolError",
    "UserLogItem",
    "WarmupLogItem",
]
