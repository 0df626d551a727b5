"""The `@tool` decorator, the functions it has marked, and Tool, the value that stands for one callable.

It calls no tool and knows no job. Application modules decorate; the compiler's targets ("pkg.mod:fn") become callables
through `import_target` and Tools through `from_callable`; the runtime asks for both. The idea to keep in mind:
decorating only sets markers on the function itself, everything else reads them.
"""

import difflib
import functools
import importlib
import importlib.util
import inspect
import logging
import pkgutil
import sys
import types
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, TypeVar, overload

from statek.exceptions import StatekError

F = TypeVar("F", bound=Callable[..., Any])
Effect = Literal["read", "write", "external"]
EFFECTS: tuple[Effect, ...] = ("read", "write", "external")
SCOPES = ("SYSTEM", "APPLICATION", "ALL")
CONTEXT = "_local_context"  # parameter in which a `@tool` function gets the names of the calling code

log = logging.getLogger(__name__)
_registry: dict[tuple[str, str], Callable[..., Any]] = {}  # by module and qualname: defining again replaces


@dataclass(frozen=True)
class Tool:
    """One callable as offered to a job.

    Attributes:
        name: the name in model code; a leading underscore makes it internal (callable, never shown).
        call: the function itself, sync or async.
        effect: "read" looks at arguments and the store only, "write" changes this store only, else "external".
        idempotent: may be called again with the same arguments.
        timeout_us: bound of one call in microseconds; None: the step's own.
        is_async: calling gives an awaitable.
        description: shown instead of the docstring's text.
        system: part of the kit, not of the application.
        hidden: left out of everything the model sees.
        takes_context: call it with `_local_context=`, the names of the calling code.
        error_handler: registered on the job with the result of a call.
    """

    name: str
    call: Callable[..., object]
    effect: Effect
    idempotent: bool
    timeout_us: int | None
    is_async: bool
    description: str | None
    system: bool = False
    hidden: bool = False
    takes_context: bool = False
    error_handler: Callable[..., Any] | None = None

    @property
    def internal(self) -> bool:
        """Usable in code but not shown to the model?"""
        return self.name.startswith("_")


@overload
def tool(f: F) -> F: ...
@overload
def tool(
    f: None = None,
    *,
    system: bool = False,
    target: Any = None,
    error_handler: Callable[..., Any] | None = None,
    hidden: bool = False,
    effect: Effect = "external",
    idempotent: bool = False,
) -> Callable[[F], F]: ...
def tool(
    f: Callable[..., Any] | None = None,
    *,
    system: bool = False,
    target: Any = None,
    error_handler: Callable[..., Any] | None = None,
    hidden: bool = False,
    effect: Effect = "external",
    idempotent: bool = False,
) -> Any:
    """Mark a function as a tool; usable with and without parentheses.

    Args:
        f: the function; it must accept `**kwargs`.
        system: part of the kit rather than of the application.
        target: a chat style (or its name) or several of them; None: all.
        error_handler: an `@error_handler` function, registered on the job with the tool's result.
        hidden: leave it out of everything the model sees.
        effect: what a call may change: "read", "write" (this store only) or "external".
        idempotent: may be called again with the same arguments.

    Raises:
        TypeError: the function has no `**kwargs`, or `error_handler` is not a valid one.
        ValueError: unknown `effect`.
    """
    if error_handler is not None and not is_valid_error_handler(error_handler):
        raise TypeError(
            f"error_handler {_label(error_handler)} is not valid: decorate it with @error_handler, give it a name "
            "that starts with _, and the parameters (context, error=None)"
        )
    if effect not in EFFECTS:
        raise ValueError(f"unknown effect {effect!r}: expected read, write or external")
    marks = {
        "tool_system": system, "tool_target": target, "tool_hidden": hidden, "tool_effect": effect,
        "tool_idempotent": idempotent, "tool_error_handler": error_handler,
    }  # fmt: skip

    def mark(function: F) -> F:
        if not _takes_any_keyword(function):
            raise TypeError(f"tool {_label(function)} must accept **kwargs: the kit passes {CONTEXT} that way")
        function.__dict__.update(marks)
        _registry[function.__module__, function.__qualname__] = function
        return function

    return mark if f is None else mark(f)


def error_handler(func: Callable[..., Any]) -> Callable[..., None]:
    """Mark a function `(context, error=None)` that cleans up when a job ends with an error.

    What it raises is logged and goes no further: cleaning up must not hide the error that made it necessary.
    """

    @functools.wraps(func)
    def handle(*args: Any, **kwargs: Any) -> None:
        try:
            func(*args, **kwargs)
        except Exception:
            log.exception("error handler %s failed", _label(func))

    handle.__dict__["is_error_handler"] = True
    return handle


def is_valid_error_handler(f: Any) -> bool:
    """Is `f` decorated, named with a leading underscore, with two ordinary parameters, the second with a default?"""
    if getattr(f, "is_error_handler", None) is not True or not f.__name__.startswith("_"):
        return False
    parameters = list(inspect.signature(f).parameters.values())
    ordinary = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if len(parameters) != 2 or any(parameter.kind not in ordinary for parameter in parameters):
        return False
    first, second = parameters
    return first.default is first.empty and second.default is not second.empty


