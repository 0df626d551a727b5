"""Why has a job the value it has? What the revision it began with says, then what the files say about that now. Pure.

A job keeps its revision: an edit of the files reaches only later jobs (and prompts, where `reload.prompt` says so). So
the chain begins with the revision, and goes on with the files only to show where the value comes from, or that they say
something else by now.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from statek.compiler.project import Project
from statek.compiler.used import fields_of, value_at
from statek.compiler.why import NoSuchField, Reason, Said, reasons_for
from statek.ledger import compiled
from statek.spec.schema.field_paths import Unknown, shape_at
from statek.spec.types import Spec

_SHORT = {"params": ("model", "params")}  # fields that a revision has in one place only


@dataclass(frozen=True, slots=True)
class Held:
    """What a job has of its own: its agent as it began with it, and its inputs.

    Attributes:
        owner: the revision and release, in words.
        given: who gave the inputs, in words.
    """

    agent: compiled.Agent
    inputs: Mapping[str, Any]
    owner: str
    given: str


def reasons_of_job(
    held: Held, path: tuple[str, ...], project: Project | None, now: compiled.Agent | None
) -> tuple[Reason, ...]:
    """One Reason for each value under `path`; `project` and `now` are the files and the agent in them, if good.

    Raises:
        NoSuchField: agents have no field of that name, or a job uses nothing of it; the message says which.
    """
    shape = shape_at("Agent", path)
    if isinstance(shape, Unknown) and path[0] != "inputs":
        wrong = ".".join(path[: shape.step + 1])
        raise NoSuchField(f"Agent has no field '{wrong}'{shape.reason}")
    data = {**fields_of(held.agent), "inputs": dict(held.inputs)}
    path = (*_SHORT.get(path[0], path[:1]), *path[1:])
    try:
        found = value_at(data, path)
    except KeyError as error:
        name = ".".join(path)
        instead = f"; statek why Agent/{held.agent.name} {name} says what the files say"
        known = f"; its inputs: {', '.join(sorted(held.inputs)) or 'none'}" if path[0] == "inputs" else instead
        raise NoSuchField(f"the job has nothing under '{name}'{known}") from error
    spec = project.specs.get("Agent", held.agent.name) if project is not None else None
    files = _Files(project, spec, now)
    return tuple(_reasons(held, path, found, files))


@dataclass(frozen=True, slots=True)
class _Files:
    """The agent as the files declare it now; nothing of it when they do not, or have errors."""

    project: Project | None
    spec: Spec | None
    now: compiled.Agent | None

    def chain(self, path: tuple[str, ...], value: Any) -> Iterator[Said]:
        """Where they say the value, or another one."""
        if self.project is None or self.spec is None or self.now is None:
            return
        try:
            same = value_at(fields_of(self.now), path) == value
        except KeyError:
            same = False
        places = [path, path[1:]] if path[:2] == _SHORT["params"] else [path]
        found = (reason for place in places for reason in reasons_for(self.project, self.spec, place))
        reasons = [reason for reason in found if reason.chain]
        if len(reasons) == 1:
            first, *others = reasons[0].chain
            yield replace(first, relation="from" if same else "now")
            yield from others


def _reasons(held: Held, path: tuple[str, ...], value: Any, files: _Files) -> Iterator[Reason]:
    if isinstance(value, Mapping) and value and (path == ("inputs",) or path[0] not in {"inputs", "output"}):
        for name, inner in value.items():
            yield from _reasons(held, (*path, name), inner, files)
    elif path[0] == "inputs":
        yield _input(held, path, value, files)
    else:
        said = Said("counts", json.dumps(value, ensure_ascii=False), held.owner)
        yield Reason(".".join(path), value, (said, *files.chain(path, value)))


def _input(held: Held, path: tuple[str, ...], value: Any, files: _Files) -> Reason:
    """An input was given, or is the default that the revision declares."""
    declared = held.agent.inputs.get(path[1], {})
    by_default = len(path) == 2 and "default" in declared and declared["default"] == value
    said = Said("counts", json.dumps(value, ensure_ascii=False), held.owner if by_default else held.given)
    chain = files.chain((*path, "default"), value) if by_default else ()
    return Reason(".".join(path), value, (said, *chain))
