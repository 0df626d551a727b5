"""Arguments of a call from model code: checked against the signature, text turned into what the parameter wants.

It calls nothing and changes no names. The runtime binds before it performs a call, so that a wrong call costs nothing
and the model reads what was wrong. The idea to keep in mind: only text is ever converted, and only where the
annotation does not accept text; whatever cannot be converted is passed on as it is.
"""

import enum
import functools
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Annotated, Any

from statek.tools.registry import CONTEXT, Tool, nearest

UNKNOWN = Any  # an annotation that says nothing
_DATES: dict[type, Callable[[str], object]] = {
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    time: time.fromisoformat,
}


_signature = functools.lru_cache(1024)(inspect.signature)  # 60 us each, of a few functions again and again


def bind(
    tool: Tool, args: tuple[Any, ...], kwargs: Mapping[str, Any], *, local_names: Mapping[str, object]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Check and convert the arguments of one call.

    Text for a parameter that does not accept text is read as a member of its enum, as an ISO date or time, or as the
    name of a variable of the calling code, in this order.

    Args:
        tool: what is called.
        args: positional arguments.
        kwargs: keyword arguments.
        local_names: variables of the calling code.

    Returns:
        The positional and the keyword arguments to call it with.

    Raises:
        TypeError: an argument is missing, unknown, or one too many.
        ValueError: text names no member of the parameter's enum.
        RuntimeError: the call passes `_local_context` itself.
    """
    if CONTEXT in kwargs:
        raise RuntimeError(f"{tool.name}() must not be given {CONTEXT}: it is filled in by the kit")
    signature = _signature(tool.call)
    names = _assign(tool, signature, args, kwargs)
    wanted = {name: annotation(tool.call, signature, name) for name in set(names) | set(kwargs)}

    def convert(name: str | None, value: Any) -> Any:
        if not isinstance(value, str) or name is None or name.startswith("_"):
            return value
        return _convert(value, wanted[name], f"{tool.name}({name}=...)", local_names)

    positional = tuple(convert(name, value) for name, value in zip(_padded(names, len(args)), args, strict=True))
    return positional, {name: convert(name, value) for name, value in kwargs.items()}


def annotation(f: Callable[..., Any], signature: inspect.Signature, name: str) -> Any:
    """The annotation of a parameter (or "return"), its text resolved; Any when there is none.

    Text that cannot be resolved here (a name imported for type checkers only) says nothing about values: Any.
    """
    if name == "return":
        found = signature.return_annotation
    else:
        parameter = signature.parameters.get(name)
        if parameter is None or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            return UNKNOWN
        found = parameter.annotation
    if found is inspect.Signature.empty:
        return UNKNOWN
    if not isinstance(found, str):
        return found
    try:
        hints = typing.get_type_hints(_only(found, inspect.unwrap(f)), include_extras=True)
    except (NameError, SyntaxError, TypeError, AttributeError):
        return UNKNOWN
    return hints["it"]


def members(wanted: Any) -> tuple[Any, ...]:
    """The alternatives of a union, Annotated and NewType taken off; a lone annotation is its only alternative."""
    while True:
        if typing.get_origin(wanted) is Annotated:
            wanted = typing.get_args(wanted)[0]
        elif isinstance(wanted, typing.NewType):
            wanted = wanted.__supertype__
        else:
            break
    if typing.get_origin(wanted) in (typing.Union, types.UnionType):
        return tuple(inner for part in typing.get_args(wanted) for inner in members(part))
    return (wanted,)


def enum_names(wanted: Any) -> list[str] | None:
    """Member names of an enum (Python's; dbzero's while a store is open), None for anything else."""
    if isinstance(wanted, enum.EnumMeta):
        return list(wanted.__members__)
    if is_store_enum(wanted):
        return [str(value) for value in wanted.values()]
    return None


def is_store_enum(wanted: Any) -> bool:
    """An enum of the object store; this ring does not import it, so by the name of its type."""
    kind = type(wanted)
    return kind.__name__ == "Enum" and kind.__module__.partition(".")[0] == "dbzero"


def _only(text: str, f: Any) -> Any:
    """An object that has just this annotation, in the name space of `f`."""
    return types.SimpleNamespace(__annotations__={"it": text}, __globals__=getattr(f, "__globals__", {}))


def _assign(tool: Tool, signature: inspect.Signature, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[str]:
    """Names of the parameters that the positional arguments go to; raises TypeError for a call that cannot be made."""
    parameters = [p for p in signature.parameters.values() if p.name != CONTEXT]
    positional = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    by_name = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    any_positional = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    any_keyword = any(p.kind is p.VAR_KEYWORD for p in parameters)
    taken = positional[: len(args)]
    form = f"it is called as {tool.name}{_form(parameters)}"
    if len(args) > len(positional) and not any_positional:
        raise TypeError(
            f"{tool.name}() takes at most {len(positional)} positional arguments, found {len(args)}; {form}"
        )
    twice = [name for name in kwargs if name in taken and name in by_name]
    if twice:
        raise TypeError(f"{tool.name}() was given {twice[0]} twice, by position and by name; {form}")
    unknown = [name for name in kwargs if name not in by_name]
    if unknown and not any_keyword:
        hint = nearest(unknown[0], by_name)
        raise TypeError(f"{tool.name}() has no parameter {unknown[0]}{': ' + hint if hint else ''}; {form}")
    required = [p.name for p in parameters if p.default is p.empty and p.name in {*positional, *by_name}]
    missing = [name for name in required if name not in taken and (name not in kwargs or name not in by_name)]
    if missing:
        # a misspelt name lands in `**kwargs` without complaint
        stray = f" (found {', '.join(unknown)})" if unknown else ""
        raise TypeError(f"{tool.name}() is missing {', '.join(missing)}{stray}; {form}")
    return taken


def _form(parameters: list[inspect.Parameter]) -> str:
    shown = [p for p in parameters if p.kind is not p.VAR_KEYWORD and not p.name.startswith("_")]
    bare = [p.replace(annotation=p.empty) for p in shown]
    return str(inspect.Signature(bare))


def _padded(names: list[str], length: int) -> list[str | None]:
    return [*names, *[None] * (length - len(names))]


def _convert(text: str, wanted: Any, where: str, local_names: Mapping[str, object]) -> Any:
    alternatives = [part for part in members(wanted) if part is not types.NoneType]
    if any(_accepts_text(part) for part in alternatives):
        return text
    known = [name for part in alternatives for name in enum_names(part) or ()]
    if text in known:
        return next(_member(part, text) for part in alternatives if text in (enum_names(part) or ()))
    if known and all(enum_names(part) is not None for part in alternatives):
        hint = nearest(text, known)
        raise ValueError(f"{where}: no member {text!r}{': ' + hint if hint else ''}; expected {', '.join(known)}")
    for part in alternatives:
        if part in _DATES:
            try:
                return _DATES[part](text)
            except ValueError:
                continue  # not this form; the next alternative, or a variable of that name
    return local_names.get(text, text)


def _member(wanted: Any, name: str) -> Any:
    return wanted[name] if isinstance(wanted, enum.EnumMeta) else getattr(wanted, name)


def _accepts_text(wanted: Any) -> bool:
    """May a str be passed as it is? Annotations that are no class (Any, Literal, type variables) accept it."""
    if is_store_enum(wanted):
        return False
    origin = typing.get_origin(wanted) or wanted
    if wanted is Any or not isinstance(origin, type):
        return True
    try:
        return issubclass(str, origin)
    except TypeError:  # a protocol that cannot be checked
        return True
