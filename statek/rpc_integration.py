"""Documented path of the marks of remote methods."""

from statek.base.rpc import has_rpc, rpc

__all__ = ["has_rpc", "rpc"]
