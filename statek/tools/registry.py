"""The `@tool` decorator, the functions it has marked, and Tool, the value that stands for one callable.

It calls no tool and knows no job. Application modules decorate; `from_callable` makes the Tool that the runtime offers
to jobs. The idea to keep in mind: decorating only sets markers on the function itself, everything else reads them.
"""

import functools
import inspect
import logging
from collections.abc import Callable, Mapping, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, overload

from statek.tools.classes import classes_of

F = TypeVar("F", bound=Callable[..., Any])
Effect = Literal["read", "write", "external"]
EFFECTS: tuple[Effect, ...] = ("read", "write", "external")
CONTEXT = "_local_context"  # parameter in which a `@tool` function gets the names of the calling code
IDEMPOTENCY_KEY = "idempotency_key"  # parameter in which a function gets the name of the call it serves

registers: ContextVar[Callable[[Callable[..., Any], Any], None] | None] = ContextVar("registers", default=None)
"""Where a test makes a job the current one: what registers a tool's error handler with the result of a call."""

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
        timeout_us: bound of one call in microseconds; None: the kit's own.
        is_async: calling gives an awaitable.
        description: shown instead of the docstring's text.
        system: part of the kit, not of the application.
        hidden: left out of everything the model sees.
        takes_context: call it with `_local_context=`, the names of the calling code.
        error_handler: registered on the job with the result of a call.
        thread: a plain function that runs in a thread, off the loop; it gets and gives plain data only.
        takes_key: call it with `idempotency_key=`, which is the same when the same call is made again.
        target: chat styles it is made for; None: all.
        exposed: a hidden one that code may call all the same.
        inside: internal whatever its name.
        classes: of the application, whose values it takes and gives, by lasting names.
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
    thread: bool = False
    takes_key: bool = False
    target: Any = None
    exposed: bool = False
    inside: bool = False
    classes: Mapping[str, type] = field(default_factory=dict, repr=False, compare=False)

    @property
    def outside(self) -> bool:
        """Is it performed by the scheduler, between two stretches, and its result recorded?"""
        return self.effect == "external" or self.is_async or self.thread

    @property
    def internal(self) -> bool:
        """Usable in code but not shown to the model?"""
        return self.inside or self.name.startswith("_")


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
    thread: bool = False,
    effect: Effect = "external",
    idempotent: bool = False,
    timeout: float | None = None,
) -> Callable[[F], F]: ...
def tool(
    f: Callable[..., Any] | None = None,
    *,
    system: bool = False,
    target: Any = None,
    error_handler: Callable[..., Any] | None = None,
    hidden: bool = False,
    thread: bool = False,
    effect: Effect = "external",
    idempotent: bool = False,
    timeout: float | None = None,
) -> Any:
    """Mark a function as a tool; usable with and without parentheses.

    Args:
        f: the function; it must accept `**kwargs`.
        system: part of the kit rather than of the application.
        target: a chat style (or its name) or several of them; None: all.
        error_handler: an `@error_handler` function, registered on the job with the tool's result.
        hidden: leave it out of everything the model sees.
        thread: run it in a thread, off the loop: for plain functions that take long. It gets copies of plain data,
            must return plain data, and must not use stored objects; `get_current_job()` is None in it.
        effect: what a call may change: "read", "write" (this store only) or "external".
        idempotent: may be called again with the same arguments; with a parameter `idempotency_key` it is given a text
            that is the same each time.
        timeout: seconds after which a call of an async function or of one in a thread is given up.

    Raises:
        TypeError: the function has no `**kwargs`, or `error_handler` is not a valid one.
        ValueError: unknown `effect`, or options that exclude each other.
    """
    if error_handler is not None and not is_valid_error_handler(error_handler):
        raise TypeError(
            f"error_handler {label(error_handler)} is not valid: decorate it with @error_handler, give it a name "
            "that starts with _, and the parameters (context, error=None)"
        )
    if effect not in EFFECTS:
        raise ValueError(f"unknown effect {effect!r}: expected read, write or external")
    if timeout is not None and not timeout > 0:
        raise ValueError(f"timeout is a number of seconds above 0, found {timeout!r}")
    marks = {
        "tool_system": system, "tool_target": target, "tool_hidden": hidden, "tool_effect": effect,
        "tool_idempotent": idempotent, "tool_error_handler": error_handler, "tool_thread": thread,
        "tool_timeout": timeout,
    }  # fmt: skip

    def mark(function: F) -> F:
        if not _takes_any_keyword(function):
            raise TypeError(f"tool {label(function)} must accept **kwargs: the kit passes {CONTEXT} that way")
        _check_bounds(function, effect=effect, thread=thread, timeout_us=None if timeout is None else 1)
        marked = function if error_handler is None else _watched(function, error_handler)
        marked.__dict__.update(marks)
        _registry[function.__module__, function.__qualname__] = marked
        return marked

    return mark if f is None else mark(f)


