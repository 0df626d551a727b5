"""Documented path of a job's history as messages."""

from statek.store.history import ChatHistoryItem, ChatRole, ContentSource

__all__ = ["ChatHistoryItem", "ChatRole", "ContentSource"]
