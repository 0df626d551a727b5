"""Values of the application's own classes: dataclasses, enums and pydantic models that are offered to the job by name.

They are kept by their fields and come back without their constructor being run. Other classes of the application are
not taken apart: what an object is besides its attributes is theirs to know. Used by the writer and the makers.
"""

import dataclasses
import enum
from typing import Any

from statek.sandbox import keep_errors
from statek.sandbox.keep_format import Surroundings

_OF_MODELS = ("__pydantic_extra__", "__pydantic_fields_set__", "__pydantic_private__")
_WITH_CONTENT = (int, float, str, bytes, tuple, list, dict, set, frozenset, *keep_errors.NAMES)
State = tuple[dict[str, Any], ...]


def is_offered(around: Surroundings, kind: Any) -> bool:
    """Whether the class itself is offered to the job by name."""
    return isinstance(kind, type) and around.name_of(kind) is not None


def sort_of(kind: type) -> str | None:
    """Say how instances are kept: enum, dataclass or model; None when they are not."""
    if isinstance(kind, enum.EnumType):
        return "enum"
    if issubclass(kind, _WITH_CONTENT):
        return None
    if dataclasses.is_dataclass(kind):
        return "dataclass"
    return "model" if "__pydantic_complete__" in vars(kind) and hasattr(kind, "model_fields") else None


def state_of(value: Any) -> State:
    """Give the fields of a dataclass, or the fields and the rest of a model."""
    if sort_of(type(value)) == "model":
        return dict(vars(value)), {name: getattr(value, name) for name in _OF_MODELS}
    held = dict(getattr(value, "__dict__", {}))
    held |= {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if hasattr(value, f.name)}
    return (held,)


def fill(record: Any, state: State) -> None:
    """Set the fields. What the class has got since gets its default; what it has no place for any more is left out."""
    kind = type(record)
    held, *rest = state
    if sort_of(kind) == "model":
        object.__getattribute__(record, "__dict__").update(held)
        for name in _OF_MODELS:
            object.__setattr__(record, name, rest[0][name])
        return
    known = {f.name: f for f in dataclasses.fields(record)}
    for name, field in known.items():
        if name not in held and field.default is not dataclasses.MISSING:
            held[name] = field.default
        elif name not in held and field.default_factory is not dataclasses.MISSING:
            held[name] = field.default_factory()
    for name, value in held.items():
        if name in known or hasattr(record, "__dict__"):
            object.__setattr__(record, name, value)