def from_callable(
    f: Callable[..., object],
    *,
    name: str | None = None,
    effect: Effect = "external",
    idempotent: bool = False,
    timeout_us: int | None = None,
    description: str | None = None,
) -> Tool:
    """The Tool of a function, plain or marked by `@tool`.

    Markers fill in what is not said here: an `effect` other than "external", `idempotent`, system, hidden. A temporal
    function counts as idempotent. Raises TypeError when there is no name, or `f` cannot be called or has no signature.
    """
    if not callable(f):
        raise TypeError(f"a tool is a function, found {type(f).__name__}")
    try:
        inspect.signature(f)
    except ValueError as error:
        raise TypeError(f"{_label(f)} cannot be a tool: {error}; wrap it in a function of your own") from error
    name = name or getattr(f, "__name__", None)
    if not name:
        raise TypeError(f"a tool needs a name: {type(f).__name__} has none of its own, pass name=")
    marked: Effect = getattr(f, "tool_effect", "external")
    return Tool(
        name=name,
        call=f,
        effect=marked if effect == "external" else effect,
        idempotent=idempotent or getattr(f, "tool_idempotent", False) or getattr(f, "__is_temporal__", False),
        timeout_us=timeout_us,
        is_async=_is_async(f),
        description=description,
        system=getattr(f, "tool_system", False),
        hidden=getattr(f, "tool_hidden", False),
        takes_context=_takes_context(f),
        error_handler=getattr(f, "tool_error_handler", None),
    )


def find_tools(
    scope: str | None = None, chat_style: Any = None, include_hidden: bool = False
) -> list[Callable[..., Any]]:
    """All functions marked by `@tool` in this process, the first of each name.

    Args:
        scope: "SYSTEM", "APPLICATION", or None for both.
        chat_style: leave out tools made for other styles.
        include_hidden: hidden ones, too.

    Raises:
        ValueError: unknown `scope`.
    """
    first: dict[str, Callable[..., Any]] = {}
    for f in [_outermost(function) for function in _registry.values()]:
        if _fits(f, scope, chat_style) and (include_hidden or not _mark(f, "hidden")):
            first.setdefault(f.__name__, f)
    return list(first.values())


def select_tools(
    tools: Iterable[Callable[..., Any]], scope: str | None, chat_style: Any = None
) -> list[Callable[..., Any]]:
    """Those of `tools` that fit, in order; hidden ones never. Functions without markers are application tools."""
    return [f for f in tools if _fits(f, scope, chat_style) and not _mark(f, "hidden")]


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
            raise StatekError(f"{target}: {_label(found)} has no {part}", hint=nearest(part, names))
        found = getattr(found, part)
    if not callable(found):
        raise StatekError(f"{target} is of type {type(found).__name__}, not a function")
    return typing.cast("Callable[..., Any]", found)


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint naming the known name most like `name`; empty when none is."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else ""


def _import_module(name: str, target: str) -> types.ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        if not f"{name}.".startswith(f"{missing}."):  # an import inside the module failed
            raise StatekError(f"{target}: importing {name} failed: {error}") from error
        hint = nearest(missing, _siblings(missing))
        raise StatekError(f"{target}: there is no module {missing}", hint=hint) from error
    except Exception as error:  # whatever a module of the application does while it is imported
        raise StatekError(f"{target}: importing {name} failed: {type(error).__name__}: {error}") from error


def _siblings(name: str) -> list[str]:
    """Modules beside the missing one."""
    parent = name.rpartition(".")[0]
    if not parent:
        return [module.name for module in pkgutil.iter_modules()]
    paths = getattr(sys.modules.get(parent), "__path__", [])
    return [f"{parent}.{module.name}" for module in pkgutil.iter_modules(paths)]


def _fits(f: Callable[..., Any], scope: str | None, chat_style: Any) -> bool:
    if scope is not None and scope not in SCOPES:
        raise ValueError(f"unknown scope {scope!r}: expected SYSTEM, APPLICATION, ALL or None")
    if scope in ("SYSTEM", "APPLICATION") and bool(_mark(f, "system")) != (scope == "SYSTEM"):
        return False
    target = _mark(f, "target")
    if chat_style is None or target is None:
        return True
    several = isinstance(target, Iterable) and not isinstance(target, str | Enum)
    return _style_name(chat_style) in {_style_name(style) for style in (target if several else (target,))}


def _style_name(style: Any) -> str:
    return (style.name if isinstance(style, Enum) else str(style)).lower()


def _mark(f: Callable[..., Any], name: str) -> Any:
    return getattr(f, f"tool_{name}", None)


def _outermost(function: Callable[..., Any]) -> Callable[..., Any]:
    """What the function's name leads to now, when that wraps it (`@temporal` stands outside `@tool`)."""
    found: Any = sys.modules.get(function.__module__)
    for part in function.__qualname__.split("."):
        found = getattr(found, part, None)
    inner = found
    while inner is not None and inner is not function:
        inner = getattr(inner, "__wrapped__", None)
    return function if inner is None else typing.cast("Callable[..., Any]", found)


def _takes_any_keyword(f: Callable[..., Any]) -> bool:
    return any(p.kind is p.VAR_KEYWORD for p in inspect.signature(f).parameters.values())


def _takes_context(f: Callable[..., Any]) -> bool:
    """Plain functions must ask for it by name; `@tool` functions have promised to accept it."""
    return CONTEXT in inspect.signature(f).parameters or (hasattr(f, "tool_system") and _takes_any_keyword(f))


def _is_async(f: Any) -> bool:
    while isinstance(f, functools.partial):
        f = f.func
    return inspect.iscoroutinefunction(f) or inspect.iscoroutinefunction(getattr(f, "__call__", None))  # noqa: B004


def _label(f: Any) -> str:
    return str(getattr(f, "__qualname__", None) or getattr(f, "__name__", None) or type(f).__name__)