def _watched(function: F, handler: Callable[..., Any]) -> F:
    """A function that tells `registers`, where that is set, what each call gave. Jobs at work have no need of it."""

    def tell(value: Any) -> Any:
        if (register := registers.get()) is not None:
            register(handler, value)
        return value

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        return tell(function(*args, **kwargs))

    @functools.wraps(function)
    async def called_async(*args: Any, **kwargs: Any) -> Any:
        return tell(await function(*args, **kwargs))

    found: Any = called_async if _is_async(function) else called
    return found  # type: ignore[no-any-return]


def _check_bounds(f: Callable[..., Any], *, effect: str, thread: bool, timeout_us: int | None) -> None:
    """Raises ValueError for options that nobody could keep."""
    if thread and _is_async(f):
        raise ValueError(f"tool {label(f)} is async, which needs no thread: remove thread=True")
    if thread and effect != "external":
        raise ValueError(f"tool {label(f)} cannot run in a thread with the effect {effect!r}: only external ones can")
    if timeout_us is not None and not (thread or _is_async(f)):
        raise ValueError(
            f"tool {label(f)} cannot be given up: make it async, or pass thread=True, to give it a timeout"
        )


def error_handler(func: Callable[..., Any]) -> Callable[..., None]:
    """Mark a function `(context, error=None)` that cleans up when a job ends with an error.

    What it raises is logged and goes no further: cleaning up must not hide the error that made it necessary.
    """

    @functools.wraps(func)
    def handle(*args: Any, **kwargs: Any) -> None:
        try:
            func(*args, **kwargs)
        except Exception:
            log.exception("error handler %s failed", label(func))

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
    thread: bool = False,
) -> Tool:
    """The Tool of a function, plain or marked by `@tool`.

    Markers fill in what is not said here: an `effect` other than "external", `idempotent`, thread, timeout, system,
    hidden. A temporal function counts as idempotent, and so does an async one that only reads.

    Raises:
        TypeError: there is no name, or `f` cannot be called or has no signature.
        ValueError: options that exclude each other, such as a thread for an async function.
    """
    name, parameters = name_of(f, name), _parameters(f)
    effect = _mark(f, "effect", "external") if effect == "external" else effect
    thread = thread or _mark(f, "thread", False)
    seconds = _mark(f, "timeout", None)
    if timeout_us is None and seconds is not None:
        timeout_us = round(seconds * 1_000_000)
    is_async = _is_async(f)
    if not (thread or is_async):
        timeout_us = None  # nobody can give such a call up; the checker of the files has said so
    _check_bounds(f, effect=effect, thread=thread, timeout_us=timeout_us)
    repeats = idempotent or _mark(f, "idempotent", False) or getattr(f, "__is_temporal__", False)
    return Tool(
        name=name,
        call=f,
        effect=effect,
        idempotent=repeats or (is_async and effect == "read"),
        timeout_us=timeout_us,
        is_async=is_async,
        description=description,
        system=_mark(f, "system", False),
        hidden=_mark(f, "hidden", False),
        takes_context=CONTEXT in parameters or (hasattr(f, "tool_system") and _takes_any_keyword(f)),
        error_handler=_mark(f, "error_handler", None),
        thread=thread,
        takes_key=_takes_key(f, parameters),
        target=_mark(f, "target", None),
        classes=classes_of(f),
    )


