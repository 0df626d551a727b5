"""Documented path of a job's Python environment."""

from statek.store.pyenv import Error, ErrorKind, PyEnv

__all__ = ["Error", "ErrorKind", "PyEnv"]
