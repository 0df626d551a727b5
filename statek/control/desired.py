"""What the files want: compiled objects as objects of a release, with owner and scope. Pure.

The one idea: an object belongs to the project and source root it was read from, and a plan changes only what lies in
the scope it was asked for.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from statek.compiler.project import Compilation, CompiledObject
from statek.exceptions import StatekError
from statek.ledger.releases import StoredObject


@dataclass(frozen=True)
class Scope:
    """The files a plan is about: those under one of `paths`, relative to the project; an empty path covers all."""

    paths: tuple[str, ...] = ("",)

    def covers(self, file: str) -> bool:
        """Whether an object read from `file` may be changed."""
        return any(path in ("", file) or file.startswith(f"{path}/") for path in self.paths)


WHOLE = Scope()


def scope_of(root: Path, paths: Sequence[Path]) -> Scope:
    """The scope of `paths` within the project at `root`. Raises StatekError when one lies outside of it."""
    top = os.path.realpath(root)
    found = []
    for path in paths:
        relative = Path(os.path.relpath(os.path.realpath(path), top)).as_posix()
        if relative == ".." or relative.startswith("../"):
            raise StatekError(f"{path} lies outside of the project {root}", hint="one call applies one project")
        found.append("" if relative == "." else relative)
    return Scope(tuple(found)) if found else WHOLE


def desired_objects(compilation: Compilation) -> tuple[StoredObject, ...]:
    """Every object of a compilation without errors, as a release holds it."""
    return tuple(_stored(compilation, item) for item in compilation.objects)


def _stored(compilation: Compilation, item: CompiledObject) -> StoredObject:
    config = compilation.config
    roots = [root.strip("/") for root in config.roots]
    root = next((root for root in roots if item.file.startswith(f"{root}/")), item.file.partition("/")[0])
    return StoredObject(
        kind=item.kind,
        name=item.name,
        revision=item.revision,
        text=item.text,
        file=item.file,
        line=item.line,
        owner=f"{config.project}/{root}",
        labels=dict(item.labels),
        extra={"endLine": item.end_line, "source": compilation.sources[item.file]},
    )


def owning_project(entry: StoredObject) -> str:
    """The project part of an owner."""
    return entry.owner.partition("/")[0]