def create_tool(
    tool_name: str,
    callable: Callable[..., Any],  # noqa: A002 - documented name
    docstring: str,
    context: MutableMapping[str, Any],
    *args: Any,
    **kwargs: Any,
) -> Callable[..., Any]:
    """A tool without parameters that calls `callable` with the arguments given here, whatever it is called with.

    Args:
        tool_name: its name.
        callable: what it calls.
        docstring: its docstring.
        context: the names it is to stand beside; they are only looked at.
        *args: positional arguments of the call.
        **kwargs: keyword arguments of the call.

    Raises:
        ValueError: `context` has that name already.
    """
    if tool_name in context:
        raise ValueError(f"the context has a {tool_name!r} already; give the tool another name")

    def created(*_ignored: Any, **_also: Any) -> Any:
        return callable(*args, **kwargs)

    created.__name__ = created.__qualname__ = tool_name
    created.__doc__ = docstring
    return tool(created)


def docs_style(f: Any = None, *, brief_types: bool = False) -> Any:
    """Mark how a function is documented to the model; usable with and without parentheses.

    Args:
        f: the function.
        brief_types: the short form shows types, too.
    """

    def mark(function: F) -> F:
        function.__dict__["docs_brief_types"] = brief_types
        return function

    return mark if f is None else mark(f)


@overload
def kit_tool(function: F) -> F: ...
@overload
def kit_tool(function: None = None, *, target: Any = None) -> Callable[[F], F]: ...
def kit_tool(function: Any = None, *, target: Any = None) -> Any:
    """Mark a function of the kit as a system tool that only works on its job; unlike others it needs no `**kwargs`."""

    def mark(function: F) -> F:
        function.__dict__.update(tool_system=True, tool_target=target, tool_hidden=False, tool_effect="write")
        _registry[function.__module__, function.__qualname__] = function
        return function

    return mark if function is None else mark(function)


def marked_tools() -> list[Callable[..., Any]]:
    """Every function that `@tool` has marked in this process, in that order."""
    return list(_registry.values())


def name_of(f: Any, name: str | None = None) -> str:
    """The name that model code calls `f` by. Raises TypeError when it is no function or there is none."""
    if not callable(f):
        raise TypeError(f"a tool is a function, found {type(f).__name__}")
    name = name or getattr(f, "__name__", None)
    if not name:
        raise TypeError(f"a tool needs a name: {type(f).__name__} has none of its own, pass name=")
    return name


def label(f: Any) -> str:
    """What to call `f` in a message."""
    return str(getattr(f, "__qualname__", None) or getattr(f, "__name__", None) or type(f).__name__)


def _parameters(f: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    try:
        return dict(inspect.signature(f).parameters)
    except ValueError as error:
        raise TypeError(f"{label(f)} cannot be a tool: {error}; wrap it in a function of your own") from error


def _takes_key(f: Callable[..., Any], parameters: dict[str, inspect.Parameter]) -> bool:
    key = parameters.get(IDEMPOTENCY_KEY)
    if key is None:
        return False
    positional = (key.POSITIONAL_ONLY, key.POSITIONAL_OR_KEYWORD, key.VAR_POSITIONAL)
    by_place = [name for name, parameter in parameters.items() if parameter.kind in positional]
    if key.kind is key.POSITIONAL_ONLY or IDEMPOTENCY_KEY in by_place[:-1]:
        raise ValueError(f"tool {label(f)}: {IDEMPOTENCY_KEY} is filled in by the kit; put it last, after a *")
    return True


def _mark(f: Any, name: str, default: Any) -> Any:
    return getattr(f, f"tool_{name}", default)


def _takes_any_keyword(f: Callable[..., Any]) -> bool:
    return any(p.kind is p.VAR_KEYWORD for p in inspect.signature(f).parameters.values())


def _is_async(f: Any) -> bool:
    while isinstance(f, functools.partial):
        f = f.func
    return inspect.iscoroutinefunction(f) or inspect.iscoroutinefunction(getattr(f, "__call__", None))  # noqa: B004
