"""Documented path of a job's Python environment."""

from statek.store.job import PyEnv

__all__ = ["PyEnv"]
