"""`@subtask`: a tool whose call starts a child job and gives the caller its handler.

The decorated function makes the job (or a handler of it); the decorator takes the caller's `id`, wraps and attaches.
It runs inside the caller's stretch, since all it is to do is to make a job; an async one is called outside.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any

from statek.runtime.delegation import attach, create_sub_task
from statek.store.job import Job
from statek.store.subtask import SubTaskHandler
from statek.tools.registry import tool


def subtask(f: Callable[..., Any] | None = None, *, system: bool = False, target: Any = None) -> Any:
    """Mark a function that makes a child job as a tool that gives a SubTaskHandler; with and without parentheses.

    Callers may pass `id=...`, which becomes the handler's; the function never sees it.

    Args:
        f: returns a Job or a SubTaskHandler; it must accept `**kwargs` and must not have a parameter `id`.
        system: part of the kit rather than of the application.
        target: a chat style (or its name) or several of them; None: all.

    Raises:
        TypeError: the function has no `**kwargs`, or a parameter `id`; or, when called, gives something else.
    """

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(function)
        if "id" in signature.parameters:
            raise TypeError(f"subtask {function.__qualname__} has a parameter `id`: that name is for its caller")
        if not any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values()):
            raise TypeError(f"subtask {function.__qualname__} must accept **kwargs")
        wrapper = _async_wrapper(function) if inspect.iscoroutinefunction(function) else _wrapper(function)
        wrapper.__dict__["__signature__"] = _with_id(signature)
        effect: Any = "external" if inspect.iscoroutinefunction(function) else "write"
        return tool(system=system, target=target, effect=effect)(wrapper)

    return mark if f is None else mark(f)


def _wrapper(function: Callable[..., Any]) -> Callable[..., SubTaskHandler]:
    @functools.wraps(function)
    def start(*args: Any, **kwargs: Any) -> SubTaskHandler:
        name = kwargs.pop("id", None)
        return _handled(function, function(*args, **kwargs), name)

    return start


def _async_wrapper(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    async def start(*args: Any, **kwargs: Any) -> SubTaskHandler:
        name = kwargs.pop("id", None)
        return _handled(function, await function(*args, **kwargs), name)

    return start


def _handled(function: Callable[..., Any], made: Any, name: Any) -> SubTaskHandler:
    if isinstance(made, Job):
        return create_sub_task(made, id=name)
    if not isinstance(made, SubTaskHandler):
        kind = type(made).__name__
        raise TypeError(f"subtask {function.__qualname__} must return a Job or a SubTaskHandler, it returned a {kind}")
    if made.id is None:
        made.set_id(name)
    attach(made)
    return made


def _with_id(signature: inspect.Signature) -> inspect.Signature:
    """As callers see it: with an optional `id`, giving a handler."""
    parameters = list(signature.parameters.values())
    has_rest = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    kind = inspect.Parameter.KEYWORD_ONLY if has_rest else inspect.Parameter.POSITIONAL_OR_KEYWORD
    late = (
        (inspect.Parameter.VAR_KEYWORD,)
        if has_rest
        else (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)
    )
    place = next(n for n, p in enumerate(parameters) if p.kind in late)
    parameters.insert(place, inspect.Parameter("id", kind, default=None))
    return signature.replace(parameters=parameters, return_annotation=SubTaskHandler)
