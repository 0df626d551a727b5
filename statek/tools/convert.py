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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Annotated, Any

from statek.base.nearest import suggestion
from statek.tools.registry import CONTEXT, IDEMPOTENCY_KEY, Tool

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
        RuntimeError: the call passes what the kit fills in, `_local_context` or `idempotency_key`.
    """
    for name in _filled_in(tool):
        if name in kwargs:
            raise RuntimeError(f"{tool.name}() must not be given {name}: it is filled in by the kit")
    names = _assign(tool, args, kwargs)

    def convert(name: str | None, value: Any) -> Any:
        if not isinstance(value, str) or name is None or name.startswith("_"):
            return value
        wanted = annotation(tool.call, _signature(tool.call), name)
        return _convert(value, wanted, f"{tool.name}({name}=...)", local_names)

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


def _filled_in(tool: Tool) -> tuple[str, ...]:
    return (CONTEXT, IDEMPOTENCY_KEY) if tool.takes_key else (CONTEXT,)


@dataclass(frozen=True)
class _Shape:
    """What a call of a function is checked against; made once for each function."""

    parameters: tuple[inspect.Parameter, ...]  # without what the kit fills in
    positional: tuple[str, ...]
    by_name: frozenset[str]
    any_positional: bool
    any_keyword: bool
    required: tuple[str, ...]


@functools.lru_cache(1024)
def _shape(call: Callable[..., Any], filled_in: tuple[str, ...]) -> _Shape:
    parameters = tuple(p for p in _signature(call).parameters.values() if p.name not in filled_in)
    positional = tuple(p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD))
    by_name = frozenset(p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))
    return _Shape(
        parameters=parameters,
        positional=positional,
        by_name=by_name,
        any_positional=any(p.kind is p.VAR_POSITIONAL for p in parameters),
        any_keyword=any(p.kind is p.VAR_KEYWORD for p in parameters),
        required=tuple(p.name for p in parameters if p.default is p.empty and p.name in {*positional, *by_name}),
    )


def _assign(tool: Tool, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the parameters that the positional arguments go to; raises TypeError for a call that cannot be made."""
    shape = _shape(tool.call, _filled_in(tool))
    taken = shape.positional[: len(args)]
    if len(args) > len(shape.positional) and not shape.any_positional:
        most = f"takes at most {len(shape.positional)} positional arguments, found {len(args)}"
        raise _wrong_call(tool, shape, most)
    twice = [name for name in kwargs if name in taken and name in shape.by_name]
    if twice:
        raise _wrong_call(tool, shape, f"was given {twice[0]} twice, by position and by name")
    unknown = [name for name in kwargs if name not in shape.by_name]
    if unknown and not shape.any_keyword:
        hint = suggestion(unknown[0], sorted(shape.by_name))
        raise _wrong_call(tool, shape, f"has no parameter {unknown[0]}{': ' + hint if hint else ''}")
    missing = [
        name for name in shape.required if name not in taken and (name not in kwargs or name not in shape.by_name)
    ]
    if missing:
        # a misspelt name lands in `**kwargs` without complaint
        stray = f" (found {', '.join(unknown)})" if unknown else ""
        raise _wrong_call(tool, shape, f"is missing {', '.join(missing)}{stray}")
    return taken


def _wrong_call(tool: Tool, shape: _Shape, what: str) -> TypeError:
    return TypeError(f"{tool.name}() {what}; it is called as {tool.name}{_form(shape.parameters)}")


def _form(parameters: Sequence[inspect.Parameter]) -> str:
    shown = [p for p in parameters if p.kind is not p.VAR_KEYWORD and not p.name.startswith("_")]
    bare = [p.replace(annotation=p.empty) for p in shown]
    return str(inspect.Signature(bare))


def _padded(names: Sequence[str], length: int) -> list[str | None]:
    return [*names, *[None] * (length - len(names))]


def _convert(text: str, wanted: Any, where: str, local_names: Mapping[str, object]) -> Any:
    alternatives = [part for part in members(wanted) if part is not types.NoneType]
    if any(_accepts_text(part) for part in alternatives):
        return text
    known = [name for part in alternatives for name in enum_names(part) or ()]
    if text in known:
        return next(_member(part, text) for part in alternatives if text in (enum_names(part) or ()))
    if known and all(enum_names(part) is not None for part in alternatives):
        hint = suggestion(text, known)
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
