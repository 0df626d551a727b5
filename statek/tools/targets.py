"""From the name of a function, "package.module:function", to the function.

It imports modules of the application and calls nothing in them. What is missing is named, with the nearest name there
is; what a module does wrong while it is imported is told with its cause.
"""

import importlib
import pkgutil
import sys
import types
import typing
from collections.abc import Callable
from typing import Any

from statek.base.nearest import suggestion
from statek.exceptions import StatekError
from statek.tools.registry import label


def import_target(target: str) -> Callable[..., Any]:
    """The callable of "package.module:function".

    Raises:
        StatekError: the target is malformed, its module or function is missing (with the nearest name), or importing
            the module failed (with the cause).
    """
    module_name, colon, path = target.partition(":")
    if not colon or not all(part.isidentifier() for part in (*module_name.split("."), *path.split("."))):
        raise StatekError(f"{target!r} is no tool target: expected package.module:function")
    found: Any = _import_module(module_name, target)
    for part in path.split("."):
        if not hasattr(found, part):
            names = [name for name in dir(found) if not name.startswith("__")]
            raise StatekError(f"{target}: {label(found)} has no {part}", hint=suggestion(part, names))
        found = getattr(found, part)
    if not callable(found):
        raise StatekError(f"{target} is of type {type(found).__name__}, not a function")
    return typing.cast("Callable[..., Any]", found)


def _import_module(name: str, target: str) -> types.ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        if not f"{name}.".startswith(f"{missing}."):  # an import inside the module failed
            raise StatekError(f"{target}: importing {name} failed: {error}") from error
        hint = suggestion(missing, _siblings(missing))
        raise StatekError(f"{target}: there is no module {missing}", hint=hint) from error
    except (Exception, SystemExit) as error:  # whatever a module of the application does while it is imported
        raise StatekError(f"{target}: importing {name} failed: {type(error).__name__}: {error}") from error


def _siblings(name: str) -> list[str]:
    """Modules beside the missing one."""
    parent = name.rpartition(".")[0]
    if not parent:
        return [module.name for module in pkgutil.iter_modules()]
    paths = getattr(sys.modules.get(parent), "__path__", [])
    return [f"{parent}.{module.name}" for module in pkgutil.iter_modules(paths)]
