"""What part of a project one call is about: a plan changes only what lies in the scope it was asked for. Pure."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from statek.exceptions import StatekError


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
