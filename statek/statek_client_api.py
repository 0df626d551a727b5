"""Documented path of the client API."""

from statek.worker.client import JobHandle, StatekClientAPI

__all__ = ["JobHandle", "StatekClientAPI"]
