"""Which objects an object needs: the names in its compiled value. Pure.

Warmups and tools are written out in the agents that use them, so they are never needed by name.
"""

from collections.abc import Iterable, Mapping
from typing import assert_never

from statek.ledger import compiled
from statek.ledger.releases import StoredObject
from statek.llm.known import needs_no_document


def needed_keys(entry: StoredObject) -> frozenset[str]:
    """Keys (`Model/fast`) that must be in a release together with `entry`."""
    return frozenset(_needed(compiled.decode(entry.kind, entry.text)))


def with_needed(chosen: Mapping[str, StoredObject], offered: Mapping[str, StoredObject]) -> dict[str, StoredObject]:
    """`chosen`, and from `offered` whatever it needs, directly or not, and does not hold yet."""
    found, open_keys = dict(chosen), list(chosen)
    while open_keys:
        for key in sorted(_wanted(found[open_keys.pop()])):
            if key not in found and key in offered:
                found[key] = offered[key]
                open_keys.append(key)
    return found


def missing(objects: Mapping[str, StoredObject]) -> dict[str, str]:
    """Needed keys that are not there, each with the key of an object that needs it."""
    return {
        wanted: key
        for key, entry in sorted(objects.items())
        for wanted in needed_keys(entry)
        if wanted not in objects and not _is_built_in(wanted)
    }


def _is_built_in(key: str) -> bool:
    kind, _, name = key.partition("/")
    return kind == "Provider" and needs_no_document(name)


def _wanted(entry: StoredObject) -> frozenset[str]:
    """Needed keys, and the script of a model, which only a scripted provider reads."""
    value = compiled.decode(entry.kind, entry.text)
    scripts = {f"Script/{value.id}"} if isinstance(value, compiled.Model) else set()
    return frozenset(_needed(value)) | scripts


def _needed(value: compiled.Compiled) -> Iterable[str]:
    match value:
        case compiled.Agent():
            yield from (f"Model/{name}" for name in value.model if "/" not in name)
            yield from (f"Agent/{name}" for name in value.subagents)
        case compiled.Model():
            yield f"Provider/{value.provider}"
            yield from (f"Model/{name}" for name in value.fallback)
        case compiled.Queue():
            yield from (f"Agent/{name}" for name in [value.agent] if name)
            yield from (f"Queue/{name}" for name in [value.dead_letter] if name)
        case compiled.Fleet():
            yield from (f"Agent/{name}" for name in value.agents)
            yield from (f"Queue/{name}" for name in value.queues)
        case compiled.ToolSet() | compiled.Warmup() | compiled.Provider() | compiled.Script():
            return
        case _:
            assert_never(value)
