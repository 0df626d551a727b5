"""Classes of an application whose values its tools take and give: a job may keep such values.

They are found by the annotations of a tool and by those of their own fields: dataclasses, enums and pydantic models.
Nothing is offered to a job's code by this; how values are kept is the sandbox's knowledge.
"""

import dataclasses
import enum
import typing
from collections.abc import Callable, Mapping


def classes_of(function: Callable[..., object]) -> Mapping[str, type]:
    """The classes in the annotations of `function`, and in theirs, by lasting names such as `shop.tickets:Ticket`.

    Annotations that cannot be resolved, such as of names imported for checkers only, are passed over.
    """
    found: dict[str, type] = {}
    waiting = _annotations(function)
    while waiting:
        kind = waiting.pop()
        waiting.extend(typing.get_args(kind))
        if isinstance(kind, type) and _is_kept(kind) and (name := _lasting_name(kind)) not in found:
            found[name] = kind
            waiting.extend(_annotations(kind))
    return found


def _annotations(owner: Callable[..., object]) -> list[object]:
    try:
        return list(typing.get_type_hints(owner).values())
    except Exception:  # noqa: BLE001 - an annotation is any code, which may fail in any way; the others are used
        return [value for value in getattr(owner, "__annotations__", {}).values() if not isinstance(value, str)]


def _is_kept(kind: type) -> bool:
    is_model = hasattr(kind, "model_fields") and hasattr(kind, "__pydantic_complete__")
    return isinstance(kind, enum.EnumType) or dataclasses.is_dataclass(kind) or is_model


def _lasting_name(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"
