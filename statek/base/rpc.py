"""Remote methods where `db0_rpc` is installed, plain ones where it is not.

statek starts no server and lets nobody in: a host that exposes `/rpc` does. This module only marks what may be called.
"""

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any, TypeVar, cast

PACKAGE = "db0_rpc"
F = TypeVar("F", bound=Callable[..., Any])


class NoRpc:
    """Stands for the package where there is none."""

    def init(self, *_args: Any, **_kwargs: Any) -> None:
        """Nothing to prepare."""

    def remote(self, func: Callable[..., Any] | None = None, **_kwargs: Any) -> Any:
        """The function as it is; usable with and without arguments."""
        return func if func is not None else (lambda function: function)


def has_rpc() -> bool:
    """Is the package installed?"""
    return importlib.util.find_spec(PACKAGE) is not None


rpc: Any = importlib.import_module(PACKAGE) if has_rpc() else NoRpc()


def remote(function: F) -> F:
    """Mark a method that clients may call by `/rpc`."""
    return cast("F", rpc.remote(function))
