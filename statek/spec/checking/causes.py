"""From everything that a schema finds wrong to the root causes: one mistake of the author is one failure.

A misspelt field is also a missing one, a field on the wrong level leaves its own level empty, and several fields on a
wrong level were moved together. Called by `validate`; the words are those of `explain`. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from statek.spec.checking.explain import Failure
from statek.spec.checking.meant import HEAD, choices_of, is_agent, meant
from statek.spec.types import Path

_ORDER = ("type", "enum", "propertyNames", "pattern", "minLength", "minItems", "minimum")
Groups = Mapping[Path, Sequence[Failure]]


def root_causes(groups: Groups, shape: Mapping[str, Any], data: Any) -> list[Failure]:
    """Of the failures of `data` against `shape`, by their places, those that explain the others."""
    wrapped = _wrapped(shape, data)
    if wrapped:  # as Kubernetes has it: `metadata` is then no field of the agent either
        groups = {path: found for path, found in groups.items() if path[:1] != ("metadata",)}
    else:
        groups = _moved_out_of_metadata(groups, shape, data)
    unknown = [failure for found in groups.values() for failure in found if failure.check == "additionalProperties"]
    excused = _excused(unknown)
    excused[()] = excused.get((), frozenset()) | wrapped
    found = [
        cause for path, failures in groups.items() for cause in _at_one_place(failures, excused.get(path, frozenset()))
    ]
    return list(_together(found))


def _wrapped(shape: Mapping[str, Any], data: Any) -> frozenset[str]:
    """Fields of an agent that stand under a `spec`, which it has not."""
    spec = data.get("spec") if is_agent(shape) and isinstance(data, dict) else None
    return frozenset(spec if isinstance(spec, dict) else ())


def _moved_out_of_metadata(groups: Groups, shape: Mapping[str, Any], data: Any) -> Groups:
    """With one failure in the place of those that come of fields of an agent that stand in its `metadata`."""
    metadata = data.get("metadata") if is_agent(shape) and isinstance(data, dict) else None
    if not isinstance(metadata, dict):
        return groups
    names = [name for name in metadata if name in shape["properties"] and name not in data]
    kept = {
        path: [failure for failure in found if failure.check != "required" or path or failure.fact not in names]
        for path, found in groups.items()
        if path[:1] != ("metadata",) or path[1:2] == () or path[1] not in names
    }
    if not names or sum(map(len, kept.values())) == sum(map(len, groups.values())):
        return groups
    where = ("metadata", names[0])
    return {**kept, where: [Failure(where, "misplaced", dict(shape), None, metadata[names[0]], "\n".join(names))]}


def _at_one_place(failures: Sequence[Failure], excused: frozenset[str]) -> Iterator[Failure]:
    """All missing fields, else the one failure that explains the others."""
    others = [failure for failure in failures if failure.check != "required" and failure.check not in excused]
    others.sort(key=lambda failure: _ORDER.index(failure.check) if failure.check in _ORDER else len(_ORDER))
    yield from others[:1]
    yield from (failure for failure in failures if failure.check == "required" and failure.fact not in excused)


def _excused(unknown: Iterable[Failure]) -> dict[Path, frozenset[str]]:
    """By the place of a mapping: missing fields that an unknown one was meant to be, and checks that it explains."""
    found: dict[Path, set[str]] = {}
    for failure in unknown:
        parent, name = failure.path[:-1], str(failure.path[-1])
        close = meant(name, failure.schema, failure.instance[name])
        found.setdefault(parent, set()).update(close[:1] if close is not None else ())
        if not any(choice in failure.instance for choice in choices_of(failure.schema)):
            found[parent].add("oneOf")
        if parent == ("spec",) and name in HEAD:
            found.setdefault((), set()).add("metadata")
            found.setdefault(("metadata",), set()).add(name)
    return {path: frozenset(names) for path, names in found.items()}


def _meant(failure: Failure) -> tuple[str, ...] | None:
    if failure.check != "additionalProperties":
        return None
    name = str(failure.path[-1])
    return meant(name, failure.schema, failure.instance[name])


def _together(failures: Iterable[Failure]) -> Iterator[Failure]:
    """Unknown fields beside each other that all belong into the same mapping are one mistake; the rest as it is."""
    first: dict[tuple[Path, str], int] = {}
    kept: list[Failure] = []
    for failure in failures:
        close = _meant(failure)
        key = (failure.path[:-1], close[0]) if close is not None and len(close) == 2 else None
        if key is not None and key in first:
            index = first[key]
            kept[index] = replace(kept[index], fact=f"{kept[index].fact}\n{failure.path[-1]}")
            continue
        if key is not None:
            first[key] = len(kept)
        kept.append(failure)
    yield from kept
