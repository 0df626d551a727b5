"""Why a value cannot be kept, in words that tell model code what to do instead. Decides nothing but the words."""

import io
import itertools
import re
import sys
import types
from typing import Final

JOB_CLASS: Final = "a class made in this way is not kept across steps; write a `class` statement"
FROZEN_SET: Final = (
    "a frozenset of objects whose class defines __hash__ is not kept; use a set, or a frozen dataclass for the objects"
)
TOO_DEEP: Final = (
    "it is nested too deeply to be stored (about 450 levels of lists and dicts, or 200 of objects, are possible); "
    "make it flatter"
)

_BY_TYPE: Final[dict[type, str]] = {
    types.GeneratorType: "a generator is a paused function and cannot be stored; make a list of it",
    types.CoroutineType: "a coroutine is a paused function and cannot be stored; await it",
    types.AsyncGeneratorType: "an async generator is a paused function and cannot be stored; make a list of it",
    types.ModuleType: "a module cannot be stored; import it where it is used",
    types.FrameType: "a frame is a running function and cannot be stored",
    types.TracebackType: "a traceback holds running functions and cannot be stored; keep str(error)",
    types.CodeType: "compiled code cannot be stored; keep the function",
    types.MappingProxyType: "a mapping proxy is a view and cannot be stored; make a dict of it",
    memoryview: "a memoryview is a view and cannot be stored; make bytes of it",
    re.Match: "a match of a regular expression cannot be stored; keep its groups: m.groups() or m.groupdict()",
    super: "super() belongs to one call and cannot be stored; call it where it is used",
}
_CONSUMED: Final = (map, filter, zip, enumerate, reversed)


def reason_for(value: object) -> str:
    """Give the sentence for a value that no rule of the writer knows."""
    kind = type(value)
    if kind in _BY_TYPE:
        return _BY_TYPE[kind]
    if isinstance(value, io.IOBase):
        return "an open file cannot be stored; read what is needed and keep that"
    if isinstance(value, _CONSUMED) or kind.__module__ == itertools.__name__ or _steps_through(value):
        return f"a {kind.__name__} is used up while it is read and cannot be stored; make a list of it"
    if isinstance(value, type):
        return _class_reason(value)
    if isinstance(value, types.FunctionType | types.BuiltinFunctionType | types.MethodType):
        return _function_reason(value)
    if not _is_importable(kind):
        return JOB_CLASS
    if isinstance(value, BaseException):
        return f"an exception of type {kind.__name__} is not kept; keep str(error)"
    return (
        f"an object of type {_full_name(kind)} cannot be stored; keep the plain data in it (dict, list, tuple), or, if "
        "it is a dataclass, an enum or a pydantic model, offer its class to the agent"
    )


def _steps_through(value: object) -> bool:
    """Say whether it is a built-in iterator or view, such as dict_keys or set_iterator."""
    kind = type(value)
    return kind.__module__ == "builtins" and (hasattr(kind, "__next__") or kind.__name__.startswith("dict_"))


def _class_reason(value: type) -> str:
    if not _is_importable(value):
        return JOB_CLASS
    return f"class {_full_name(value)} is not offered to this job by name; keep plain data instead of the class"


def _function_reason(value: types.FunctionType | types.BuiltinFunctionType | types.MethodType) -> str:
    if isinstance(value, types.MethodType) or not isinstance(getattr(value, "__self__", None), types.ModuleType | None):
        return f"method {value.__name__!r} bound to an object cannot be stored; keep the object and call it there"
    return f"function {value.__name__!r} was not made in this job and is not offered to it by name; call it by its name"


def _is_importable(kind: type) -> bool:
    """Say whether the class stands in the module it names: then it is the application's, otherwise the job's."""
    found: object = sys.modules.get(str(kind.__module__))
    for part in kind.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is kind


def _full_name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
