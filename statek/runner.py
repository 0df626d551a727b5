"""Documented path of the high-level worker start-up."""

from statek.worker.embedded import start_statek, start_statek_async

__all__ = ["start_statek", "start_statek_async"]
