"""What the files want: compiled objects as objects of a release, with their owner. Pure.

The one idea: an object belongs to the project and source root it was read from.
"""

from statek.compiler.objects import CompiledObject
from statek.compiler.project import Compilation
from statek.ledger.releases import StoredObject


def desired_objects(compilation: Compilation) -> tuple[StoredObject, ...]:
    """Every object of a compilation without errors, as a release holds it."""
    return tuple(_stored(compilation, item) for item in compilation.objects)


def _stored(compilation: Compilation, item: CompiledObject) -> StoredObject:
    config = compilation.config
    roots = [root.strip("/") for root in config.roots]
    root = next((root for root in roots if item.file.startswith(f"{root}/")), item.file.partition("/")[0])
    extra = {"endLine": item.end_line, "source": compilation.sources[item.file]}
    return StoredObject(
        kind=item.kind,
        name=item.name,
        revision=item.revision,
        text=item.text,
        file=item.file,
        line=item.line,
        owner=f"{config.project}/{root}",
        labels=dict(item.labels),
        extra={**extra, "protect": True} if item.protect else extra,
    )


def owning_project(entry: StoredObject) -> str:
    """The project part of an owner."""
    return entry.owner.partition("/")[0]
