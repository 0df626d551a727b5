"""Good specs to the objects of a release: each a compiled value, its text and its name.

Nothing is checked here; `project` calls it with what it found good. It has no part in checking files, and loads what
that does without.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from statek.compiler import resolve
from statek.compiler.agents import agent
from statek.compiler.revision import revision_of
from statek.ledger import compiled
from statek.spec.reading.documents import Document
from statek.spec.reading.project import EnvConfig
from statek.spec.types import Spec, SpecSet


@dataclass(frozen=True)
class CompiledObject:
    """One object of a release: its value, its text and name, and where it came from (lines from 1, end inclusive)."""

    kind: str
    name: str
    value: compiled.Compiled
    text: str
    revision: str  # "name@" + 12 hex digits
    file: str
    line: int
    end_line: int
    labels: Mapping[str, str]
    protect: bool = False  # never pruned


_RESOLVERS: dict[str, Callable[[Spec], compiled.Compiled]] = {
    "ToolSet": resolve.tool_set, "Model": resolve.model, "Provider": resolve.provider, "Script": resolve.script,
    "Queue": resolve.queue, "Fleet": resolve.fleet,
}  # fmt: skip


def objects_of(specs: SpecSet, env: EnvConfig) -> tuple[CompiledObject, ...]:
    """Every object of a project without problems, by kind and name."""
    made: list[CompiledObject] = []
    for kind in sorted(("Agent", "Warmup", *_RESOLVERS)):
        if kind == "Agent":
            made.extend(specs.each(_agent, [spec for spec in specs.of(kind) if not spec.abstract], env))
        elif kind == "Warmup":
            made.extend(specs.each(_warmup, [document for _, document in sorted(specs.warmups.items())]))
        else:
            made.extend(specs.each(_other, specs.of(kind)))
    return tuple(made)


def _agent(spec: Spec, env: EnvConfig, specs: SpecSet) -> CompiledObject:
    return _of_spec(spec, agent(spec, specs, env))


def _other(spec: Spec, _specs: SpecSet) -> CompiledObject:
    return _of_spec(spec, _RESOLVERS[spec.kind](spec))


def _warmup(document: Document, _specs: SpecSet) -> CompiledObject:
    return _object("Warmup", resolve.warmup(document), (document.file, document.line, document.end_line), {})


def _of_spec(spec: Spec, value: compiled.Compiled) -> CompiledObject:
    place = (spec.document.file, spec.document.line, spec.document.end_line)
    return _object(spec.kind, value, place, spec.labels, protect=_is_protected(spec))


def _is_protected(spec: Spec) -> bool:
    assert spec.document.node is not None
    head = spec.data if spec.kind == "Agent" else spec.document.node.data["metadata"]
    return bool(head.get("protect", False))


def _object(
    kind: str,
    value: compiled.Compiled,
    place: tuple[str, int, int],
    labels: Mapping[str, str],
    *,
    protect: bool = False,
) -> CompiledObject:
    text = compiled.encode(value)
    revision = revision_of(kind, value.name, text)
    return CompiledObject(kind, value.name, value, text, revision, *place, labels, protect)
