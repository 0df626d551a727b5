"""Documented path of the push queue of a host application."""

from statek.store.queue import StatekPushQueue

__all__ = ["StatekPushQueue"]
